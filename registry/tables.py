"""The tables of our own database. Schema changes are migrations in `infra/migrations`; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

SHA256 = String(64)
SERIAL = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts by itself only in a plain INTEGER key


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which forgets zones, gets it back. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of this database."""


class SnapshotRecord(Base):
    """An immutable list of files; `id` is the hash of its rows, `number` the short key inside the database.

    `data_set` is whose format and people these are; `listing` the hash of the rows in the order they were first given.
    """

    __tablename__ = "snapshot"
    number: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    id: Mapped[str] = mapped_column(SHA256, unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    licence: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    data_set: Mapped[str] = mapped_column(String(100), server_default="")
    listing: Mapped[str | None] = mapped_column(SHA256)


class SnapshotRowRecord(Base):
    """One file of a snapshot; `digest` is the hash of everything the row says."""

    __tablename__ = "snapshot_row"
    __table_args__ = (
        UniqueConstraint("snapshot", "path", name="snapshot_row_path"),
        Index("snapshot_row_subject", "subject"),
    )
    snapshot: Mapped[int] = mapped_column(ForeignKey("snapshot.number", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(SHA256, primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    subject: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(40))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    labels: Mapped[dict[str, Any]] = mapped_column(JSON)
    points: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(Text)


class ArtefactRecord(Base):
    """A derived artefact: what made it, and what its bytes hash to."""

    __tablename__ = "artefact"
    key: Mapped[str] = mapped_column(SHA256, primary_key=True)
    stage: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(SHA256, index=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class LineageRecord(Base):
    """One input of an artefact: a snapshot id or another artefact's content hash or key."""

    __tablename__ = "lineage"
    output: Mapped[str] = mapped_column(ForeignKey("artefact.key", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    input: Mapped[str] = mapped_column(SHA256, index=True)


class ChampionRecord(Base):
    """Which version of a model serves. `epoch` counts changes; `head` is the hash of the model's last ledger entry."""

    __tablename__ = "champion"
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer)
    version: Mapped[str | None] = mapped_column(String(40))
    previous: Mapped[str | None] = mapped_column(String(40))
    entries: Mapped[int] = mapped_column(Integer)
    head: Mapped[str] = mapped_column(SHA256)


class LedgerRecord(Base):
    """One line about a model; the database refuses to change or delete it. Older ones say neither who nor why."""

    __tablename__ = "ledger"
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    action: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(40))
    epoch: Mapped[int] = mapped_column(Integer)
    decision: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    previous_hash: Mapped[str] = mapped_column(SHA256)
    hash: Mapped[str] = mapped_column(SHA256)
    actor: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(Text)
