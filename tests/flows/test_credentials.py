"""Passwords of the servers: made once, kept for their owner alone, and never where others look."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.credentials import Credentials, choose_credentials, keys_file, known_credentials
from flows.services import plan_services
from infra.errors import SettingsError
from infra.settings import Settings
from models.errors import ConfigurationError


def settings_of(home: Path, **given: object) -> Settings:
    return Settings(home=home, **given)  # pyright: ignore[reportArgumentType]


def test_nothing_is_made_unless_it_is_asked_for(tmp_path: Path):
    assert choose_credentials(settings_of(tmp_path), None) == Credentials()
    assert not keys_file(tmp_path).exists()


def test_what_was_made_is_the_same_next_time_and_only_its_owner_may_read_it(tmp_path: Path):
    made = choose_credentials(settings_of(tmp_path), True)
    assert made.prefect is not None
    assert made.mlflow is not None
    assert len(made.mlflow.get_secret_value()) >= 32
    assert made.prefect.get_secret_value().partition(":")[2] != made.mlflow.get_secret_value()
    assert stat.S_IMODE(keys_file(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(keys_file(tmp_path).parent.stat().st_mode) == 0o700
    assert known_credentials(settings_of(tmp_path)) == made
    assert choose_credentials(settings_of(tmp_path), None) == made
    assert choose_credentials(settings_of(tmp_path), False) == Credentials()
    assert known_credentials(settings_of(tmp_path)) == Credentials()


def test_given_ones_are_used_and_not_written_down(tmp_path: Path):
    given = settings_of(tmp_path, prefect_auth=SecretStr("me:first-secret"), mlflow_password=SecretStr("second-secret"))
    made = choose_credentials(given, None)
    assert made.prefect == SecretStr("me:first-secret")
    assert made.mlflow == SecretStr("second-secret")
    assert "secret" not in keys_file(tmp_path).read_text()
    with pytest.raises(ConfigurationError, match="unset"):
        choose_credentials(given, False)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path):
    choose_credentials(settings_of(tmp_path), True)
    keys_file(tmp_path).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        known_credentials(settings_of(tmp_path))


@pytest.mark.parametrize("auth", ["nobody", "nobody:", ":secret"])
def test_half_a_password_is_refused(tmp_path: Path, auth: str):
    with pytest.raises(ConfigurationError, match="user:password"):
        known_credentials(settings_of(tmp_path, prefect_auth=SecretStr(auth)))


def test_no_secret_stands_in_a_command_line(tmp_path: Path):
    given = settings_of(
        tmp_path,
        prefect_database_url=SecretStr("postgresql://me:db-secret@127.0.0.1/prefect"),
        mlflow_tracking_uri="postgresql+psycopg://me:db-secret@127.0.0.1/mlflow",
        artifacts_url="s3://bucket/here",
    )
    made = choose_credentials(given, True)
    plan = plan_services(given, made, 4200, 5000)
    assert [service.name for service in plan.services] == ["prefect", "mlflow", "runner"]
    assert plan.tracking_uri == "http://127.0.0.1:5000"
    for service in plan.services:
        for word in service.command:
            assert "secret" not in word
            assert not any(secret in word for secret in made.secrets())
    prefect, mlflow, runner = (service.environment for service in plan.services)
    assert prefect["PREFECT_SERVER_DATABASE_CONNECTION_URL"].startswith("postgresql+asyncpg://me:db-secret@")
    assert "PREFECT_SERVER_API_AUTH_STRING" in prefect
    assert mlflow["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://bucket/here"
    assert runner["TRINORMAL_MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert runner["MLFLOW_TRACKING_PASSWORD"] == made.mlflow.get_secret_value()  # pyright: ignore[reportOptionalMemberAccess]


def test_servers_elsewhere_are_used_and_not_started(tmp_path: Path):
    given = settings_of(
        tmp_path, prefect_api_url="http://prefect.example.org/api", mlflow_tracking_uri="https://mlflow.example.org"
    )
    plan = plan_services(given, Credentials(), 4200, 5000)
    assert [service.name for service in plan.services] == ["runner"]
    assert plan.services[0].environment["PREFECT_API_URL"] == "http://prefect.example.org/api"
    assert plan.tracking_uri == "https://mlflow.example.org"
