"""`trinormal data` as people type it: what it prints, its JSON, and one line where something is wrong."""

import json
import os
import sys
from pathlib import Path

import pytest

from flows.cli import main
from tasks import snapshot
from tasks.sources import licence_of, name_of, open_source
from tasks.wiring import open_workspace
from tests.flows.trinormal_command import Sandbox, run
from tests.tasks.data_folders import BROKEN, photo_folder, picture


@pytest.fixture
def trinormal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The command in this process: its exit code, its output and what it says on standard error."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("TRINORMAL_", "PREFECT_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRINORMAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    open_workspace.cache_clear()

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trinormal", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code or 0)), *capsys.readouterr()

    yield command
    if open_workspace.cache_info().currsize:
        open_workspace().engine.dispose()
    open_workspace.cache_clear()
    os.environ.clear()
    os.environ.update(before)


def listed(root: Path) -> str:
    """A snapshot of a folder without Prefect, in the home of the command."""
    source = open_source("folder", root)
    checked = snapshot.check_files.fn(source)
    return snapshot.write_snapshot.fn(source, checked, name_of(source, None), licence_of(source, None)).snapshot.id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lock3dface", "."), ("lock3dface", "bu3dfe", "folder", "manifest")),
        (("folder", "nowhere"), ("nowhere", "no such folder")),
        (("folder", "empty"), ("empty", "neither photos nor scans")),
        (("kdef", "empty"), ("empty", "AF01")),
        (("manifest", "nowhere.csv"), ("nowhere.csv", "check the path")),
        (("folder", "photos", "--labels", "nowhere.csv"), ("nowhere.csv", "check the path")),
        (("folder", "photos", "--name", "x" * 201), ("name", "200")),
    ],
)
def test_what_cannot_be_added_is_one_line_before_anything_starts(
    trinormal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    photo_folder(tmp_path / "photos")
    code, _, said = trinormal("data", "add", *arguments)
    assert code == 2, said
    assert said.startswith("trinormal: ")
    assert said.count("\n") == 1
    for word in words:
        assert word in said
    assert not (tmp_path / "home" / "logs").exists()


def test_snapshots_are_listed_shown_and_compared_as_tables_and_as_json(trinormal, tmp_path: Path):
    root = photo_folder(tmp_path / "photos")
    assert "no snapshot yet" in trinormal("data", "list")[1]
    first = listed(root)
    (root / "p0" / "0.png").write_bytes(picture(99))
    (root / "p1" / "torn.jpg").write_bytes(BROKEN)
    (root / "labels.csv").write_text("path,expression\np1/0.png,[sad]\n")
    second = listed(root)

    _, table, _ = trinormal("data", "list")
    assert first[:12] in table
    assert [each["id"] for each in json.loads(trinormal("data", "list", "--json")[1])] == [first, second]

    _, told, _ = trinormal("data", "show", "photos")
    for words in ("7 files, 6 usable, 1 set aside", "p1 4", "[sad] 1", "set aside: p1/torn.jpg", "licence unknown"):
        assert words in told
    assert json.loads(trinormal("data", "show", first[:8], "--json")[1])["counts"]["subject"] == {"p0": 3, "p1": 3}

    _, told, _ = trinormal("data", "diff", first[:12], second[:12])
    assert "1 added, 0 removed, 1 changed, 1 relabelled" in told
    assert "labels.expression None -> [sad]" in told
    lines = trinormal("data", "diff", first[:12], second[:12], "--json")[1].splitlines()
    assert [(each["what"], each["path"]) for each in map(json.loads, lines)] == [
        ("changed", "p0/0.png"),
        ("relabelled", "p1/0.png"),
        ("added", "p1/torn.jpg"),
    ]


def test_validation_passes_or_refuses_with_its_row_and_exit_code(trinormal, tmp_path: Path):
    good = listed(photo_folder(tmp_path / "good"))
    code, told, _ = trinormal("data", "validate", good[:12])
    assert (code, "passed" in told) == (0, True)
    root = photo_folder(tmp_path / "bad")
    (root / "p1" / "torn.jpg").write_bytes(BROKEN)
    code, _, said = trinormal("data", "validate", listed(root)[:12])
    assert (code, said.count("\n")) == (2, 1)
    assert "p1/torn.jpg" in said


def test_an_unknown_snapshot_names_the_command_that_lists_them(trinormal):
    for command in (("show", "x"), ("validate", "x"), ("diff", "x", "y")):
        code, _, said = trinormal("data", *command)
        assert (code, said.count("\n")) == (2, 1)
        assert "trinormal data list" in said


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.timeout(900)
def test_the_real_command_adds_a_folder_once(sandbox: Sandbox):
    root = photo_folder(sandbox.cwd.parent / "photos")
    first = run(sandbox, "data", "add", "folder", str(root), "--licence", "CC-BY-4.0")
    assert first.returncode == 0, first.stderr
    assert "6 photos of 2 people; 0 set aside; licence CC-BY-4.0" in first.stdout
    assert "added" in first.stdout
    again = run(sandbox, "data", "add", "folder", str(root), "--licence", "CC-BY-4.0")
    assert "was there already" in again.stdout
    assert len(json.loads(run(sandbox, "data", "list", "--json").stdout)) == 1
    assert sandbox.litter() == []
