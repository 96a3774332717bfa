"""Snapshots know their data set, and the listing they were made from."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshot", sa.Column("data_set", sa.String(100), nullable=False, server_default=""))
    op.add_column("snapshot", sa.Column("listing", sa.String(64)))
