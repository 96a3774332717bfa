"""The decoder of TEx-Face: its training on faces of the face world, and its error on people it has never seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from models.faceworld.true_faces import TrueFaces
from models.losses.surface import SurfaceL2
from models.morphable.builtin import load_face
from models.networks.texface.decoder import DecoderShape, StyleDecoder
from models.reconstructors.texface_scoring import basis_floor, surface_error
from models.reconstructors.texface_stored import build_decoder, save_decoder
from models.training.rows import EpochRow, OnEpoch
from models.training.style_decoder import CodedFaces, fit_style_decoder
from tasks.build_styled import load_style_space, load_styled_faces, surface_blocks
from tasks.files import write_json


def fit_decoder(
    folder: Path,
    scratch: Path,
    on_epoch: OnEpoch,
    *,
    space: Path,
    faces: Sequence[Path],
    unseen: Sequence[Path],
    shape: DecoderShape,
    relief_mm: float,
    numbers: Mapping[str, Any],
    seed: int,
    device: torch.device,
) -> Sequence[EpochRow]:
    """Write the decoder with its style space, and `error.json`; `numbers` are those of `fit_style_decoder`."""
    style, face, true = load_style_space(space), load_face(), TrueFaces(relief_mm)
    styled = load_styled_faces(faces)
    drawn = styled.drawn

    def surfaces(rows: Int64[ndarray, " b"], turned: Bool[ndarray, " b"]) -> Float32[ndarray, "b n 3"]:
        return true.surfaces(drawn.identity[rows], drawn.expression[rows], drawn.relief_seeds[rows], turned).expressive

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        decoder = build_decoder(shape, style, face)
    result = fit_style_decoder(
        decoder,
        SurfaceL2(face.template, face.triangles),
        CodedFaces(styled.codes, style.signs, surfaces),
        **numbers,
        seed=seed,
        checkpoint_dir=scratch,
        on_epoch=on_epoch,
        device=device,
    )
    save_decoder(folder, decoder, style)
    write_json(folder / "error.json", _error(decoder, true, unseen, device))
    return result.history


def _error(decoder: StyleDecoder, true: TrueFaces, unseen: Sequence[Path], device: torch.device) -> dict[str, float]:
    """Of surfaces decoded from true codes; `basis_floor_mm` is the best that the linear model could do."""
    face, held_out = load_face(), load_styled_faces(unseen)
    truth = [block.expressive for block in surface_blocks(true, held_out.drawn)]
    found = surface_error(decoder, face.triangles, held_out.codes, truth, device)
    return found._asdict() | {"basis_floor_mm": basis_floor(face, truth)}
