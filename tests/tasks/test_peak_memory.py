"""The peak memory that is reported is that of the run which did the work."""

import json
from pathlib import Path

from tasks.report import keep_peak


def peak(folder: Path, seconds: float, measured_mb: float) -> int:
    results = {"profile": "tiny", "seconds": {"photos": seconds}}
    whole = keep_peak(folder, results, measured_mb)
    assert json.loads((folder / "results.json").read_text()) == whole
    assert whole == {**results, "peak_memory_mb": whole["peak_memory_mb"]}
    return whole["peak_memory_mb"]


def test_a_run_that_found_everything_done_reports_the_peak_of_the_run_that_did_it(tmp_path: Path):
    assert peak(tmp_path, 12.5, 812.4) == 812
    assert peak(tmp_path, 12.5, 240.0) == 812
    assert peak(tmp_path, 12.5, 900.6) == 901


def test_another_job_starts_anew(tmp_path: Path):
    peak(tmp_path, 12.5, 812.0)
    assert peak(tmp_path, 13.0, 240.0) == 240
