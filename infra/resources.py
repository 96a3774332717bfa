"""What a run costs: peak memory of this process with its children, and seconds per stage."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Self

import psutil

MEGABYTE = 1 << 20


class PeakMemory:
    """Samples memory in a thread while the block runs; `peak_mb` is the largest sum seen (MiB).

    With children every process counts its proportional share (PSS) where the system tells it, so that pages shared
    after a fork are counted once; alone, the resident size is the same and far cheaper to read.
    """

    def __init__(self, interval_s: float = 0.1) -> None:
        self.peak_mb = 0.0
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._ended.wait(self._interval_s):
            self._sample()

    def _sample(self) -> None:
        process = psutil.Process()
        family = [process, *process.children(recursive=True)]
        held = sum(_held_bytes(member, shared=len(family) > 1) for member in family)
        self.peak_mb = max(self.peak_mb, held / MEGABYTE)


class Stopwatch:
    """Seconds per named stage; a stage that runs twice adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Time the block, also when it raises."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def _held_bytes(process: psutil.Process, shared: bool) -> int:
    try:
        if shared:
            full: Any = process.memory_full_info()
            return int(getattr(full, "pss", full.rss))
        return process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
