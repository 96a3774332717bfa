"""The ledger says who acted and why. Entries written before say neither, and keep their hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger", sa.Column("actor", sa.String(200)))
    op.add_column("ledger", sa.Column("reason", sa.Text))
