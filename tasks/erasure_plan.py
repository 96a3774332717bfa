"""What of a person is where: snapshots, files, derived artefacts, and the models that have seen them."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from infra.keys import KeyFolder
from infra.settings import Settings
from infra.store import Artefact, ContentStore
from infra.traces import Needles, needles, telling, traces
from models.errors import DataError
from registry.erasure import TrainedOn, predecessors, rows_of, versions_from
from registry.gallery import Gallery
from registry.lineage import Node, ancestors, derived
from registry.manifest import ManifestRow, Snapshot
from registry.tables import now
from tasks.wiring import Workspace


class Plan(NamedTuple):
    """An erasure, as JSON can say it. `artefacts` are (stage, key); `inside` and `outside` are files, by the home.

    `before` are emptied snapshots that earlier erasures left: they showed this person too.
    """

    id: str
    begun: str
    person: str
    enrolled: bool
    snapshots: list[str]
    before: list[str]
    names: list[str]
    hashes: list[str]
    inside: list[str]
    outside: list[str]
    artefacts: list[list[str]]
    models: list[list[Any]]

    def wanted(self) -> Needles:
        """Everything by which the person can be found."""
        return needles([*self.names, *self.hashes])

    def known(self) -> bool:
        """Whether there is anything to erase."""
        return self.enrolled or bool(self.snapshots)

    def trained(self) -> list[TrainedOn]:
        """The registered versions that have seen the person."""
        return [TrainedOn(*each) for each in self.models]

    def joined(self, other: "Plan") -> "Plan":
        """Both together under the first one's id: what was found when it began, and what is found now."""
        lists = {name: _union(getattr(self, name), getattr(other, name)) for name in _LISTS}
        return self._replace(enrolled=self.enrolled or other.enrolled, **lists)


OUR_WORDS = frozenset(
    {"champion", "challenger", "previous", "recognizer", "evaluation", "reconstructors", "classifiers", "individual"}
    | {"gender", "expression", "train", "test", "tiny", "demo", "standard", "paper", "photos", "scans", "model", "data"}
)
"""Words that databases here are full of: a person called so is looked for by files alone."""
_LISTS = ("snapshots", "before", "names", "hashes", "inside", "outside", "artefacts", "models")


def plan_erasure(workspace: Workspace, person: str, data_set: str | None) -> Plan:
    """Look everywhere, change nothing."""
    found = list(rows_of(workspace.engine, person, data_set))
    snapshots = {snapshot.id: snapshot for snapshot, _ in found}
    inside, outside = _files(workspace.settings, found)
    hashes = sorted({row.sha256 for _, row in found if row.sha256})
    names = _names(person, [row for _, row in found])
    before = predecessors(workspace.engine, snapshots)
    held = _held(workspace, [*snapshots, *before], names, hashes, inside)
    after = derived(workspace.engine, [each.key for each in held], lambda node: _is_model(workspace.store, node))
    seen = derived(workspace.engine, [*snapshots, *before, *hashes, *(each.key for each in held)], lambda _: False)
    gone = {(each.stage, each.key) for each in held}
    gone |= {(node.stage, node.hash) for node in after if not _is_model(workspace.store, node)}
    gallery = Gallery(workspace.engine, KeyFolder(workspace.settings.keys))
    return Plan(
        uuid4().hex,
        now().isoformat(),
        person,
        gallery.find(person) is not None,
        sorted(snapshots),
        before,
        names,
        hashes,
        inside,
        outside,
        sorted([stage, key] for stage, key in gone if workspace.store.lookup(stage, key) is not None),
        [list(each) for each in versions_from(workspace.engine, workspace.tracker, [node.hash for node in seen])],
    )


def require_one_person(workspace: Workspace, person: str, data_set: str | None) -> None:
    """Raise `DataError` where several data sets know somebody of that name: they may be different people."""
    sets = sorted({snapshot.data_set for snapshot, _ in rows_of(workspace.engine, person)})
    if data_set is None and len(sets) > 1:
        raise DataError(f"{person!r} is somebody in each of {', '.join(sets)}: say which with --data-set")
    if data_set is not None and data_set not in sets:
        raise DataError(f"{person!r} is nobody in data set {data_set!r}; have {', '.join(sets) or 'none'}")


def begun_at(plan: Plan) -> datetime:
    """When the erasure began."""
    return datetime.fromisoformat(plan.begun)


def all_artefacts(store: ContentStore) -> Iterable[Artefact]:
    """Everything in the store."""
    for stage in store.sizes():
        yield from store.artefacts(stage)


def _names(person: str, rows: Iterable[ManifestRow]) -> list[str]:
    """The name where it tells somebody apart in any text, and the paths of the person's files."""
    paths = {row.path for row in rows if "/" in row.path or telling(Path(row.path).stem)}
    return sorted({person} | paths if telling(person) and person.lower() not in OUR_WORDS else paths)


def _files(settings: Settings, found: Iterable[tuple[Snapshot, ManifestRow]]) -> tuple[list[str], list[str]]:
    """The person's own files that are still there: below the home but not in the store, and elsewhere."""
    files = {Path(snapshot.source) / row.path for snapshot, row in found}
    files = {path for path in files if path.is_file()}
    home = {path for path in files if path.is_relative_to(settings.home)}
    return sorted(map(str, home)), sorted(map(str, files - home))


def _held(
    workspace: Workspace, snapshots: list[str], names: list[str], hashes: list[str], inside: list[str]
) -> list[Artefact]:
    """Artefacts that say a hash of the person's files; and those that say a name and come from the person's snapshots.

    A name alone does not count: other data sets may call somebody else so.
    """
    origins = [*snapshots, *hashes]
    related = {node.hash for node in derived(workspace.engine, origins, lambda _: False)}
    by_hash, by_name = needles(hashes), needles(names)
    held: list[Artefact] = []
    for each in all_artefacts(workspace.store):
        holds_file = any(Path(path).is_relative_to(each.path) for path in inside)
        if holds_file:
            related |= {node.hash for node in ancestors(workspace.engine, each.key)}
        if holds_file or any(traces(each.path, by_hash)):
            held.append(each)
    known = {each.key for each in held}
    others = (each for each in all_artefacts(workspace.store) if each.key in related and each.key not in known)
    return [*held, *(each for each in others if any(traces(each.path, by_name)))]


def _is_model(store: ContentStore, node: Node) -> bool:
    """Whether an artefact is a network: it is told, not removed."""
    found = store.lookup(node.stage, node.hash) if node.kind == "artefact" and node.stage != "rows" else None
    return found is not None and any(path.suffix in {".safetensors", ".onnx"} for path in found.path.iterdir())


def _union(first: list[Any], second: list[Any]) -> list[Any]:
    return [*first, *(each for each in second if each not in first)]
