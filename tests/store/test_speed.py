"""What must not grow with the store: the queries that every message meets use their index."""

from __future__ import annotations

import sqlalchemy as sa

from xybot.store import deliveries, inbox, limits, outbox
from xybot.store.database import Database, inline, open_store
from xybot.store.prepared import Prepared


def plan(db: Database, statement: Prepared | sa.Executable) -> str:
    core = statement._statement if isinstance(statement, Prepared) else statement
    compiled = core.compile(dialect=db.dialect)
    arguments = [None for _ in compiled.positiontup]
    rows = db.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {compiled}", arguments)
    return "; ".join(row[3] for row in rows)


async def test_every_query_of_the_hot_path_uses_an_index() -> None:
    async with open_store(None, run=inline) as store:
        for statement, index in (
            (outbox._DUE, "outbox_due"),
            (outbox._WAITING, "outbox_due"),
            (outbox._NEXT_DUE, "outbox_delayed"),
            (outbox._LAST_DUE, "outbox_delayed"),
            (outbox._DROP_IN_CHAT, "outbox_by_chat"),
            (limits._LATELY, "outbox_by_peer"),
            (limits._STOPPED, "turns_by_chat"),
            (outbox._UNCERTAIN, "outbox_due"),
            (outbox._KNOWN, "outbox_by_chat"),
            (outbox._UNNAMED, "outbox_by_chat"),
            (outbox._DROP, "outbox_due"),
            (outbox._SAID_BY, "outbox_by_chat"),
            (outbox._TOLD, "outbox_by_chat"),
            (deliveries._PERHAPS_SAID, "outbox_by_peer"),
            (outbox._SETTLE, "sqlite_autoindex_outbox"),
            (inbox._OPEN, "inbox_open"),
            (inbox._CLOSE_CHAT, "inbox_by_chat"),
            (inbox._CLOSE, "sqlite_autoindex_inbox"),
        ):
            assert index in (found := await store.transact(plan, statement)), found
