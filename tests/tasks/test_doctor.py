import socket
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra.settings import load_settings
from tasks import doctor
from tasks.doctor import PORTS, examine
from tasks.doctor_services import examine_services


@pytest.fixture
def settings(tmp_path: Path):
    made = load_settings(home=tmp_path / "home", device="cpu", workers=1)
    made.home.mkdir()
    return made


def found(findings, what):
    (only,) = [finding for finding in findings if finding.what.startswith(what)]
    return only


def test_a_fresh_home_lacks_only_what_set_up_fetches(settings):
    findings = examine(settings)
    assert {finding.what for finding in findings if finding.state == "wrong"} == set()
    nets = found(findings, "face networks")
    assert (nets.state, nets.advice) == ("warning", "trinormal setup")
    assert found(findings, "database").state == "ok"
    assert not list(settings.home.glob("doctor*")), "the probe is gone again"


def test_a_package_outside_its_pins_is_named_with_the_command_that_mends_it(settings, monkeypatch):
    pins = [line for line in metadata.requires("trinormal") or [] if "extra" not in line]
    (pinned,) = [Requirement(line) for line in pins if line.startswith("sqlalchemy")]
    real = metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "2.1.0" if name == "sqlalchemy" else real(name))
    wrong = found(examine(settings), "package")
    assert (wrong.what, wrong.state, wrong.seen) == ("package sqlalchemy", "wrong", "2.1.0")
    assert wrong.advice == f"pip install 'sqlalchemy{pinned.specifier}'"


def test_a_home_that_cannot_be_written_and_an_unreachable_database_are_told(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    url = "postgresql://nobody:secret@127.0.0.1:1/none"
    broken = load_settings(home=tmp_path / "file" / "home", database_url=url, device="cpu")
    findings = examine(broken)
    home, database = found(findings, "home"), found(findings, "database")
    assert (home.state, database.state) == ("wrong", "wrong")
    assert "TRINORMAL_HOME" in home.advice
    assert "secret" not in database.advice + database.seen


def test_a_port_in_use_is_a_warning_that_names_the_option(settings, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "PORTS", {port: "Prefect"})
        warned = found(examine(settings), f"port {port}")
    assert (warned.state, warned.seen) == ("warning", "in use")
    assert "--prefect-port" in warned.advice
    assert set(PORTS) == {4200, 5000}


def test_the_files_of_the_basel_model_are_told_one_by_one_with_where_to_ask(settings, tmp_path):
    (tmp_path / "bfm").mkdir()
    (tmp_path / "bfm" / "model2017-1_bfm_nomouth.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    findings = [each for each in examine(settings, tmp_path / "bfm") if each.what.startswith("Basel")]
    assert {finding.state for finding in findings} == {"wrong"}
    assert len(findings) == 7, "six files that are not there, and one of another version"
    assert "faces.dmi.unibas.ch" in found(findings, "Basel: 01_MorphableModel.mat").advice
    assert "of 2017" in found(findings, "Basel: model2017").advice


def test_servers_databases_buckets_and_keys_that_will_not_do_are_told_without_their_passwords(tmp_path, monkeypatch):
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_REGION": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    settings = load_settings(
        home=tmp_path / "home",
        device="cpu",
        prefect_database_url="postgresql://nobody:hunter2@127.0.0.1:1/none",
        mlflow_tracking_uri="postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none",
        artifacts_url="s3://bucket/prefix",
    )
    keys = settings.home / "keys"
    keys.mkdir(parents=True)
    (keys / "servers.json").write_text("{}")
    (keys / "servers.json").chmod(0o644)
    findings = list(examine_services(settings))
    assert [finding.what for finding in findings] == [
        "Prefect's database",
        "MLflow's database",
        "S3",
        "keys/servers.json",
    ]
    assert {finding.state for finding in findings} == {"wrong"}
    assert "AWS_ENDPOINT_URL" in findings[2].advice
    assert "chmod 600" in findings[3].advice
    assert "hunter2" not in str(findings)
