import io
import logging
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.logging import configure_logging, mask_credentials
from infra.resources import PeakMemory, Stopwatch


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    root, text = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    configure_logging("INFO", Console(file=text, width=200))
    yield text
    root.handlers[:] = before
    root.setLevel(level)


def test_passwords_in_urls_never_reach_the_console(console: io.StringIO):
    logger = logging.getLogger("trinormal.test")
    logger.info("opening %s", "postgresql://me:hunter2@db/x")
    try:
        raise OSError("cannot reach https://me:hunter2@host:1/path")
    except OSError:
        logger.exception("failed")
    shown = console.getvalue()
    assert "hunter2" not in shown
    assert "postgresql://***@db/x" in shown
    assert "https://***@host:1/path" in shown


def test_the_level_counts_and_configuring_twice_says_things_once(console: io.StringIO):
    configure_logging("WARNING", Console(file=console, width=200))
    logging.getLogger("trinormal.test").info("quiet")
    logging.getLogger("trinormal.test").warning("[bold]once[/bold]")
    assert "quiet" not in console.getvalue()
    assert console.getvalue().count("[bold]once[/bold]") == 1


@pytest.mark.parametrize("text", ["sqlite:////home/a.db", "user@host wrote", "https://host/a@b"])
def test_what_holds_no_credentials_stays(text: str):
    assert mask_credentials(text) == text


def wait_until_seen(memory: PeakMemory, megabytes: float) -> None:
    deadline = time.monotonic() + 20
    while memory.peak_mb < megabytes and time.monotonic() < deadline:
        time.sleep(0.01)


def test_the_peak_stays_known_when_the_memory_was_given_back():
    with PeakMemory(interval_s=0.01) as memory:
        start = memory.peak_mb
        block = bytearray(b"x") * (200 << 20)
        wait_until_seen(memory, start + 150)
        del block
    with PeakMemory() as after:
        pass
    assert memory.peak_mb >= start + 150
    assert after.peak_mb <= memory.peak_mb - 150


TWO_PEAKS = """
import subprocess, sys
from infra.resources import PeakMemory

block = "block = bytearray(b'x') * (150 << 20); print('ready', flush=True); input()"
with PeakMemory() as alone:
    pass
with subprocess.Popen([sys.executable, "-c", block], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    with PeakMemory() as with_child:
        pass
    child.communicate(b"x")
print(alone.peak_mb, with_child.peak_mb)
"""


def test_children_count():
    """In a process of its own: this one may have other tests' children."""
    done = subprocess.run([sys.executable, "-c", TWO_PEAKS], capture_output=True, text=True, check=True)
    alone, with_child = map(float, done.stdout.split())
    assert 140 < with_child - alone < 200


def test_a_stage_that_runs_twice_adds_up_and_one_that_raises_counts():
    watch = Stopwatch()
    with watch.stage("fit"):
        pass
    once = watch.seconds["fit"]
    with pytest.raises(ZeroDivisionError), watch.stage("fit"):
        raise ZeroDivisionError
    assert watch.seconds["fit"] > once
    assert set(watch.seconds) == {"fit"}
