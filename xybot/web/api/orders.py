"""Orders: the list, the story of one, and what its seller says of it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import attrs
from msgspec import Meta
from starlette.responses import Response

from xybot.model import AccountId, ChatId, ItemId, MessageId, OrderId, Role, UserId
from xybot.store import sales
from xybot.store.sales import Asked, Show
from xybot.store.sales_csv import BOM, as_csv
from xybot.trade import OrderState, TradeSource
from xybot.web import cursors, ordering
from xybot.web.api.shapes import InAccount, Ms
from xybot.web.cursors import CursorText, Limit, Whole
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.sending import known

StateName: TypeAlias = Literal[
    "placed",
    "paid",
    "delivering",
    "delivered",
    "confirmed",
    "completed",
    "refunding",
    "refunded",
    "closed",
    "held",
]
CSV: Final = "text/csv"


@attrs.frozen(kw_only=True)
class OrderFilter:
    """Which orders."""

    account: Annotated[str, Meta(description="只看这个账号 (of this account only)")] = ""
    show: Annotated[
        Show,
        Meta(description="held 待处理 · open 进行中 · done 已完成 (wait for you, go on, are over)"),
    ] = "all"
    state: Annotated[StateName, Meta(description="只看这个状态 (in this state)")] | None = None
    words: Annotated[
        str,
        Meta(
            max_length=100,
            description="订单、商品、买家的编号，或昵称、标题的一部分 (an id, or part of a name)",
        ),
    ] = ""


@attrs.frozen(kw_only=True)
class OrderQuery(OrderFilter):
    """Which orders, and which part of them."""

    cursor: CursorText = ""
    limit: Limit = 50


@attrs.frozen(kw_only=True)
class InOrder(InAccount):
    """An order of an account."""

    order: Annotated[
        OrderId,
        Meta(max_length=64, pattern=r"^[\w-]+$", description="订单号 (the id of the order)"),
    ]


@attrs.frozen(kw_only=True)
class Order:
    """An order; null is unknown."""

    account: AccountId
    id: OrderId
    chat: ChatId
    role: Role | None
    """What the account is in it; nothing is ever done for what it bought."""
    buyer: UserId | None
    buyer_name: str | None
    item: ItemId | None
    title: str
    spec: str
    """`颜色:白;容量:64G`; empty: none, or unknown."""
    quantity: int | None
    amount: int | None
    """What was paid for all of it, in fen."""
    knife: bool
    """小刀: its price is to be cut before it is delivered."""
    state: OrderState
    why: str
    """Why it is held, or what is tried again."""
    goods: str
    """The name of what is given for it, in bot.toml; empty: not known yet."""
    created_at: Ms
    paid_at: Ms | None
    changed_at: Ms
    due_at: Ms | None
    """When something is to be done for it; null: nothing is."""
    tries: int
    """How often that was tried."""


@attrs.frozen(kw_only=True)
class Orders:
    """A page of orders, the one that changed last first."""

    items: tuple[Order, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class OrderStep:
    """Something that was told of an order, or done with it."""

    at: Ms
    told: OrderState | None
    """The step; it may have changed nothing."""
    state: OrderState
    """Where the order stood after it."""
    source: TradeSource
    words: str


@attrs.frozen(kw_only=True)
class OrderDelivery:
    """One message with goods; its words are in the chat only."""

    line: int
    uuid: str
    queued_at: Ms
    state: Annotated[str, Meta(description="queued · sending · sent · refused · held · dropped")]
    reason: str
    message: MessageId | None
    """The platform's id, once it told one."""
    settled_at: Ms | None
    seen_at: Ms | None
    """When its buyer is known to have read it."""


@attrs.frozen(kw_only=True)
class OrderStory:
    """All that is known of an order, but for its codes."""

    order: Order
    steps: tuple[OrderStep, ...]
    deliveries: tuple[OrderDelivery, ...]
    codes: int
    """How many are reserved for it, or were sent."""


@attrs.frozen(kw_only=True)
class OrderCode:
    """A code of an order."""

    batch: str
    code: str = attrs.field(repr=False)
    state: Annotated[str, Meta(description="reserved · sent · quarantined")]
    line: int | None
    """Which message of the order it is in."""


@attrs.frozen(kw_only=True)
class OrderCodes:
    """The codes of an order, as they stand in its messages."""

    items: tuple[OrderCode, ...]


