"""Erasures leave a record that names nobody; a snapshot that showed an erased person stays as a name without rows."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("snapshot", sa.Column("erased", MOMENT))
    op.add_column("snapshot", sa.Column("successor", sa.String(64)))
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("begun", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=False),
        sa.Column("told", sa.JSON, nullable=False),
    )
