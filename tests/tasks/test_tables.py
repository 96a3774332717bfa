"""The papers' tables: as printed in the papers, and ours looked up in a real MLflow database."""

import re

import pytest

from registry.tracking import Tracker
from tasks.paper_tables import COMPLEXITY, PAPER_A, PAPER_B, TABLES
from tasks.tables import DATA, as_markdown, as_page, lay_out, ours, write_tables

SIMULATED = "simulated BU-3DFE (face world)"


@pytest.fixture(scope="module")
def tracker(tmp_path_factory) -> Tracker:
    home = tmp_path_factory.mktemp("mlflow")
    made = Tracker(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    _finished(made, "recognizer", "old", {"bu3dfe.ce.fused": 0.111}, {"profile": "demo"})
    older = {"profile": "demo", "reconstructor": "expnet"}
    _finished(made, "ablations", "older", {"bu3dfe.ce.fused": 0.222, "frgc.ce.x": 0.7}, older)
    tags = {"profile": "standard", f"{DATA}bu3dfe": SIMULATED}
    metrics = {"bu3dfe.ce.fused": 0.944, "bu3dfe.ce.fused_low": 0.927, "bu3dfe.ce.fused_high": 0.959}
    _finished(made, "recognizer", "new", metrics | {"bu3dfe.baseline.x": 0.375, "bu3dfe.lmcl.fused": 0.964}, tags)
    made.run("recognizer", "unfinished", "unfinished").log_metrics({"bu3dfe.ce.fused": 0.999})
    texface = tags | {"reconstructor": "texface"}
    _finished(made, "reconstructors", "texface", {"bu3dfe.lmcl.fused": 0.97}, texface)
    _finished(made, "reconstructors", "rnet", {"bu3dfe.lmcl.fused": 0.5}, tags | {"reconstructor": "rnet"})
    axis = {"bosphorus.ce.z": 0.93, "bosphorus.ce.z_low": 0.9, "bosphorus.ce.z_high": 0.95}
    _finished(made, "ablations", "expnet", axis, {"profile": "demo", "reconstructor": "expnet"})
    _finished(
        made, "ablations", "Ablations", {"complexity.branch.seconds": 0.0042, "complexity.together.peak_mb": 412.4}, {}
    )
    accuracy = {"individual.resnet.accuracy": 0.99, "individual.resnet.low": 0.98, "individual.resnet.high": 1.0}
    tables = {"2": {"gender": {"ours": {"resnet": 0.0021, "photos": None}}}, "3": {"ours": {"shares": [[0.8, 0.2]]}}}
    run = made.run("classifiers", "kdef and fei", "classifiers")
    run.log_metrics(accuracy)
    run.log_dict({"tables": tables}, "classifiers.json")
    run.finish()
    return made


def _finished(tracker: Tracker, experiment: str, name: str, metrics: dict[str, float], tags: dict[str, str]) -> None:
    run = tracker.run(experiment, name, name, tags=tags)
    run.log_metrics(metrics)
    run.finish()


def table(laid, key: str):
    return next(each for each in laid if each.table.key == key)


def test_both_papers_tables_are_all_there_with_their_sizes():
    assert [each.key for each in TABLES] == [*(f"A{n}" for n in range(1, 9)), "A.5a", "A.5b", "B1", "B2", "B3"]
    assert [len(each.cells) for each in PAPER_A] == [8, 8, 8, 9, 7, 14, 5, 1]
    assert [len(each.cells) for each in PAPER_B] == [6, 6, 49]
    assert [len(each.cells) for each in COMPLEXITY] == [3, 2]
    for each in TABLES:
        assert len({(cell.row, cell.column) for cell in each.cells}) == len(each.cells)


def test_what_the_abstracts_say_is_in_the_tables():
    best = [each.cell("Ours (TEx-Face)", "Rank-1") for each in PAPER_A[3:7]]
    assert [cell.paper for cell in best if cell] == [0.992, 0.984, 0.993, 0.965]
    gains = [
        (fused.paper - before.paper)
        for each in PAPER_A[3:6]
        for fused in [each.cell("Ours (TEx-Face)", "Rank-1")]
        for before in [PAPER_A[PAPER_A.index(each) - 3].cell("Late Fusion", "Baseline")]
        if fused and before
    ]
    assert gains == pytest.approx([0.189, 0.171, 0.147])
    assert [cell.paper for cell in PAPER_B[0].cells if cell.column == "Using 3DMM Coefficients"] == [1.0, 0.835, 0.954]


def test_rows_of_the_confusion_matrix_are_shares_of_one():
    matrix = PAPER_B[2]
    for row in matrix.rows:
        cells = [matrix.cell(row, column) for column in matrix.columns]
        assert sum(cell.paper for cell in cells if cell) == pytest.approx(1, abs=5e-4)


def test_ours_are_the_newest_finished_figures_with_interval_run_and_data(tracker):
    laid = lay_out(tracker)
    first = table(laid, "A1")
    found = first.answers["Late Fusion", "Ours"].ours
    assert (found.value, found.low, found.high, found.data) == (0.944, 0.927, 0.959, SIMULATED)
    assert found.run.name == "new"
    assert ours(first, "Late Fusion", "Ours") == "94.4 % (92.7-95.9)"
    assert ours(first, "N_x", "Baseline") == "37.5 %"
    fourth = table(laid, "A4")
    assert ours(fourth, "Ours (TEx-Face)", "Rank-1") == "97.0 %"
    assert ours(fourth, "Li et al. [21]", "Rank-1") == "-"
    assert fourth.commands == []
    assert ours(table(laid, "B1"), "Face Recognition (KDEF)", "Using 3DMM Coefficients") == "99.0 % (98.0-100.0)"
    assert ours(table(laid, "B2"), "Classify Gender (FEI)", "Using 3DMM Coefficients") == "0.002 s"
    assert ours(table(laid, "B2"), "Classify Gender (FEI)", "Using Images") == "-"
    assert [ours(table(laid, "B3"), "AF", column) for column in ("AF", "AN", "DI")] == ["80.0 %", "20.0 %", "-"]


def test_a_profile_shows_its_own_runs_only(tracker):
    demo = table(lay_out(tracker, "demo"), "A1")
    assert ours(demo, "Late Fusion", "Ours") == "22.2 %"
    assert demo.runs[0][1] == "data not named"
    assert table(lay_out(tracker, "tiny"), "A1").found == []


def test_what_is_missing_is_a_dash_with_the_command_that_makes_it(tracker):
    text = as_markdown(lay_out(tracker))
    second = text[text.index("## Table A2") : text.index("## Table A3")]
    assert "| N_x | 73.8 % | - | 86.7 % | 70.0 % |" in second
    assert "missing figures: trinormal ablations --profile standard" in second
    fifth = text[text.index("## Table A5") : text.index("## Table A6")]
    assert "no run has these figures yet" in fifth
    assert "missing figures: trinormal ablations --profile standard" in fifth


def test_of_two_experiments_that_measure_the_same_the_newer_run_answers(tracker):
    late = table(lay_out(tracker), "A1").answers["Late Fusion", "Ours"].ours
    assert (late.run.name, late.value) == ("new", 0.944)
    assert ours(table(lay_out(tracker, "demo"), "A1"), "Late Fusion", "Ours") == "22.2 %"


def test_an_axis_has_its_interval_and_costs_have_their_units(tracker):
    laid = lay_out(tracker)
    assert ours(table(laid, "A3"), "N_z", "Ours") == "93.0 % (90.0-95.0)"
    assert ours(table(laid, "A.5a"), "One branch", "Seconds") == "0.004 s"
    assert ours(table(laid, "A.5b"), "Three branches together", "Memory") == "412 MB"


def test_every_figure_of_ours_on_the_page_names_a_run_that_has_it(tracker):
    laid = lay_out(tracker)
    page = as_page(laid)
    cells = re.findall(r'<td class="ours" data-run="([0-9a-f]{32})"[^>]*>([^<]+)<', page)
    assert len(cells) == sum(len(each.found) for each in laid) == 12
    for run_id, _ in cells:
        assert tracker.client.get_run(run_id).info.status == "FINISHED"
    assert not re.findall(r"""(?:src|href)\s*=""", page)


def test_both_forms_are_written(tracker, tmp_path):
    write_tables(tmp_path, tracker)
    assert (tmp_path / "tables.md").read_text().count("## Table") == 13
    assert (tmp_path / "tables.html").read_text().count("<section") == 13
