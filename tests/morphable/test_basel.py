"""The Basel Face Model from files of its layout: a planted model comes back; what is not that model is told apart.

The stand-in holds the built-in face, its vertices shuffled and hidden among others, in micrometres.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.io import savemat

from models.errors import ArtefactError, AssetMissing, ConfigurationError
from models.morphable.basel import load_basel
from models.morphable.basel_files import BFM_2009, SOURCES, BaselCounts, inspect_basel
from models.morphable.builtin import load_face
from models.morphable.model import MorphableModel

FACE = load_face(12, 6, subdivisions=0)
COUNTS = BaselCounts(vertices=3000, components=12, trimmed=2700, expressions=6, front=len(FACE.template))
OFFSET_UM = np.array([1000.0, -20_000.0, 75_000.0])


def spread(count: int, places: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(k, front, 3) values at their places among (k, count, 3) of noise."""
    whole = rng.normal(0, 9e4, (len(values), count, 3))
    whole[:, places] = values
    return whole


def write_basel(folder: Path, face: MorphableModel, counts: BaselCounts, **changes: dict) -> None:
    """All six files; `changes` replaces arrays of a MATLAB file, by its name's first word."""
    rng = np.random.default_rng(0)
    front = rng.permutation(counts.trimmed)[: counts.front]
    trimmed = rng.permutation(counts.vertices)[: counts.trimmed]
    kept = trimmed[front]
    deviation, tint = rng.uniform(100, 900, counts.components), rng.uniform(1, 9, counts.components)
    shape = spread(counts.vertices, kept, face.identity_basis * 1000 / deviation[:, None, None], rng)
    mean = spread(counts.vertices, kept, face.template[None] * 1000 + OFFSET_UM, rng)
    colour = spread(counts.vertices, kept, face.texture_basis[: counts.components] * 255 / tint[:, None, None], rng)
    paint = spread(counts.vertices, kept, face.texture_mean[None] * 255, rng)
    columns = {"shapeMU": mean, "shapePC": shape, "texMU": paint, "texPC": colour}
    model = {name: np.float32(values.reshape(len(values), -1).T) for name, values in columns.items()}
    model |= {"shapeEV": np.float32(deviation[:, None]), "texEV": np.float32(tint[:, None]), "tl": np.eye(3)}
    info = {
        "tri": (face.triangles[:, ::-1] + 1).astype(np.float64),
        "keypoints": (face.landmarks68 + 1).astype(np.uint16)[None],
        "skinmask": face.masks["skin_photometric"][None].round(),
    }
    files = {
        "01_MorphableModel.mat": model | changes.get("model", {}),
        "BFM_exp_idx.mat": {"trimIndex": (trimmed + 1).astype(np.uint16)[:, None]} | changes.get("trimmed", {}),
        "BFM_front_idx.mat": {"idx": (front + 1).astype(np.uint16)[:, None]} | changes.get("front", {}),
        "facemodel_info.mat": info | changes.get("info", {}),
    }
    folder.mkdir(exist_ok=True)
    for name, arrays in files.items():
        savemat(folder / name, {key: value for key, value in arrays.items() if value is not None}, do_compression=True)
    sizes = rng.uniform(0.5, 3, counts.expressions)
    faces = spread(counts.trimmed, front, face.expression_basis * 1000 / sizes[:, None, None], rng)
    parts = [rng.normal(size=3 * counts.trimmed), faces.ravel()]
    numbers = np.concatenate(parts).astype("<f4")
    (folder / "Exp_Pca.bin").write_bytes(np.int32(counts.expressions).tobytes() + numbers.tobytes())
    (folder / "std_exp.txt").write_text(" ".join(f"{size:.9g}" for size in sizes) + "\n")


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("basel") / "BFM"
    write_basel(written, FACE, COUNTS)
    return written


@pytest.fixture
def folder(tmp_path: Path, whole_files: Path) -> Path:
    """A copy of its own for each test."""
    return Path(shutil.copytree(whole_files, tmp_path / "BFM"))


def state(folder: Path, name: str) -> str:
    (found,) = [finding for finding in inspect_basel(folder, COUNTS) if finding.file == name]
    return f"{found.state}: {found.advice}"


def test_the_planted_model_comes_back_in_millimetres(folder):
    model = load_basel(folder, 9, 5, 7, COUNTS)
    tip = FACE.template[FACE.landmarks68[30]]
    assert model.space == "basel-2009/id9/exp5"
    assert_allclose(model.template, FACE.template - tip, atol=2e-4)
    assert_allclose(model.identity_basis, FACE.identity_basis[:9], atol=1e-5)
    assert_allclose(model.expression_basis, FACE.expression_basis[:5], atol=1e-5)
    assert FACE.texture_mean is not None
    assert FACE.texture_basis is not None
    assert model.texture_mean is not None
    assert model.texture_basis is not None
    assert_allclose(model.texture_mean, FACE.texture_mean, atol=1e-5)
    assert_allclose(model.texture_basis, FACE.texture_basis[:7], atol=1e-5)
    assert_array_equal(model.landmarks68, FACE.landmarks68)
    assert model.nose_tip == FACE.landmarks68[30]
    assert_allclose(model.template[model.nose_tip], 0)
    assert set(np.unique(model.masks["skin_photometric"])) == {0, 1}


