"""The inversion encoder of TEx-Face: its training on simulated photos, and its error on people it has never seen."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from models.faceworld.true_faces import TrueFaces
from models.losses.inversion import InversionLoss
from models.losses.style_metric import pulled_back
from models.losses.surface import SurfaceL2
from models.morphable.style_space import StyleSpace
from models.networks.expnet import POSE_NUMBERS
from models.reconstructors.texface import POSE_WEIGHTS_MM2, TexFace
from models.reconstructors.texface_scoring import mean_distance, surface_error
from models.reconstructors.texface_stored import EncoderShape, build_encoder, load_decoder, save_texface
from models.training.rows import EpochRow, OnEpoch
from models.training.shards import ByteStack
from models.training.style_encoder import StyledPhotos, fit_style_encoder
from tasks.build_styled import photo_codes, photographed, surface_blocks
from tasks.files import write_json


class TexFaceError(NamedTuple):
    """Means over photos and vertices against the true surfaces, relief and all components included: mm without any
    alignment, and degrees between the normals of the faces as photographed.

    `neutral` compares identities alone, `linear_` leaves the decoder's detail out, `mean_face` is what always answering
    the mean face would give.
    """

    neutral_mm: float
    expressive_mm: float
    expressive_deg: float
    linear_neutral_mm: float
    linear_expressive_mm: float
    linear_expressive_deg: float
    mean_face_mm: float
    photos: int


class HeldOut(NamedTuple):
    """Photos of other people: shards that `build_regression` wrote, of a split of the population and its seed."""

    shards: Sequence[Path]
    split: str
    seed: int


def fit_encoder(
    folder: Path,
    scratch: Path,
    on_epoch: OnEpoch,
    *,
    decoder: Path,
    photos: Sequence[Path],
    unseen: HeldOut,
    shape: EncoderShape,
    consistency: float,
    relief_mm: float,
    numbers: Mapping[str, Any],
    seed: int,
    device: torch.device,
) -> Sequence[EpochRow]:
    """Write a TEx-Face that does not generate yet, and `error.json`; `photos` are shards of `build_regression`."""
    decode, style, face = load_decoder(decoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder(shape, decode.shape.code)
    surface = SurfaceL2(face.template, face.triangles).to(device)
    metric = pulled_back(decode.to(device).eval(), decode.shape.code, surface)
    result = fit_style_encoder(
        encoder,
        InversionLoss(metric, decode.shape.identity, style.signs, POSE_WEIGHTS_MM2, consistency),
        styled_photos(photos, style),
        **numbers,
        seed=seed,
        checkpoint_dir=scratch,
        on_epoch=on_epoch,
        device=device,
    )
    crops = ByteStack([shard / "crops.npy" for shard in photos])
    model = TexFace(encoder, decode, None, style, face, crops.image_shape[1])
    save_texface(folder, model, shape)
    write_json(folder / "error.json", _error(model, unseen, relief_mm, device)._asdict())
    return result.history


def styled_photos(shards: Sequence[Path], style: StyleSpace) -> StyledPhotos:
    """Crops of `build_regression` with the codes of their faces; every photo is a take of its own."""
    codes = photo_codes(style, _stacked(shards, "identity"), _stacked(shards, "expression"))
    poses = np.ascontiguousarray(_stacked(shards, "targets")[:, -POSE_NUMBERS:])
    crops = ByteStack([shard / "crops.npy" for shard in shards])
    return StyledPhotos(crops, codes, poses, _stacked(shards, "subject"), np.arange(len(codes), dtype=np.int64))


def _error(model: TexFace, unseen: HeldOut, relief_mm: float, device: torch.device) -> TexFaceError:
    known = (_stacked(unseen.shards, name) for name in ("subject", "identity", "expression"))
    drawn, true = photographed(unseen.split, unseen.seed, *known), TrueFaces(relief_mm)
    codes = np.concatenate([model.codes(model.coefficients(crops, device)) for crops in _crops(unseen.shards)])
    still = np.where(np.arange(codes.shape[1]) < model.decoder.shape.identity, codes, np.float32(0))

    def neutral() -> Iterator[Float32[ndarray, "b n 3"]]:
        return (block.neutral for block in surface_blocks(true, drawn))

    expressive = (block.expressive for block in surface_blocks(true, drawn))
    triangles = model.triangles
    who = surface_error(model.decoder, triangles, still, neutral(), device)
    how = surface_error(model.decoder, triangles, codes, expressive, device)
    mean = mean_distance(model.face.template, neutral())
    return TexFaceError(who.mm, how.mm, how.deg, who.linear_mm, how.linear_mm, how.linear_deg, mean, len(codes))


def _crops(shards: Sequence[Path]) -> Iterator[ndarray]:
    for shard in shards:
        yield np.load(shard / "crops.npy", allow_pickle=False)


def _stacked(shards: Sequence[Path], name: str) -> ndarray:
    return np.concatenate([np.load(shard / f"{name}.npy", allow_pickle=False) for shard in shards])
