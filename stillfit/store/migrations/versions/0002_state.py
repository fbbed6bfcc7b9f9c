"""What looking has cost, by month."""

import sqlalchemy as sa
from alembic import op

revision = "0002_state"
down_revision = "0001_state"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("usd", sa.Float(53), nullable=False),
    )
