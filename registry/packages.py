"""The package of a model version: MLflow's model folder and all that belongs to the model, signed as one."""

import importlib
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from onnx import ModelProto

from infra.errors import PackageBroken
from infra.files import atomic_write_json, sha256_file
from infra.signed_folder import (
    MANIFEST,
    MOST_BYTES,
    MOST_FILES,
    SIGNATURE,
    SignedFolder,
    listing,
    open_signed,
    read_manifest,
    require_listed,
    sign_folder,
)
from infra.signing import Keyring
from registry.bom import Part, Provenance, bill_of_materials
from registry.graphs import read_graph, signature
from registry.inspection import require_harmless

GRAPH = "model.onnx"  # MLflow's name for it inside a model folder
CARD, BOM = "model_card.md", "bom.cdx.json"
SERVED_NOTE, LARGEST_NOTE = "registered_model_meta", 4096
"""Name and number of a version, which `mlflow models serve models:/...` notes in the registry's own folder, where that
is a local one. It is no part of a package: our copy goes without it, unread."""
REQUIREMENTS = ("onnxruntime>=1.23", "onnx>=1.21", "numpy>=2.2")


class Extras(NamedTuple):
    """What goes into a package beside graph and card: `files` by the name they get, and where the model comes from."""

    files: Mapping[str, Path] = {}
    provenance: Provenance = Provenance()


class Subject(NamedTuple):
    """Which version a package is, by the model's name and the key it is registered under."""

    model: str
    key: str


def write_package(
    folder: Path,
    graph: bytes,
    card: str,
    subject: Subject,
    tags: Mapping[str, str],
    extras: Extras,
    keys: Keyring,
) -> str:
    """Fill `folder`, which MLflow makes, and sign it; the SHA-256 of its manifest. Raises `RegistryError`."""
    proto = read_graph(graph)
    _save_for_mlflow(folder, proto)
    (folder / GRAPH).write_bytes(graph)  # byte for byte what was exported, so that its hash holds
    (folder / CARD).write_text(card, encoding="utf-8")
    for name, path in extras.files.items():
        shutil.copyfile(path, folder / name)
    parts = [Part(name, sha256_file(folder / name)) for name in listing(folder)]
    atomic_write_json(folder / BOM, bill_of_materials(*subject, proto, parts, extras.provenance, tags))
    digest = sign_folder(folder, subject._asdict(), keys)
    require_harmless(open_signed(folder, keys))
    return digest


def open_package(folder: Path, keys: Keyring) -> SignedFolder:
    """A package that lies in a folder, checked to the last byte; raises `PackageBroken` and `RegistryError`."""
    signed = open_signed(folder, keys)
    require_harmless(signed)
    return signed


def download_package(source: str, tracking_uri: str, folder: Path, keys: Keyring) -> SignedFolder:
    """The package at MLflow's `source` as a copy below `folder`, checked as `open_package` does.

    Signature, names and sizes are checked before the files are fetched: nobody sends more than was signed.
    """
    from mlflow.artifacts import download_artifacts, list_artifacts

    found = list_artifacts(source, tracking_uri=tracking_uri)
    listed = {PurePosixPath(each.path).name: int(each.file_size or 0) for each in found}
    noted = 0 < listed.get(SERVED_NOTE, 0) <= LARGEST_NOTE
    if noted:
        del listed[SERVED_NOTE]
    sizes = {name: size for name, size in listed.items() if name not in MOST_BYTES}
    for name, most in MOST_BYTES.items():
        if name not in listed:
            raise PackageBroken(f"it has no {name}: it was registered before packages were signed, train it again")
        if listed[name] > most or len(sizes) > MOST_FILES:
            raise PackageBroken(f"its {name} is too large, or it has too many files")
    beside = [
        Path(download_artifacts(f"{source}/{name}", dst_path=str(folder / "manifest"), tracking_uri=tracking_uri))
        for name in (MANIFEST, SIGNATURE)
    ]
    raw, signature_text = (path.read_bytes() for path in beside)
    manifest, _ = read_manifest(raw, signature_text, keys, "its manifest")
    require_listed(manifest, sizes, "its folder")
    local = Path(download_artifacts(source, dst_path=str(folder / "package"), tracking_uri=tracking_uri))
    if noted:
        (local / SERVED_NOTE).unlink(missing_ok=True)
    return open_package(local, keys)


def _save_for_mlflow(folder: Path, proto: ModelProto) -> None:
    """MLflow's files: its description of the model, and what to install."""
    _onnx_flavour().save_model(
        proto,
        str(folder),
        signature=signature(proto),
        pip_requirements=list(REQUIREMENTS),
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
        metadata={entry.key: entry.value for entry in proto.metadata_props} or None,
    )


def _onnx_flavour() -> Any:
    """MLflow's ONNX module. It pulls `pyfunc` in, which at its first import warns about MLflow's own type hints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("mlflow.pyfunc")
        return importlib.import_module("mlflow.onnx")
