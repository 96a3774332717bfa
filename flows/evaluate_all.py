"""Champion, challenger and the champion before on every benchmark that is there, and what tells them apart."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from prefect import flow

from flows.parameters import EvaluateAllRequest
from infra.profiles import Profile, load_profile
from models.errors import BrokenVersion, TrinormalError, ValidationFailed
from models.metrics.protocol import Protocol
from tasks import policies
from tasks.assess import Assessment, assess, compare_versions, embed_by_version
from tasks.benchmark import MERGED, Benchmark, merged_benchmark
from tasks.champion import Champion
from tasks.contenders import Contenders, open_contenders, training_snapshot
from tasks.embed import Embeddings
from tasks.evaluate import probe_labels
from tasks.evaluation_report import report_all
from tasks.evaluation_results import Entry, Evaluated
from tasks.evaluation_runs import log_assessment, log_benchmark, open_evaluation, refuse_part
from tasks.jobs import Job, open_part
from tasks.leakage import require_apart_from
from tasks.normals import NormalShards, encode_scans
from tasks.present import FACE_WORLD, REAL, Present, present_benchmarks
from tasks.validate import require_valid_embeddings, require_valid_normals, require_valid_scans

CODE = ("flows.evaluate_all",)


class _Measured(NamedTuple):
    """One data set: its scans and their embeddings as each version sees them, by role."""

    benchmark: Benchmark
    scans: dict[str, NormalShards]
    embedded: dict[str, Embeddings]


@flow(name="evaluate-all", **policies.WORK)
def evaluate_all(request: EvaluateAllRequest) -> dict[str, Any]:
    """Measure, compare and report; what is known and has not changed is not measured again."""
    profile = load_profile(request.profile)
    return report_all(evaluate_everything(profile, request.model or profile.model_name))


def evaluate_everything(profile: Profile, model: str) -> Evaluated:
    """Every version on every benchmark. A real benchmark that cannot be used is told, not the end of all others."""
    asked = open_contenders(model)
    found = present_benchmarks(profile)
    job = open_evaluation(profile, asked, found, CODE)
    measured: dict[str, _Measured] = {}
    entries: dict[str, Entry] = {}
    for name, benchmark in found.benchmarks.items():
        try:
            measured[name] = _measure(benchmark, asked, open_part(job, name, {"benchmark": name}))
        except BrokenVersion:
            raise
        except TrinormalError as error:
            if not name.startswith(REAL):
                raise
            found.refused[name] = str(error)
            refuse_part(job, name, str(error))
            continue
        entries[name] = _enter(name, found.data[name], measured[name], asked, job, profile.seed)
    return Evaluated(profile, asked, entries | _merged(measured, asked, found, job, profile.seed), found.refused, job)


def _measure(benchmark: Benchmark, asked: Contenders, part: Job) -> _Measured:
    """Encode the scans as each version wants them, and embed them; refuses what a suite or a guard refuses."""
    require_apart_from([training_snapshot(version) for version in asked.versions.values()], benchmark.snapshot)
    require_valid_scans(benchmark.root, benchmark.records, benchmark.protocol, part)
    by_encoding: dict[str, NormalShards] = {}
    scans: dict[str, NormalShards] = {}
    embedded: dict[str, Embeddings] = {}
    for role, version in list(asked.versions.items()):
        encoding = version.normals.model_dump_json()
        if encoding not in by_encoding:
            by_encoding[encoding] = encode_scans(benchmark.root, benchmark.records, version.normals)
            require_valid_normals(by_encoding[encoding], "scan-normals", part)
        seen = _embed(role, version, by_encoding[encoding], asked, part)
        if seen is not None:
            scans[role], embedded[role] = by_encoding[encoding], seen
    return _Measured(benchmark, scans, embedded)


def _embed(role: str, version: Champion, scans: NormalShards, asked: Contenders, part: Job) -> Embeddings | None:
    """What a version makes of scans. One whose embeddings are refused leaves the ring; `BrokenVersion` if it serves."""
    embedded = embed_by_version(version, scans)
    try:
        require_valid_embeddings(embedded, part)
    except ValidationFailed as error:
        reason = f"{version.name} version {version.version} ({role}): its embeddings are refused: {error}"
        if role == "champion":
            raise BrokenVersion(reason) from None
        asked.absent[role] = reason
        del asked.versions[role]
        return None
    return embedded


def _enter(name: str, data: str, one: _Measured, asked: Contenders, job: Job, seed: int) -> Entry:
    benchmark = one.benchmark
    labels = probe_labels(benchmark.protocol, benchmark.records)
    assessed = {
        role: assess(version, [one.embedded[role]], one.scans[role].sources, benchmark.protocol, labels, seed)
        for role, version in asked.versions.items()
    }
    failures = len(one.scans["champion"].failures)
    entry = _entry(name, data, benchmark.protocol, failures, assessed, asked.versions, job, seed)
    return entry._replace(embedded=one.embedded["champion"])


def _merged(
    measured: Mapping[str, _Measured], asked: Contenders, found: Present, job: Job, seed: int
) -> dict[str, Entry]:
    """Paper A's Table 8: three data sets as one, simulated and real ones apart, each where all three are there."""
    entries: dict[str, Entry] = {}
    for before, data in (("", FACE_WORLD.format("merged set")), (REAL, "merged set of real scans")):
        parts = {name: measured[before + name] for name in MERGED if before + name in measured}
        if len(parts) < len(MERGED):
            continue
        name = f"{before}merged"
        try:
            entries[name] = _enter_merged(name, data, parts, asked, job, seed)
        except TrinormalError as error:
            if not before:
                raise
            found.refused[name] = str(error)
            refuse_part(job, name, str(error))
    return entries


def _enter_merged(
    name: str, data: str, parts: Mapping[str, _Measured], asked: Contenders, job: Job, seed: int
) -> Entry:
    open_part(job, name, {"benchmark": name})
    joined = {
        role: merged_benchmark({each: (part.benchmark, part.scans[role]) for each, part in parts.items()})
        for role in asked.versions
    }
    protocol, scans = joined["champion"]
    labels = {"data set": [member.id.partition("/")[0] for member in protocol.probes]}
    assessed = {
        role: assess(
            version, [part.embedded[role] for part in parts.values()], joined[role][1].sources, protocol, labels, seed
        )
        for role, version in asked.versions.items()
    }
    return _entry(name, data, protocol, len(scans.failures), assessed, asked.versions, job, seed)


def _entry(
    name: str,
    data: str,
    protocol: Protocol,
    failures: int,
    assessed: dict[str, Assessment],
    versions: Mapping[str, Champion],
    job: Job,
    seed: int,
) -> Entry:
    """Compare the versions with the champion and log everything about the benchmark."""
    part = open_part(job, name, {"benchmark": name})
    runs = {role: log_assessment(part, name, data, role, versions[role], found) for role, found in assessed.items()}
    champion = assessed["champion"].artefact
    paired = {
        f"{role}-champion": compare_versions(found.artefact, champion, seed)
        for role, found in assessed.items()
        if role != "champion"
    }
    entry = Entry(name, data, protocol, failures, assessed, paired, part.run_id, runs)
    log_benchmark(part, entry.as_data())
    return entry
