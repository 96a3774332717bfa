"""Coefficients of a collection as an artefact: a Parquet table that names its reconstructor, with a lineage."""

from pathlib import Path
from typing import NamedTuple

from prefect import task

from infra.store import Artefact
from models.classifiers.source import Source
from models.classifiers.table import CoefficientTable
from models.errors import ConfigurationError
from models.types import Failure
from tasks import policies
from tasks.build_confidence import build_confidence
from tasks.faces import Faces
from tasks.files import read_json
from tasks.parquet import read_parquet, write_parquet
from tasks.stages import make, make_all
from tasks.wiring import open_workspace

TABLE = "coefficients.parquet"


class StoredTable(NamedTuple):
    """`coefficients.parquet` in an artefact, who made it, and photos that gave none."""

    artefact: Artefact
    source: Source
    shards: list[Artefact]
    failures: list[Failure]

    def read(self) -> CoefficientTable:
        """The numbers."""
        return read_parquet(self.artefact.path / TABLE)


@task(name="tabulate coefficients", **policies.STAGE)
def tabulate(faces: Faces, cnet: Artefact | None) -> StoredTable:
    """All coefficients of `faces`, and the confidences of `cnet` in them where there is one.

    Raises `ConfigurationError` for a C-Net beside another reconstructor than R-Net, or one without coefficients.
    """
    workspace = open_workspace()
    confidences = [] if cnet is None else confidences_in(faces, cnet)
    version = "" if cnet is None else cnet.key

    def build(folder: Path, _: Path) -> None:
        write_parquet(faces, folder / TABLE, confidences, version)

    settings = {"reconstructor": faces.variant.version, "cnet": version}
    inputs = [*faces.crops.shards, *faces.shards, *confidences]
    made = make(workspace, "coefficient-table", inputs, settings, ["tasks.parquet"], build)
    failures = [*faces.crops.failures(), *faces.failures()]
    return StoredTable(made, source_of(faces, version), [*faces.shards, *confidences, made], failures)


def source_of(faces: Faces, cnet: str = "") -> Source:
    """Who made the coefficients; raises `ConfigurationError` for a reconstructor that gives meshes only."""
    spaces = {read_json(shard.path / "space.json")["space"] for shard in faces.shards}
    if spaces == {None} or len(spaces) != 1:
        raise ConfigurationError(f"reconstructor {faces.variant.name!r} gives no coefficients: choose another")
    return Source(spaces.pop(), faces.variant.version, cnet)


def confidences_in(faces: Faces, cnet: Artefact) -> list[Artefact]:
    """A shard of C-Net's confidences for each shard of R-Net's coefficients."""
    workspace, rnet = open_workspace(), faces.variant.artefact
    if faces.variant.name != "rnet" or rnet is None:
        raise ConfigurationError(f"reconstructor {faces.variant.name!r}: C-Net knows R-Net's features only")
    units = [
        ([*pair, rnet, cnet], {"pixels": faces.pixels}) for pair in zip(faces.crops.shards, faces.shards, strict=True)
    ]
    common = {"device": workspace.settings.device, "root": faces.root, "rnet": rnet.path, "cnet": cnet.path}
    arguments = [
        {**common, "crops": crops.path, "faces": shard.path}
        for crops, shard in zip(faces.crops.shards, faces.shards, strict=True)
    ]
    code = ["tasks.build_confidence"]
    return make_all(workspace, "confidences", units, code, build_confidence, "confidences", arguments)
