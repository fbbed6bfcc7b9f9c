"""First schema of the history tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001_history"
down_revision = None
branch_labels = ("history",)
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "shard",
        sa.Column("id", _SERIAL, primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
    )
    op.create_index("shard_group", "shard", ["source", "period_s", "tier"])
    op.create_table(
        "series",
        sa.Column("shard", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("statistic", sa.String(16), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
    )
    op.create_index("series_once", "series", ["source", "subject", "metric", "statistic", "period_s", "dimension"], unique=True)
    op.create_table(
        "chunk",
        sa.Column("shard", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("facet", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("bucket", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("rolled", sa.Boolean(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("chunk_age", "chunk", ["facet", "bucket"])
    op.create_table(
        "progress",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("last_end", sa.BigInteger(), nullable=False),
    )
