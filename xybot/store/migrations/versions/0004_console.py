"""What the API and the console need: events, the list of chats, sign-ins, hooks, hits of rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables and columns, and list the chats that there are."""
    redials = sa.Column("redials", sa.Integer, nullable=False, server_default="0")
    op.add_column("accounts", redials)
    op.add_column("turns", sa.Column("rule", sa.Text))
    by_rule = sa.text("rule IS NOT NULL")
    op.create_index("turns_by_rule", "turns", ["rule", "decided_at"], sqlite_where=by_rule)
    op.add_column("outbox", sa.Column("item", sa.Text))
    op.add_column("outbox", sa.Column("key", sa.Text))
    keyed = sa.text("key IS NOT NULL")
    op.create_index("outbox_by_key", "outbox", ["account", "key"], unique=True, sqlite_where=keyed)
    _chats()
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body_json", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hooks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text),
    )


def _chats() -> None:
    op.create_table(
        "chats",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("peer", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("item", sa.Text),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("unread", sa.Integer, nullable=False),
    )
    op.create_index("chats_by_time", "chats", ["account", "last_at"])
    # What was said before there was a list counts as read.
    op.execute(
        "INSERT INTO chats (account, chat, peer, name, item, last_at, unread)"
        " SELECT account, chat, max(sender), max(sender_name), max(item),"
        " max(coalesce(sent_at, received_at)), 0 FROM inbox WHERE chat IS NOT NULL"
        " AND kind IN ('text', 'image', 'voice', 'video', 'expression')"
        " GROUP BY account, chat"
    )
