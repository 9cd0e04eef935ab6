"""What waits for its seller: each order with its reason, and the one thing to do about it."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, ItemId, OrderId, UserId
from xybot.store import deliveries
from xybot.store.database import Database
from xybot.store.deliveries import Given
from xybot.store.orders import NAMED
from xybot.store.schema import orders
from xybot.trade import ENDS, OrderState

Action: TypeAlias = Literal["deliver", "confirm", "again", "look"]
"""Give it its goods; tell the platform that it is shipped; send the lines again that did not
arrive; look at its chat and at the platform, for only a person can tell."""

_NOT_GIVEN: Final = "已付款，没有在自动发货 (paid, and nothing is being done)"
_S: Final = OrderState
_DONE: Final = (_S.DELIVERED, _S.CONFIRMED)


@attrs.frozen(kw_only=True)
class Todo:
    """Something to do for an order; None is unknown."""

    account: AccountId
    order: OrderId
    chat: ChatId
    """Empty: it is not known, and will be opened."""
    buyer: UserId | None
    name: str
    """The buyer's, as their chat has it."""
    item: ItemId | None
    title: str
    state: OrderState
    action: Action
    why: str
    since: int
    """When the order came where it stands (ms)."""


#: Nobody takes care of it: it is held, or paid with nothing due, or noted as a difference.
_WAITS: Final = sa.or_(
    orders.c.state == _S.HELD.value,
    sa.and_(
        orders.c.due_at.is_(None),
        sa.or_(
            orders.c.state == _S.PAID.value,
            sa.and_(orders.c.state == _S.PLACED.value, orders.c.knife),
            sa.and_(
                orders.c.why.is_not(None),
                orders.c.state.not_in([_S.PLACED.value, _S.DELIVERING.value]),
            ),
        ),
    ),
)
_LIST: Final = NAMED.where(orders.c.role.is_distinct_from("buyer"), _WAITS).order_by(
    orders.c.changed_at, orders.c.account, orders.c.order
)


def todo(db: Database, account: AccountId | None = None) -> tuple[Todo, ...]:
    """Return what is to be done for an account, or for all of them; what waited longest first."""
    query = _LIST if account is None else _LIST.where(orders.c.account == account)
    return tuple(_todo(db, row) for row in db.execute(query))


def _todo(db: Database, row: sa.Row[Any]) -> Todo:
    state = OrderState(row.state)
    return Todo(
        account=row.account,
        order=row.order,
        chat=row.chat,
        buyer=row.buyer,
        name=row.name or "",
        item=row.item,
        title=row.title or "",
        state=state,
        action=_action(state, deliveries.lines(db, row.account, row.order)),
        why=row.why or _NOT_GIVEN,
        since=row.changed_at,
    )


def _action(state: OrderState, given: tuple[Given, ...]) -> Action:
    """Return what a command can do for an order as it stands; where none can, to look."""
    if state in _DONE:
        return "confirm"
    became = {each.state for each in given}
    if state is _S.HELD and became == {"sent"}:
        return "confirm"
    if state is _S.HELD and became and became <= {"sent", "refused"}:
        return "again"
    if given or state is _S.COMPLETED or state in ENDS - {_S.REFUNDING}:
        return "look"
    return "deliver"
