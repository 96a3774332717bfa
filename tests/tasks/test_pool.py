"""Shards in this process and in Dask's processes come out the same, whatever happens to the processes."""

import hashlib
import json
import os
import signal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pytest

from infra.settings import Settings, load_settings
from infra.store import Artefact, ContentStore
from models.errors import ScanError
from tasks import cluster, drain, pool
from tasks.pool import Shard
from tasks.quarantine import DIED, ShardsSetAsideError
from tests.tasks.shard_builders import (
    die_on_twos,
    die_once,
    fail_at_first,
    refuse_all_but_one,
    refuse_threes,
    write_slowly,
    write_square,
)

KILLS = 20
SQUARES = ["0", "1", "4", "9", "16"]


def shards(build: Any, count: int = 5, **more: Any) -> list[Shard]:
    keys = [hashlib.sha256(f"{build.__name__} {number}".encode()).hexdigest() for number in range(count)]
    return [Shard("squares", key, build, {"number": number, **more}) for number, key in enumerate(keys)]


def manifests(store: ContentStore) -> dict[str, str]:
    return {made.key: (made.path / "manifest.json").read_text() for made in store.artefacts("squares")}


def home(folder: Path) -> Settings:
    return load_settings(home=folder)


def make_shards(folder: Path, wanted: list[Shard], workers: int) -> list[Artefact]:
    return pool.make_shards(ContentStore(folder / "store"), wanted, home(folder), workers, "squares")


def squares(found: list[Artefact]) -> list[str]:
    return [(shard.path / "square.txt").read_text() for shard in found]


def notes(folder: Path) -> dict[str, str]:
    return {path.stem: json.loads(path.read_text())["reason"] for path in (folder / "quarantine").rglob("*.json")}


def test_shards_in_this_process_come_in_order(tmp_path: Path):
    assert squares(make_shards(tmp_path, shards(write_square), 1)) == SQUARES


def test_an_error_in_a_shard_is_raised_with_its_type_and_words_after_the_others_are_made(tmp_path: Path):
    with pytest.raises(ScanError, match=r"three\.obj: not a face"):
        make_shards(tmp_path, shards(refuse_threes), 1)
    assert list(tmp_path.rglob("half.txt")) == []
    assert len(list(ContentStore(tmp_path / "store").artefacts("squares"))) == 4
    assert notes(tmp_path) == {shards(refuse_threes)[3].key: "three.obj: not a face; scan it again"}


def test_several_errors_are_told_in_one_line_with_their_number(tmp_path: Path):
    with pytest.raises(
        ShardsSetAsideError, match=r"squares: 4 of 5 set aside \(.*0\.obj: not a face.*and 1 more"
    ) as told:
        make_shards(tmp_path, shards(refuse_all_but_one), 1)
    assert "\n" not in str(told.value)
    assert len(notes(tmp_path)) == 4


def test_an_error_that_a_second_try_mends_is_not_told(tmp_path: Path):
    assert squares(make_shards(tmp_path, shards(fail_at_first, marks=str(tmp_path)), 1)) == SQUARES
    assert notes(tmp_path) == {}


def test_a_shard_that_was_set_aside_is_made_by_the_next_call_once_its_cause_is_gone(tmp_path: Path):
    with pytest.raises(ScanError):
        make_shards(tmp_path, shards(refuse_threes), 1)
    mended = [shard._replace(build=write_square) for shard in shards(refuse_threes)]
    assert squares(make_shards(tmp_path, mended, 1)) == SQUARES
    assert notes(tmp_path) == {}


def test_when_nothing_at_all_can_be_made_the_others_are_not_tried(tmp_path: Path):
    many = [shard._replace(arguments={"number": 5}) for shard in shards(refuse_all_but_one, 3 * pool.HOPELESS)]
    with pytest.raises(ScanError, match=r"5\.obj: not a face"):  # one reason for all is told as it is
        make_shards(tmp_path, many, 1)
    assert len(notes(tmp_path)) == pool.HOPELESS


def test_no_shards_need_no_workers(tmp_path: Path):
    assert make_shards(tmp_path, [], 8) == []


