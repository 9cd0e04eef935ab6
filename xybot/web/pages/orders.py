"""Orders: the list, one with its story, and what its seller says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, get_args
from urllib.parse import quote, urlencode

from starlette.responses import Response

from xybot.model import AccountId, OrderId
from xybot.store import sales
from xybot.store.by_hand import Wish
from xybot.store.sales import Asked, Given, Show, Story
from xybot.store.sales_csv import yuan
from xybot.trade import OrderState
from xybot.web import cursors, ordering
from xybot.web.api.orders import next_of
from xybot.web.cursors import Whole
from xybot.web.pages import words
from xybot.web.pages.visit import Visit, action, chat_path, page, to
from xybot.web.problems import Problem

_A_PAGE: Final = 40
_SHOWS: Final = get_args(Show)
_S: Final = OrderState
_SENT: Final = frozenset({_S.HELD, _S.DELIVERED, _S.CONFIRMED, _S.COMPLETED})
"""Where the same may be sent once more."""


@page("/orders")
async def orders(visit: Visit) -> Response:
    """Show the list."""
    query = visit.request.query_params
    named = visit.house.account(query.get("account", ""))
    asked = Asked(
        account=named.id if named else None,
        show=next((each for each in _SHOWS if each == query.get("show")), "all"),
        words=query.get("words", "")[:100],
        before=cursors.read(query.get("cursor", ""), tuple[Whole, AccountId, OrderId]),
        most=_A_PAGE,
    )
    found = await visit.house.store.read(sales.page, asked)
    return await visit.page(
        "orders.html",
        rows=[(each, order_path(each.account, each.order)) for each in found],
        more=next_of(found, _A_PAGE),
        asked=asked,
        filters=_filters(asked),
        accounts=[each.id for each in visit.house.loaded().config.accounts],
        words=words,
        yuan=yuan,
    )


def _filters(asked: Asked) -> str:
    """Return what of the address goes with every part of the list."""
    given = {"show": asked.show, "account": asked.account, "words": asked.words}
    return urlencode({name: value for name, value in given.items() if value})


def order_path(account: AccountId, order: OrderId) -> str:
    """Return where the page of an order is."""
    return f"/orders/{quote(account, safe='')}/{quote(order, safe='')}"


@page("/orders/{account}/{order}")
async def order(visit: Visit) -> Response:
    """Show the story of one."""
    return await _shown(visit)


async def _shown(
    visit: Visit, *, codes: Sequence[Given] | None = None, wrong: str = "", status: int = 200
) -> Response:
    account, id_ = _place(visit)
    story = await ordering.story(visit.house, account, id_)
    return await visit.page(
        "order.html",
        status,
        story=story,
        order=story.order,
        here=order_path(account, id_),
        chat=chat_path(account, story.order.chat),
        wishes=tuple(_wishes(story)),
        codes=codes,
        words=words,
        yuan=yuan,
        wrong=wrong,
    )


def _place(visit: Visit) -> tuple[AccountId, OrderId]:
    return AccountId(visit.path("account")), OrderId(visit.path("order"))


def _wishes(story: Story) -> Iterator[Wish]:
    """Yield what can be done with an order as it stands."""
    state = story.order.state
    if story.order.role == "buyer":
        return
    if state in (_S.PAID, _S.HELD) and not story.deliveries:
        yield "deliver"
    if state in (_S.PAID, _S.HELD, _S.DELIVERED):
        yield "confirm"
    if state in _SENT and story.deliveries:
        yield "again"


@action("/orders/{account}/{order}/deliver", "send")
async def deliver(visit: Visit) -> Response:
    """Deliver it, or try again."""
    return await _granted(visit, "deliver")


@action("/orders/{account}/{order}/confirm", "send")
async def confirm(visit: Visit) -> Response:
    """Only tell the platform that it is shipped."""
    return await _granted(visit, "confirm")


@action("/orders/{account}/{order}/again", "send")
async def again(visit: Visit) -> Response:
    """Send the same codes once more."""
    return await _granted(visit, "again")


async def _granted(visit: Visit, wish: Wish) -> Response:
    account, id_ = _place(visit)
    try:
        await ordering.grant(visit.house, account, id_, wish)
    except Problem as exc:
        if exc.status != 409:  # it cannot be done as the order stands
            raise
        return await _shown(visit, wrong=str(exc), status=exc.status)
    return to(order_path(account, id_), notice=f"order_{wish}")


@action("/orders/{account}/{order}/codes", "admin")
async def codes(visit: Visit) -> Response:
    """Show the codes of one, for somebody who asked to see them."""
    account, id_ = _place(visit)
    return await _shown(visit, codes=await visit.house.store.read(sales.codes_of, account, id_))


PAGES: Final = (orders, order, deliver, confirm, again, codes)
