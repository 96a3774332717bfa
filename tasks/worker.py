"""What a worker process does first, and how one on another machine makes a shard."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from infra.environment import environment
from infra.fingerprint import code_fingerprint
from infra.settings import Settings, load_settings
from infra.store import ContentStore, open_store
from tasks.cluster import ClusterError
from tasks.portable import unpack


def dask_setup(worker: object) -> None:  # noqa: ARG001 - Dask's signature
    """Called by Dask in each worker: OpenCV uses one thread, since there is a process a core."""
    import cv2

    cv2.setNumThreads(1)


def build_elsewhere(
    store_url: str,
    code: tuple[str, ...],
    fingerprint: str,
    stage: str,
    key: str,
    build: Callable[..., None],
    arguments: dict[str, Any],
) -> None:
    """Make a shard with this machine's home, unless somebody has; `arguments` are what `portable.pack` gave.

    Raises `ClusterError` where this worker has another store or other code than whoever asks: what it would make is
    not what its name says.
    """
    settings, store = _own()
    if settings.store_url != store_url:
        raise ClusterError(
            f"a worker's TRINORMAL_STORE_URL is {settings.store_url!r}, not {store_url!r}; restart it so"
        )
    if code and code_fingerprint(*code) != fingerprint:
        raise ClusterError(f"a worker runs other code for {stage}; install the same version and restart it")
    store.ensure(stage, key, lambda folder: build(folder, **unpack(arguments, settings, store)))


@cache
def _own() -> tuple[Settings, ContentStore]:
    """Settings and store of this worker, whose cache it sweeps once."""
    settings = load_settings()
    os.environ.update(environment(settings))
    store = open_store(settings.store, settings.store_url)
    store.sweep()
    return settings, store
