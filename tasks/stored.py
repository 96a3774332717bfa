"""Reconstructors that are trained already: the best one of a name in this home folder."""

from pathlib import Path

from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.protocol import require_trained
from tasks.files import read_json
from tasks.variants import Variant
from tasks.wiring import open_workspace

UNTRAINED = ("landmarks",)


def stored_variant(name: str, folder: Path | None = None) -> Variant:
    """The reconstructor called `name`: out of `folder`, or that of smallest held-out error in this home.

    Raises `UnknownPlugin` with the names known, `AssetMissing` with the command that trains it, and whatever opening
    it raises: what cannot be used is told before any photo is read.
    """
    if folder is not None:
        open_reconstructor(name, folder)
        return Variant(name, meshes=folder.absolute())
    if name in UNTRAINED:
        return Variant(name)
    trained = list(open_workspace().store.artefacts(name))
    if not trained:
        open_reconstructor(name, None)
        require_trained(name, None)
    best = min(trained, key=lambda made: _error(made.path))
    return Variant(name, best)


def _error(folder: Path) -> float:
    figures = read_json(folder / "error.json")
    return float(figures["expressive_mm"])
