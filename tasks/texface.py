"""Training of TEx-Face on the face world: decoder, then encoder, then diffusion, each an artefact of its own."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from prefect import task

from infra.files import atomic_write_bytes
from infra.profiles.texface import TexFaceConfig
from infra.store import Artefact
from models.reconstructors.texface_scoring import generation_quality
from models.reconstructors.texface_stored import load_texface
from models.training.device import pick_device
from tasks import policies
from tasks.build_styled import load_styled_faces, prototype_codes
from tasks.files import read_json, write_json
from tasks.jobs import Job, child_run, complete_curve, curve_of, live_curve
from tasks.progress import announce
from tasks.reconstructor import regression_shards
from tasks.stages import make
from tasks.styled_faces import StyledShards, draw_styled_faces
from tasks.synthesise import Collection
from tasks.texface_encoder import TexFaceError
from tasks.texface_parts import Part, decoder_part, denoiser_part, encoder_part, network_shapes
from tasks.wiring import Workspace, open_workspace

CODE = ["models.reconstructors.texface_scoring", "models.reconstructors.texface_stored", "tasks.build_styled"]
NETWORKS = (
    "decoder.json",
    "decoder.safetensors",
    "encoder.json",
    "encoder.safetensors",
    "style.safetensors",
    "error.json",
)
DIFFUSION = ("denoiser.json", "denoiser.safetensors")
GENERATED_FOR = 20
"""People for whom expressions are generated, to see whether they are those asked for."""


class TrainedTexFace(NamedTuple):
    """Where the three networks are, how far faces from photos are from the true ones, and all it was made from."""

    artefact: Artefact
    error: TexFaceError
    data: list[Artefact]


@task(name="train TEx-Face", **policies.STAGE)
def train_texface(
    photos: Collection, held_out: Collection, config: TexFaceConfig, seed: int, job: Job
) -> TrainedTexFace:
    """Style codes to surfaces, photos to style codes, and new expressions; `held_out` shows other people.

    `seed` is also that of the people in the photos (of the splits `reconstruction` and `heldout`).
    """
    workspace = open_workspace()
    network_shapes(config)  # numbers that do not fit are told before anything is trained
    device = pick_device(workspace.settings.device)
    styled = draw_styled_faces(workspace, config.codes, seed)
    shards, unseen = (regression_shards(workspace, given, config.encoder.pixels) for given in (photos, held_out))
    decoder = _train(workspace, job, decoder_part(styled, config, seed, device))
    encoder = _train(workspace, job, encoder_part(decoder, shards, unseen, config, seed, device))
    denoising = denoiser_part(styled, config, seed, device)
    denoiser = _train(workspace, job, denoising)
    whole = _assemble(workspace, encoder, denoiser, styled, seed)
    _log_heldout(workspace, job, denoising.name, whole.path / "generation.json")
    made_from = [styled.space, *styled.faces, *styled.unseen, *shards, *unseen, decoder, encoder, denoiser]
    return TrainedTexFace(whole, TexFaceError(**read_json(whole.path / "error.json")), made_from)


def _train(workspace: Workspace, job: Job, part: Part) -> Artefact:
    """Train one network unless it is there, and log parameters, curve and held-out errors to its own run."""
    run = child_run(workspace, job, part.name, tags={"network": part.name})
    run.log_params(part.settings)

    def build(folder: Path, scratch: Path) -> None:
        history = part.fit(folder, scratch, live_curve(run, part.name, part.settings["epochs"], announce))
        write_json(folder / "history.json", curve_of(history))

    made = make(workspace, part.name, part.inputs, part.settings, [part.code], build)
    complete_curve(run, read_json(made.path / "history.json"))
    _log_heldout(workspace, job, part.name, made.path / "error.json")
    return made


def _log_heldout(workspace: Workspace, job: Job, name: str, figures: Path) -> None:
    """Log figures to the run of a network, and end it."""
    run = child_run(workspace, job, name)
    run.log_metrics({f"heldout.{figure}": float(value) for figure, value in read_json(figures).items()})
    run.finish()


def _assemble(workspace: Workspace, encoder: Artefact, denoiser: Artefact, styled: StyledShards, seed: int) -> Artefact:
    """One folder for `load_texface`, and `generation.json`: how expressions generated for other people look."""

    def build(folder: Path, _: Path) -> None:
        for source, names in ((encoder, NETWORKS), (denoiser, DIFFUSION)):
            for name in names:
                atomic_write_bytes(folder / name, (source.path / name).read_bytes())
        model = load_texface(folder)
        codes = load_styled_faces([shard.path for shard in styled.unseen]).codes[:GENERATED_FOR]
        rng, device = np.random.default_rng(seed), pick_device(workspace.settings.device)
        quality = generation_quality(model, codes, prototype_codes(model.style), rng, device)
        write_json(folder / "generation.json", quality._asdict())

    return make(workspace, "texface", [encoder, denoiser, *styled.unseen], {"seed": seed}, CODE, build)
