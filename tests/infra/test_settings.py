import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.config import Config
from infra.environment import environment
from infra.errors import SettingsError
from infra.settings import load_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TRINORMAL_"):
            monkeypatch.delenv(name)


def test_everything_lies_under_home_until_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/trinormal.db"
    assert settings.mlflow_tracking_uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    folders = (settings.mlflow_artifacts, settings.prefect_home, settings.store, settings.assets, settings.cache)
    assert all(tmp_path in folder.parents for folder in folders)
    assert len(set(folders)) == len(folders)
    assert list(tmp_path.iterdir()) == []


def test_a_tilde_means_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings().home == tmp_path / ".trinormal"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TRINORMAL_WORKERS", "many", "TRINORMAL_WORKERS"),
        ("TRINORMAL_WORKERS", "0", "TRINORMAL_WORKERS"),
        ("TRINORMAL_DEVICE", "gpu", "TRINORMAL_DEVICE"),
        ("TRINORMAL_LOG_LEVEL", "loud", "'DEBUG', 'INFO'"),
        ("TRINORMAL_HOEM", "/x", "TRINORMAL_HOEM is not a setting"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_secrets_are_not_shown_and_reach_only_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("TRINORMAL_DATABASE_URL", "postgresql://me:hunter2@db/trinormal")
    monkeypatch.setenv("TRINORMAL_PREFECT_AUTH", "admin:hunter2")
    settings = load_settings(home=tmp_path)
    assert "hunter2" not in repr(settings) + str(settings.model_dump_json())
    assert environment(settings)["PREFECT_API_AUTH_STRING"] == "admin:hunter2"


def test_settings_and_configurations_cannot_be_changed_and_refuse_unknown_names(tmp_path: Path):
    class Training(Config):
        epochs: int = 3

    with pytest.raises(ValidationError, match="frozen"):
        Training().epochs = 4
    with pytest.raises(ValidationError, match="epoch"):
        Training(epoch=4)  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="COLOUR"):
        load_settings(colour="red")
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(home=tmp_path).workers = 2


def test_a_child_process_reads_back_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    settings = load_settings(home=tmp_path, workers=3, device="cpu", log_level="WARNING")
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


@pytest.mark.slow
def test_no_library_writes_anything_outside_our_home(tmp_path: Path):
    home, user = tmp_path / "ours", tmp_path / "users"
    user.mkdir()
    code = """
import numpy, numba, torch
import prefect, distributed, great_expectations as gx
from mlflow import MlflowClient
from prefect.settings import get_current_settings
gx.get_context(mode="ephemeral")
MlflowClient().search_experiments()
assert not get_current_settings().server.analytics_enabled
@numba.njit(cache=True)
def one(): return 1
"""
    variables = {**os.environ, "HOME": str(user), **environment(load_settings(home=home, device="cpu"))}
    (home / "mlflow").mkdir(parents=True)
    script = home / "script.py"
    script.write_text(code)
    answer = subprocess.run(
        [sys.executable, script], env=variables, cwd=home, capture_output=True, text=True, timeout=240, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert list(user.rglob("*")) == []
