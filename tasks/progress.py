"""Progress on long stages: a bar on a terminal, a line now and then elsewhere, and a bar in Prefect's UI either way."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tasks.live_progress import LiveProgress, current_flow_run

Item = TypeVar("Item")
console = Console(stderr=True)
LINE_EVERY_S = 20.0


def track(items: Iterable[Item], title: str, total: int | None = None) -> Iterator[Item]:
    """`items` one by one, telling how far it is; `total` where `items` has no length."""
    count = total if total is not None else len(items)  # pyright: ignore[reportArgumentType]
    items = _shown(items, LiveProgress(_flow_run(), title), count)
    if not console.is_terminal:
        yield from _lines(items, title, count)
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=count)
        for item in items:
            yield item
            progress.advance(bar)


def _shown(items: Iterable[Item], bar: LiveProgress, count: int) -> Iterator[Item]:
    for done, item in enumerate(items, start=1):
        yield item
        bar.moved(done, count)


def _flow_run() -> str | None:
    """Only a process that runs flows has Prefect loaded; workers should not load it."""
    return current_flow_run() if "prefect" in sys.modules else None


def _lines(items: Iterable[Item], title: str, count: int) -> Iterator[Item]:
    last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last > LINE_EVERY_S and done < count:
            console.print(f"{title}: {done}/{count}", highlight=False)
            last = time.monotonic()


def announce(line: str) -> None:
    """One line for whoever watches."""
    console.print(line, highlight=False)
