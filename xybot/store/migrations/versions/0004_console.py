"""What the API and the console need: events, the list of chats, sign-ins, hooks, hits of rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


# What was said before there was a list counts as read.  Of several lines the last one tells
# who is there and what it is about: SQLite takes what stands beside a max from its row.
_LIST_OLD = """
WITH lines AS (
    SELECT account, chat, kind, sender, item, nullif(sender_name, '') AS name,
        kind IN ('text', 'image', 'voice', 'video', 'expression') AS is_theirs,
        coalesce(sent_at, received_at) AS at
    FROM inbox WHERE chat IS NOT NULL
),
last AS (
    SELECT account, chat, max(at) AS at FROM lines
    WHERE is_theirs OR kind IN ('own', 'card', 'tip') GROUP BY account, chat
),
named AS (
    SELECT account, chat, name, max(at) FROM lines
    WHERE is_theirs AND name IS NOT NULL GROUP BY account, chat
),
about AS (
    SELECT account, chat, item, max(at) FROM lines
    WHERE item IS NOT NULL GROUP BY account, chat
),
peers AS (
    SELECT account, chat, sender, max(at) FROM lines
    WHERE is_theirs GROUP BY account, chat
)
INSERT INTO chats (account, chat, peer, name, item, last_at, unread)
SELECT last.account, last.chat, sender, name, item, last.at, 0 FROM last
LEFT JOIN peers USING (account, chat)
LEFT JOIN named USING (account, chat)
LEFT JOIN about USING (account, chat)
"""


def upgrade() -> None:
    """Make the tables and columns, and list the chats that there are."""
    redials = sa.Column("redials", sa.Integer, nullable=False, server_default="0")
    op.add_column("accounts", redials)
    op.add_column("turns", sa.Column("rule", sa.Text))
    by_rule = sa.text("rule IS NOT NULL")
    op.create_index("turns_by_rule", "turns", ["rule", "decided_at"], sqlite_where=by_rule)
    op.add_column("outbox", sa.Column("item", sa.Text))
    op.add_column("outbox", sa.Column("key", sa.Text))
    op.add_column("outbox", sa.Column("wish", sa.Text))
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
    op.execute(_LIST_OLD)
