import numpy as np
import pytest
import torch

from models.errors import ConfigurationError, DataError
from models.losses.vertex_weighted import VertexWeightedL2
from models.networks.cnet import CNet, plain_mean
from models.networks.preprocessing import scale_pixels
from models.networks.rnet import RNetwork
from models.training.augmentation import NoAugmentation, PhotoAugmentation
from models.training.inference import predict_coefficients
from models.training.photo_analysis import PhotoSets
from models.training.weak_reconstruction import fit_cnet, fit_rnet
from models.training.weak_supervision import LossWeights, WeakSupervision
from tests.training.small_faces import FACE, LAYOUT, PIXELS, SKIN, pictured, shards, some_outputs, synthesis

CPU = torch.device("cpu")
WEAK = LossWeights(perceptual=0.0)
SETTINGS = {"learning_rate": 4e-3, "weight_decay": 1e-4, "seed": 1, "device": CPU, "on_epoch": str}
SETTINGS |= {"augment": NoAugmentation()}


def supervision(weights=WEAK, pixels=PIXELS):
    both = np.concatenate([FACE.identity_basis, FACE.expression_basis])
    supervise = VertexWeightedL2(np.ascontiguousarray(both.reshape(len(both), -1).T), np.ones(6, np.float32))
    return WeakSupervision(synthesis(pixels), LAYOUT, SKIN, weights, supervise=supervise)


def network(seed=0):
    torch.manual_seed(seed)
    return RNetwork(18, 0.125, LAYOUT.size)


def landmark_error(trained, faces):
    outputs = predict_coefficients(trained, faces.photos, batch_size=64, device=CPU)
    with torch.no_grad():
        found = synthesis().landmarks(synthesis().vertices(LAYOUT.decode(torch.from_numpy(outputs)))).numpy()
    return np.linalg.norm(found - faces.landmarks, axis=2).mean()


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.parametrize("photometric", [0.0, 1.9])
def test_without_any_label_rnet_learns_where_the_landmarks_of_unseen_faces_are(tmp_path, photometric):
    seen, unseen = pictured(some_outputs(320)), pictured(some_outputs(60, seed=1))
    trained = network()
    before = landmark_error(trained, unseen)
    loss = supervision(LossWeights(photometric=photometric, perceptual=0.0))
    fit_rnet(trained, loss, shards(tmp_path, seen), epochs=8, batch_size=16, checkpoint_dir=tmp_path / "r", **SETTINGS)
    assert landmark_error(trained, unseen) < 0.6 * before


@pytest.mark.slow
def test_labels_of_a_part_of_the_photos_lower_the_error_of_unseen_shapes(tmp_path):
    seen, unseen = pictured(some_outputs(256)), pictured(some_outputs(60, seed=1))

    def shape_error(labels):
        trained, loss = network(), supervision(LossWeights(photometric=0.0, perceptual=0.0, labels=labels))
        data = shards(tmp_path, seen, labelled=192)
        fit_rnet(trained, loss, data, epochs=8, batch_size=16, checkpoint_dir=tmp_path / str(labels), **SETTINGS)
        outputs = torch.from_numpy(predict_coefficients(trained, unseen.photos, batch_size=64, device=CPU))
        mine, true = (LAYOUT.decode(rows) for rows in (outputs, unseen.outputs))
        gap = synthesis().shape(mine.identity - true.identity, mine.expression - true.expression)
        return (gap - synthesis().shape(0 * true.identity, 0 * true.expression)).norm(dim=2).mean()

    assert shape_error(0.1) < 0.95 * shape_error(0.0)


