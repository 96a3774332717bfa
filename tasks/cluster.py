"""Dask's clients: a local cluster of processes, or a scheduler elsewhere; each is opened once a process."""

import atexit
from functools import cache
from threading import Lock
from typing import Any

from infra.errors import InfrastructureError

WORKERS_WITHIN_S = 60
_starting = Lock()


class ClusterError(InfrastructureError):
    """The Dask cluster cannot be used: no scheduler, no workers, or workers that run something else."""


def local_client(workers: int) -> Any:
    """The client of a cluster on this machine; threads that ask at once get the same."""
    with _starting:
        return _start(workers)


def remote_client(address: str) -> Any:
    """The client of the scheduler at `address`; raises `ClusterError` where nobody answers or works."""
    with _starting:
        return _connect(address)


@cache
def _start(workers: int) -> Any:
    """A local cluster of processes with one task each, started at first use and closed when this process ends."""
    import dask.config
    from distributed import Client, LocalCluster

    # Dask's own list also lowers the allocator's trim threshold, which makes every large array a page fault
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), 1)
    dask.config.set(
        {
            "distributed.comm.timeouts.connect": "60s",
            "distributed.nanny.pre-spawn-environ": threads,
            "distributed.deploy.lost-worker-timeout": "1 hour",  # else a worker slow to restart is never replaced
            "distributed.scheduler.allowed-failures": 1,  # the pool itself tries again, one shard at a time
        }
    )
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


@cache
def _connect(address: str) -> Any:
    from distributed import Client

    advice = "start scheduler and workers, or unset TRINORMAL_DASK_ADDRESS"
    try:
        client = Client(address, timeout=WORKERS_WITHIN_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"Dask at {address}: no answer ({type(error).__name__}); {advice}") from None
    try:
        client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
    except TimeoutError:
        client.close()
        raise ClusterError(f"Dask at {address}: no worker within {WORKERS_WITHIN_S} s; {advice}") from None
    atexit.register(client.close)
    return client
