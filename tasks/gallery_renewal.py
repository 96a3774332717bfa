"""The gallery as a version sees it that is about to serve: embedded before it does, so that nobody is missed."""

from typing import NamedTuple

from prefect import task
from prefect.artifacts import create_markdown_artifact

from infra.keys import KeyFolder
from registry import ledger
from tasks import policies
from tasks.champion import open_version
from tasks.embedder import Embedder
from tasks.gallery_desk import open_gallery
from tasks.gallery_templates import Rotations, refresh, version_of
from tasks.wiring import open_workspace


class Renewal(NamedTuple):
    """What a version makes of the gallery: samples embedded now, those it can make nothing of, and photos that wait for
    the reconstructor it was trained with.
    """

    version: str
    embedded: int
    lost: int
    waiting: int

    def as_text(self, model: str) -> str:
        """One line for people."""
        told = [f"{self.embedded} enrolled samples embedded for {model} version {self.version} before it serves"]
        if self.lost:
            told.append(f"{self.lost} give it nothing: enrol those people anew")
        if self.waiting:
            told.append(f"{self.waiting} photos wait for its reconstructor, which is not in this home")
        return "; ".join(told)


@task(name="embed gallery", **policies.STAGE)
def embed_gallery(model: str, version: str | None) -> Renewal | None:
    """Embed everybody by a version, where its model is what the gallery is searched with; None where there is nothing.

    Safe to repeat: what the version has seen already is not embedded again.
    """
    workspace = open_workspace()
    gallery = open_gallery(workspace)
    if version is None or not gallery.knows(model):
        return None
    embedder = Embedder(workspace, open_version(model, version))
    done = refresh(workspace, gallery, embedder, Rotations(KeyFolder(workspace.settings.keys)))
    lost = len(gallery.failures(version_of(embedder)))
    renewal = Renewal(version, done.embedded, lost, done.waiting)
    create_markdown_artifact(renewal.as_text(model), key=f"gallery-{model}", description=f"{model} version {version}")
    return renewal


def predecessor(model: str) -> str | None:
    """The version that a rollback would let serve."""
    return ledger.champion(open_workspace().engine, model).previous
