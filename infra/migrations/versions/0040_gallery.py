"""The gallery of enrolled people: samples and templates, everything in them sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"
branch_labels = None
depends_on = None

SHA256 = sa.String(64)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gallery_person",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("pseudonym", SHA256, nullable=False, unique=True),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("issue", sa.Integer, nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
    )
    op.create_table(
        "gallery_sample",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("person", SERIAL, sa.ForeignKey("gallery_person.number", ondelete="CASCADE"), nullable=False),
        sa.Column("tag", SHA256, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.UniqueConstraint("person", "tag", name="gallery_sample_tag"),
    )
    op.create_table(
        "gallery_template",
        sa.Column("sample", SERIAL, sa.ForeignKey("gallery_sample.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("model_sha256", SHA256, primary_key=True),
        sa.Column("content", sa.LargeBinary),
        sa.Column("failure", sa.Text),
    )
