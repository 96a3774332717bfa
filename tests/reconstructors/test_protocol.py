"""One protocol: a stream of photos in, for each one a face or a reason, whatever the network behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.errors import AssetMissing, ConfigurationError, UnknownPlugin
from models.morphable.spaces import common_space, require_space
from models.networks.expnet import CoefficientLayout, build_expnet
from models.photos.alignment import template_points
from models.plugins import Catalogue
from models.reconstructors.catalogue import open_reconstructor
from models.reconstructors.crops import CropFaces, FromCrops
from models.reconstructors.protocol import (
    Decoder,
    FacePhoto,
    Reconstruction,
    Reconstructor,
    ReconstructorBuilder,
    from_crop,
    reconstructors,
)
from models.reconstructors.stored import save_expnet
from models.types import Coefficients, Failure

CPU = torch.device("cpu")
TRIANGLE = np.array([[0, 1, 2]], np.int32)


def coefficients(space: str = "toy", value: float = 0.0) -> Coefficients:
    return Coefficients(space, np.full(2, value, np.float32), np.zeros(1, np.float32))


@dataclass
class MeanColour:
    """A model whose face stands as far to the right as the crop is bright; a black crop gives no number."""

    space: str = "toy"
    crop_px: int = 16
    says: str = "toy"
    batches: list[int] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)

    @property
    def triangles(self) -> np.ndarray:
        return TRIANGLE

    def faces(self, crops: np.ndarray, device: torch.device) -> CropFaces:
        self.batches.append(len(crops))
        self.devices.add(device.type)
        bright = crops.reshape(len(crops), -1).mean(axis=1).astype(np.float32)
        vertices = np.zeros((len(crops), 3, 3), np.float32)
        vertices[:, :, 0] = np.where(bright > 0, bright, np.nan)[:, None]
        return CropFaces([coefficients(self.says, float(value)) for value in bright], vertices)

    def decode(self, given: Sequence[Coefficients], device: torch.device) -> Iterator[np.ndarray]:
        self.devices.add(device.type)
        for each in given:
            yield np.full((3, 3), each.identity[0], np.float32)


def photo(name: str, bright: int, side: int = 24) -> FacePhoto:
    return from_crop(np.full((3, side, side), bright, np.uint8), name)


def misplaced(name: str) -> FacePhoto:
    """Its five points coincide."""
    return FacePhoto(name, None, np.zeros((24, 24, 3), np.uint8), np.full((5, 2), 9, np.float32))


@given(st.lists(st.integers(0, 255), max_size=23), st.integers(1, 9))
def test_every_photo_has_one_outcome_in_order_whatever_the_batch(brights, batch_size):
    photos = [photo(f"{i}.png", bright) if bright % 7 else misplaced(f"{i}.png") for i, bright in enumerate(brights)]
    model = MeanColour()
    outcomes = list(FromCrops(model).reconstruct(iter(photos), CPU, batch_size))
    assert [each.path for each in outcomes] == [each.path for each in photos]
    assert all(size <= batch_size for size in model.batches)
    assert model.devices <= {"cpu"}
    for outcome, bright in zip(outcomes, brights, strict=True):
        assert isinstance(outcome, Reconstruction if bright % 7 else Failure)
        if isinstance(outcome, Reconstruction):
            assert_allclose(outcome.vertices[:, 0], bright, atol=0.5)
            assert outcome.coefficients is not None
            assert_allclose(outcome.coefficients.identity, bright, atol=0.5)


def test_numbers_that_are_not_finite_are_a_failure_of_that_photo_alone():
    first, second, third = FromCrops(MeanColour()).reconstruct([photo("a", 9), photo("b", 0), photo("c", 5)], CPU)
    assert isinstance(first, Reconstruction)
    assert isinstance(third, Reconstruction)
    assert isinstance(second, Failure)
    assert second.path == "b"
    assert "not finite" in second.reason


def test_no_more_than_a_batch_is_drawn_ahead_of_what_is_asked_for():
    drawn: list[int] = []

    def source() -> Iterator[FacePhoto]:
        for number in range(1000):
            drawn.append(number)
            yield photo(str(number), 3)

    outcomes = FromCrops(MeanColour()).reconstruct(source(), CPU, 4)
    assert not drawn
    for _ in range(5):
        next(outcomes)
    assert len(drawn) == 8


def test_a_network_that_speaks_another_space_than_it_says_is_stopped():
    with pytest.raises(ConfigurationError, match="'toy' and was given some of 'other'"):
        list(FromCrops(MeanColour(says="other")).reconstruct([photo("a", 3)], CPU))


def test_coefficients_of_two_models_never_mix():
    require_space(coefficients("a"), "a", "here")
    with pytest.raises(ConfigurationError, match=r"the classifier: takes .*'a'.*'b'.*never mix"):
        require_space(coefficients("b"), "a", "the classifier")
    assert common_space([coefficients("a"), coefficients("a")], "here") == "a"
    with pytest.raises(ConfigurationError, match="never mix"):
        common_space([coefficients("a"), coefficients("b")], "here")
    with pytest.raises(ConfigurationError, match="no coefficients"):
        common_space([], "here")


def test_a_crop_is_framed_as_it_was():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (3, 48, 48), dtype=np.uint8)
    taken = from_crop(crop, "a.png", "anna")
    assert_array_equal(taken.aligned(48).pixels.transpose(2, 0, 1), crop)
    half = taken.aligned(24)
    assert_allclose(half.to_photo, [[2, 0, 0.5], [0, 2, 0.5]], atol=1e-5)
    assert_allclose(half.pixels, crop.reshape(3, 24, 2, 24, 2).mean(axis=(2, 4)).transpose(1, 2, 0), atol=1.0)


def test_a_photo_is_framed_by_its_five_points():
    points = (template_points(30) * 2 + [11, 7]).astype(np.float32)
    taken = FacePhoto("a.png", None, np.zeros((90, 90, 3), np.uint8), points)
    assert_allclose(taken.aligned(30).to_photo, [[2, 0, 11], [0, 2, 7]], atol=1e-5)


def test_an_unknown_name_lists_those_known():
    with pytest.raises(UnknownPlugin, match=r"no reconstructor 'exppnet'; have .*expnet"):
        open_reconstructor("exppnet")


def test_a_variant_of_another_package_joins_through_its_entry_point(tmp_path, monkeypatch):
    (tmp_path / "their_model.py").write_text("def open_theirs(folder):\n    return 'theirs'\n")
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    declared = "[trinormal.reconstructors]\ntheirs = their_model:open_theirs\n"
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text(declared)
    monkeypatch.syspath_prepend(str(tmp_path))
    fresh: Catalogue[ReconstructorBuilder] = Catalogue(reconstructors.kind)
    assert fresh["theirs"](None) == "theirs"


def test_an_untrained_variant_says_which_command_trains_it(tmp_path):
    for folder in (None, tmp_path / "absent"):
        with pytest.raises(AssetMissing, match=r"trinormal train-reconstructor expnet.*trinormal compare"):
            open_reconstructor("expnet", folder)


def test_a_stored_expnet_gives_faces_of_its_space_for_crops_of_any_size(tmp_path):
    layout = CoefficientLayout()
    torch.manual_seed(0)
    save_expnet(tmp_path, build_expnet(18, 0.1, layout.size), 18, 0.1, 48)
    expnet = open_reconstructor("expnet", tmp_path)
    assert isinstance(expnet, Reconstructor)
    rng = np.random.default_rng(0)
    photos = [from_crop(rng.integers(0, 255, (3, side, side), dtype=np.uint8), str(side)) for side in (48, 64, 224)]
    outcomes = list(expnet.reconstruct([*photos, misplaced("none")], CPU, 2))
    assert [type(each) for each in outcomes] == [Reconstruction] * 3 + [Failure]
    first = outcomes[0]
    assert isinstance(first, Reconstruction)
    assert first.coefficients is not None
    assert first.coefficients.space == expnet.space == "builtin-1/id99/exp29"
    assert first.vertices.shape[1] == 3
    assert first.scan().triangles.max() < len(first.vertices)
    assert np.ptp(first.vertices, axis=0).max() > 100
    assert isinstance(expnet, Decoder)
    (again,) = expnet.decode([first.coefficients], CPU)
    assert_allclose(again, first.vertices, atol=1e-3)
    with pytest.raises(ConfigurationError, match="never mix"):
        list(expnet.decode([coefficients("other")], CPU))
