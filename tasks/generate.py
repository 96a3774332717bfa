"""New expressions of people on photos: the generative augmentation."""

import zlib
from collections.abc import Callable

import torch

from models.errors import ConfigurationError
from models.reconstructors.protocol import Reconstruction
from models.reconstructors.texface_stored import load_texface
from tasks.texface_generation import generated_codes
from tasks.variants import Variant

Generator = Callable[[Reconstruction, int, torch.device], list[Reconstruction]]
"""(face, how many, device) -> that many more faces of the same person."""


def expression_generator(variant: Variant) -> Generator:
    """The generator of a trained TEx-Face; raises `ConfigurationError` for a reconstructor that makes up nothing."""
    if variant.name != "texface" or variant.folder is None:
        raise ConfigurationError(f"reconstructor {variant.name!r} makes no new expressions; use texface to augment")
    model = load_texface(variant.folder)

    def generate(face: Reconstruction, count: int, device: torch.device) -> list[Reconstruction]:
        if face.coefficients is None:
            raise ConfigurationError(f"{face.path}: a face without coefficients cannot be varied")
        codes = list(generated_codes(model, [face.coefficients], count, zlib.crc32(face.path.encode()), device))
        surfaces = zip(model.decode(codes, device), codes, strict=True)
        return [Reconstruction(face.path, vertices, face.triangles, how) for vertices, how in surfaces]

    return generate
