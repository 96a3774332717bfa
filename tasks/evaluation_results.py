"""What an evaluation of several versions on all benchmarks came to, and the same as data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.profiles import Profile
from models.metrics.protocol import Protocol
from tasks.assess import Assessment
from tasks.contenders import Contenders
from tasks.embed import Embeddings
from tasks.jobs import Job


class Entry(NamedTuple):
    """One benchmark: versions by role, their comparisons with the champion, and where MLflow keeps each.

    `failures` are scans that could not be encoded as the champion wants them; `embedded` are all others as it sees
    them, where they are in one piece.
    """

    name: str
    data: str
    protocol: Protocol
    failures: int
    assessed: Mapping[str, Assessment]
    paired: Mapping[str, Mapping[str, Any]]
    run_id: str
    version_runs: Mapping[str, str]
    embedded: Embeddings | None = None

    def as_data(self) -> dict[str, Any]:
        """All of it for JSON; shares from 0 to 1."""
        versions = {
            role: {
                "version": found.version,
                "run_id": self.version_runs[role],
                "assessment": found.artefact.key,
                **found.figures(),
                "missing": found.details.missing,
            }
            for role, found in self.assessed.items()
        }
        return {
            "data": self.data,
            "protocol": self.protocol.hash(),
            "gallery": len(self.protocol.gallery),
            "probes": len(self.protocol.probes),
            "failures": self.failures,
            "run_id": self.run_id,
            "versions": versions,
            "paired": {name: dict(pair) for name, pair in self.paired.items()},
        }


class Evaluated(NamedTuple):
    """Every entry by its name; `refused` says why a benchmark that is listed was left out."""

    profile: Profile
    asked: Contenders
    entries: Mapping[str, Entry]
    refused: Mapping[str, str]
    job: Job

    def as_data(self) -> dict[str, Any]:
        """All of it for JSON."""
        versions = {
            role: {"version": version.version, "sha256": version.sha256}
            for role, version in self.asked.versions.items()
        }
        return {
            "model": self.asked.model,
            "profile": self.profile.name,
            "run_id": self.job.run_id,
            "versions": versions,
            "absent": dict(self.asked.absent),
            "benchmarks": {name: entry.as_data() for name, entry in self.entries.items()},
            "refused": dict(self.refused),
        }
