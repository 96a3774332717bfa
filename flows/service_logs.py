"""What services say, in files that do not grow for ever and hold no password."""

import logging
import threading
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from infra.logging import mask_credentials

LARGEST_BYTES = 10_000_000
KEPT = 5
LONGEST_LINE = 20_000


class ServiceLog:
    """The log of one service: lines are masked, the file is renewed at ten megabytes, and five old ones are kept."""

    def __init__(self, path: Path, secrets: Iterable[str], largest: int = LARGEST_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(path, maxBytes=largest, backupCount=KEPT, encoding="utf-8")
        self._secrets = [secret for secret in secrets if secret]

    def write(self, line: str) -> None:
        """One line."""
        text = mask_credentials(line.rstrip())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        self._handler.emit(logging.LogRecord("service", logging.INFO, "", 0, text[:LONGEST_LINE], None, None))

    def follow(self, stream: IO[bytes]) -> threading.Thread:
        """Write down all that comes out of a process, in a thread that ends with it."""
        thread = threading.Thread(target=self._pump, args=(stream,), name="service-log", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """No more lines."""
        self._handler.close()

    def _pump(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.write(line.decode(errors="replace"))