def test_triangles_face_the_camera_however_the_file_winds_them(folder, tmp_path):
    write_basel(tmp_path / "other", FACE, COUNTS, info={"tri": FACE.triangles + 1.0})
    for place in (folder, tmp_path / "other"):
        triangles = load_basel(place, 2, 2, 2, COUNTS).triangles
        assert_array_equal(np.sort(triangles, axis=1), np.sort(FACE.triangles, axis=1))
        a, b, c = (FACE.template[triangles[:, corner]] for corner in range(3))
        assert np.cross(b - a, c - a)[:, 2].sum() > 0


def test_whole_files_are_found_present(folder):
    findings = inspect_basel(folder, COUNTS)
    assert [finding.file for finding in findings] == list(SOURCES)
    assert all(finding.state == "present" and not finding.advice for finding in findings)


@pytest.mark.parametrize("name", SOURCES)
def test_a_missing_file_is_named_with_where_to_get_it(folder, name):
    (folder / name).unlink()
    assert state(folder, name) == f"missing: get it from {SOURCES[name]}"
    with pytest.raises(AssetMissing, match=f"{name}: not there; get it from https"):
        load_basel(folder, 2, 2, 2, COUNTS)


def test_in_a_folder_that_is_not_there_everything_is_missing(tmp_path):
    findings = inspect_basel(tmp_path / "nowhere")
    assert [finding.state for finding in findings] == ["missing"] * len(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_pointer_and_an_enormous_file_are_wrong(folder, name, monkeypatch):
    (folder / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "wrong: only a Git LFS pointer" in state(folder, name)
    monkeypatch.setattr("models.morphable.basel_files.MAX_BYTES", 10)
    (folder / name).write_bytes(b"01234567890123")
    assert "wrong: larger than" in state(folder, name)


def test_later_versions_are_told_from_the_one_of_2009(folder):
    for name in ("model2017-1_bfm_nomouth.h5", "model2019_fullHead.h5", "mine.h5"):
        (folder / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    assert "Basel Face Model of 2017" in state(folder, "model2017-1_bfm_nomouth.h5")
    assert "Basel Face Model of 2019" in state(folder, "model2019_fullHead.h5")
    assert "2017 or later" in state(folder, "mine.h5")
    assert "get 01_MorphableModel.mat from https://faces.dmi.unibas.ch" in state(folder, "mine.h5")
    load_basel(folder, 2, 2, 2, COUNTS)
    (folder / "01_MorphableModel.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    assert "wrong: HDF5" in state(folder, "01_MorphableModel.mat")


@pytest.mark.parametrize(
    ("changes", "file", "words"),
    [
        ({"model": {"shapePC": None}}, "01_MorphableModel.mat", "holds no array shapePC"),
        (
            {"model": {"shapePC": np.zeros((9, 12))}},
            "01_MorphableModel.mat",
            "shapePC is 9x12 double, expected 9000x12",
        ),
        ({"model": {"texEV": np.zeros((13, 1))}}, "01_MorphableModel.mat", "texEV is 13x1"),
        ({"model": {"shapeMU": np.array([["a"]], object)}}, "01_MorphableModel.mat", "shapeMU is 1x1 cell"),
        ({"front": {"idx": np.zeros((4, 1))}}, "BFM_front_idx.mat", "idx is 4x1"),
        ({"trimmed": {"trimIndex": None}}, "BFM_exp_idx.mat", "holds no array trimIndex"),
        ({"info": {"keypoints": np.ones((1, 5))}}, "facemodel_info.mat", "keypoints is 1x5"),
        ({"info": {"tri": np.ones((7, 4))}}, "facemodel_info.mat", "tri is 7x4"),
    ],
)
def test_other_arrays_than_expected_are_wrong(tmp_path, changes, file, words):
    write_basel(tmp_path / "BFM", FACE, COUNTS, **changes)
    assert state(tmp_path / "BFM", file).startswith("wrong: ")
    assert words in state(tmp_path / "BFM", file)
    with pytest.raises(AssetMissing, match=file):
        load_basel(tmp_path / "BFM", 2, 2, 2, COUNTS)


FRONT_INDEX = np.arange(1, COUNTS.front + 1, dtype=np.float64)[:, None]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"shapeMU": np.full((9000, 1), np.nan)}}, "shapeMU holds numbers that are not finite"),
        ({"model": {"shapeMU": np.zeros((9000, 1))}}, "not upright, or 0 mm large"),
        ({"front": {"idx": FRONT_INDEX - 1}}, "idx: not whole numbers from 1 to 2700"),
        ({"front": {"idx": FRONT_INDEX + 0.5}}, "idx: not whole numbers"),
        ({"front": {"idx": FRONT_INDEX + 1000}}, "idx: not whole numbers"),
        ({"front": {"idx": FRONT_INDEX}}, "are the files of one model"),
        ({"info": {"keypoints": np.full((1, 68), 1e6)}}, "keypoints: not whole numbers"),
    ],
)
def test_numbers_that_cannot_be_are_refused(tmp_path, changes, words):
    write_basel(tmp_path / "BFM", FACE, COUNTS, **changes)
    with pytest.raises(ArtefactError, match=words):
        load_basel(tmp_path / "BFM", 2, 2, 2, COUNTS)


