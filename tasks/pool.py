"""Shards over processes: one coarse task drives a Dask cluster, so an item costs milliseconds."""

import ctypes
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from infra.fingerprint import code_fingerprint
from infra.settings import Settings
from infra.store import Artefact, ContentStore, open_store
from tasks import quarantine
from tasks.cluster import local_client, remote_client
from tasks.drain import Job, Outcome, drain
from tasks.portable import pack
from tasks.progress import track
from tasks.quarantine import Poisoned
from tasks.worker import build_elsewhere

_alone = Lock()
HOPELESS = 20
"""When so many shards fail and none is made it is not the shards: a full disk, say."""


class Shard(NamedTuple):
    """One unit of work: `build(folder, **arguments)` fills the artefact `key` of `stage`; `code` names its modules."""

    stage: str
    key: str
    build: Callable[..., None]
    arguments: dict[str, Any]
    code: tuple[str, ...] = ()


def make_shards(
    store: ContentStore, shards: Sequence[Shard], settings: Settings, workers: int | None, title: str
) -> list[Artefact]:
    """Every shard's artefact, in order; those already in the store are not made again.

    They are made by the Dask cluster of the settings, or by so many `workers` on this machine where that is given.
    A worker that dies is replaced and its shard done again. A shard that cannot be made is set aside while the others
    go on, and raises at the end (see `quarantine.tell`); the next call tries it again, after the others. The first
    `HOPELESS` shards failing is the end.
    """
    aside = settings.quarantine
    missing = [shard for shard in shards if store.lookup(shard.stage, shard.key) is None]
    missing.sort(key=lambda shard: quarantine.reason_of(aside, shard.stage, shard.key) is not None)
    poisoned: list[Poisoned] = []
    made = 0
    for number, error in track(_outcomes(store, missing, settings, workers), title, total=len(missing)):
        stage, key = missing[number][:2]
        if error is None:
            quarantine.release(aside, stage, key)
            store.get(stage, key)  # fetched while others are being made
        else:
            poisoned.append(Poisoned(stage, key, error))
            quarantine.note(aside, poisoned[-1])
        made += error is None
        if made == 0 and len(poisoned) == HOPELESS:
            break
    quarantine.tell(title, poisoned, made)
    return [store.get(shard.stage, shard.key) for shard in shards]


def _outcomes(
    store: ContentStore, missing: Sequence[Shard], settings: Settings, workers: int | None
) -> Iterator[Outcome]:
    many = workers or settings.workers
    if settings.dask_address and missing and workers is None:
        client = remote_client(settings.dask_address)
        yield from drain(client, lambda number: _portable(store, missing[number], settings), len(missing))
    elif len(missing) > 1 and many > 1:
        client = local_client(many)
        yield from drain(client, lambda number: _local(store, missing[number], settings), len(missing))
        client.run(give_back_memory)
    else:
        for number, shard in enumerate(missing):
            yield Outcome(number, _error_of(store, shard))


def _error_of(store: ContentStore, shard: Shard) -> Exception | None:
    """What the shard raises in this process; an error that is not ours gets a second try."""
    for last in (False, True):
        try:
            _make(store, shard)
        except Exception as error:
            if last or quarantine.is_ours(error):
                return error
        else:
            break
    return None


def _local(store: ContentStore, shard: Shard, settings: Settings) -> Job:
    return Job(_name(shard), _run, (store.root, settings.store_url, shard))


def _portable(store: ContentStore, shard: Shard, settings: Settings) -> Job:
    """The shard for a machine of which we only know that it has our code and our store."""
    made_by = (shard.code, code_fingerprint(*shard.code) if shard.code else "")
    what = (shard.stage, shard.key, shard.build, pack(shard.arguments, settings, store))
    return Job(_name(shard), build_elsewhere, (settings.store_url, *made_by, *what))


def _name(shard: Shard) -> str:
    return f"{shard.stage}-{shard.key}"


def _run(root: Path, store_url: str, shard: Shard) -> None:
    _make(open_store(root, store_url), shard)


def _make(store: ContentStore, shard: Shard) -> None:
    store.ensure(shard.stage, shard.key, lambda folder: shard.build(folder, **shard.arguments))


def run_apart(workers: int, function: Callable[..., None], *arguments: Any) -> float:
    """Call `function` in a worker process, wait, and return the seconds it ran; in this process with one worker only.

    Calls from several threads run side by side, at most one a worker.
    """
    if workers == 1:
        with _alone:
            return _timed(function, *arguments)
    return float(local_client(workers).submit(_timed, function, *arguments, pure=False, retries=1).result())


def _timed(function: Callable[..., None], *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def give_back_memory() -> None:
    """Return freed memory to the system: an idle worker should hold little while the next stage trains."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # glibc only; elsewhere the allocator decides
