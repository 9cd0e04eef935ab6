"""Steps of orders after which something may be said, and what a further step takes back.

Both are stored together with the step itself.  What is said, and when, is the business of
`xybot.store.follow_ups`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, OrderId
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.prepared import Prepared, parameters
from xybot.store.schema import KEYED, follow_ups, outbox
from xybot.trade import OrderState

_S = OrderState
FITS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _S.PLACED: frozenset({_S.PLACED}),
    _S.DELIVERED: frozenset({_S.DELIVERED, _S.CONFIRMED, _S.COMPLETED}),
    _S.CONFIRMED: frozenset({_S.CONFIRMED, _S.COMPLETED}),
    _S.COMPLETED: frozenset({_S.COMPLETED}),
}
"""Step -> where an order has to stand for something to be said after that step."""

LATE: Final = 86_400_000
"""Milliseconds after which nobody expects any more that something is said."""
_LAST: Final = "\U0010ffff"
_GONE: Final = "订单已经不是那个状态了 (the order went on)"

_NOTE: Final = Prepared(
    insert(follow_ups)
    .values(parameters(follow_ups))
    .on_conflict_do_nothing(index_elements=["account", "order", "after", "name"])
)
_GONE_STEPS: Final = "IN (SELECT value FROM json_each(:gone))"
_FORGET: Final = Prepared(
    sa.delete(follow_ups).where(
        follow_ups.c.account == sa.bindparam("of"),
        follow_ups.c.order == sa.bindparam("id"),
        sa.text(f"after {_GONE_STEPS}"),
    )
)
_DROP: Final = Prepared(
    sa.update(outbox)
    .where(
        outbox.c.account == sa.bindparam("of"),
        KEYED,
        outbox.c.key >= sa.bindparam("first"),
        outbox.c.key < sa.bindparam("end"),
        sa.text(f"wish {_GONE_STEPS}"),
        sa.text("state IN ('queued', 'draft')"),
    )
    .values(state="dropped", reason=_GONE, settled_at=sa.bindparam("now"))
)


@attrs.frozen
class Noted:
    """A step, and what is to be said after it."""

    step: OrderState
    at: int
    """When it was taken (ms)."""
    name: str = ""
    """Of the follow-up; empty: nobody has looked yet which there are."""


def key(order: OrderId, name: str, nth: int = 0) -> str:
    """Return what tells a message from all others that are said, or wished by programs."""
    return f"{_prefix(order)}{nth}/{name}"


def _prefix(order: OrderId) -> str:
    return f"follow-up/{order}/"


def note(db: Database, account: AccountId, order: OrderId, noted: Noted, *, due_at: int) -> None:
    """Note that something is to be said after a step, if that was not noted before."""
    row = {"account": account, "order": order, "after": noted.step.value, "name": noted.name}
    _NOTE.run(db, row | {"at": noted.at, "due_at": due_at})


def take_back(
    db: Database, account: AccountId, order: OrderId, here: OrderState, *, now: int
) -> None:
    """Do not say what does not fit where an order stands now."""
    gone = converter.dumps([step.value for step in FITS if here not in FITS[step]]).decode()
    _FORGET.run(db, {"of": account, "id": order, "gone": gone})
    keys = {"first": _prefix(order), "end": _prefix(order) + _LAST}
    _DROP.run(db, {"of": account, "gone": gone, "now": now} | keys)
