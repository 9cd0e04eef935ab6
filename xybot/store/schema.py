"""The tables.  Times are milliseconds since 1970; texts named `*_json` hold JSON.

A new database is made from here, an older one is brought here by the migrations: a change
needs a step in `migrations/versions` and its number in `HEAD`; a test compares the two.
"""

from __future__ import annotations

import functools
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

HEAD: Final = "0005"
"""The migration that this version of xybot is written for."""

#: The terms of the partial indexes.  SQLite uses such an index only for a query that has the
#: very same term in it, written out; so queries take it from here.
OPEN: Final = sa.text("outcome IS NULL")
UNSETTLED: Final = sa.text("state IN ('queued', 'sending')")
DELAYED: Final = sa.text("state = 'queued' AND due_at IS NOT NULL")
DRAFTS: Final = sa.text("state = 'draft'")
RECOVERED: Final = sa.text("gap IS NOT NULL")
BY_RULE: Final = sa.text("rule IS NOT NULL")
KEYED: Final = sa.text("key IS NOT NULL")
DUE: Final = sa.text("due_at IS NOT NULL")
HELD: Final = sa.text("state = 'held'")
GIVEN: Final = sa.text('"order" IS NOT NULL')

metadata = sa.MetaData()

#: Where Alembic keeps the number of the last migration; as it makes the table itself.
_migrated = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),  # of its settings: a new one is a restart
    sa.Column("wanted", sa.Boolean, nullable=False),
    sa.Column("parked", sa.Text),  # what it waits for, or NULL
    sa.Column("parked_cause", sa.Text),  # the same as a word of `errors.Cause`
    sa.Column("pasted", sa.Text, nullable=False, default=""),  # fingerprint of the pasted cookie
    sa.Column("session_json", sa.Text),  # cookies, device id, token: secret
    sa.Column("dialled_at", sa.BigInteger),
    # Everything said before this moment, by the platform's clock, is in the inbox.
    sa.Column("caught_up_to", sa.BigInteger),
    # A higher number than the running account has seen: connect anew.
    sa.Column("redials", sa.Integer, nullable=False, default=0, server_default="0"),
)

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("chat", sa.Text, primary_key=True),
    sa.Column("peer", sa.Text),  # the other side, where a line of theirs told
    sa.Column("name", sa.Text),
    sa.Column("item", sa.Text),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("unread", sa.Integer, nullable=False),  # lines since the seller last looked
    sa.Index("chats_by_time", "account", "last_at"),
)

gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("because", sa.Text, nullable=False),
    # The report, once the messages of the gap have their outcomes.
    sa.Column("reported_at", sa.BigInteger),
    sa.Column("recovered", sa.Integer),
    sa.Column("answered", sa.Integer),
    sa.Column("late", sa.Integer),
    sa.Column("skipped", sa.Integer),
    sa.Column("unaccounted", sa.Integer),
    sa.Index("gaps_by_account", "account", "id"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),  # answered · silent · skipped · late · failed
    sa.Column("source", sa.Text),
    sa.Column("because", sa.Text),
    sa.Column("passed_json", sa.Text, nullable=False),
    sa.Column("mode", sa.Text),  # of its reply: send · draft · dry_run
    sa.Column("held", sa.Text),  # why it is not sent at once
    sa.Column("rule", sa.Text),  # fingerprint of the rule that answered
    sa.Index("turns_by_chat", "account", "chat", "id"),
    sa.Index("turns_by_rule", "rule", "decided_at", sqlite_where=BY_RULE),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("chat", sa.Text),
    sa.Column("sender", sa.Text),
    sa.Column("sender_name", sa.Text),
    sa.Column("content_json", sa.Text),  # what it says, or shows
    sa.Column("item", sa.Text),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),  # the entry as it came
    sa.Column("outcome", sa.Text),  # NULL: still open
    sa.Column("turn", sa.ForeignKey("turns.id")),
    sa.Column("gap", sa.ForeignKey("gaps.id")),  # said while we were not there
    sa.UniqueConstraint("account", "message"),
    sa.Index("inbox_open", "account", "seq", sqlite_where=OPEN),
    sa.Index("inbox_by_time", "received_at"),
    sa.Index("inbox_by_chat", "account", "chat", "seq"),
    sa.Index("inbox_by_gap", "gap", sqlite_where=RECOVERED),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("uuid", sa.Text, nullable=False),
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("content_json", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("because", sa.Text, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False, default=False),
    # draft · dry_run · queued · sending · sent · refused · held · dropped
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),  # of a refusal, a doubt, a drop
    sa.Column("message", sa.Text),  # the platform's id, once sent
    sa.Column("turn", sa.ForeignKey("turns.id")),
    sa.Column("queued_at", sa.BigInteger, nullable=False),
    sa.Column("sending_at", sa.BigInteger),
    sa.Column("settled_at", sa.BigInteger),
    sa.Column("due_at", sa.BigInteger),  # not to be said before; NULL: at once
    sa.Column("item", sa.Text),  # what a chat is to be opened about, when `chat` is empty
    sa.Column("key", sa.Text),  # a fingerprint of the Idempotency-Key it was asked for with
    sa.Column("wish", sa.Text),  # a fingerprint of what was asked for with it
    sa.UniqueConstraint("account", "uuid"),
    sa.Index("outbox_by_key", "account", "key", unique=True, sqlite_where=KEYED),
    sa.Index(
        "outbox_due",
        "account",
        "state",
        "urgent",
        "seq",
        sqlite_where=UNSETTLED,
    ),
    sa.Index("outbox_by_chat", "account", "chat", "source"),
    sa.Index("outbox_by_peer", "account", "peer", "queued_at"),
    sa.Index("outbox_delayed", "account", "chat", "due_at", sqlite_where=DELAYED),
    sa.Index("outbox_drafts", "account", "seq", sqlite_where=DRAFTS),
    sa.Index("outbox_by_turn", "turn"),
)

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("chat", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)