def close_cluster() -> None:
    """Close the local cluster, if there is one, and see that its processes are gone."""
    if cluster._start.cache_info().currsize:
        client = cluster.local_client(2)
        local = client.cluster
        client.close()
        local.close()
        cluster._start.cache_clear()
    children = psutil.Process().children(recursive=True)
    _, alive = psutil.wait_procs([child for child in children if "spawn_main" in str(child.cmdline())], timeout=20)
    assert alive == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
class TestOnDask:
    """A real cluster of two processes."""

    @pytest.fixture(autouse=True, scope="class")
    def _closed_afterwards(self):
        yield
        close_cluster()

    def test_two_processes_make_the_artefacts_that_one_makes(self, tmp_path: Path):
        make_shards(tmp_path / "one", shards(write_square), 1)
        assert squares(make_shards(tmp_path / "two", shards(write_square), 2)) == SQUARES
        alone, together = (ContentStore(tmp_path / name / "store") for name in ("one", "two"))
        assert manifests(together) == manifests(alone)

    def test_an_error_keeps_its_type_and_the_cluster_goes_on(self, tmp_path: Path):
        with pytest.raises(ScanError, match=r"three\.obj: not a face"):
            make_shards(tmp_path, shards(refuse_threes), 2)
        assert len(make_shards(tmp_path, shards(write_square), 2)) == 5

    def test_a_worker_that_dies_is_replaced_and_its_shard_done_again(self, tmp_path: Path):
        found = make_shards(tmp_path, shards(die_once, marks=str(tmp_path)), 2)
        assert (tmp_path / "died").exists()
        assert squares(found) == SQUARES
        assert notes(tmp_path) == {}

    def test_a_shard_that_kills_every_worker_is_set_aside_and_no_other_is_blamed(self, tmp_path: Path):
        wanted = shards(die_on_twos)
        with pytest.raises(ShardsSetAsideError, match=f"1 of 5 set aside .*{DIED}"):
            make_shards(tmp_path, wanted, 2)
        assert notes(tmp_path) == {wanted[2].key: DIED}
        made = [Artefact("squares", key, tmp_path) for key in manifests(ContentStore(tmp_path / "store"))]
        assert {shard.key for shard in made} == {shard.key for shard in wanted} - {wanted[2].key}

    def test_few_shards_are_in_flight_at_a_time_however_many_there_are(self, monkeypatch: pytest.MonkeyPatch):
        client, most = cluster.local_client(2), 0
        submit = drain._submit

        def counted(*arguments: Any) -> Any:
            nonlocal most
            future = submit(*arguments)
            most = max(most, len(client.futures))
            return future

        monkeypatch.setattr(drain, "_submit", counted)
        asked: list[int] = []

        def job(number: int) -> drain.Job:
            asked.append(number)
            return drain.Job(f"job-{number}", abs, (number,))

        done = [(outcome.number, len(asked)) for outcome in drain.drain(client, job, 60)]
        assert sorted(number for number, _ in done) == list(range(60))
        assert most <= 2 * drain.AHEAD + 1
        assert all(told - place <= 2 * drain.AHEAD + 1 for place, (_, told) in enumerate(done))

    def test_killing_workers_twenty_times_loses_and_doubles_nothing(self, tmp_path: Path):
        wanted = shards(write_slowly, 40, seconds=0.4)
        settings, killed = home(tmp_path / "killed"), list[int]()
        store = ContentStore(settings.home / "store")
        ended = Event()

        def kill_now_and_then() -> None:
            while len(killed) < KILLS and not ended.wait(0.2):
                workers = {child.pid for child in _workers()} - set(killed)
                for pid in sorted(workers)[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        killer = Thread(target=kill_now_and_then)
        cluster.local_client(2)
        killer.start()
        rounds = 0
        while len(killed) < KILLS or rounds == 0:  # all is made before the last kill on a fast machine: make it anew
            for made in list(store.artefacts("squares")):
                store.remove(made)
            pool.make_shards(store, wanted, settings, 2, "squares")
            rounds += 1
        ended.set()
        killer.join()
        make_shards(tmp_path / "whole", wanted, 1)
        assert manifests(store) == manifests(ContentStore(tmp_path / "whole" / "store"))
        for made in store.artefacts("squares"):
            store.verify(made)
        store.sweep()
        assert list((tmp_path / "killed").rglob(".*.partial")) == []
        assert notes(tmp_path / "killed") == {}


def _workers() -> list[psutil.Process]:
    """The worker processes of the local cluster: the only spawned children that have loaded the builders."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
