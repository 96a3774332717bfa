"""The ledger as a chain: every entry holds the hash of the one before it, and the champion is what they add up to."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from infra.files import canonical_json, sha256_bytes
from registry.errors import RegistryError
from registry.tables import ChampionRecord, LedgerRecord

GENESIS = "0" * 64
Change = Literal["promote", "roll back", "return"]
Note = Literal["candidate", "pass", "refuse", "approve", "reject", "confirm"]
RETURN: Change = "return"
CHANGES: tuple[Change, ...] = ("promote", "roll back", RETURN)


class State(NamedTuple):
    """Which version serves, which served before it, and how many changes there have been."""

    epoch: int = 0
    version: str | None = None
    previous: str | None = None

    def moved_to(self, version: str) -> "State":
        """After `version` was given the place; giving it to who has it keeps the way back."""
        previous = self.previous if version == self.version else self.version
        return State(self.epoch + 1, version, previous)

    def back_at(self, before: "State") -> "State":
        """As it was `before`, which is a change too."""
        return before._replace(epoch=self.epoch + 1)


class Replayed(NamedTuple):
    """What the entries add up to; `before` is the state that a return would restore, None where there is none."""

    state: State
    before: State | None


def replay(entries: Sequence[LedgerRecord]) -> Replayed:
    """Carry out every change again. Raises `RegistryError` for a return that nothing precedes."""
    state, before = State(), None
    for entry in entries:
        if entry.action == RETURN:
            if before is None:
                raise RegistryError(f"entry {entry.position} returns to nothing; restore a backup")
            state, before = state.back_at(before), None
        elif entry.action in CHANGES:
            state, before = state.moved_to(entry.version), state
    return Replayed(state, before)


def hash_of(entry: LedgerRecord) -> str:
    """SHA-256 over everything an entry says, the hash of the one before it included.

    Entries from before actors were noted have none, and keep the hashes they were written with.
    """
    said = [entry.model, entry.position, entry.action, entry.version, entry.epoch, entry.decision]
    whose = [] if entry.actor is None and entry.reason is None else [entry.actor, entry.reason]
    return sha256_bytes(canonical_json([*said, entry.created.isoformat(), entry.previous_hash, *whose]).encode())


def require_whole(model: str, champion: ChampionRecord | None, entries: Sequence[LedgerRecord]) -> None:
    """Raise `RegistryError` naming the first entry that does not fit, or the champion where it is not their sum."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        if (entry.position, entry.previous_hash, entry.hash) != (position, previous, hash_of(entry)):
            raise RegistryError(f"ledger of {model}: entry {position} was tampered with; restore a backup")
        previous = entry.hash
    told = State() if champion is None else State(champion.epoch, champion.version, champion.previous)
    ends = (0, GENESIS) if champion is None else (champion.entries, champion.head)
    if ends != (len(entries), previous) or told != replay(entries).state:
        raise RegistryError(f"ledger of {model}: its end was cut off or its champion altered; restore a backup")
