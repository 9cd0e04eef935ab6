"""Gaps in a connection, and how far the inbox is complete; accounts say why they are parked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of gaps, and the columns and indexes that go with it."""
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("reported_at", sa.BigInteger),
        sa.Column("recovered", sa.Integer),
        sa.Column("answered", sa.Integer),
        sa.Column("late", sa.Integer),
        sa.Column("skipped", sa.Integer),
        sa.Column("unaccounted", sa.Integer),
    )
    op.create_index("gaps_by_account", "gaps", ["account", "id"])
    op.add_column("accounts", sa.Column("parked_cause", sa.Text))
    op.add_column("accounts", sa.Column("dialled_at", sa.BigInteger))
    op.add_column("accounts", sa.Column("caught_up_to", sa.BigInteger))
    # Written out: SQLite takes a reference in a new column, Alembic would rebuild the table.
    op.execute("ALTER TABLE inbox ADD COLUMN gap INTEGER REFERENCES gaps (id)")
    op.create_index("outbox_by_turn", "outbox", ["turn"])
    op.create_index("inbox_by_time", "inbox", ["received_at"])
    op.create_index("inbox_by_gap", "inbox", ["gap"], sqlite_where=sa.text("gap IS NOT NULL"))
