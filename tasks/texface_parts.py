"""The three trainings of TEx-Face as data: what each is made from, what decides its result, and how it is done."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from infra.profiles.texface import StyleTrainingConfig, TexFaceConfig
from infra.store import Artefact
from models.morphable.descriptions import VOCABULARY
from models.networks.texface.decoder import DecoderShape
from models.networks.texface.denoiser import DenoiserShape
from models.reconstructors.texface_stored import EncoderShape
from models.training.rows import EpochRow, OnEpoch
from tasks.styled_faces import StyledShards
from tasks.texface_decoder import fit_decoder
from tasks.texface_denoiser import fit_denoiser
from tasks.texface_encoder import HeldOut, fit_encoder


class Part(NamedTuple):
    """One training: `fit(folder, scratch, on_epoch)` writes the artefact `name`; `code` names its module."""

    name: str
    inputs: Sequence[Artefact]
    settings: dict[str, Any]
    code: str
    fit: Callable[[Path, Path, OnEpoch], Sequence[EpochRow]]


class Shapes(NamedTuple):
    """What the three networks are built with."""

    decoder: DecoderShape
    encoder: EncoderShape
    denoiser: DenoiserShape


def network_shapes(config: TexFaceConfig) -> Shapes:
    """The shapes that the configuration asks for; raises `ConfigurationError` where its numbers do not fit."""
    codes = config.codes.identity, config.codes.expression
    encoder, denoiser = config.encoder, config.denoiser
    return Shapes(
        DecoderShape(*codes, config.decoder.grid, config.decoder.channels),
        EncoderShape(encoder.depth, encoder.width, encoder.hidden),
        DenoiserShape(*codes, denoiser.piece, denoiser.width, denoiser.depth, denoiser.heads, vocabulary=VOCABULARY),
    )


def decoder_part(styled: StyledShards, config: TexFaceConfig, seed: int, device: torch.device) -> Part:
    """Style codes to surfaces; learns from faces, no photos."""
    shape, relief_mm = network_shapes(config).decoder, config.codes.relief_mm
    fit = partial(
        fit_decoder,
        space=styled.space.path,
        faces=_paths(styled.faces),
        unseen=_paths(styled.unseen),
        shape=shape,
        relief_mm=relief_mm,
        numbers=config.decoder.training.model_dump(),
        seed=seed,
        device=device,
    )
    settings = asdict(shape) | {"relief_mm": relief_mm} | _settings(config.decoder.training, seed)
    inputs = [styled.space, *styled.faces, *styled.unseen]
    return Part("texface-decoder", inputs, settings, "tasks.texface_decoder", fit)


def encoder_part(
    decoder: Artefact,
    photos: Sequence[Artefact],
    unseen: Sequence[Artefact],
    config: TexFaceConfig,
    seed: int,
    device: torch.device,
) -> Part:
    """Photos to style codes, measured on the surfaces of `decoder`; `photos` and `unseen` hold regression data."""
    shape, consistency, relief_mm = network_shapes(config).encoder, config.encoder.consistency, config.codes.relief_mm
    fit = partial(
        fit_encoder,
        decoder=decoder.path,
        photos=_paths(photos),
        unseen=HeldOut(_paths(unseen), "heldout", seed),
        shape=shape,
        consistency=consistency,
        relief_mm=relief_mm,
        numbers=config.encoder.training.model_dump(),
        seed=seed,
        device=device,
    )
    settings = shape._asdict() | {"consistency": consistency, "relief_mm": relief_mm}
    settings |= {"pixels": config.encoder.pixels} | _settings(config.encoder.training, seed)
    return Part("texface-encoder", [decoder, *photos, *unseen], settings, "tasks.texface_encoder", fit)


def denoiser_part(styled: StyledShards, config: TexFaceConfig, seed: int, device: torch.device) -> Part:
    """Noise to style codes under conditions; needs the codes of faces, neither photos nor a trained decoder."""
    shape = network_shapes(config).denoiser
    fit = partial(
        fit_denoiser,
        space=styled.space.path,
        faces=_paths(styled.faces),
        unseen=_paths(styled.unseen),
        shape=shape,
        numbers=config.denoiser.training.model_dump(),
        seed=seed,
        device=device,
    )
    settings = asdict(shape) | _settings(config.denoiser.training, seed)
    inputs = [styled.space, *styled.faces, *styled.unseen]
    return Part("texface-denoiser", inputs, settings, "tasks.texface_denoiser", fit)


def _settings(training: StyleTrainingConfig, seed: int) -> dict[str, Any]:
    return {**training.model_dump(), "seed": seed}


def _paths(artefacts: Sequence[Artefact]) -> list[Path]:
    return [artefact.path for artefact in artefacts]
