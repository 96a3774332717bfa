"""A training on several machines: the first one tells the others what to train on what, and from which checkpoint.

All of it goes through the store of `torch.distributed.run`, whose server the first machine is: there is no other
channel to set up, and a machine that lends its processors needs no folder of the first one's.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from infra.files import atomic_path
from infra.settings import Settings
from infra.store import ContentStore
from models.training.checkpoints import CHECKPOINT_NAME
from models.training.ranks import my_part
from tasks.portable import InHome, InStore, pack, unpack
from tasks.spec import load_spec, save_spec

LENT = "lent"
"""In place of the name of a work: the first machine says what it is."""
ELSEWHERE = "training-elsewhere.safetensors"
TOLD, HERE = "trinormal/told", "trinormal/here"
PIECE_BYTES = 16_000_000
WITHIN = timedelta(minutes=10)
Told = TypeVar("Told", bound=NamedTuple)


def save_portable(scratch: Path, told: NamedTuple, settings: Settings, store: ContentStore) -> None:
    """Write what a training is told with paths that mean the same on another machine; what it names is published."""
    save_spec(scratch / ELSEWHERE, cast(Any, type(told))(*(_as_text(each) for each in pack(told, settings, store))))


def load_portable(scratch: Path, kind: type[Told], settings: Settings, store: ContentStore) -> Told:
    """What `save_portable` wrote, with this machine's paths; artefacts that are not here are fetched."""
    told = load_spec(scratch / ELSEWHERE, kind)
    return cast(Any, kind)(*(unpack(_from_text(each), settings, store) for each in told))


def tell_nodes(work: str, scratch: Path) -> None:
    """In the first process of all: hand out the work, what it is told, and the checkpoint where there is one."""
    part = my_part()
    if not part.is_first or part.count == part.here:
        return
    store = _store()
    files = {name: (scratch / name).read_bytes() for name in (ELSEWHERE, CHECKPOINT_NAME) if (scratch / name).is_file()}
    for name, held in files.items():
        for number, start in enumerate(range(0, len(held), PIECE_BYTES)):
            store.set(f"{TOLD}/{name}/{number}", held[start : start + PIECE_BYTES])
    store.set(TOLD, json.dumps({"work": work, "sizes": {name: len(held) for name, held in files.items()}}))


def hear_from_first(scratch: Path) -> str:
    """On another machine: fill `scratch` with what the first one hands out, once a machine; the name of the work."""
    store, here = _store(), f"{HERE}/{os.environ['GROUP_RANK']}"
    told = json.loads(store.get(TOLD))
    if os.environ["LOCAL_RANK"] == "0":
        for name, size in told["sizes"].items():
            numbers = range(-(-size // PIECE_BYTES))
            with atomic_path(scratch / name) as partial:
                partial.write_bytes(b"".join(store.get(f"{TOLD}/{name}/{number}") for number in numbers))
        store.set(here, "all there")
    store.wait([here], WITHIN)
    return str(told["work"])


def _store() -> Any:
    """The store of the launcher, of which this process is one more client."""
    from torch.distributed import distributed_c10d

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = distributed_c10d.TCPStore  # pyright: ignore[reportAttributeAccessIssue] - missing in torch's hints
    return store(host, port, is_master=False, timeout=WITHIN, wait_for_workers=False)


def _as_text(value: Any) -> Any:
    match value:
        case InStore():
            return Path(f"store:{value.stage}/{value.key}/{value.below}")
        case InHome():
            return Path(f"home:{value.below}")
        case list():
            return [_as_text(each) for each in cast(list[Any], value)]
        case _:
            return value


def _from_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_text(each) for each in cast(list[Any], value)]
    if not isinstance(value, Path):
        return value
    kind, colon, rest = str(value).partition(":")
    if colon and kind == "store":
        stage, key, *below = rest.split("/")
        return InStore(stage, key, "/".join(below))
    return InHome(rest) if colon and kind == "home" else value
