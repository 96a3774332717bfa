"""Beyond the papers: stress tests, a few real scans in training, a reconstructor that knows of recognition."""

from collections.abc import Callable
from typing import Any

from prefect import flow

from flows.branches import LOSSES, encoded_faces, fine_tuned
from flows.parameters import ExperimentRequest
from flows.recognizer import output_folder
from flows.study_base import LOSS, PLAIN, Base, open_base
from models.errors import ArtefactError
from models.geometry.stress import Stress
from tasks import policies
from tasks.ablation import Trained, ablate
from tasks.experiment_report import Level, Story, report_experiment
from tasks.few_scans import FewScans, hybrid, list_few_scans, synthesise_few_scans, with_people
from tasks.jobs import Job, open_part
from tasks.normals import encode_scans
from tasks.refined_expnet import Refining, refine_expnet
from tasks.stress import stress_bench, thinned
from tasks.validate import require_valid_normals
from tasks.variants import Variant

CODE = ("flows.experiments",)
CONTROL, AWARE = "longer", "aware"


@flow(name="experiment", **policies.TRAINING)
def experiment(request: ExperimentRequest) -> dict[str, Any]:
    """Carry out one experiment on top of the plain method; returns what its JSON says."""
    asked = request.model_dump_json()
    base = open_base(request.profile, request.name, asked, request.benchmarks.split(","), CODE)
    story = EXPERIMENTS[request.name](request, base)
    return report_experiment(output_folder(None, base.profile), request.name, story, base.profile, base.runs, base.job)


def _turned(request: ExperimentRequest, base: Base) -> Story:
    return _stressed(request, base, [Stress(yaw_deg=value) for value in request.degrees], "degrees", request.degrees)


def _hidden(request: ExperimentRequest, base: Base) -> Story:
    per_cent = tuple(100 * share for share in request.hidden)
    return _stressed(request, base, [Stress(hidden=share) for share in request.hidden], "per cent", per_cent)


def _stressed(
    request: ExperimentRequest, base: Base, levels: list[Stress], unit: str, amounts: tuple[float, ...]
) -> Story:
    """The champion's way of training, probes made harder step by step."""
    profile = base.profile
    trained = [Trained(PLAIN, base.seen.pretrained, base.plain.adapted)]
    found: list[Level] = []
    for bench in base.benches:
        thin = thinned(bench, request.probes_each)
        for stress, amount in zip(levels, amounts, strict=True):
            hard = stress_bench(thin, stress, profile.normals, profile.seed)
            found.append(Level(f"{amount:g} {unit}", amount, ablate(hard, trained, profile.seed)))
    return Story(f"Probes under stress: {request.name}, {unit}", found, {})


def _few_scans(request: ExperimentRequest, base: Base) -> Story:
    """The same fine-tuning, some scans of other people among the reconstructed faces."""
    profile, faces = base.profile, base.plain.normals
    largest = round(max(request.shares) * len(faces.sources))
    scanned = synthesise_few_scans(FewScans(largest, request.scans_each, profile.benchmark.scanner), profile.seed)
    part = _part(base, "scans to learn from")
    scans = with_people(encode_scans(scanned.root.path, list_few_scans(scanned), profile.normals))
    require_valid_normals(scans, "scan-normals", part)
    trained = [Trained(PLAIN, base.seen.pretrained, base.plain.adapted)]
    for share in request.shares:
        name = f"scans-{100 * share:g}"
        ground = base.ground._replace(job=_part(base, name))
        adapted = fine_tuned(hybrid(faces, scans, share), base.seen.pretrained, ground, {LOSS: LOSSES[LOSS]})
        trained.append(Trained(name, base.seen.pretrained, adapted))
    levels = [Level(bench.name, 0.0, ablate(bench, trained, profile.seed)) for bench in base.benches]
    return Story("Scans of people in no test added to fine-tuning, per cent of its images", levels, {})


def _recognition_aware(request: ExperimentRequest, base: Base) -> Story:
    """ExpNet trained on with an eye on recognition, beside one trained on for as long without."""
    profile = base.profile
    trained = [Trained(PLAIN, base.seen.pretrained, base.plain.adapted)]
    errors: dict[str, float] = {}
    start = base.plain.variant.artefact
    if start is None:
        raise ArtefactError("the experiment starts from a trained ExpNet, and this variant has no weights")
    for name, weight in ((CONTROL, 0.0), (AWARE, request.identity_weight_mm2)):
        ground = base.ground._replace(job=_part(base, name))
        refining = Refining(request.epochs, profile.expnet.learning_rate * request.rate_share, weight)
        worlds, branches = (ground.world, ground.unseen), base.plain.adapted[LOSS]
        refined = refine_expnet(
            start, worlds, branches, profile.expnet, profile.normals, refining, profile.seed, ground.job
        )
        errors |= {f"{name}.{figure}": float(value) for figure, value in refined.error._asdict().items()}
        variant = Variant(PLAIN, refined.artefact, data=tuple(refined.data))
        _, normals = encoded_faces(variant, ground, base.seen)
        adapted = fine_tuned(normals, base.seen.pretrained, ground, {LOSS: LOSSES[LOSS]})
        trained.append(Trained(name, base.seen.pretrained, adapted))
    levels = [Level(bench.name, 0.0, ablate(bench, trained, profile.seed)) for bench in base.benches]
    return Story("ExpNet trained on with the recogniser looking on, and without", levels, errors)


def _part(base: Base, name: str) -> Job:
    """A run of its own, ended with the others."""
    base.runs[name] = open_part(base.job, name, {"profile": base.profile.name})
    return base.runs[name]


EXPERIMENTS: dict[str, Callable[[ExperimentRequest, Base], Story]] = {
    "pose": _turned,
    "occlusion": _hidden,
    "few-scans": _few_scans,
    "recognition-aware": _recognition_aware,
}
