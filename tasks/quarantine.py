"""Shards that cannot be made: set aside with their reason while the others go on, and told at the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.errors import InfrastructureError
from infra.files import atomic_write_json, remove
from models.errors import TrinormalError
from tasks.files import read_json

DIED = "its process died each time: out of memory, or a crash in a library"


class Poisoned(NamedTuple):
    """A shard that was set aside, and the last error it gave."""

    stage: str
    key: str
    error: BaseException

    @property
    def reason(self) -> str:
        """One line."""
        if is_ours(self.error):
            return str(self.error)
        if type(self.error).__name__ == "KilledWorker":
            return DIED
        return f"{type(self.error).__name__}: {' '.join(str(self.error).split())[:500]}"


class ShardsSetAsideError(InfrastructureError):
    """Some shards of a stage cannot be made; all others are in the store."""


def is_ours(error: BaseException) -> bool:
    """Whether an error says what a person has to do: a second try would only say it again."""
    return isinstance(error, TrinormalError | InfrastructureError)


def note(folder: Path, shard: Poisoned) -> None:
    """Keep the reason at `<stage>/<key>.json`."""
    what = {"stage": shard.stage, "key": shard.key, "reason": shard.reason}
    atomic_write_json(_place(folder, shard.stage, shard.key), what)


def reason_of(folder: Path, stage: str, key: str) -> str | None:
    """Why a shard was set aside; None where it was not."""
    place = _place(folder, stage, key)
    return str(read_json(place)["reason"]) if place.is_file() else None


def release(folder: Path, stage: str, key: str) -> None:
    """Forget that a shard was set aside: it has been made."""
    remove(_place(folder, stage, key))


def tell(title: str, poisoned: Sequence[Poisoned], made: int) -> None:
    """Raise the one reason there is where a person can mend it, else `ShardsSetAsideError` with the first few."""
    if not poisoned:
        return
    if len({shard.reason for shard in poisoned}) == 1 and is_ours(poisoned[0].error):
        raise poisoned[0].error
    first = "; ".join(f"{shard.key[:12]}: {shard.reason}" for shard in poisoned[:3])
    more = f"; and {len(poisoned) - 3} more" if len(poisoned) > 3 else ""
    raise ShardsSetAsideError(
        f"{title}: {len(poisoned)} of {len(poisoned) + made} set aside ({first}{more}); mend and rerun"
    )


def _place(folder: Path, stage: str, key: str) -> Path:
    return folder / stage / f"{key}.json"
