"""What is said after steps of orders: each follow-up once for each order, or never.

A step notes in its own transaction that something may be said after it.  A task then looks up
what there is to say, and when; that is stored, and has to wait here: in the outbox it would hold
up its chat, and grow too old to be said.  When its time has come it is queued and forgotten in
one transaction, under a key of which the outbox takes only one.  So wherever the process is
killed, what is left to do stands here, and what was done stands there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, Outgoing, ReplyMode, Sayable
from xybot.store import afterwards, chatlist, orders, outbox
from xybot.store.afterwards import FITS, LATE
from xybot.store.database import Database
from xybot.store.orders import Order
from xybot.store.outbox import Origin
from xybot.store.prepared import Prepared, Row
from xybot.store.schema import KEYED, follow_ups, pauses
from xybot.store.schema import outbox as messages
from xybot.trade import OrderFacts, OrderState, Step

SOURCE: Final = "follow_up"
"""The source of such messages, in the outbox."""
_TOO_LATE: Final = "过了该说的时间太久 (long after its time)"
_TAKEN_OVER: Final = "会话由卖家接管 (its seller has the chat)"


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be said after a step, and how long after it."""

    name: str
    after: OrderState
    delay: int
    """Milliseconds."""


@attrs.frozen(kw_only=True)
class Waiting:
    """A follow-up of an order whose time has come."""

    order: Order
    name: str
    after: OrderState
    at: int
    """When that step was taken (ms)."""


@attrs.frozen(kw_only=True)
class Taken:
    """What is to be said now, and when to look again."""

    waiting: tuple[Waiting, ...]
    next_due: int | None


@attrs.frozen(kw_only=True)
class Wish:
    """What is to be said, and what is to become of it."""

    contents: tuple[Sayable, ...]
    due_at: int
    """When it was to be said (ms); long after that it is not."""
    mode: ReplyMode = "send"
    held: str = ""
    """Why it is not sent, for a `mode` other than send."""


@attrs.frozen(kw_only=True)
class Followed:
    """What became of a wish."""

    messages: tuple[Outgoing, ...]
    mode: ReplyMode | None
    """None: they were dropped."""
    why: str = ""


_MINE: Final = follow_ups.c.account == sa.bindparam("of")
_DUE: Final = Prepared(
    sa.select(follow_ups)
    .where(_MINE, follow_ups.c.due_at <= sa.bindparam("now"))
    .order_by(follow_ups.c.due_at)
    .limit(sa.bindparam("most"))
)
_NEXT_DUE: Final = Prepared(sa.select(sa.func.min(follow_ups.c.due_at).label("at")).where(_MINE))
_ONE: Final = (
    _MINE,
    follow_ups.c.order == sa.bindparam("id"),
    follow_ups.c.after == sa.bindparam("step"),
    follow_ups.c.name == sa.bindparam("called"),
)
_FORGET: Final = Prepared(sa.delete(follow_ups).where(*_ONE))
_POSTPONE: Final = Prepared(sa.update(follow_ups).where(*_ONE).values(due_at=sa.bindparam("until")))
_SAID: Final = Prepared(
    sa.select(messages.c.seq).where(
        messages.c.account == sa.bindparam("of"), KEYED, messages.c.key == sa.bindparam("known")
    )
)
_DROP: Final = Prepared(
    sa.update(messages)
    .where(messages.c.account == sa.bindparam("of"), messages.c.uuid == sa.bindparam("as"))
    .values(state="dropped", reason=sa.bindparam("why"), settled_at=sa.bindparam("now"))
)
_PAUSED: Final = Prepared(
    sa.select(pauses.c.until).where(
        pauses.c.account == sa.bindparam("of"),
        pauses.c.chat == sa.bindparam("in"),
        pauses.c.until > sa.bindparam("now"),
    )
)


