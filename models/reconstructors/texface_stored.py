"""A trained TEx-Face in a folder: weights and style space as safetensors, and what is needed to build it again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from infra.files import atomic_write_json
from models.errors import ArtefactError
from models.morphable.builtin import load_face
from models.morphable.model import MorphableModel
from models.morphable.style_space import StylePart, StyleSpace
from models.networks.texface.decoder import DecoderShape, StyleDecoder
from models.networks.texface.denoiser import DenoiserShape, StyleDenoiser
from models.networks.texface.encoder import StyleEncoder
from models.reconstructors.crops import FromCrops
from models.reconstructors.protocol import Reconstructor, require_trained
from models.reconstructors.texface import TexFace, decoder_geometry
from models.training.safetensor_files import load_nested, load_weights, save_nested, save_weights


class EncoderShape(NamedTuple):
    """What a `StyleEncoder` is built with, besides the length of a code."""

    depth: int
    width: float
    hidden: int = 64


def build_decoder(shape: DecoderShape, style: StyleSpace, face: MorphableModel) -> StyleDecoder:
    """A decoder that starts as the linear model `face`; `style` has as many numbers as `shape` says."""
    return StyleDecoder(shape, decoder_geometry(face, style))


def build_encoder(shape: EncoderShape, code: int) -> StyleEncoder:
    """An encoder for codes of `code` numbers."""
    return StyleEncoder(shape.depth, shape.width, code, shape.hidden)


def save_decoder(folder: Path, decoder: StyleDecoder, style: StyleSpace) -> None:
    """Write what the first stage of training gives: `decoder.json`, `decoder.safetensors` and `style.safetensors`."""
    atomic_write_json(folder / "decoder.json", asdict(decoder.shape))
    save_weights(folder / "decoder.safetensors", decoder)
    parts = {"identity": style.identity, "expression": style.expression}
    tensors = {
        f"{name}_{field}": torch.from_numpy(values)
        for name, part in parts.items()
        for field, values in part._asdict().items()
    }
    save_nested(folder / "style.safetensors", tensors)


def load_decoder(folder: Path) -> tuple[StyleDecoder, StyleSpace, MorphableModel]:
    """The decoder, its codes and its face model; raises `ArtefactError` when the folder does not hold them."""
    face = load_face()
    stored = load_nested(folder / "style.safetensors")
    try:
        identity, expression = (_part(stored, name) for name in ("identity", "expression"))
    except KeyError as error:
        raise ArtefactError(f"{folder / 'style.safetensors'}: holds no style space ({error}); train again") from error
    style = StyleSpace(face.template[: identity.directions.shape[1]], identity, expression)
    decoder = build_decoder(DecoderShape(**_read(folder / "decoder.json")), style, face)
    load_weights(folder / "decoder.safetensors", decoder)
    return decoder, style, face


def save_texface(folder: Path, model: TexFace, encoder: EncoderShape) -> None:
    """Write everything that `load_texface` needs; `encoder` is what the model's encoder was built with."""
    save_decoder(folder, model.decoder, model.style)
    atomic_write_json(folder / "encoder.json", encoder._asdict() | {"pixels": model.crop_px})
    save_weights(folder / "encoder.safetensors", model.encoder)
    if model.denoiser is not None:
        atomic_write_json(folder / "denoiser.json", asdict(model.denoiser.shape))
        save_weights(folder / "denoiser.safetensors", model.denoiser)


def load_texface(folder: Path) -> TexFace:
    """The networks, ready to use; raises `ArtefactError` when the folder does not hold them."""
    decoder, style, face = load_decoder(folder)
    shape = _read(folder / "encoder.json")
    pixels = int(shape.pop("pixels"))
    encoder = build_encoder(EncoderShape(**shape), decoder.shape.code)
    load_weights(folder / "encoder.safetensors", encoder)
    return TexFace(encoder, decoder, _load_denoiser(folder), style, face, pixels)


def open_texface(folder: Path | None) -> Reconstructor:
    """The TEx-Face in `folder`; raises `AssetMissing` when not trained and `ArtefactError` when damaged."""
    return FromCrops(load_texface(require_trained("texface", folder)))


def _load_denoiser(folder: Path) -> StyleDenoiser | None:
    if not (folder / "denoiser.json").is_file():
        return None
    shape = _read(folder / "denoiser.json")
    shape["vocabulary"] = tuple(shape["vocabulary"])
    denoiser = StyleDenoiser(DenoiserShape(**shape))
    load_weights(folder / "denoiser.safetensors", denoiser)
    return denoiser


def _part(stored: dict[str, torch.Tensor], name: str) -> StylePart:
    directions, signs = (stored[f"{name}_{field}"].numpy().astype(np.float32) for field in StylePart._fields)
    return StylePart(directions, signs)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path}: not there or not readable ({error}); train TEx-Face again") from error
