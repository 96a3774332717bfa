"""Score files: what is written is read back, and only under its own protocol."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.metrics.benchmark import Searched, search_all
from models.metrics.comparisons import compare_all
from models.metrics.protocol import Member, Protocol
from tasks.score_files import ScoreHead, open_scores, write_scores

NAMES = [f"p{k}" for k in range(7)]
PROTOCOL = Protocol(
    "made up",
    tuple(Member(f"{name}/neutral", name) for name in NAMES),
    tuple(Member(f"{name}/{k}", name) for name in NAMES for k in range(90)),
)
HEAD = ScoreHead("made up", PROTOCOL.hash(), "lmcl", "f" * 64)


@pytest.fixture
def searched() -> tuple[Searched, list[str]]:
    rng = np.random.default_rng(0)
    everything = [*PROTOCOL.gallery_ids, *PROTOCOL.probe_ids]
    sources = [each for each in rng.permutation(everything).tolist() if each not in {"p1/3", "p2/neutral"}]
    x, y, z = (rng.normal(size=(len(sources), 5)).astype(np.float32) for _ in range(3))
    return search_all((x, y, z), sources, PROTOCOL), sources


def test_every_comparison_is_a_row_with_both_ids_and_all_scores(tmp_path, searched):
    found, sources = searched
    path = tmp_path / "scores.parquet"
    rows = write_scores(path, found, sources, HEAD)
    table = pq.read_table(path).to_pylist()
    assert rows == len(table) == 6 * 539 + 91  # p2 is not enrolled: its 90 probes are lost, and one of p1
    scored = {(row["probe"], row["reference"]): row for row in table if row["reference"] is not None}
    assert len(scored) == 6 * 539
    for column, probe in enumerate(found.part.probes):
        for place, reference in enumerate(found.part.gallery):
            row = scored[sources[probe], sources[reference]]
            assert (row["probe_subject"], row["reference_subject"]) == (
                found.part.probe_subjects[column],
                found.part.gallery_subjects[place],
            )
            told = [row[name] for name in ("x", "y", "z", "fused")]
            assert told == [each[place, column] for each in (*found.axes, found.fused)]
    lost = [row for row in table if row["reference"] is None]
    assert {row["probe"] for row in lost} == {"p1/3", *(f"p2/{k}" for k in range(90))}
    assert all(row["fused"] is None for row in lost)
    assert pq.ParquetFile(path).num_row_groups == 4  # written some probes at a time


@pytest.mark.parametrize("score", ["x", "y", "z", "fused"])
def test_comparisons_read_back_are_those_of_the_distances(tmp_path, searched, score):
    found, sources = searched
    write_scores(tmp_path / "scores.parquet", found, sources, HEAD)
    file = open_scores(tmp_path / "scores.parquet", PROTOCOL.hash())
    assert file.head == HEAD
    distances = dict(zip("xyz", found.axes, strict=True)).get(score, found.fused)
    part = found.part
    expected = compare_all(distances, part.gallery_subjects, part.probe_subjects, part.lost_subjects)
    read = file.comparisons(score)
    assert read.subjects == expected.subjects
    for ours, theirs in zip(read[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(np.sort(ours), np.sort(theirs))
    assert read.genuine.mean() == pytest.approx(expected.genuine.mean())


def test_scores_of_another_protocol_are_not_opened(tmp_path, searched):
    found, sources = searched
    write_scores(tmp_path / "scores.parquet", found, sources, HEAD)
    other = Protocol("made up", PROTOCOL.gallery, PROTOCOL.probes[:-1])
    with pytest.raises(DataError, match="score under one protocol"):
        open_scores(tmp_path / "scores.parquet", other.hash())


def test_other_files_are_no_score_files(tmp_path):
    (tmp_path / "text").write_text("no parquet")
    pq.write_table(pa.table({"probe": ["a"]}), tmp_path / "table")
    for name, reason in (("text", "no Parquet file"), ("table", "not a score file"), ("absent", "no Parquet file")):
        with pytest.raises(DataError, match=reason):
            open_scores(tmp_path / name, HEAD.protocol)


def test_an_unknown_score_is_refused(tmp_path, searched):
    found, sources = searched
    write_scores(tmp_path / "scores.parquet", found, sources, HEAD)
    with pytest.raises(DataError, match="no score 'w'"):
        open_scores(tmp_path / "scores.parquet", HEAD.protocol).comparisons("w")
