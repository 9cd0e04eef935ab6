"""How much was said to a buyer lately, for the limits that end a loop between two bots."""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, Turn
from xybot.store.database import Database
from xybot.store.prepared import Prepared
from xybot.store.schema import outbox, turns

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR


@attrs.frozen
class Lately:
    """Replies to a buyer, each counted once however many messages it had."""

    in_chat: int
    """In this chat, within an hour."""
    to_buyer: int
    """In all chats of the buyer, within a day."""


_OF_THE_CHAT: Final = sa.and_(
    outbox.c.chat == sa.bindparam("in"), outbox.c.queued_at > sa.bindparam("an_hour_ago")
)
_LATELY: Final = Prepared(
    sa.select(
        sa.func.count(sa.distinct(sa.case((_OF_THE_CHAT, outbox.c.turn)))).label("in_chat"),
        sa.func.count(sa.distinct(outbox.c.turn)).label("to_buyer"),
    ).where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.peer == sa.bindparam("who"),
        outbox.c.queued_at > sa.bindparam("a_day_ago"),
        sa.text("state NOT IN ('refused', 'dropped')"),
    )
)
_STOPPED: Final = sa.select(turns.c.id).where(
    turns.c.account == sa.bindparam("of"),
    turns.c.chat == sa.bindparam("in"),
    turns.c.outcome == "skipped",
    turns.c.decided_at > sa.bindparam("since"),
    sa.func.json_extract(turns.c.passed_json, "$[0][0]") == sa.bindparam("by"),
)


def lately(db: Database, turn: Turn, *, now: int) -> Lately:
    """Count the replies to the buyer of a turn; those that nobody heard are not counted."""
    asked = {
        "of": turn.account,
        "in": turn.chat,
        "who": turn.last.sender,
        "an_hour_ago": now - HOUR,
        "a_day_ago": now - DAY,
    }
    (row,) = _LATELY.rows(db, asked)
    return Lately(row.in_chat, row.to_buyer)


def was_stopped(db: Database, account: AccountId, chat: ChatId, gate: str, *, since: int) -> bool:
    """Tell whether a gate has kept us from answering in a chat since then (ms)."""
    asked = {"of": account, "in": chat, "by": gate, "since": since}
    return db.execute(_STOPPED.order_by(turns.c.id.desc()).limit(1), asked).first() is not None
