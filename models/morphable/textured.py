"""The morphable model with its texture: how much of it, and evaluated in torch."""

from dataclasses import replace
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ConfigurationError
from models.morphable.builtin import load_face
from models.morphable.model import MorphableModel


def with_texture(model: MorphableModel, components: int) -> MorphableModel:
    """The model with its first texture components, its space saying so; else `ConfigurationError`."""
    have = 0 if model.texture_basis is None else len(model.texture_basis)
    if model.texture_basis is None or components > have:
        raise ConfigurationError(f"{model.space} has {have} texture components; {components} were asked for")
    return replace(model, space=f"{model.space}/tex{components}", texture_basis=model.texture_basis[:components])


@cache
def load_textured_face(
    identity: int = 80, expression: int = 64, texture: int = 80, subdivisions: int = 1
) -> MorphableModel:
    """The built-in face as paper B's R-Net takes it: 80 + 64 components of shape, 80 of texture."""
    return with_texture(load_face(identity, expression, subdivisions), texture)


@cache
def load_drawn_face(identity: int = 80, expression: int = 64, texture: int = 80) -> MorphableModel:
    """The model to draw in training: a quarter of the vertices of `load_textured_face()`, lying on its surface.

    The unsubdivided mesh itself bulges beyond the smooth one, by .5 mm on average at the landmarks.
    """
    fine, coarse = (load_textured_face(identity, expression, texture, level) for level in (1, 0))
    count = len(coarse.template)  # subdivision keeps the number of a vertex, and moves it
    assert fine.texture_mean is not None  # noqa: S101 - the built-in face has a texture
    assert fine.texture_basis is not None  # noqa: S101
    return replace(
        fine,
        template=fine.template[:count],
        triangles=coarse.triangles,
        identity_basis=fine.identity_basis[:, :count],
        expression_basis=fine.expression_basis[:, :count],
        texture_mean=fine.texture_mean[:count],
        texture_basis=fine.texture_basis[:, :count],
        masks={name: values[:count] for name, values in fine.masks.items()},
    )


class LinearTexture(nn.Module):
    """Coefficients to albedo (paper B eq. 2): linear RGB at every vertex, neither clipped at 0 nor at 1."""

    mean: Tensor
    basis: Tensor

    def __init__(self, model: MorphableModel) -> None:
        super().__init__()
        if model.texture_mean is None or model.texture_basis is None:
            raise ConfigurationError(f"{model.space} has no texture: choose a morphable model with one")
        self.register_buffer("mean", torch.from_numpy(model.texture_mean).flatten(), persistent=False)
        self.register_buffer("basis", torch.from_numpy(model.texture_basis).flatten(1), persistent=False)

    def forward(self, texture: Float[Tensor, "b t"]) -> Float[Tensor, "b n 3"]:
        """Albedo; raises `RuntimeError` when the number of coefficients is not the model's."""
        return torch.addmm(self.mean, texture, self.basis).unflatten(1, (-1, 3))
