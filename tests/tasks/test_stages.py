"""A stage is made once, and again only when what it is made from changes."""

import hashlib
from pathlib import Path

import pytest

from registry.lineage import ancestors
from tasks import stages
from tasks.stages import make, make_all, seconds_of, total_seconds
from tasks.wiring import Workspace
from tests.tasks.shard_builders import write_square

CODE = ["models.errors"]


class Counting:
    """A build that writes one file and counts its calls."""

    def __init__(self, text: str = "made") -> None:
        self.calls = 0
        self.text = text

    def __call__(self, folder: Path, scratch: Path) -> None:
        self.calls += 1
        assert scratch.is_dir()
        (folder / "file.txt").write_text(self.text)


def test_the_same_stage_is_made_once(workspace: Workspace):
    build = Counting()
    first = make(workspace, "stage", ["a" * 64], {"epochs": 3}, CODE, build)
    assert make(workspace, "stage", ["a" * 64], {"epochs": 3}, CODE, build) == first
    assert build.calls == 1
    assert (first.path / "file.txt").read_text() == "made"


def test_other_settings_inputs_code_or_names_make_another(workspace: Workspace):
    build = Counting()
    keys = {
        make(workspace, stage, inputs, config, code, build).key
        for stage, inputs, config, code in (
            ("stage", ["a" * 64], {"epochs": 3}, CODE),
            ("other", ["a" * 64], {"epochs": 3}, CODE),
            ("stage", ["b" * 64], {"epochs": 3}, CODE),
            ("stage", ["a" * 64, "b" * 64], {"epochs": 3}, CODE),
            ("stage", ["b" * 64, "a" * 64], {"epochs": 3}, CODE),
            ("stage", ["a" * 64], {"epochs": 4}, CODE),
            ("stage", ["a" * 64], {"epochs": 3}, ["models.types"]),
        )
    }
    assert len(keys) == build.calls == 7


def test_changed_code_makes_a_stage_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    build = Counting()
    make(workspace, "stage", [], {}, CODE, build)
    monkeypatch.setattr(stages, "code_fingerprint", lambda *_: "another")
    make(workspace, "stage", [], {}, CODE, build)
    assert build.calls == 2


def test_an_input_that_is_made_anew_with_the_same_bytes_changes_nothing_downstream(workspace: Workspace):
    one = make(workspace, "first", [], {"way": 1}, CODE, Counting("same"))
    two = make(workspace, "first", [], {"way": 2}, CODE, Counting("same"))
    assert one.key != two.key
    build = Counting()
    assert make(workspace, "next", [one], {}, CODE, build) == make(workspace, "next", [two], {}, CODE, build)
    assert build.calls == 1
    three = make(workspace, "first", [], {"way": 3}, CODE, Counting("other"))
    make(workspace, "next", [three], {}, CODE, build)
    assert build.calls == 2


def test_scratch_outlives_a_failing_build_and_vanishes_on_success(workspace: Workspace):
    seen: list[str] = []

    def build(folder: Path, scratch: Path) -> None:
        seen.extend(path.name for path in scratch.iterdir())
        (scratch / "checkpoint").write_text("epoch 1")
        (folder / "weights").write_text("w")
        if len(seen) == 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(workspace, "stage", [], {}, CODE, build)
    (kept,) = (workspace.home / "scratch").iterdir()
    assert (kept / "checkpoint").read_text() == "epoch 1"
    assert list(workspace.store.artefacts("stage")) == []
    made = make(workspace, "stage", [], {}, CODE, build)
    assert seen == ["checkpoint"]
    assert (made.path / "weights").is_file()
    assert not (made.path / "checkpoint").exists()
    assert list((workspace.home / "scratch").iterdir()) == []


def test_the_time_of_the_making_is_kept_and_not_that_of_finding(workspace: Workspace):
    made = make(workspace, "stage", [], {}, CODE, Counting())
    noted = seconds_of(workspace, made)
    assert noted is not None
    assert noted >= 0
    make(workspace, "stage", [], {}, CODE, Counting())
    assert seconds_of(workspace, made) == noted
    assert "seconds" not in (made.path / "manifest.json").read_text()
    assert total_seconds(workspace, [made, made]) == 2 * noted


def test_time_counts_nothing_for_what_was_never_timed(workspace: Workspace):
    made = workspace.store.ensure("stage", hashlib.sha256(b"x").hexdigest(), lambda _: None)
    assert seconds_of(workspace, made) is None
    assert total_seconds(workspace, [made]) == 0


def test_lineage_leads_from_a_stage_to_its_inputs(workspace: Workspace):
    one = make(workspace, "first", [], {}, CODE, Counting("1"))
    two = make(workspace, "second", [one], {}, CODE, Counting("2"))
    assert [(node.stage, node.depth) for node in ancestors(workspace.engine, two.key)] == [("second", 0), ("first", 1)]


def test_shards_are_made_in_order_and_only_those_that_are_missing(workspace: Workspace):
    units = [([], {"number": number}) for number in range(4)]
    some = make_all(workspace, "squares", units[1:3], CODE, write_square, "squares")
    before = {shard.key: (shard.path / "manifest.json").stat().st_mtime_ns for shard in some}
    found = make_all(workspace, "squares", units, CODE, write_square, "squares")
    assert [(shard.path / "square.txt").read_text() for shard in found] == ["0", "1", "4", "9"]
    assert found[1:3] == some
    assert {shard.key: (shard.path / "manifest.json").stat().st_mtime_ns for shard in found[1:3]} == before
    assert all(seconds_of(workspace, shard) is not None for shard in found)


def test_arguments_that_are_only_paths_do_not_enter_the_key(workspace: Workspace):
    units = [([], {"number": 5})]

    def build(folder: Path, number: int, where: str) -> None:
        (folder / "seen.txt").write_text(where)

    (first,) = make_all(workspace, "paths", units, CODE, build, "paths", [{"where": "here"}])
    (second,) = make_all(workspace, "paths", units, CODE, build, "paths", [{"where": "there"}])
    assert first == second
    assert (first.path / "seen.txt").read_text() == "here"