items = sa.Table(
    "items",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("facts_json", sa.Text),  # NULL: the platform does not know it
    sa.Column("fetched_at", sa.BigInteger, nullable=False),
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),  # of the file
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("uploaded_at", sa.BigInteger, nullable=False),
)

haggles = sa.Table(
    "haggles",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("asked", sa.Integer),  # what the buyer offered, in fen, if it was a number
    sa.Column("offered", sa.Integer),  # the price we named, in fen; NULL: the last word
    sa.Column("turn", sa.ForeignKey("turns.id")),  # it counts when a message of it is said
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("haggles_by_chat", "account", "chat", "item", "id"),
)

ai_calls = sa.Table(
    "ai_calls",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("ai_calls_by_time", "account", "at"),
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("order", sa.Text, primary_key=True),
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("role", sa.Text),  # seller · buyer, of our account; NULL: nobody told
    sa.Column("buyer", sa.Text),
    sa.Column("item", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("spec", sa.Text),
    sa.Column("quantity", sa.Integer),
    sa.Column("amount", sa.BigInteger),  # fen
    sa.Column("knife", sa.Boolean, nullable=False, default=False),
    sa.Column("state", sa.Text, nullable=False),  # of `xybot.trade.OrderState`
    sa.Column("why", sa.Text),  # it is held, or something is tried again
    sa.Column("goods", sa.Text),  # the name of what is given for it, once that is known
    sa.Column("ship", sa.Boolean, nullable=False, default=False),  # to be confirmed as shipped
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("paid_at", sa.BigInteger),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger),  # when there is something to do; NULL: nothing is
    sa.Column("tries", sa.Integer, nullable=False, default=0),  # of what is to be done
    sa.Index("orders_due", "account", "due_at", sqlite_where=DUE),
    sa.Index("orders_held", "account", "changed_at", sqlite_where=HELD),
    sa.Index("orders_by_chat", "account", "chat"),
    sa.Index("orders_by_time", "changed_at"),
    sa.Index("orders_by_buyer", "account", "buyer"),
)

#: The whole story of an order: every step that was told or taken, those that changed nothing too.
order_steps = sa.Table(
    "order_steps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("order", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("told", sa.Text),  # the step that was told, or taken
    sa.Column("state", sa.Text, nullable=False),  # where the order stood after it
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Index("order_steps_by_order", "account", "order", "id"),
)

#: What was given for an order: a line is one message of it, and there is only one of each.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("order", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("uuid", sa.Text, nullable=False),  # of its message in the outbox
    sa.Column("queued_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger),  # its buyer has read it
    sa.Index("deliveries_by_uuid", "account", "uuid", unique=True),
)

#: What is to be said after a step of an order.  It is forgotten when its time has come: the outbox
#: knows it then, by its key.
follow_ups = sa.Table(
    "follow_ups",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("order", sa.Text, primary_key=True),
    sa.Column("after", sa.Text, primary_key=True),  # the step
    sa.Column("name", sa.Text, primary_key=True),  # empty: nobody looked yet what there is to say
    sa.Column("at", sa.BigInteger, nullable=False),  # when the step was taken
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Index("follow_ups_due", "account", "due_at"),
)

codes = sa.Table(
    "codes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),  # secret: it is worth money
    sa.Column("state", sa.Text, nullable=False),  # unused · reserved · sent · quarantined
    sa.Column("imported_at", sa.BigInteger, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("order", sa.Text),  # whose it is: for ever, once it was sent
    sa.Column("line", sa.Integer),
    sa.Column("why", sa.Text),  # it is quarantined
    sa.UniqueConstraint("batch", "code"),
    sa.Index("codes_free", "batch", "state", "id"),
    sa.Index("codes_by_order", "account", "order", sqlite_where=GIVEN),
)

#: What happened to each code; every row proves the one before it.
receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("code", sa.ForeignKey("codes.id"), nullable=False),
    # imported · reserved · returned · sent · seen · confirmed · quarantined
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("order", sa.Text),
    sa.Column("proof", sa.Text, nullable=False),  # hash of the row before, and of this one
    sa.Index("receipts_by_code", "code", "id"),
    sqlite_autoincrement=True,
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("body_json", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # an id never comes twice, whatever was pruned
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # a hash of what the browser keeps
    sa.Column("token", sa.Text, nullable=False),  # fingerprint of the token it signed in with
    sa.Column("until", sa.BigInteger, nullable=False),
)

hooks = sa.Table(
    "hooks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("cursor", sa.BigInteger, nullable=False),  # the last event that is done with
    sa.Column("tries", sa.Integer, nullable=False),  # of the next one
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("trouble", sa.Text),
)


def create(db: sa.Connection) -> None:
    """Make all tables in an empty database, whole or not at all, as the migrations make them."""
    with db.begin():
        for statement in _statements():
            db.exec_driver_sql(statement)
        db.execute(_migrated.insert().values(version_num=HEAD))


@functools.cache
def _statements() -> tuple[str, ...]:
    # Once: a rehearsal makes a database for each thing that it tries.
    found: list[str] = []

    def note(ddl: sa.schema.ExecutableDDLElement, *_: object, **__: object) -> None:
        found.append(str(ddl.compile(dialect=sqlite.dialect())))

    engine = sa.create_mock_engine("sqlite://", note)
    for tables in (metadata, _migrated.metadata):
        tables.create_all(engine, checkfirst=False)
    return tuple(found)
