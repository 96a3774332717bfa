"""Packages of registered models: taken out of the registry into a folder, and checked wherever they lie."""

import shutil
import tempfile
from pathlib import Path

from infra.errors import PackageBroken
from infra.files import atomic_directory
from infra.signed_folder import MANIFEST, SIGNATURE, SignedFolder
from models.errors import ConfigurationError
from registry.packages import open_package
from registry.packaging import ModelVersion, fetch_package, find_version
from tasks.champion import require_champion
from tasks.wiring import open_workspace

CHAMPION = "champion"


def find_model(wanted: str) -> ModelVersion:
    """The version that `MODEL`, `MODEL@ALIAS` or `MODEL@NUMBER` means; of the champion the ledger's word counts."""
    model, _, which = wanted.partition("@")
    if which in ("", CHAMPION):
        which = require_champion(model)
    return find_version(open_workspace().tracker, model, which if which.isdecimal() else f"@{which}")


def export_package(wanted: str, out: Path) -> SignedFolder:
    """Fetch a version's package, check it, and write it to the new folder `out`, whole or not at all."""
    out = out.absolute()
    if out.exists():
        raise ConfigurationError(f"{out}: is there already; name a folder that is not")
    workspace = open_workspace()
    found = find_model(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        signed = fetch_package(workspace.tracker, found, Path(scratch))
        with atomic_directory(out) as folder:
            for name in (*signed.manifest.files, MANIFEST, SIGNATURE):
                shutil.copyfile(signed.folder / name, folder / name)
    return open_package(out, workspace.tracker.keys)


def verify_package(folder: Path) -> SignedFolder:
    """The package in a folder, checked to the last byte; raises `PackageBroken` naming what is wrong."""
    if folder.is_dir() and not (folder / MANIFEST).exists():
        raise PackageBroken(f"{folder}: no package, for it has no {MANIFEST}: `trinormal package export` writes one")
    return open_package(folder, open_workspace().tracker.keys)
