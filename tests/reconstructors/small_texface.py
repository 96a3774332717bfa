"""A TEx-Face of a few numbers, not trained, but with detail and generation of its own."""

import torch

from models.faceworld.studio import open_studio
from models.faceworld.true_faces import TrueFaces, draw_faces
from models.morphable.builtin import load_face
from models.morphable.style_space import StyleSpace, fit_style_space
from models.networks.texface.decoder import DecoderShape
from models.networks.texface.denoiser import DenoiserShape, StyleDenoiser
from models.reconstructors.texface import TexFace
from models.reconstructors.texface_stored import EncoderShape, build_decoder, build_encoder

IDENTITY, EXPRESSION, PIXELS = 16, 8, 48


def small_style_space() -> StyleSpace:
    drawn, true = draw_faces(open_studio(), "reconstruction", 0, 0, 30, 1), TrueFaces(0.2)
    made = true.surfaces(drawn.identity, drawn.expression, drawn.relief_seeds)
    seen = len(load_face(subdivisions=0).template)
    template, partners = true.face.template[:seen], true.partners[:seen]
    return fit_style_space(template, partners, made.neutral[:, :seen], made.expressive[:, :seen], IDENTITY, EXPRESSION)


def small_texface() -> TexFace:
    style, face = small_style_space(), load_face()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = build_decoder(DecoderShape(IDENTITY, EXPRESSION, 16, 8), style, face)
        denoiser = StyleDenoiser(DenoiserShape(IDENTITY, EXPRESSION, 8, 16, 1, 2))
        encoder = build_encoder(EncoderShape(18, 0.125, 8), IDENTITY + EXPRESSION)
        with torch.no_grad():
            for parameter in [*decoder.draw.parameters(), *denoiser.parameters(), *encoder.code_head.parameters()]:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return TexFace(encoder, decoder, denoiser, style, face, PIXELS)
