"""The first tables: accounts, inbox, turns, outbox, pauses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("parked", sa.Text),
        sa.Column("pasted", sa.Text, nullable=False),
        sa.Column("session_json", sa.Text),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("because", sa.Text),
        sa.Column("passed_json", sa.Text, nullable=False),
    )
    op.create_index("turns_by_chat", "turns", ["account", "chat", "id"])
    _inbox()
    _outbox()
    op.create_table(
        "pauses",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("chat", sa.Text),
        sa.Column("sender", sa.Text),
        sa.Column("sender_name", sa.Text),
        sa.Column("content_json", sa.Text),
        sa.Column("item", sa.Text),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id")),
        sa.UniqueConstraint("account", "message"),
    )
    op.create_index(
        "inbox_open", "inbox", ["account", "seq"], sqlite_where=sa.text("outcome IS NULL")
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("content_json", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id")),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("sending_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.UniqueConstraint("account", "uuid"),
    )
    op.create_index(
        "outbox_due",
        "outbox",
        ["account", "state", "urgent", "seq"],
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index("outbox_by_chat", "outbox", ["account", "chat", "source"])