def test_a_resumed_training_ends_with_the_weights_of_the_unbroken_one(tmp_path):
    data, loss = (
        shards(tmp_path, pictured(some_outputs(12)), labelled=4),
        supervision(LossWeights(1.9, perceptual=0.0, labels=0.1)),
    )

    def fit(folder, **stop):
        trained = network()
        settings = SETTINGS | {"augment": PhotoAugmentation(mirror=0.0)}
        fit_rnet(trained, loss, data, epochs=2, batch_size=6, checkpoint_dir=tmp_path / folder, **settings, **stop)
        return weights(trained)

    whole = fit("whole")
    answers = iter([False, False, False, True])
    stopped = fit("part", should_stop=lambda: next(answers))
    assert not same(whole, stopped)
    assert same(whole, fit("part"))


def test_crops_of_another_size_and_mirrored_ones_are_refused(tmp_path):
    data = shards(tmp_path, pictured(some_outputs(4)))
    settings = SETTINGS | {"epochs": 1, "batch_size": 4, "checkpoint_dir": tmp_path}
    with pytest.raises(ConfigurationError, match=r"crops of shape \(3, 32, 32\), the renderer draws \(3, 64, 64\)"):
        fit_rnet(network(), supervision(pixels=64), data, **settings)
    with pytest.raises(ConfigurationError, match="mirror"):
        fit_rnet(network(), supervision(), data, **settings | {"augment": PhotoAugmentation()})


def people(count, views, seed=0):
    """Photos of people: one identity and texture each, all else different from photo to photo."""
    outputs = some_outputs(count * views, seed)
    own = some_outputs(count, seed + 100).repeat_interleave(views, dim=0)
    outputs[:, :8], outputs[:, 12:18] = own[:, :8], own[:, 12:18]
    return pictured(outputs), np.repeat(np.arange(count), views)


CNET_SETTINGS = {name: value for name, value in SETTINGS.items() if name != "learning_rate"} | {"learning_rate": 1e-2}


def test_cnet_learns_on_a_fixed_rnet_and_starts_from_the_plain_mean(tmp_path):
    faces, subjects = people(8, 4)
    rnet, data = network(), shards(tmp_path, faces)
    torch.nn.init.normal_(rnet.head.weight[:8], std=0.3)  # identities that differ between the photos of a person
    torch.manual_seed(0)
    confidence = CNet(rnet.feature_count, LAYOUT.identity, hidden=16)
    values = scale_pixels(torch.from_numpy(faces.photos[:8]))
    with torch.no_grad():
        pooled = LAYOUT.split(PhotoSets(rnet, confidence, LAYOUT, 4)(values).outputs).identity
        own = LAYOUT.split(rnet.eval()(values)).identity.unflatten(0, (2, 4))
    assert torch.allclose(pooled, plain_mean(own).repeat_interleave(4, dim=0), atol=1e-5)

    before, before_confidence = weights(rnet), weights(confidence)
    losses = LossWeights(photometric=0.0, perceptual=0.0)
    result = fit_cnet(
        confidence,
        rnet,
        supervision(losses),
        data,
        subjects,
        views=2,
        epochs=6,
        sets=4,
        checkpoint_dir=tmp_path / "c",
        **CNET_SETTINGS,
    )
    assert same(before, weights(rnet))
    assert not same(before_confidence, weights(confidence))
    assert result.history[-1].loss < result.history[0].loss
    assert result.history[0].images_per_second * result.history[0].seconds == pytest.approx(32)


def test_cnet_needs_a_subject_for_each_crop_and_enough_photos_of_one(tmp_path):
    faces, subjects = people(3, 2)
    rnet, data = network(), shards(tmp_path, faces)
    confidence = CNet(rnet.feature_count, LAYOUT.identity)
    settings = CNET_SETTINGS | {"epochs": 1, "sets": 2, "checkpoint_dir": tmp_path}
    with pytest.raises(DataError, match="6 crops but 5 subjects"):
        fit_cnet(confidence, rnet, supervision(), data, subjects[:5], views=2, **settings)
    with pytest.raises(DataError, match="at most 2"):
        fit_cnet(confidence, rnet, supervision(), data, subjects, views=3, **settings)