@endpoint("GET", "/api/v1/orders", "read", refusals=(404,))
async def list_orders(house: House, query: OrderQuery) -> Orders:
    """列出订单，最近有变动的在前 (orders, the last changed first)."""
    before = cursors.read(query.cursor, tuple[Whole, AccountId, OrderId])
    found = await house.store.read(
        sales.page, attrs.evolve(_asked(house, query), before=before, most=query.limit)
    )
    return Orders(items=tuple(map(order, found)), next=next_of(found, query.limit))


def next_of(found: tuple[sales.Order, ...], limit: int) -> str | None:
    """Return the cursor of the page after this one, None at the end."""
    if len(found) < limit:
        return None
    last = found[-1]
    return cursors.write((last.changed_at, last.account, last.order))


@endpoint("GET", "/api/v1/orders.csv", "read", media=CSV, refusals=(404,))
async def export_orders(house: House, query: OrderFilter) -> Response:
    """订单表格，一次全部 (orders for a spreadsheet, all at once).

    CSV as in RFC 4180, UTF-8 with a byte order mark.  A cell that begins like a formula has a `'`
    before it.
    """
    found = await house.store.read(sales.page, attrs.evolve(_asked(house, query), most=None))
    headers = {"content-disposition": 'attachment; filename="orders.csv"'}
    return Response(BOM + as_csv(found), media_type=CSV, headers=headers)


def _asked(house: House, query: OrderFilter) -> Asked:
    return Asked(
        account=known(house, query.account).id if query.account else None,
        show=query.show,
        state=None if query.state is None else OrderState(query.state),
        words=query.words,
    )


_IN_ORDER: Final = "/api/v1/accounts/{account}/orders/{order}"


@endpoint("GET", _IN_ORDER, "read", refusals=(404,))
async def get_order(house: House, path: InOrder) -> OrderStory:
    """一个订单的来龙去脉 (the whole story of an order)."""
    return _story(await ordering.story(house, path.account, path.order))


@endpoint("POST", f"{_IN_ORDER}/deliver", "send", refusals=(404, 409))
async def deliver_order(house: House, path: InOrder) -> OrderStory:
    """发货，或再试一次 (deliver it, or try again)."""
    return _story(await ordering.grant(house, path.account, path.order, "deliver"))


@endpoint("POST", f"{_IN_ORDER}/confirm", "send", refusals=(404, 409))
async def confirm_order(house: House, path: InOrder) -> OrderStory:
    """只在平台上确认发货，不发任何东西 (tell the platform that it is shipped; send nothing)."""
    return _story(await ordering.grant(house, path.account, path.order, "confirm"))


@endpoint("POST", f"{_IN_ORDER}/again", "send", refusals=(404, 409))
async def send_again(house: House, path: InOrder) -> OrderStory:
    """把同样的卡密再发一次 (send the same codes once more)."""
    return _story(await ordering.grant(house, path.account, path.order, "again"))


@endpoint("GET", f"{_IN_ORDER}/codes", "admin", refusals=(404,))
async def get_codes(house: House, path: InOrder) -> OrderCodes:
    """这个订单的卡密 (the codes of an order)."""
    await ordering.story(house, path.account, path.order)
    found = await house.store.read(sales.codes_of, path.account, path.order)
    return OrderCodes(
        items=tuple(
            OrderCode(batch=each.batch, code=each.code, state=each.state, line=each.line)
            for each in found
        )
    )


def order(found: sales.Order) -> Order:
    """Return what is shown of an order."""
    values = attrs.asdict(found, recurse=False)
    return Order(id=values.pop("order"), buyer_name=values.pop("name"), **values)


def _story(found: sales.Story) -> OrderStory:
    return OrderStory(
        order=order(found.order),
        steps=tuple(OrderStep(**attrs.asdict(each, recurse=False)) for each in found.steps),
        deliveries=tuple(map(_delivery, found.deliveries)),
        codes=found.codes,
    )


def _delivery(found: sales.Delivery) -> OrderDelivery:
    values = attrs.asdict(found, recurse=False)
    del values["sending_at"]
    return OrderDelivery(**values)


ENDPOINTS: Final = (
    list_orders,
    export_orders,
    get_order,
    deliver_order,
    confirm_order,
    send_again,
    get_codes,
)
