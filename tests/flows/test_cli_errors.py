"""What people see when something is wrong: one line that names the thing and the way out, exit code 2, nothing half."""

import os
import re
import shutil
import socket
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from flows.cli import main
from infra.profiles import load_profile, profile_names
from tasks.wiring import open_workspace
from tests.flows.conftest import DEMO, FirstRun
from tests.flows.trinormal_command import Sandbox, ask, partials, run

TRIANGLE = "v 0 0 0\nv 50 0 0\nv 0 50 0\nf 1 2 3\n"


@pytest.fixture
def trinormal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The command in this process: its exit code and what it says on standard error."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("TRINORMAL_", "PREFECT_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    open_workspace.cache_clear()

    def command(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["trinormal", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code or 0)), capsys.readouterr().err

    yield command
    if open_workspace.cache_info().currsize:
        open_workspace().engine.dispose()
    open_workspace.cache_clear()
    os.environ.clear()
    os.environ.update(before)


def require_one_line(answer: tuple[int, str], *words: object) -> None:
    code, said = answer
    assert code == 2, said
    assert said.startswith("trinormal: ")
    assert said.count("\n") == 1, said
    for word in words:
        assert str(word) in said


def own_profile(folder: Path, extra: str = "") -> Path:
    path = folder / "mine.toml"
    source = Path(sys.modules["infra.profiles"].__file__ or "").with_name("tiny.toml")
    path.write_text(extra + source.read_text())
    return path


def photos_of(root: Path, people: dict[str, int], broken: int = 0) -> Path:
    """Noise in JPEG files, a folder a person; the last `broken` of each are cut short."""
    rng = np.random.default_rng(0)
    for person, count in people.items():
        folder = root / person
        folder.mkdir(parents=True)
        for number in range(count):
            path = folder / f"{number}.jpg"
            cv2.imwrite(str(path), rng.integers(0, 255, (96, 96, 3), dtype=np.uint8))
            if number >= count - broken:
                path.write_bytes(path.read_bytes()[:300])
    return root


def test_no_such_profile_names_those_there_are(trinormal):
    require_one_line(trinormal("demo", "--profile", "huge"), "'huge'", *profile_names())


def test_a_missing_profile_file_is_named(trinormal, tmp_path: Path):
    require_one_line(trinormal("demo", "--profile", tmp_path / "no.toml"), tmp_path / "no.toml", "tiny")


def test_a_profile_that_is_not_toml_is_told_with_its_line(trinormal, tmp_path: Path):
    path = own_profile(tmp_path, "[photos\n")
    require_one_line(trinormal("demo", "--profile", path), path, "TOML", "line 1")


def test_an_unknown_key_of_a_profile_is_named(trinormal, tmp_path: Path):
    path = own_profile(tmp_path, "epochz = 3\n")
    require_one_line(trinormal("demo", "--profile", path), path, "epochz")


def test_a_value_out_of_range_is_named_with_its_place(trinormal, tmp_path: Path):
    path = own_profile(tmp_path)
    path.write_text(path.read_text().replace("batch_size = 32", "batch_size = 0"))
    require_one_line(trinormal("demo", "--profile", path), path, "expnet.batch_size", "0")


def test_a_profile_that_is_not_text_is_named(trinormal, tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    require_one_line(trinormal("demo", "--profile", path), path)


def test_an_unknown_setting_is_named_with_the_known_ones(trinormal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRINORMAL_WORKES", "3")
    require_one_line(trinormal("demo", "--profile", "tiny"), "TRINORMAL_WORKES", "TRINORMAL_WORKERS")


def test_a_setting_that_cannot_be_used_is_named(trinormal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRINORMAL_WORKERS", "none")
    require_one_line(trinormal("demo", "--profile", "tiny"), "TRINORMAL_WORKERS")


def test_a_home_below_a_file_is_told(trinormal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path / "file" / "home"))
    require_one_line(trinormal("demo", "--profile", "tiny"), tmp_path / "file" / "home", "TRINORMAL_HOME")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_may_not_be_written_is_told(trinormal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "locked").mkdir(mode=0o500)
    monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path / "locked" / "home"))
    require_one_line(trinormal("demo", "--profile", "tiny"), tmp_path / "locked" / "home", "TRINORMAL_HOME")


def test_a_missing_photo_folder_is_told_before_anything_starts(trinormal, tmp_path: Path):
    require_one_line(trinormal("train", "--photos", tmp_path / "nowhere", "--profile", "tiny"), tmp_path / "nowhere")
    assert not (tmp_path / "home" / "store").exists()


