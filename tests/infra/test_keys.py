"""Keys of a home: made once, read by their owner alone, gone when destroyed."""

import multiprocessing
import os
from pathlib import Path

import pytest

from infra.errors import KeyRefused
from infra.keys import HOME, KeyFolder


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def test_only_the_owner_may_read_keys_and_their_folder(keys: KeyFolder):
    keys.home()
    name = keys.create()
    files = [keys.root / HOME, keys.root / "people" / f"{name}.key"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert keys.root.stat().st_mode & 0o077 == 0
    files[1].chmod(0o640)
    with pytest.raises(KeyRefused, match="other people may read"):
        keys.read(name)


def test_every_key_is_another(keys: KeyFolder):
    made = [keys.read(keys.create()) for _ in range(20)]
    assert len({*made, keys.home()}) == 21
    assert {len(key) for key in made} == {32}


def test_a_destroyed_key_is_overwritten_first_and_gone(keys: KeyFolder, tmp_path: Path):
    name = keys.create()
    secret = keys.read(name)
    other_name_of_the_file = tmp_path / "same-inode"
    os.link(keys.root / "people" / f"{name}.key", other_name_of_the_file)
    keys.destroy(name)
    keys.destroy(name)
    assert other_name_of_the_file.read_bytes() != secret
    assert not keys.has(name)
    with pytest.raises(KeyRefused, match="gone"):
        keys.read(name)


def test_a_torn_key_and_a_name_that_leads_elsewhere_are_refused(keys: KeyFolder):
    name = keys.create()
    (keys.root / "people" / f"{name}.key").write_bytes(b"short")
    with pytest.raises(KeyRefused, match="5 bytes"):
        keys.read(name)
    with pytest.raises(KeyRefused, match="tampered"):
        keys.read("../home")


def _ask(root: Path, start, answers) -> None:
    start.wait()
    answers.put(KeyFolder(root).home())


def test_processes_that_make_the_homes_key_at_once_get_the_same(keys: KeyFolder):
    context = multiprocessing.get_context("forkserver")
    start, answers = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_ask, args=(keys.root, start, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert {answers.get(timeout=60) for _ in workers} == {keys.home()}
    for worker in workers:
        worker.join()
