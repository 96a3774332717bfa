"""Which reconstructor a job uses, whatever it is."""

from pathlib import Path
from typing import NamedTuple

from infra.files import canonical_json, sha256_bytes
from infra.fingerprint import code_fingerprint
from infra.store import Artefact
from tasks.stages import Input


class Variant(NamedTuple):
    """A reconstructor by its name in the catalogue, and what it needs: trained weights, or a folder of meshes."""

    name: str
    artefact: Artefact | None = None
    meshes: Path | None = None
    data: tuple[Artefact, ...] = ()

    @property
    def folder(self) -> Path | None:
        """Where its weights or meshes are."""
        return self.meshes if self.artefact is None else self.artefact.path

    @property
    def version(self) -> str:
        """The name, and what tells versions apart: the key of trained weights, else a hash of files or code."""
        if self.artefact is not None:
            return f"{self.name} {self.artefact.key}"
        given = self.inputs() if self.meshes is not None else [code_fingerprint("models.reconstructors.catalogue")]
        return f"{self.name} {given[0]}"

    @property
    def needs_landmarks(self) -> bool:
        """Whether landmarks have to be detected for it."""
        return self.name == "landmarks"

    def inputs(self) -> list[Input]:
        """What a result depends on besides the photos."""
        if self.artefact is not None:
            return [self.artefact]
        if self.meshes is None:
            return [sha256_bytes(self.name.encode())]
        files = sorted(path for path in self.meshes.rglob("*") if path.is_file())
        stats = [(str(path.relative_to(self.meshes)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return [sha256_bytes(canonical_json(stats).encode())]
