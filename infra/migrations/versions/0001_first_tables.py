"""Snapshots, artefacts with lineage, and the promotion ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SHA256 = sa.String(64)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _snapshots()
    _artefacts()
    _promotions()
    _make_ledger_append_only()


def _snapshots() -> None:
    op.create_table(
        "snapshot",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("id", SHA256, nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("licence", sa.String(200), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
    )
    op.create_table(
        "snapshot_row",
        sa.Column("snapshot", SERIAL, sa.ForeignKey("snapshot.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", SHA256, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("subject", sa.String(200)),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("points", sa.JSON),
        sa.Column("failure", sa.Text),
        sa.UniqueConstraint("snapshot", "path", name="snapshot_row_path"),
    )
    op.create_index("snapshot_row_subject", "snapshot_row", ["subject"])


def _artefacts() -> None:
    op.create_table(
        "artefact",
        sa.Column("key", SHA256, primary_key=True),
        sa.Column("stage", sa.String(100), nullable=False),
        sa.Column("content", SHA256, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
    )
    op.create_index("ix_artefact_content", "artefact", ["content"])
    op.create_table(
        "lineage",
        sa.Column("output", SHA256, sa.ForeignKey("artefact.key", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("input", SHA256, nullable=False),
    )
    op.create_index("ix_lineage_input", "lineage", ["input"])


def _promotions() -> None:
    op.create_table(
        "champion",
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("version", sa.String(40)),
        sa.Column("previous", sa.String(40)),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("head", SHA256, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("decision", sa.JSON, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("previous_hash", SHA256, nullable=False),
        sa.Column("hash", SHA256, nullable=False),
    )


def _make_ledger_append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{change.lower()} BEFORE {change} ON ledger "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
    )
