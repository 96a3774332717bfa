"""Shards in this process and in Dask's processes come out the same."""

import hashlib
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.store import ContentStore
from models.errors import ScanError
from tasks import pool
from tasks.pool import Shard, make_shards
from tests.tasks.shard_builders import die_once, refuse_threes, write_square


def shards(build: Any, count: int = 5, **more: Any) -> list[Shard]:
    keys = [hashlib.sha256(f"{build.__name__} {number}".encode()).hexdigest() for number in range(count)]
    return [Shard("squares", key, build, {"number": number, **more}) for number, key in enumerate(keys)]


def manifests(store: ContentStore) -> dict[str, str]:
    return {made.key: (made.path / "manifest.json").read_text() for made in store.artefacts("squares")}


def test_shards_in_this_process_come_in_order(tmp_path: Path):
    found = make_shards(ContentStore(tmp_path), shards(write_square), 1, "squares")
    assert [(shard.path / "square.txt").read_text() for shard in found] == ["0", "1", "4", "9", "16"]


def test_an_error_in_a_shard_is_raised_with_its_type_and_words(tmp_path: Path):
    store = ContentStore(tmp_path)
    with pytest.raises(ScanError, match=r"three\.obj: not a face"):
        make_shards(store, shards(refuse_threes), 1, "squares")
    assert [path.name for path in tmp_path.rglob("half.txt")] == []
    assert len(list(store.artefacts("squares"))) == 3


def test_no_shards_need_no_workers(tmp_path: Path):
    assert make_shards(ContentStore(tmp_path), [], 8, "squares") == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
class TestOnDask:
    """A real cluster of two processes."""

    @pytest.fixture(autouse=True)
    def _closed_afterwards(self):
        yield
        if pool._start.cache_info().currsize:
            client = pool._client(2)
            cluster = client.cluster
            client.close()
            cluster.close()
            pool._start.cache_clear()
        children = psutil.Process().children(recursive=True)
        _, alive = psutil.wait_procs([child for child in children if "spawn_main" in str(child.cmdline())], timeout=20)
        assert alive == []

    def test_two_processes_make_the_artefacts_that_one_makes(self, tmp_path: Path):
        alone, together = ContentStore(tmp_path / "one"), ContentStore(tmp_path / "two")
        make_shards(alone, shards(write_square), 1, "squares")
        found = make_shards(together, shards(write_square), 2, "squares")
        assert [(shard.path / "square.txt").read_text() for shard in found] == ["0", "1", "4", "9", "16"]
        assert manifests(together) == manifests(alone)

    def test_an_error_keeps_its_type_and_the_cluster_goes_on(self, tmp_path: Path):
        store = ContentStore(tmp_path / "store")
        with pytest.raises(ScanError, match=r"three\.obj: not a face"):
            make_shards(store, shards(refuse_threes), 2, "squares")
        assert len(make_shards(store, shards(write_square), 2, "squares")) == 5

    def test_a_worker_that_dies_is_replaced_and_its_shard_done_again(self, tmp_path: Path):
        (tmp_path / "marks").mkdir()
        store = ContentStore(tmp_path / "store")
        found = make_shards(store, shards(die_once, marks=str(tmp_path / "marks")), 2, "squares")
        assert (tmp_path / "marks" / "died").exists()
        assert [(shard.path / "square.txt").read_text() for shard in found] == ["0", "1", "4", "9", "16"]
