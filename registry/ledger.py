"""Who serves, decided once: an append-only ledger and a compare-and-set on each model's epoch.

Aliases elsewhere are last-writer-wins, so they only mirror this. Every entry holds the hash of the one before it
and the champion's row holds the hash of the last: a changed, inserted or missing entry shows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from infra.database import reading, writing
from infra.files import canonical_json, sha256_bytes
from registry.errors import RegistryError
from registry.tables import ChampionRecord, LedgerRecord, now

GENESIS = "0" * 64


class Champion(NamedTuple):
    """What serves, what served before it, and how often that has changed."""

    model: str
    version: str | None
    previous: str | None
    epoch: int


class Entry(NamedTuple):
    """One line of the ledger. `action` is promote, roll back or refuse."""

    position: int
    action: str
    version: str
    epoch: int
    decision: Mapping[str, Any]
    created: datetime


def champion(engine: Engine, model: str) -> Champion:
    """The present state; epoch 0 and no version before the first promotion."""
    with reading(engine) as session:
        record = session.get(ChampionRecord, model)
        return _champion(record) if record is not None else Champion(model, None, None, 0)


def promote(engine: Engine, model: str, version: str, expected_epoch: int, decision: Mapping[str, Any]) -> bool:
    """Make `version` the champion if the epoch still is `expected_epoch`; of several at once exactly one gets True."""
    with writing(engine) as session:
        record = _locked(session, model)
        if record.epoch != expected_epoch:
            return False
        if record.version != version:
            record.previous, record.version = record.version, version
        record.epoch += 1
        _append(session, record, "promote", version, decision)
        return True


def roll_back(engine: Engine, model: str, expected_epoch: int, reason: str) -> bool:
    """Give the place back to the previous champion, with the same compare-and-set.

    Raises `RegistryError` when nothing served before.
    """
    with writing(engine) as session:
        record = _locked(session, model)
        if record.epoch != expected_epoch:
            return False
        if record.previous is None:
            raise RegistryError(f"{model} has no previous champion to roll back to")
        record.version, record.previous = record.previous, record.version
        record.epoch += 1
        _append(session, record, "roll back", str(record.version), {"reason": reason})
        return True


def refuse(engine: Engine, model: str, version: str, decision: Mapping[str, Any]) -> None:
    """Note that a version did not pass; the epoch stays."""
    with writing(engine) as session:
        _append(session, _locked(session, model), "refuse", version, decision)


def history(engine: Engine, model: str) -> tuple[Entry, ...]:
    """All entries of a model, the oldest first."""
    with reading(engine) as session:
        return tuple(
            Entry(record.position, record.action, record.version, record.epoch, record.decision, record.created)
            for record in _entries(session, model)
        )


def verify_chain(engine: Engine, model: str) -> int:
    """Hash the chain again and return its length; raises `RegistryError` naming the first entry that does not fit."""
    with reading(engine) as session:
        state = session.get(ChampionRecord, model)
        entries = _entries(session, model)
        previous = GENESIS
        for position, entry in enumerate(entries, start=1):
            if (entry.position, entry.previous_hash, entry.hash) != (position, previous, _hash(entry)):
                raise RegistryError(f"ledger of {model}: entry {position} was tampered with; restore a backup")
            previous = entry.hash
        expected = (state.entries, state.head) if state is not None else (0, GENESIS)
        if expected != (len(entries), previous) or (state is not None and not _agrees(state, entries)):
            raise RegistryError(f"ledger of {model}: its end was cut off or its champion altered; restore a backup")
        return len(entries)


def _locked(session: Session, model: str) -> ChampionRecord:
    """The model's row, made if need be, and held until the transaction ends."""
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    fresh = {"model": model, "epoch": 0, "version": None, "previous": None, "entries": 0, "head": GENESIS}
    session.execute(insert(ChampionRecord).values(**fresh).on_conflict_do_nothing())
    return session.scalars(select(ChampionRecord).filter_by(model=model).with_for_update()).one()


def _append(session: Session, state: ChampionRecord, action: str, version: str, decision: Mapping[str, Any]) -> None:
    entry = LedgerRecord(
        model=state.model,
        position=state.entries + 1,
        action=action,
        version=version,
        epoch=state.epoch,
        decision=dict(decision),
        created=now(),
        previous_hash=state.head,
    )
    entry.hash = _hash(entry)
    session.add(entry)
    state.entries, state.head = entry.position, entry.hash


def _hash(entry: LedgerRecord) -> str:
    """SHA-256 over everything an entry says, the hash of the one before it included."""
    said = [entry.model, entry.position, entry.action, entry.version, entry.epoch, entry.decision]
    return sha256_bytes(canonical_json([*said, entry.created.isoformat(), entry.previous_hash]).encode())


def _agrees(state: ChampionRecord, entries: list[LedgerRecord]) -> bool:
    """Whether the champion is what the changes add up to."""
    epoch, version, previous = 0, None, None
    for entry in entries:
        if entry.action != "refuse":
            epoch += 1
            if entry.version != version:
                version, previous = entry.version, version
    return (state.epoch, state.version, state.previous) == (epoch, version, previous)


def _entries(session: Session, model: str) -> list[LedgerRecord]:
    return list(session.scalars(select(LedgerRecord).filter_by(model=model).order_by(LedgerRecord.position)))


def _champion(record: ChampionRecord) -> Champion:
    return Champion(record.model, record.version, record.previous, record.epoch)
