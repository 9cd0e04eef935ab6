"""What was asked for and offered while haggling, chat by chat."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from xybot.model import AccountId, ChatId, ItemId, Offer, Turn
from xybot.store.database import Database
from xybot.store.schema import haggles, outbox

#: Nobody heard it: neither is it a round, nor does it bind us.
_UNSAID: Final = ("draft", "dry_run", "refused", "dropped")
_PAST: Final = (
    sa.select(haggles.c.item, haggles.c.asked, haggles.c.offered)
    .where(
        haggles.c.account == sa.bindparam("of"),
        haggles.c.chat == sa.bindparam("in"),
        haggles.c.item == sa.bindparam("about"),
        sa.exists().where(outbox.c.turn == haggles.c.turn, outbox.c.state.not_in(_UNSAID)),
    )
    .order_by(haggles.c.id)
)


def record(db: Database, turn: Turn, id_: int, offer: Offer, *, now: int) -> None:
    """Store an offer together with the answer that names it.

    Args:
      db: the database.
      turn: what the buyer said.
      id_: the stored turn whose messages name the offer.
      offer: what was asked for and what we made of it.
      now: milliseconds.
    """
    row = {
        "account": turn.account,
        "chat": turn.chat,
        "item": offer.item,
        "asked": offer.asked,
        "offered": offer.made,
        "turn": id_,
        "at": now,
    }
    db.execute(sa.insert(haggles), row)


def past(db: Database, account: AccountId, chat: ChatId, item: ItemId) -> tuple[Offer, ...]:
    """Return the offers about an item that the buyer has heard, or is about to; oldest first."""
    rows = db.execute(_PAST, {"of": account, "in": chat, "about": item})
    return tuple(Offer(item=row.item, asked=row.asked, made=row.offered) for row in rows)
