"""Fills one shard of facts about what was made, a row a face, image or embedding; runs in a worker process."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray

from models.facts.coefficients import CoefficientFacts, coefficient_facts
from models.facts.embeddings import embedding_facts
from models.facts.normals import NormalFacts, normal_facts
from tasks.files import read_table
from tasks.frames import FACTS, save_frame

IMAGES_AT_ONCE = 64


def build_coefficient_facts(folder: Path, crops: Path, faces: Path) -> None:
    """Facts of each face of a shard of coefficients, and of each photo that gave none its reason."""
    photos = [row[0] for row in read_table(crops / "rows.csv")]
    parts = {path.stem: np.load(path, allow_pickle=False) for path in sorted(faces.glob("*.npy"))}
    kept = parts.pop("rows")
    identity, expression = (_of_all(parts.pop(name), len(kept)) for name in ("identity", "expression"))
    others = np.concatenate([_of_all(part, len(kept)) for part in parts.values()], axis=1)
    facts = _as_numbers(coefficient_facts(identity, expression, others)._asdict())
    facts.insert(0, "path", _words([photos[number] for number in kept]))
    facts.insert(1, "failure", _words([None] * len(kept)))
    failed = [row for shard in (crops, faces) for row in read_table(shard / "failures.csv")]
    reasons = {"path": _words([row[0] for row in failed]), "failure": _words([row[1] for row in failed])}
    without = pd.DataFrame({**reasons, **dict.fromkeys(CoefficientFacts._fields, np.full(len(failed), np.nan))})
    save_frame(folder / FACTS, pd.concat([facts, without], ignore_index=True) if failed else facts)


def build_normal_facts(folder: Path, images: Path, names: Sequence[str]) -> None:
    """Facts of each image of `normals.npy`, some images at a time; `names` says what each was made from."""
    planes = np.load(images / "normals.npy", mmap_mode="r", allow_pickle=False)
    starts = range(0, max(len(planes), 1), IMAGES_AT_ONCE)
    blocks = [normal_facts(np.asarray(planes[start : start + IMAGES_AT_ONCE])) for start in starts]
    facts = _as_numbers(
        {name: np.concatenate([getattr(block, name) for block in blocks]) for name in NormalFacts._fields}
    )
    facts.insert(0, "path", _words(list(names)))
    save_frame(folder / FACTS, facts)


def build_embedding_facts(folder: Path, embeddings: Path, sources: Sequence[str], networks: Mapping[str, str]) -> None:
    """Facts of `<variant>.npy` (axes, n, d), a row for each scan and network; `networks` gives a letter an axis."""
    tables: list[pd.DataFrame] = []
    for variant, axes in networks.items():
        features = np.load(embeddings / f"{variant}.npy", mmap_mode="r", allow_pickle=False)
        for axis, name in enumerate(axes):
            table = _as_numbers(embedding_facts(np.asarray(features[axis]))._asdict())
            table.insert(0, "path", _words(list(sources)))
            table.insert(1, "network", _words([f"{variant}-{name}"] * len(table)))
            tables.append(table)
    save_frame(folder / FACTS, pd.concat(tables, ignore_index=True))


def _of_all(part: ndarray, many: int) -> ndarray:
    """A part with a row a face; of no columns where the reconstructor does not give it."""
    return part if len(part) == many else np.zeros((many, 0), np.float32)


def _words(values: Sequence[str | None]) -> "pd.Series[str]":
    """Text also where there is none, so that all shards have one schema."""
    return pd.Series(list(values), dtype="str")


def _as_numbers(columns: Mapping[str, ndarray]) -> pd.DataFrame:
    return pd.DataFrame({name: values.astype(np.float64) for name, values in columns.items()})
