"""The parts of the report's page: charts that say what the figures say, matches, and the lineage drawing."""

import cv2
import numpy as np
import pytest

from infra.store import Artefact
from models.metrics.benchmark import Outcome, Scores
from models.metrics.details import Details
from models.metrics.protocol import Member, Protocol
from registry.stage_graph import Stage, StageGraph
from tasks.charts import as_div, cmc_chart, det_chart, gallery_chart, roc_chart, slices_chart
from tasks.matches import draw_matches, normal_image
from tasks.normals import NormalShards
from tasks.page import BOX, drawn

SCORES = {
    "baseline": Scores(0.5, 0.4, 0.3, 0.6, 0.5, 0.7, [0.6, 0.8]),
    "lmcl": Scores(0.9, 0.9, 0.9, 1, 1, 1, [1.0, 1.0]),
}
CURVE = {"thresholds": [None, 0.1, 0.2, 0.3], "fmr": [0.0, 0.0, 0.1, 1.0], "fnmr": [1.0, 0.5, 0.2, 0.0]}
INTERVAL = {"low": 0.4, "value": 0.5, "high": 0.7, "level": 0.95, "subjects": 9}
DETAILS = Details(
    {"curve": CURVE},
    [],
    [{"size": 2, "rank1": 0.9, "low": 0.8, "high": 1.0}, {"size": 9, "rank1": 0.5, "low": 0.4, "high": 0.6}],
    [],
    [],
)


def test_the_cmc_shows_every_variant_in_per_cent():
    figure = cmc_chart(SCORES)
    assert [trace.name for trace in figure.data] == ["baseline", "lmcl"]
    assert list(figure.data[0].x) == [1, 2]
    assert list(figure.data[0].y) == [60.0, 80.0]


def test_roc_and_det_leave_out_what_their_axes_cannot_show():
    roc = roc_chart({"lmcl": DETAILS}).data[0]
    assert (list(roc.x), list(roc.y)) == ([10.0, 100.0], [80.0, 100.0])
    det = det_chart({"lmcl": DETAILS}).data[0]
    np.testing.assert_allclose([det.x[0], det.y[0]], [-1.2815515655, -0.8416212336])  # the deviates of .1 and .2
    assert len(det.x) == 1


def test_the_gallery_curve_has_its_band_and_the_slices_their_intervals():
    band, line, other = gallery_chart({"lmcl": DETAILS, "ce": DETAILS}, "lmcl").data
    assert (line.name, other.name) == ("lmcl", "ce")
    assert list(band.y) == [100.0, 60.0, 40.0, 80.0]
    assert list(line.y) == [90.0, 50.0]
    row = {"group": "f", "probes": 20, "rank1": INTERVAL}
    shown = slices_chart({"label": "sex", "slices": [row], "distinct": ["f"]}).data[0]
    assert list(shown.y) == ["f (20)"]
    np.testing.assert_allclose([shown.error_x.array[0], shown.error_x.arrayminus[0]], [20.0, 10.0])


def test_a_chart_in_a_page_brings_no_script_of_its_own():
    text = as_div(cmc_chart(SCORES), "chart-cmc")
    assert 'id="chart-cmc"' in text
    assert "src=" not in text
    assert len(text) < 20_000


@pytest.fixture
def normals(tmp_path) -> NormalShards:
    """Two shards of five and three scans; scan k is all k."""
    shards = []
    for number, (first, count) in enumerate([(0, 5), (5, 3)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        np.save(
            folder / "normals.npy",
            np.arange(first, first + count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, 4), np.uint8),
        )
        shards.append(Artefact("scan-normals", str(number) * 64, folder))
    return NormalShards(shards, [f"s{k}" for k in range(8)], [], [])


def test_one_image_is_read_from_its_own_shard(normals):
    assert [int(normal_image(normals, f"s{k}")[0, 0, 0]) for k in range(8)] == list(range(8))


def test_the_surest_hits_and_the_misses_furthest_off_are_shown_one_a_person(normals, tmp_path):
    members = tuple(Member(f"s{k}", name) for k, name in enumerate("abc"))
    protocol = Protocol("p", members, tuple(Member(f"s{k}", "abc"[k % 3]) for k in range(3, 8)))
    outcomes = [
        Outcome("s3", "a", 1, "s0", "a", 0.5, 0.5),
        Outcome("s6", "a", 1, "s0", "a", 0.2, 0.2),
        Outcome("s4", "b", 3, "s0", "a", 0.5, 1.5),
        Outcome("s7", "b", 2, "s2", "c", 0.5, 0.6),
        Outcome("s5", "c", 0, "", "", None, None),
    ]
    matches = draw_matches(tmp_path, outcomes, normals, protocol)
    assert [(match.kind, match.probe, match.found, match.right) for match in matches] == [
        ("hit", "s6", "s0", ""),
        ("miss", "s4", "s0", "s1"),
    ]
    shown = [cv2.imread(str(tmp_path / name), cv2.IMREAD_GRAYSCALE) for name in matches[1].pictures]
    assert [(int(picture[0, 0]), picture.shape) for picture in shown] == [(4, (4, 12)), (0, (4, 12)), (1, (4, 12))]


def test_the_lineage_is_drawn_without_boxes_on_each_other():
    stages = (Stage("onnx", "artefact", 1, 0), Stage("a", "artefact", 3, 1), Stage("snapshot", "snapshot", 2, 1))
    picture = drawn(StageGraph(stages, (("a", "onnx"), ("snapshot", "onnx"))))
    places = {box.name: (box.x, box.y) for box in picture.boxes}
    assert places["onnx"][0] > places["a"][0] + BOX[0]
    assert places["snapshot"][1] >= places["a"][1] + BOX[1]
    assert [box.label for box in picture.boxes] == ["1 artefact", "3 artefacts", "2 snapshots"]
    assert all(box.x + BOX[0] <= picture.width and box.y + BOX[1] <= picture.height for box in picture.boxes)
    assert len(picture.edges) == 2