def test_damaged_expression_files_are_refused(folder):
    path = folder / "Exp_Pca.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    assert "wrong" in state(folder, "Exp_Pca.bin")
    for spoilt, words in ((b"\7\0\0\0" + whole[4:], "number of components"), (whole[:-4] + b"\xff" * 4, "not finite")):
        path.write_bytes(spoilt)
        with pytest.raises(ArtefactError, match=words):
            load_basel(folder, 2, 2, 2, COUNTS)
    path.write_bytes(whole)
    for text in ("1 2 3", "1 2 3 4 5 x", "1 2 3 4 5 -6", "1 2 3 4 5 nan"):
        (folder / "std_exp.txt").write_text(text)
        with pytest.raises(ArtefactError, match="6 positive numbers"):
            load_basel(folder, 2, 2, 2, COUNTS)


def test_torn_and_flipped_files_are_refused_in_one_line(folder):
    path = folder / "01_MorphableModel.mat"
    whole = path.read_bytes()
    generator = np.random.default_rng(3)
    refused = 0
    for trial in range(40):
        data = bytearray(whole if trial % 2 else whole[: int(generator.integers(len(whole)))])
        for place in generator.integers(0, len(data), 20) if data else ():
            data[place] = generator.integers(256)
        path.write_bytes(bytes(data))
        try:
            model = load_basel(folder, 2, 2, 2, COUNTS)
        except (AssetMissing, ArtefactError) as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert np.isfinite(model.template).all()
    assert refused > 30


def test_more_components_than_there_are_are_refused(folder):
    for asked in ((13, 2, 2), (2, 7, 2), (2, 2, 13)):
        with pytest.raises(ConfigurationError, match="12 identity and texture and 6 expression"):
            load_basel(folder, *asked, COUNTS)


@pytest.mark.slow
def test_files_of_the_true_size_are_read(tmp_path):
    fine, counts = load_face(2, 2, subdivisions=1), BFM_2009
    mean = np.zeros((counts.vertices, 3), np.float32)
    mean[: len(fine.template)] = fine.template * 1000
    components = np.zeros((3 * counts.vertices, counts.components), np.float32)
    components[3 * fine.nose_tip, 0] = 2.0
    arrays = {"MU": mean.reshape(-1, 1), "PC": components, "EV": np.full((counts.components, 1), 500, np.float32)}
    savemat(
        tmp_path / "01_MorphableModel.mat",
        {f"{part}{kind}": values for part in ("shape", "tex") for kind, values in arrays.items()},
    )
    savemat(tmp_path / "BFM_exp_idx.mat", {"trimIndex": np.arange(1.0, counts.trimmed + 1)[:, None]})
    savemat(tmp_path / "BFM_front_idx.mat", {"idx": np.arange(1.0, counts.front + 1)[:, None]})
    info = {"tri": fine.triangles + 1.0, "keypoints": fine.landmarks68[None] + 1.0}
    savemat(tmp_path / "facemodel_info.mat", info | {"skinmask": np.zeros((1, counts.front))})
    (tmp_path / "Exp_Pca.bin").write_bytes(np.int32(79).tobytes() + bytes(12 * counts.trimmed * 80))
    (tmp_path / "std_exp.txt").write_text("\n".join(["1.5"] * 79))
    assert (tmp_path / "Exp_Pca.bin").stat().st_size == 51_086_404
    assert {finding.state for finding in inspect_basel(tmp_path)} == {"present"}
    model = load_basel(tmp_path)
    assert model.space == "basel-2009/id80/exp64"
    assert model.identity_basis.shape == (80, 35_709, 3)
    assert model.expression_basis.shape == (64, 35_709, 3)
    assert model.identity_basis[0, fine.nose_tip, 0] == 1.0
    assert np.count_nonzero(model.identity_basis) == 1
