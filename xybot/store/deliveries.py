"""What was given for an order: one line for each message, and never two of the same line.

Whether a line is with its buyer is what the outbox says of its message; nothing here guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, MessageId, OrderId
from xybot.store import codes
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.prepared import Prepared
from xybot.store.schema import codes as stock
from xybot.store.schema import deliveries, orders, outbox
from xybot.trade import ENDS, OrderState

SOURCE: Final = "goods"
"""The source of the messages that deliver, in the outbox."""
OVER: Final = "订单已退款或关闭 (its order was refunded or closed)"
"""Why a message is not said after all that was on its way when its order ended."""
UNSEEN: Final = "[发货内容 (goods)]"
"""What stands for their words wherever codes are not to be seen."""


@attrs.frozen(kw_only=True)
class Given:
    """A line, and what became of its message."""

    line: int
    uuid: str
    content: str = attrs.field(repr=False)
    """As the outbox keeps it; secret, it may hold codes."""
    state: str
    """As in the outbox: queued · sending · sent · refused · held · dropped."""
    reason: str | None


_LINES: Final = Prepared(
    sa.select(
        deliveries.c.line,
        deliveries.c.uuid,
        outbox.c.content_json,
        outbox.c.state,
        outbox.c.reason,
    )
    .join(outbox, (outbox.c.account == deliveries.c.account) & (outbox.c.uuid == deliveries.c.uuid))
    .where(deliveries.c.account == sa.bindparam("of"), deliveries.c.order == sa.bindparam("id"))
    .order_by(deliveries.c.line)
)
_INSERT: Final = Prepared(
    sa.insert(deliveries).values(
        account=sa.bindparam("of"),
        order=sa.bindparam("id"),
        line=sa.bindparam("nth"),
        uuid=sa.bindparam("as"),
        queued_at=sa.bindparam("now"),
    )
)
_ORDER_OF: Final = Prepared(
    sa.select(deliveries.c.order).where(
        deliveries.c.account == sa.bindparam("of"), deliveries.c.uuid == sa.bindparam("as")
    )
)
_DROP: Final = Prepared(
    sa.update(outbox)
    .where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.uuid == sa.bindparam("as"),
        sa.text("state = 'queued'"),
    )
    .values(state="dropped", reason=sa.bindparam("why"), settled_at=sa.bindparam("now"))
)
_other: Final = outbox.alias("other")
#: `again` gives a line another message; what became of the one before may not be known.
_PERHAPS_SAID: Final = Prepared(
    sa.select(_other.c.seq)
    .join(
        outbox,
        (outbox.c.account == _other.c.account)
        & (outbox.c.peer == _other.c.peer)
        & (outbox.c.content_json == _other.c.content_json)
        & (outbox.c.uuid != _other.c.uuid),
    )
    .where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.uuid == sa.bindparam("as"),
        sa.text("other.state IN ('sending', 'held', 'sent')"),
    )
)
_CODES_IN: Final = Prepared(
    sa.select(stock.c.id)
    .join(orders, (orders.c.account == stock.c.account) & (orders.c.order == stock.c.order))
    .where(
        orders.c.account == sa.bindparam("of"),
        orders.c.chat == sa.bindparam("in"),
        sa.text('codes."order" IS NOT NULL'),
        sa.func.instr(sa.bindparam("said"), stock.c.code) > sa.text("0"),
    )
)
_GOODS_IN: Final = Prepared(
    sa.select(outbox.c.seq).where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.chat == sa.bindparam("in"),
        outbox.c.source == SOURCE,
        sa.text("instr(:said, json_extract(content_json, '$.text')) > 0"),
    )
)
#: Lines whose message is among these; a receipt names messages of ours by the platform's ids.
_SEEN: Final = sa.select(deliveries.c.order, deliveries.c.line).join(
    outbox, (outbox.c.account == deliveries.c.account) & (outbox.c.uuid == deliveries.c.uuid)
)


def lines(db: Database, account: AccountId, order: OrderId) -> tuple[Given, ...]:
    """Return what was given for an order, in its order."""
    return tuple(
        Given(
            line=row.line,
            uuid=row.uuid,
            content=row.content_json,
            state=row.state,
            reason=row.reason,
        )
        for row in _LINES.rows(db, {"of": account, "id": order})
    )


def add(
    db: Database, account: AccountId, order: OrderId, uuids: Iterable[str], *, now: int
) -> None:
    """Note that these messages are the lines of an order.

    Raises:
      IntegrityError: it has been given something before; the transaction must end.
    """
    rows = [
        {"of": account, "id": order, "nth": nth, "as": uuid, "now": now}
        for nth, uuid in enumerate(uuids)
    ]
    _INSERT.many(db, rows)


def order_of(db: Database, account: AccountId, uuid: str) -> OrderId | None:
    """Return the order that a message delivers; None: it delivers none."""
    rows = _ORDER_OF.rows(db, {"of": account, "as": uuid})
    return rows[0].order if rows else None


def placed(db: Database, account: AccountId, uuid: str, chat: ChatId, *, now: int) -> None:
    """Note which chat an order belongs to, where one of its messages had it opened."""
    if (order := order_of(db, account, uuid)) is None:
        return
    mine = (orders.c.account == account, orders.c.order == order)
    db.execute(sa.update(orders).where(*mine, orders.c.chat == "").values(chat=chat))
    if OrderState(db.scalar(sa.select(orders.c.state).where(*mine))) in ENDS:
        take_back(db, account, order, OVER, now=now)


def repeated(db: Database, account: AccountId, chat: ChatId, said: str) -> bool:
    """Tell whether words that were said in a chat hold goods that were given there."""
    asked = {"of": account, "in": chat, "said": said}
    return _GOODS_IN.exists(db, asked) or _CODES_IN.exists(db, asked)


def take_back(db: Database, account: AccountId, order: OrderId, why: str, *, now: int) -> None:
    """Do not say what is not on its way yet; its codes are free again, but for those in doubt."""
    back = [each for each in lines(db, account, order) if each.state == "queued"]
    named = [{"of": account, "as": each.uuid} for each in back]
    free = {
        each.line
        for each, key in zip(back, named, strict=True)
        if not _PERHAPS_SAID.exists(db, key)
    }
    for key in named:
        _DROP.run(db, key | {"why": why, "now": now})
    codes.give_back(db, account, order, free, now=now)


def again(db: Database, account: AccountId, renewed: Mapping[str, str], *, now: int) -> None:
    """Queue messages once more, word for word, under other uuids; the lines are those then."""
    for old, uuid in renewed.items():
        mine = (outbox.c.account == account, outbox.c.uuid == old)
        new = {
            **db.execute(sa.select(outbox).where(*mine)).one()._asdict(),
            "uuid": uuid,
            "state": "queued",
            "reason": None,
            "message": None,
            "queued_at": now,
            "sending_at": None,
            "settled_at": None,
        }
        del new["seq"]
        db.execute(sa.insert(outbox), new)
        line = (deliveries.c.account == account, deliveries.c.uuid == old)
        db.execute(sa.update(deliveries).where(*line).values(uuid=uuid, queued_at=now))


def seen(
    db: Database, account: AccountId, chat: ChatId, messages: Iterable[MessageId], *, now: int
) -> None:
    """Note that the buyer has read messages; what they delivered has arrived."""
    keys = converter.dumps([*messages]).decode()
    query = _SEEN.where(
        outbox.c.account == account,
        outbox.c.chat == chat,
        outbox.c.source == SOURCE,
        deliveries.c.seen_at.is_(None),
        outbox.c.message.in_(sa.text("SELECT value FROM json_each(:keys)")),
    )
    for row in db.execute(query, {"keys": keys}).all():
        mine = (deliveries.c.account == account, deliveries.c.order == row.order)
        line = deliveries.c.line == row.line
        db.execute(sa.update(deliveries).where(*mine, line).values(seen_at=now))
        codes.seen(db, account, row.order, row.line, now=now)
