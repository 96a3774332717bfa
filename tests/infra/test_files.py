import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import StoreError
from infra.files import (
    atomic_directory,
    atomic_write_bytes,
    atomic_write_json,
    atomic_write_text,
    canonical_json,
    sha256_file,
    sweep_partials,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
WRITER = """
import sys
from pathlib import Path
from infra.files import atomic_write_bytes
letters = [bytes([65 + n]) * 3_000_000 for n in range(3)]
print("ready", flush=True)
while True:
    for letter in letters:
        atomic_write_bytes(Path(sys.argv[1]), letter)
"""


def test_what_was_written_is_what_is_read(tmp_path: Path):
    target = tmp_path / "new" / "folder" / "a.txt"
    atomic_write_text(target, "grüße")
    assert target.read_bytes() == "grüße".encode()
    assert sha256_file(target) == hashlib.sha256("grüße".encode()).hexdigest()
    atomic_write_json(target, {"b": [1, 0.1], "a": None})
    assert json.loads(target.read_text()) == {"a": None, "b": [1, 0.1]}
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_a_writer_killed_at_random_moments_never_leaves_a_torn_file(tmp_path: Path):
    target = tmp_path / "a.bin"
    for trial in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.011 * (trial + 1))
            writer.send_signal(signal.SIGKILL)
        if target.exists():
            content = target.read_bytes()
            assert len(content) == 3_000_000
            assert content == content[:1] * len(content)
    sweep_partials(tmp_path, timedelta(0))
    assert {path.name for path in tmp_path.iterdir()} <= {"a.bin"}


def test_a_failing_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "a.txt"
    atomic_write_text(target, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"a\.txt: No space left on device; free some space"):
        atomic_write_text(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_nan_is_refused_and_the_old_file_stays(tmp_path: Path):
    atomic_write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="JSON"):
        atomic_write_json(tmp_path / "a.json", float("nan"))
    assert (tmp_path / "a.json").read_text() == "1\n"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "folder"
    with atomic_directory(target) as staging:
        (staging / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    with pytest.raises(ZeroDivisionError), atomic_directory(tmp_path / "other") as staging:
        (staging / "a").write_text("1")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_second_writer_of_a_folder_loses_and_changes_nothing(tmp_path: Path):
    target = tmp_path / "folder"
    with pytest.raises(FileExistsError, match="already exists"), atomic_directory(target) as slow:
        (slow / "a").write_text("slow")
        with atomic_directory(target) as fast:
            (fast / "a").write_text("fast")
    assert (target / "a").read_text() == "fast"
    assert list(tmp_path.iterdir()) == [target]


def test_sweeping_takes_old_leftovers_and_nothing_that_is_young_or_ours(tmp_path: Path):
    old, young = tmp_path / "deep" / ".a.123.partial", tmp_path / ".b.456.partial"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "content").write_text("x")
    kept = tmp_path / "deep" / "result.partial.txt"
    kept.write_text("x")
    hours_ago = time.time() - 7200
    for path in (old / "content", old, kept):
        os.utime(path, (hours_ago, hours_ago))
    assert sweep_partials(tmp_path, timedelta(hours=1)) == (old,)
    assert (young / "content").exists()
    assert kept.exists()


def test_a_folder_that_is_still_written_into_is_not_swept(tmp_path: Path):
    folder = tmp_path / ".a.123.partial"
    (folder / "deep").mkdir(parents=True)
    hours_ago = time.time() - 7200
    (folder / "deep" / "fresh").write_text("x")
    for path in (folder, folder / "deep"):
        os.utime(path, (hours_ago, hours_ago))
    assert sweep_partials(tmp_path, timedelta(hours=1)) == ()


@given(JSON)
def test_canonical_json_says_the_same_value_in_one_way(value: object):
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    assert canonical_json({"a": 1, "b": {"d": 2, "c": 3}}) == '{"a":1,"b":{"c":3,"d":2}}'


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        atomic_write_bytes(tmp_path / "a", b"")