def take(db: Database, account: AccountId, plans: Sequence[Plan], *, most: int, now: int) -> Taken:
    """Write down what is planned after new steps; return what is due.

    Whatever is returned is due until it is settled, postponed or forgotten.
    """
    waiting: list[Waiting] = []
    for row in _DUE.rows(db, {"of": account, "now": now, "most": most}):
        order = orders.find(db, account, row.order)
        assert order is not None
        if row.name:
            waiting.append(_waiting(row, order))
            continue
        _forget(db, order, row.after, row.name)
        for plan in plans:
            if plan.after.value == row.after:
                new = afterwards.Noted(plan.after, name=plan.name, at=row.at)
                afterwards.note(db, account, order.id, new, due_at=row.at + plan.delay)
    (found,) = _NEXT_DUE.rows(db, {"of": account})
    return Taken(waiting=tuple(waiting), next_due=found.at)


def postpone(db: Database, waiting: Waiting, *, at: int) -> None:
    """Look at something again at a later time (ms)."""
    mine = _row(waiting.order, waiting.after.value, waiting.name)
    _POSTPONE.run(db, mine | {"until": at})


def forget(db: Database, waiting: Waiting) -> None:
    """Never say something."""
    _forget(db, waiting.order, waiting.after.value, waiting.name)


@attrs.frozen
class Learnt:
    """An order, and where it went by what was learnt of it."""

    order: Order
    steps: tuple[Step, ...]


def learn(db: Database, order: Order, facts: OrderFacts, *, now: int) -> Learnt:
    """Keep what the order API tells of an order, wherever it stands by now."""
    steps = orders.checked(db, order, facts, now=now)
    return Learnt(orders.now_of(db, order), steps)


def say(
    db: Database, waiting: Waiting, wish: Wish, uuid: Callable[[], str], *, now: int
) -> Followed | None:
    """Queue what is to be said, or drop it with a reason.

    Returns:
      None when its order is not where it has to be any more, or it was said before.
    """
    order = orders.find(db, waiting.order.account, waiting.order.id)
    forget(db, waiting)
    if order is None or order.role != "seller" or order.buyer is None:
        return None
    known = {"of": order.account, "known": afterwards.key(order.id, waiting.name)}
    if order.state not in FITS[waiting.after] or _SAID.exists(db, known):
        return None
    made = tuple(_message(order, waiting.name, each, uuid()) for each in wish.contents)
    for nth, each in enumerate(made):
        origin = Origin(
            turn=None,
            now=now,
            mode=wish.mode,
            held=wish.held,
            key=afterwards.key(order.id, waiting.name, nth),
            wish=waiting.after.value,
        )
        outbox.put_as(db, order.account, [each], origin)
    if (why := _why_not(db, order, wish, now=now)) is not None:
        dropped = {"of": order.account, "why": why, "now": now}
        _DROP.many(db, [dropped | {"as": each.uuid} for each in made])
        return Followed(messages=made, mode=None, why=why)
    if wish.mode != "dry_run":
        chatlist.written(db, order.account, made[0], order.item, now=now)
    return Followed(messages=made, mode=wish.mode, why=wish.held)


def _why_not(db: Database, order: Order, wish: Wish, *, now: int) -> str | None:
    if now - wish.due_at > LATE:
        return _TOO_LATE
    here = {"of": order.account, "in": order.chat, "now": now}
    return _TAKEN_OVER if _PAUSED.exists(db, here) else None


def _message(order: Order, name: str, content: Sayable, uuid: str) -> Outgoing:
    assert order.buyer is not None
    return Outgoing(
        uuid=uuid,
        chat=order.chat,
        to=order.buyer,
        content=content,
        source=SOURCE,
        because=f"{name} → {order.id}",
    )


def _waiting(row: Row, order: Order) -> Waiting:
    after = OrderState(row.after)
    return Waiting(order=order, name=row.name, after=after, at=row.at)


def _forget(db: Database, order: Order, after: str, name: str) -> None:
    _FORGET.run(db, _row(order, after, name))


def _row(order: Order, after: str, name: str) -> dict[str, object]:
    return {"of": order.account, "id": order.id, "step": after, "called": name}
