"""Shards over processes: one coarse task drives a Dask cluster, so an item costs milliseconds."""

import atexit
import ctypes
import gc
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from infra.store import Artefact, ContentStore
from tasks.progress import track

_starting = Lock()
_alone = Lock()


class Shard(NamedTuple):
    """One unit of work: `build(folder, **arguments)` fills the artefact `key` of `stage`."""

    stage: str
    key: str
    build: Callable[..., None]
    arguments: dict[str, Any]


def make_shards(store: ContentStore, shards: Sequence[Shard], workers: int, title: str) -> list[Artefact]:
    """Every shard's artefact, in order; those already in the store are not made again.

    A worker that dies is replaced and its shard done again; an exception in a shard is raised here.
    """
    missing = [shard for shard in shards if store.lookup(shard.stage, shard.key) is None]
    if len(missing) == 1 or (missing and workers == 1):
        for shard in track(missing, title):
            _run(store.root, shard)
    elif missing:
        _drain(_client(workers), store.root, missing, title)
    return [store.get(shard.stage, shard.key) for shard in shards]


def _drain(client: Any, root: Path, missing: Sequence[Shard], title: str) -> None:
    from distributed import as_completed

    futures = [client.submit(_run, root, shard, key=f"{shard.stage}-{shard.key}", retries=1) for shard in missing]
    for future in track(as_completed(futures), title, total=len(futures)):
        future.result()
        future.release()
    client.run(give_back_memory)


def run_apart(workers: int, function: Callable[..., None], *arguments: Any) -> float:
    """Call `function` in a worker process, wait, and return the seconds it ran; in this process with one worker only.

    Calls from several threads run side by side, at most one a worker.
    """
    if workers == 1:
        with _alone:
            return _timed(function, *arguments)
    return float(_client(workers).submit(_timed, function, *arguments, pure=False, retries=1).result())


def _timed(function: Callable[..., None], *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def give_back_memory() -> None:
    """Return freed memory to the system: an idle worker should hold little while the next stage trains."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # glibc only; elsewhere the allocator decides


def _run(root: Path, shard: Shard) -> None:
    ContentStore(root).ensure(shard.stage, shard.key, lambda folder: shard.build(folder, **shard.arguments))


def _client(workers: int) -> Any:
    """The client of the local cluster; threads that ask at once get the same."""
    with _starting:
        return _start(workers)


@cache
def _start(workers: int) -> Any:
    """A local cluster of processes with one task each, started at first use and closed when this process ends."""
    import dask.config
    from distributed import Client, LocalCluster

    # Dask's own list also lowers the allocator's trim threshold, which makes every large array a page fault
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), 1)
    dask.config.set({"distributed.comm.timeouts.connect": "60s", "distributed.nanny.pre-spawn-environ": threads})
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=50,
        preload=["tasks.worker"],
    )
    client = Client(cluster)
    atexit.register(cluster.close)
    atexit.register(client.close)
    return client
