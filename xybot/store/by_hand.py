"""What a seller wishes to be done with an order, whatever they say it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias, assert_never

import attrs

from xybot.model import AccountId, OrderId
from xybot.store import giving, orders
from xybot.store.database import Database
from xybot.trade import Step

Wish: TypeAlias = Literal["deliver", "confirm", "again"]
"""Deliver it, or try again; only tell the platform that it is shipped; send the same once more."""

_WORDS: Final = "卖家要求 (its seller asked for it)"


@attrs.frozen
class Granted:
    """What became of a wish."""

    refused: str | None
    """Why it cannot be done, in words; None: it can."""
    steps: tuple[Step, ...] = ()
    """Where that took the order, if elsewhere."""


def grant(  # noqa: PLR0913  # a wish, and what it is about
    db: Database,
    account: AccountId,
    order: OrderId,
    wish: Wish,
    uuid: Callable[[], str],
    *,
    now: int,
) -> Granted:
    """Have it done, if it can be; `uuid` makes names for messages."""
    before = orders.find(db, account, order)
    refused = _do(db, account, order, wish, uuid, now=now)
    after = orders.find(db, account, order)
    if refused is not None or before is None or after is None or before.state is after.state:
        return Granted(refused)
    step = Step(order=order, old=before.state, new=after.state, source="seller", why=_WORDS)
    return Granted(None, (step,))


def _do(  # noqa: PLR0913  # as above
    db: Database,
    account: AccountId,
    order: OrderId,
    wish: Wish,
    uuid: Callable[[], str],
    *,
    now: int,
) -> str | None:
    match wish:
        case "deliver":
            return giving.release(db, account, order, now=now)
        case "confirm":
            return giving.confirm_only(db, account, order, now=now)
        case "again":
            return giving.again(db, account, order, uuid, now=now)
        case _:
            assert_never(wish)
