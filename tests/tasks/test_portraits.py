"""Simulated KDEF and FEI read back as the real ones would, and their points reach the alignment."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from infra.profiles import load_profile
from infra.profiles.portraits import PortraitsConfig, StudioConfig
from models.photos.alignment import align_photo
from models.photos.decoding import read_photo
from models.protocols.photos import fei_gender_split, kdef_expression_split_by_subject, kdef_individual_split
from models.readers.datasets import data_sets
from registry.catalogue import load_rows
from tasks import portraits
from tasks.gather import Photos
from tasks.portraits import simulated_portraits
from tasks.wiring import Workspace
from tests.tasks.homes import new_home
from tests.tasks.plain_snapshots import take_in

SMALL = PortraitsConfig(
    kdef=StudioConfig(women=1, men=1, height_px=96, people_per_shard=1),
    fei=StudioConfig(women=2, men=2, height_px=96),
)


class Made:
    def __init__(self, workspace: Workspace, photos: dict[str, Photos]) -> None:
        self.workspace, self.photos = workspace, photos


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    profile = load_profile("tiny").model_copy(update={"portraits": SMALL})
    with new_home(tmp_path_factory.mktemp("portraits") / "home") as workspace, pytest.MonkeyPatch.context() as patch:
        take_in(workspace, patch)
        patch.setattr(portraits, "open_workspace", lambda: workspace)
        patch.setattr(portraits, "synthesise_portraits", portraits.synthesise_portraits.fn)
        yield Made(workspace, {name: simulated_portraits(name, profile) for name in ("kdef", "fei")})


def test_each_of_kdefs_people_has_seventy_photos_and_the_protocols_take_them(made: Made):
    records = list(data_sets["kdef"].index(made.photos["kdef"].root))
    assert Counter(record.subject for record in records) == {"F01": 70, "M01": 70}
    conditions = Counter((r.labels["session"], r.labels["expression"], r.labels["angle"]) for r in records)
    assert set(conditions.values()) == {2}
    assert len(conditions) == 2 * 7 * 5
    split = kdef_individual_split(records, people=2)
    assert (len(split.training), len(split.validation)) == (40, 30)
    assert not kdef_expression_split_by_subject(records).subjects_on_both_sides()


def test_each_of_feis_people_has_fourteen_photos_and_a_gender(made: Made):
    root = made.photos["fei"].root
    records = list(data_sets["fei"].index(root))
    assert Counter(record.subject for record in records) == dict.fromkeys("1234", 14)
    assert Counter(record.gender for record in records) == {"f": 28, "m": 28}
    split = fei_gender_split(records)
    assert (len(split.training), len(split.validation), len(split.exclusions)) == (28, 28, 0)
    brightness = {
        photo: np.mean([read_photo(root / f"{person}-{photo}.jpg").pixels.mean() for person in range(1, 5)])
        for photo in ("11", "13", "14")
    }
    assert brightness["14"] < 0.6 * brightness["13"] < 0.6 * 0.8 * brightness["11"]


def test_pictures_have_the_shape_of_the_real_ones(made: Made):
    kdef = read_photo(made.photos["kdef"].root / "AF01/AF01NES.JPG").pixels
    fei = read_photo(made.photos["fei"].root / "1-11.jpg").pixels
    assert kdef.shape[:2] == (96, round(96 * 562 / 762))
    assert fei.shape[:2] == (96, 128)


@pytest.mark.parametrize("data_set", ["kdef", "fei"])
def test_the_snapshot_knows_five_points_with_which_every_photo_is_aligned(made: Made, data_set: str):
    photos = made.photos[data_set]
    rows = list(load_rows(made.workspace.engine, photos.snapshot.id))
    assert len(rows) == photos.snapshot.rows == {"kdef": 140, "fei": 56}[data_set]
    for row in rows:
        crop = align_photo(read_photo(photos.root / row.path), np.array(row.points, dtype=np.float32), 64)
        assert crop.pixels.shape == (64, 64, 3)


def test_the_data_set_holds_no_truth_and_the_shards_do(made: Made):
    for photos in made.photos.values():
        names = {path.name for path in photos.root.rglob("*") if path.is_file()}
        assert not names & {"truth.npz", "rows.csv"}
        assert photos.collection is not None
        with np.load(photos.collection.shards[0].path / "truth.npz") as truth:
            assert len(truth["identity"]) == len(truth["pose"]) == len(truth["five_points"])
            assert truth["camera_centre"].shape == (2,)
