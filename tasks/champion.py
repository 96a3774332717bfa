"""The model that serves: its graph, and how scans become what it was trained on."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from infra.profiles import NormalsConfig
from infra.profiles.cleaning import CleaningConfig
from models.errors import ArtefactError, AssetMissing
from models.export.onnx import load_session
from registry import ledger
from registry.packaging import LICENCES, fetch_graph, find_version
from registry.training_runs import training_parameters
from tasks.wiring import open_workspace

GRID = ("pixels", "mm_per_pixel", "crop_radius_mm")


class Champion(NamedTuple):
    """A version of a model; `normals` is the encoding it was trained with, of which only the scans' part counts."""

    name: str
    version: str
    sha256: str
    licences: str
    graph: bytes
    normals: NormalsConfig


def require_champion(model: str) -> str:
    """The version that serves. Raises `AssetMissing` with the command that makes one."""
    version = ledger.champion(open_workspace().engine, model).version
    if version is None:
        raise AssetMissing(
            f"no champion of {model!r} in this home: make one with `trinormal demo`, or name another model"
        )
    return version


def open_champion(model: str) -> Champion:
    """The champion; raises `AssetMissing` where there is none, and what `open_version` raises."""
    return open_version(model, require_champion(model))


def open_version(model: str, version: str) -> Champion:
    """A version, its bytes checked against the registry's hash.

    Raises `ArtefactError` where its run does not say how it encodes scans or says otherwise than its graph.
    """
    tracker = open_workspace().tracker
    found = find_version(tracker, model, version)
    graph = fetch_graph(tracker, found)
    normals = encoding_of(training_parameters(tracker, found), f"{model} version {found.version}")
    side = load_session(graph, threads=1).get_inputs()[0].shape[-1]
    if side != normals.pixels:
        raise ArtefactError(f"{model} version {found.version}: takes {side} pixels, trained on {normals.pixels}")
    return Champion(model, found.version, found.sha256, found.tags.get(LICENCES, ""), graph, normals)


def encoding_of(parameters: Mapping[str, str], where: str) -> NormalsConfig:
    """Grid, crop and cleaning out of a training's parameters; cleaning as usual where it is older than its settings."""
    cleaning = "normals.cleaning."
    told = {name.removeprefix(cleaning): value for name, value in parameters.items() if name.startswith(cleaning)}
    try:
        grid = {name: parameters[f"normals.{name}"] for name in GRID}
        return NormalsConfig.model_validate({**grid, "cleaning": CleaningConfig.model_validate(told)})
    except (KeyError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ArtefactError(f"{where}: its run does not say how it encodes scans ({first}): train it again") from None
