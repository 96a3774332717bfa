"""Small files inside artefacts."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from infra.files import atomic_write_bytes, atomic_write_text


def write_json(path: Path, value: Any) -> None:
    """JSON with sorted keys, whole or absent."""
    atomic_write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def save_array(path: Path, array: ndarray) -> None:
    """A `.npy` file, whole or absent."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    atomic_write_bytes(path, buffer.getvalue())


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A CSV file with a header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    atomic_write_text(path, text.getvalue())


def read_table(path: Path) -> list[list[str]]:
    """The rows that `write_table` wrote, without the header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
