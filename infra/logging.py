"""Logs for people: one handler on the console, passwords in URLs masked."""

import logging
import re

from rich.console import Console
from rich.logging import RichHandler

CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]*@", re.IGNORECASE)


def mask_credentials(text: str) -> str:
    """`text` with `user:password@` of every URL replaced by `***@`."""
    return CREDENTIALS.sub(r"\g<scheme>***@", text)


class MaskCredentials(logging.Formatter):
    """The wrapped formatter's text, tracebacks included, without credentials."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """What is shown of `record`."""
        return mask_credentials(self._inner.format(record))


def configure_logging(level: str, console: Console | None = None) -> None:
    """Send the root logger to the console (standard error) at `level`; calling it again replaces the handler."""
    handler = RichHandler(console=console or Console(stderr=True), show_path=False, rich_tracebacks=False, markup=False)
    handler.setFormatter(MaskCredentials(logging.Formatter("%(message)s", datefmt="%H:%M:%S")))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, RichHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
