import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import log_softmax

from models.errors import UnknownPlugin
from models.losses import CrossEntropyHead, IdentityHead, LargeMarginCosineHead, heads


def batch(count=7, width=6, classes=4):
    torch.manual_seed(1)
    return torch.randn(count, width), torch.randint(classes, (count,))


def equation_8(embeddings, weights, labels, scale, margin):
    """Slow and literal: one sample at a time, with the sum over the other classes."""
    losses = []
    for f, y in zip(embeddings, labels, strict=True):
        cosine = [f @ w / np.linalg.norm(f) / np.linalg.norm(w) for w in weights]
        own = np.exp(scale * (cosine[y] - margin))
        others = sum(np.exp(scale * c) for j, c in enumerate(cosine) if j != y)
        losses.append(-np.log(own / (own + others)))
    return np.mean(losses)


@pytest.mark.parametrize(("scale", "margin"), [(32.0, 0.35), (64.0, 0.2), (5.0, 0.0)])
def test_lmcl_is_equation_8(scale, margin):
    embeddings, labels = batch()
    head = LargeMarginCosineHead(6, 4, scale, margin, warmup=0.3)
    weights = head.cosface.W.detach().double().numpy().T
    expected = equation_8(embeddings.double().numpy(), weights, labels.numpy(), scale, margin)
    assert_allclose(head(embeddings, labels, 1.0).loss.item(), expected, rtol=1e-4)


@pytest.mark.parametrize(("progress", "margin"), [(0.0, 0.0), (0.1, 0.1), (0.4, 0.4), (0.9, 0.4)])
def test_the_margin_warms_up_along_a_line(progress, margin):
    embeddings, labels = batch()
    head = LargeMarginCosineHead(6, 4, 8.0, 0.4, warmup=0.4)
    weights = head.cosface.W.detach().double().numpy().T
    expected = equation_8(embeddings.double().numpy(), weights, labels.numpy(), 8.0, margin)
    assert_allclose(head(embeddings, labels, progress).loss.item(), expected, rtol=1e-4)


def test_without_warm_up_the_margin_is_there_at_once():
    assert LargeMarginCosineHead(6, 4, 8.0, 0.4, warmup=0.0).margin_at(0.0) == 0.4


def test_half_precision_around_lmcl_never_reaches_its_weights():
    embeddings, labels = batch()
    head = LargeMarginCosineHead(6, 4)
    exact = head(embeddings.bfloat16().float(), labels, 1.0).loss
    with torch.autocast("cpu", torch.bfloat16):
        rounded = head(embeddings.bfloat16(), labels, 1.0).loss
    assert head.cosface.W.dtype == torch.float32
    assert torch.equal(rounded, exact)


def test_cross_entropy_is_equations_1_and_2():
    embeddings, labels = batch()
    head = CrossEntropyHead(6, 4)
    torch.nn.init.normal_(head.classifier.bias)
    weight, bias = (parameter.detach().double().numpy() for parameter in head.classifier.parameters())
    logs = log_softmax(embeddings.double().numpy() @ weight.T + bias, axis=1)
    expected = -np.mean([row[y] for row, y in zip(logs, labels, strict=True)])
    assert_allclose(head(embeddings, labels, 0.5).loss.item(), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["cross_entropy", "lmcl"])
def test_right_answers_are_counted_without_the_margin(name):
    head = heads[name](embedding=4, classes=4)
    with torch.no_grad():
        weight = head.classifier.weight if name == "cross_entropy" else head.cosface.W
        weight.copy_(torch.eye(4))
    embeddings = torch.eye(4) + 0.9 * torch.eye(4).roll(1, 1)
    output = head(embeddings, torch.tensor([0, 1, 2, 0]), 1.0)
    assert output.correct.item() == 3


@pytest.mark.parametrize("name", ["cross_entropy", "lmcl"])
def test_every_catalogued_head_is_one_and_can_be_drawn_anew(name):
    head = heads[name](embedding=8, classes=5)
    assert isinstance(head, IdentityHead)
    before = [parameter.clone() for parameter in head.parameters()]
    head.reset_parameters()
    assert not torch.equal(next(head.parameters()), before[0])


def test_an_unknown_head_names_the_known_ones():
    with pytest.raises(UnknownPlugin, match="cross_entropy, lmcl"):
        heads["arcface"]
