"""Catalogues of named plug-ins: readers, reconstructors, losses, ..."""

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from models.errors import ConfigurationError, UnknownPlugin

Plugin = TypeVar("Plugin")


class Catalogue(Generic[Plugin]):
    """Named plug-ins of one kind; third parties join through the entry-point group `trinormal.<kind>s`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._known: dict[str, Plugin] = {}

    def add(self, name: str) -> Callable[[Plugin], Plugin]:
        """Decorator that registers a plug-in; raises `ConfigurationError` on a duplicate name."""

        def register(plugin: Plugin) -> Plugin:
            if name in self._known:
                raise ConfigurationError(f"two {self.kind}s are called {name!r}: rename one of them")
            self._known[name] = plugin
            return plugin

        return register

    def __getitem__(self, name: str) -> Plugin:
        if name not in self._known:
            self._load_entry_points()
        try:
            return self._known[name]
        except KeyError:
            raise UnknownPlugin(f"no {self.kind} {name!r}; have {', '.join(self)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._known))

    def __len__(self) -> int:
        return len(self._known)

    def _load_entry_points(self) -> None:
        for point in entry_points(group=f"trinormal.{self.kind.replace(' ', '_')}s"):
            if point.name not in self._known:
                self._known[point.name] = point.load()
