"""What replies need to know: items, uploads, haggles, calls of a model; drafts and delays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables and columns."""
    op.add_column("turns", sa.Column("mode", sa.Text))
    op.add_column("turns", sa.Column("held", sa.Text))
    op.add_column("outbox", sa.Column("due_at", sa.BigInteger))
    op.create_index("outbox_by_peer", "outbox", ["account", "peer", "queued_at"])
    delayed = sa.text("state = 'queued' AND due_at IS NOT NULL")
    columns = ["account", "chat", "due_at"]
    op.create_index("outbox_delayed", "outbox", columns, sqlite_where=delayed)
    drafts = sa.text("state = 'draft'")
    op.create_index("outbox_drafts", "outbox", ["account", "seq"], sqlite_where=drafts)
    op.create_index("inbox_by_chat", "inbox", ["account", "chat", "seq"])
    op.create_table(
        "items",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("facts_json", sa.Text),
        sa.Column("fetched_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("uploaded_at", sa.BigInteger, nullable=False),
    )
    _haggles()
    _ai_calls()


def _haggles() -> None:
    op.create_table(
        "haggles",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("asked", sa.Integer),
        sa.Column("offered", sa.Integer),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id")),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("haggles_by_chat", "haggles", ["account", "chat", "item", "id"])


def _ai_calls() -> None:
    op.create_table(
        "ai_calls",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ai_calls_by_time", "ai_calls", ["account", "at"])
