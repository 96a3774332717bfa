"""Who serves, decided once: an append-only ledger and a compare-and-set on each model's epoch.

Aliases elsewhere are last-writer-wins, so they only mirror this. Every entry holds the hash of the one before it
and the champion's row holds the hash of the last: a changed, inserted or missing entry shows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from infra.database import reading, writing
from registry.chain import CHANGES, GENESIS, RETURN, Change, Note, State, hash_of, replay, require_whole
from registry.errors import RegistryError
from registry.tables import ChampionRecord, LedgerRecord, now

SYSTEM = "trinormal"
"""Who acts where no person does."""


class Champion(NamedTuple):
    """What serves, what served before it, and how often that has changed."""

    model: str
    version: str | None
    previous: str | None
    epoch: int


class Entry(NamedTuple):
    """One line of the ledger: what was done to which version, by whom and why; `epoch` is the one after it.

    Notes (candidate, pass, refuse, approve, reject, confirm) leave the champion; promote, roll back and return change
    it. Entries of older versions name no `actor`.
    """

    position: int
    action: str
    version: str
    epoch: int
    decision: Mapping[str, Any]
    created: datetime
    actor: str
    reason: str
    hash: str


def champion(engine: Engine, model: str) -> Champion:
    """The present state; epoch 0 and no version before the first promotion."""
    with reading(engine) as session:
        record = session.get(ChampionRecord, model)
        return _champion(record) if record is not None else Champion(model, None, None, 0)


def promote(
    engine: Engine,
    model: str,
    version: str,
    expected_epoch: int,
    decision: Mapping[str, Any],
    actor: str = SYSTEM,
    reason: str = "",
) -> bool:
    """Make `version` the champion if the epoch still is `expected_epoch`; of several at once exactly one gets True."""
    with writing(engine) as session:
        record = _locked(session, model)
        if record.epoch != expected_epoch:
            return False
        _move(record, _state(record).moved_to(version))
        _append(session, record, "promote", version, decision, actor, reason)
        return True


def roll_back(engine: Engine, model: str, expected_epoch: int, reason: str, actor: str = SYSTEM) -> bool:
    """Give the place back to the previous champion, with the same compare-and-set.

    Raises `RegistryError` when nothing served before.
    """
    with writing(engine) as session:
        record = _locked(session, model)
        if record.epoch != expected_epoch:
            return False
        if record.previous is None:
            raise RegistryError(f"{model} has no previous champion to roll back to")
        version = record.previous
        _move(record, _state(record).moved_to(version))
        _append(session, record, "roll back", version, {}, actor, reason)
        return True


def give_back(engine: Engine, model: str, expected_epoch: int, reason: str, actor: str = SYSTEM) -> bool:
    """Undo the last promotion or rollback as if it had not been, with the same compare-and-set.

    The entry names the version that had to go. Raises `RegistryError` when the last change was a return already.
    """
    with writing(engine) as session:
        record = _locked(session, model)
        if record.epoch != expected_epoch:
            return False
        before = replay(_entries(session, model)).before
        if before is None or record.version is None:
            raise RegistryError(f"{model} has no change that could be undone")
        version = record.version
        _move(record, _state(record).back_at(before))
        _append(session, record, RETURN, version, {}, actor, reason)
        return True


def note(
    engine: Engine,
    model: str,
    action: Note,
    version: str,
    decision: Mapping[str, Any],
    actor: str = SYSTEM,
    reason: str = "",
) -> None:
    """Write down what does not change the champion; the epoch stays."""
    with writing(engine) as session:
        _append(session, _locked(session, model), action, version, decision, actor, reason)


def confirm(engine: Engine, change: Entry, model: str) -> bool:
    """Note that what a change put in place answers, unless it has been changed or confirmed meanwhile."""
    with writing(engine) as session:
        record = _locked(session, model)
        if unconfirmed([_entry(each) for each in _entries(session, model)]) != change:
            return False
        _append(session, record, "confirm", change.version, {"confirms": change.position}, SYSTEM, "")
        return True


def note_once(engine: Engine, model: str, action: Note, version: str, decision: Mapping[str, Any]) -> bool:
    """The same, unless the version has such an entry already; whether it was written."""
    with writing(engine) as session:
        state = _locked(session, model)
        if session.scalar(select(LedgerRecord.position).filter_by(model=model, action=action, version=version)):
            return False
        _append(session, state, action, version, decision, SYSTEM, "")
        return True


def history(engine: Engine, model: str) -> tuple[Entry, ...]:
    """All entries of a model, the oldest first."""
    with reading(engine) as session:
        return tuple(_entry(record) for record in _entries(session, model))


def models(engine: Engine) -> tuple[str, ...]:
    """The names that have a ledger."""
    with reading(engine) as session:
        return tuple(session.scalars(select(ChampionRecord.model).order_by(ChampionRecord.model)))


def unconfirmed(entries: Sequence[Entry]) -> Entry | None:
    """The last promotion or rollback, where nobody has noted yet that what it put in place answers."""
    for entry in reversed(entries):
        if entry.action == "confirm":
            return None
        if entry.action in CHANGES:
            return None if entry.action == RETURN else entry
    return None


def challenger(entries: Sequence[Entry]) -> str | None:
    """The newest candidate, unless it has been given the place since."""
    for place, entry in reversed(list(enumerate(entries))):
        if entry.action == "candidate":
            later = entries[place:]
            taken = any(other.action in CHANGES and other.version == entry.version for other in later)
            return None if taken else entry.version
    return None


def verify_chain(engine: Engine, model: str) -> int:
    """Hash the chain again and return its length; raises `RegistryError` naming the first entry that does not fit."""
    with reading(engine) as session:
        entries = _entries(session, model)
        require_whole(model, session.get(ChampionRecord, model), entries)
        return len(entries)


def _locked(session: Session, model: str) -> ChampionRecord:
    """The model's row, made if need be, and held until the transaction ends."""
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    fresh = {"model": model, "epoch": 0, "version": None, "previous": None, "entries": 0, "head": GENESIS}
    session.execute(insert(ChampionRecord).values(**fresh).on_conflict_do_nothing())
    return session.scalars(select(ChampionRecord).filter_by(model=model).with_for_update()).one()


def _append(
    session: Session,
    state: ChampionRecord,
    action: Change | Note,
    version: str,
    decision: Mapping[str, Any],
    actor: str,
    reason: str,
) -> None:
    entry = LedgerRecord(
        model=state.model,
        position=state.entries + 1,
        action=action,
        version=version,
        epoch=state.epoch,
        decision=dict(decision),
        created=now(),
        previous_hash=state.head,
        actor=actor,
        reason=reason,
    )
    entry.hash = hash_of(entry)
    session.add(entry)
    state.entries, state.head = entry.position, entry.hash


def _entries(session: Session, model: str) -> list[LedgerRecord]:
    return list(session.scalars(select(LedgerRecord).filter_by(model=model).order_by(LedgerRecord.position)))


def _entry(record: LedgerRecord) -> Entry:
    said = (record.position, record.action, record.version, record.epoch, record.decision, record.created)
    return Entry(*said, record.actor or "", _reason(record), record.hash)


def _reason(record: LedgerRecord) -> str:
    """Older entries kept the reason of a rollback in their decision."""
    return record.reason or str(record.decision.get("reason", ""))


def _state(record: ChampionRecord) -> State:
    return State(record.epoch, record.version, record.previous)


def _move(record: ChampionRecord, state: State) -> None:
    record.epoch, record.version, record.previous = state


def _champion(record: ChampionRecord) -> Champion:
    return Champion(record.model, record.version, record.previous, record.epoch)
