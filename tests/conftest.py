"""Fixtures every test may use."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before anything imports ONNX Runtime
for variable in ("PREFECT_HOME", "MPLCONFIGDIR", "XDG_CONFIG_HOME"):  # tests leave nothing in anybody's home folder
    os.environ.setdefault(variable, tempfile.mkdtemp(prefix="trinormal-tests-"))
settings.register_profile("trinormal", deadline=None)  # a busy machine is no defect
settings.load_profile("trinormal")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real photos (`orl/`) and scans (`scans/`); the test is skipped where it is absent."""
    folder = Path(os.environ.get("TRINORMAL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set TRINORMAL_TEST_DATA to the folder that holds orl/ and scans/")
    return folder