def test_an_empty_photo_folder_is_told(trinormal, tmp_path: Path):
    (tmp_path / "photos").mkdir()
    require_one_line(trinormal("train", "--photos", tmp_path / "photos"), tmp_path / "photos", ".jpg")


@pytest.mark.parametrize("suffix", ["obj", "wrl", "ply", "stl", "off"])
def test_a_missing_scan_is_named(trinormal, tmp_path: Path, suffix: str):
    missing, out = tmp_path / f"no.{suffix}", tmp_path / "out"
    require_one_line(trinormal("encode", missing, "--out", out), missing)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.wrl", "#VRML V2.0 utf8\nShape { geometry IndexedFaceSet { coord Coordinate { point [ 0 0"),
        ("words.obj", "v a b c\nf 1 2 3\n"),
        ("triangle.obj", TRIANGLE),
        ("empty.ply", ""),
    ],
)
def test_a_scan_that_cannot_be_used_is_named_and_leaves_nothing(trinormal, tmp_path: Path, name: str, content: str):
    scan, out = tmp_path / name, tmp_path / "out"
    scan.write_text(content)
    require_one_line(trinormal("encode", scan, "--out", out), scan)
    assert not out.exists()


def test_an_unknown_scan_format_names_the_known_ones(trinormal, tmp_path: Path):
    scan = tmp_path / "scan.xyz"
    scan.write_text("0 0 0\n")
    require_one_line(trinormal("encode", scan, "--out", tmp_path / "out"), scan, "obj", "wrl")


def test_reconstructing_needs_a_trained_network_and_says_which_command_makes_one(trinormal, tmp_path: Path):
    photos = photos_of(tmp_path / "photos", {"anna": 1})
    require_one_line(
        trinormal("reconstruct", photos, "--out", tmp_path / "out"), "trinormal train-reconstructor expnet"
    )
    assert not (tmp_path / "out").exists()


def test_reconstructing_nothing_is_told(trinormal, tmp_path: Path):
    require_one_line(trinormal("reconstruct", tmp_path / "no.jpg", "--out", tmp_path / "out"), tmp_path / "no.jpg")
    (tmp_path / "notes.txt").write_text("")
    require_one_line(trinormal("reconstruct", tmp_path / "notes.txt", "--out", tmp_path / "out"), "notes.txt", ".jpg")


def test_a_port_in_use_names_the_option(trinormal):
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        used, unused = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        require_one_line(
            trinormal("serve", "--prefect-port", used, "--mlflow-port", unused), used, "in use", "--prefect-port"
        )
        require_one_line(
            trinormal("serve", "--prefect-port", unused, "--mlflow-port", used), used, "in use", "--mlflow-port"
        )


def test_one_port_for_two_servers_is_told(trinormal):
    require_one_line(trinormal("serve", "--prefect-port", 4999, "--mlflow-port", 4999), "4999", "two ports")


@pytest.mark.parametrize(
    "arguments",
    [("demmo",), ("demo", "--profil", "tiny"), ("train",), ("encode", "a.obj"), ("serve", "--prefect-port", "many")],
)
def test_wrong_usage_is_exit_code_2_and_no_traceback(trinormal, arguments: tuple[str, ...]):
    code, said = trinormal(*arguments)
    assert code == 2
    assert "Traceback" not in said
    assert "Usage" in said


@pytest.mark.parametrize("where", ["flows.console.run_setup", "flows.cli.load_settings"])
def test_ctrl_c_is_one_line_and_exit_code_130(trinormal, monkeypatch: pytest.MonkeyPatch, where: str):
    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, pressed)
    assert trinormal("setup") == (130, "trinormal: stopped; the same command goes on where it was\n")


