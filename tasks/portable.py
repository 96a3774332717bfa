"""Arguments that mean the same on another machine: paths in the store become artefacts, those below the home follow it.

Any other path is passed as it is, and must be mounted at the same place everywhere: a folder of photos, say.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from infra.settings import Settings
from infra.store import Artefact, ContentStore


class InStore(NamedTuple):
    """A path inside an artefact."""

    stage: str
    key: str
    below: str


class InHome(NamedTuple):
    """A path below the home folder."""

    below: str


def pack(value: Any, settings: Settings, store: ContentStore) -> Any:
    """`value` with its paths as `InStore` and `InHome`; the artefacts it names are published to the shared store."""

    def packed(given: Any) -> Any:
        if not isinstance(given, Path):
            return given
        if given.is_relative_to(store.root):
            stage, _, key, *below = given.relative_to(store.root).parts
            store.publish(Artefact(stage, key, store.root / stage / key[:2] / key))
            return InStore(stage, key, "/".join(below))
        return InHome(str(given.relative_to(settings.home))) if given.is_relative_to(settings.home) else given

    return _through(value, packed)


def unpack(value: Any, settings: Settings, store: ContentStore) -> Any:
    """`value` with paths of this machine; artefacts that are not here are fetched."""

    def unpacked(given: Any) -> Any:
        if isinstance(given, InStore):
            return store.get(given.stage, given.key).path / given.below
        return settings.home / given.below if isinstance(given, InHome) else given

    return _through(value, unpacked)


def _through(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` with `change` made to all its leaves; containers are rebuilt."""
    match value:
        case InStore() | InHome():
            return change(value)
        case dict():
            return {key: _through(item, change) for key, item in cast(dict[Any, Any], value).items()}
        case list():
            return [_through(item, change) for item in cast(list[Any], value)]
        case tuple():
            items = [_through(item, change) for item in cast(tuple[Any, ...], value)]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        case _:
            return change(value)
