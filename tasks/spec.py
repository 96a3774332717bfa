"""What a training in other processes is told: a named tuple of paths, numbers, arrays and configurations, as a file."""

from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import torch
from numpy import ndarray
from torch import Tensor

from infra.config import Config
from models.training.safetensor_files import load_nested, save_nested

Told = TypeVar("Told", bound=NamedTuple)


def save_spec(path: Path, told: NamedTuple) -> None:
    """Write it, whole or not at all; raises `ArtefactError` on a field that is none of the above."""
    save_nested(path, {name: _plain(value) for name, value in told._asdict().items()})


def load_spec(path: Path, kind: type[Told]) -> Told:
    """What `save_spec` wrote, as a `kind`."""
    hints = get_type_hints(kind)
    return cast(Any, kind)(**{name: _as(hints[name], value) for name, value in load_nested(path).items()})


def _plain(value: Any) -> Any:
    match value:
        case Path():
            return str(value)
        case Config():
            return value.model_dump(mode="json")
        case ndarray():
            return torch.from_numpy(value.copy())
        case list():
            return [_plain(item) for item in cast(list[Any], value)]
        case _:
            return value


def _as(kind: Any, value: Any) -> Any:
    """The value of a field of that type; whatever JSON can hold comes as it is."""
    if isinstance(value, Tensor):
        return value.numpy()
    if get_origin(kind) is list:
        return [_as(get_args(kind)[0], item) for item in value]
    if isinstance(kind, UnionType):
        return None if value is None else _as(next(each for each in get_args(kind) if each is not type(None)), value)
    if kind is Path:
        return Path(value)
    return kind.model_validate(value) if isinstance(kind, type) and issubclass(kind, Config) else value