def test_our_own_profile_is_taken_by_its_path(tmp_path: Path):
    mine = load_profile(str(own_profile(tmp_path)))
    assert mine.name == "mine"
    assert mine.model_copy(update={"name": "tiny"}) == load_profile("tiny")


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestInsideAFlow:
    """Prefect runs the flow; our errors pass through it with their type and without its tracebacks."""

    def test_a_folder_of_one_person_cannot_be_trained_on(self, sandbox: Sandbox):
        photos = photos_of(sandbox.cwd.parent / "photos", {"anna": 4})
        done = run(sandbox, "train", "--photos", str(photos), "--profile", "tiny")
        require_one_line((done.returncode, done.stderr), "photos", "at least 2 people")
        assert partials(sandbox.home) == []
        assert {stage.name for stage in (sandbox.home / "store").iterdir()} == {
            "file-checks",
            "photo-facts",
            "validation",
        }

    def test_too_many_damaged_photos_are_named(self, sandbox: Sandbox):
        photos = photos_of(sandbox.cwd.parent / "photos", {"anna": 4, "berta": 4}, broken=1)
        done = run(sandbox, "train", "--photos", str(photos), "--profile", "tiny")
        require_one_line((done.returncode, done.stderr), "5%", "anna/3.jpg", "berta/3.jpg")
        assert partials(sandbox.home) == []

    def test_a_black_photo_stops_the_flow_before_anything_is_made_of_it(self, sandbox: Sandbox):
        photos = photos_of(sandbox.cwd.parent / "photos", {"anna": 4, "berta": 4})
        cv2.imwrite(str(photos / "berta" / "2.jpg"), np.zeros((96, 96, 3), np.uint8))
        done = run(sandbox, "train", "--photos", str(photos), "--profile", "tiny")
        (page,) = (sandbox.home / "validation").glob("*/validation.html")
        require_one_line((done.returncode, done.stderr), "the photo is black", "berta/2.jpg", page)
        assert "berta/2.jpg" in page.read_text()
        assert {stage.name for stage in (sandbox.home / "store").iterdir()} == {
            "file-checks",
            "photo-facts",
            "validation",
        }
        mlflow = sandbox.home / "mlflow" / "mlflow.db"
        assert ask(mlflow, "select status from runs") == [("FAILED",)]
        assert ask(mlflow, "select value from metrics where key = 'validation.photos.failed'") == [(1.0,)]

    def test_photos_without_face_points_need_the_face_networks(self, sandbox: Sandbox):
        photos = photos_of(sandbox.cwd.parent / "photos", {"anna": 4, "berta": 4})
        done = run(sandbox, "train", "--photos", str(photos), "--profile", "tiny", TRINORMAL_WORKERS="2")
        require_one_line((done.returncode, done.stderr), "trinormal setup")
        assert partials(sandbox.home) == []

    def test_reconstructing_without_face_networks_names_the_command(self, unbroken: FirstRun, sandbox: Sandbox):
        assert unbroken.code == 0, unbroken.errors
        shutil.copytree(unbroken.sandbox.home / "store" / "expnet", sandbox.home / "store" / "expnet")
        photos = photos_of(sandbox.cwd.parent / "photos", {"anna": 1})
        done = run(sandbox, "reconstruct", str(photos), "--out", str(sandbox.cwd / "out"))
        require_one_line((done.returncode, done.stderr), "trinormal setup")
        assert not (sandbox.cwd / "out").exists()

    def test_a_disk_without_room_is_told(self, sandbox: Sandbox):
        """A file stands where the store must go: nothing can be written, whoever asks."""
        sandbox.home.mkdir()
        (sandbox.home / "store").write_text("")
        done = run(sandbox, *DEMO)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert re.search(r"^trinormal: .*store", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compare", "--profile", "tiny", "--reconstructors", "expnet,nobody"), "nobody"),
        (("compare", "--profile", "tiny", "--reconstructors", "expnet,expnet"), "once"),
        (("compare", "--profile", "tiny", "--reconstructors", "external=/nowhere"), "/nowhere: no such folder"),
        (("train-reconstructor", "landmarks", "--profile", "tiny"), "landmarks"),
        (("train-reconstructor", "texface", "--without-labels"), "without labels"),
    ],
)
def test_a_reconstructor_that_cannot_be_had_is_told_before_anything_starts(trinormal, arguments, words):
    require_one_line(trinormal(*arguments), words)


def test_an_untrained_reconstructor_names_the_command_that_trains_it(trinormal, tmp_path: Path):
    photos = photos_of(tmp_path / "photos", {"anna": 1})
    answer = trinormal("reconstruct", photos, "--out", tmp_path / "out", "--reconstructor", "rnet")
    require_one_line(answer, "trinormal train-reconstructor rnet")
    assert not (tmp_path / "out").exists()


def test_an_unknown_benchmark_or_experiment_is_told_with_those_there_are(trinormal):
    require_one_line(trinormal("ablations", "--profile", "tiny", "--benchmarks", "lfw"), "'lfw'", "merged")
    require_one_line(trinormal("ablations", "--profile", "tiny", "--benchmarks", "frgc,frgc"), "each once")
    require_one_line(trinormal("experiment", "luck", "--profile", "tiny"), "'luck'", "recognition-aware")
