"""Orders: what the platform writes into the chat while one goes its way.

Assumptions about the platform:

* a placed order is a card (contentType 26) of the buyer with the `updateKey`
  `<chat>:<order>:10:BUYER_CREATE_ORDER:26`, and a red reminder 等待买家付款 (captures 17, 35);
* a paid one is another card, `<chat>:<order>:10:TRADE_PAID:26`, a red reminder 等待卖家发货,
  and an edit of the first card whose own reminder stays stale (captures 34, 29);
* a closed one is a tip, 买家关闭订单_卖家 (capture 64);
* the order of these entries within a moment: unknown.
"""

from __future__ import annotations

from typing import Any

import attrs

from xybot.model import OrderId
from xybot.simulator import payloads
from xybot.simulator.payloads import Entry
from xybot.simulator.world import SimChat, SimMessage, SimOrder, World

_TEMPLATE = "idlefish_message_trade_chat_card"


@attrs.frozen(kw_only=True)
class Step:
    """A card: what it says, and how the platform files it."""

    title: str
    description: str
    button: tuple[str, str]
    """(words, address up to the order id)."""
    key: str
    """The end of the `updateKey`."""
    task: str
    reminder: tuple[str, str]


PLACED = Step(
    title="我已拍下，待付款",
    description="请双方沟通及时确认价格",
    button=("修改价格", "fleamarket://adjust_price?flutter=true&bizOrderId="),
    key="10:BUYER_CREATE_ORDER:26",
    task="已拍下_未付款_卖家",
    reminder=("等待买家付款", "1"),
)
PAID = Step(
    title="我已付款，等待你发货",
    description="请包装好商品，并按我在闲鱼上提供的地址发货",
    button=("去发货", "fleamarket://consign?orderId="),
    key="10:TRADE_PAID:26",
    task="付款完成待发货_卖家-正向升级",
    reminder=("等待卖家发货", "2"),
)


def place(world: World, chat: SimChat, quantity: int = 1) -> tuple[SimOrder, tuple[Entry, ...]]:
    """Place an order; return it and what the seller is told."""
    number = OrderId(f"{world.number()}000"[:19].ljust(19, "0"))
    order = SimOrder(id=number, chat=chat, quantity=quantity, created_at=world.now_ms())
    world.orders[order.id] = order
    order.card = _card(world, order, PLACED)
    return order, _told(world, order.card)


def pay(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Pay an order; return what the seller is told."""
    order.status = "待发货"
    edit: tuple[Entry, ...] = ()
    if order.card is not None:
        edit = (payloads.card_update(order.card, "[已付款，待发货]", world.now_ms()),)
    return (*_told(world, _card(world, order, PAID)), *edit)


def close(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Close an order that was not paid; return what the seller is told."""
    order.status, order.chat.red_reminder = "交易关闭", ("交易关闭", "11")
    said = tip(world, order.chat, "未付款，买家关闭了订单", task="买家关闭订单_卖家")
    return _told(world, said)


def tip(world: World, chat: SimChat, words: str, task: str = "聊天引导") -> SimMessage:
    """Write a grey line into a chat; its sender is the buyer, who never typed it."""
    content = {"contentType": 14, "tip": {"tip": words}}
    return world.write(chat, chat.buyer, kind=14, content=content, summary=f"[{words}]", task=task)


def _card(world: World, order: SimOrder, step: Step) -> SimMessage:
    chat = order.chat
    chat.red_reminder = step.reminder
    words, style = step.reminder
    return world.write(
        chat,
        chat.buyer,
        kind=26,
        content=_content(order, step),
        summary=f"[{step.title}]",
        task=step.task,
        ext_json={"updateKey": f"{chat.id}:{order.id}:{step.key}"},
        extension={"redReminder": words, "redReminderStyle": style},
    )


def _content(order: SimOrder, step: Step) -> dict[str, Any]:
    words, address = step.button
    shown = {
        "bgColor": "#FFFFFF",
        "button": {"bgColor": "#FFE60F", "text": words, "targetUrl": f"{address}{order.id}"},
        "desc": step.description,
        "title": step.title,
    }
    target = f"fleamarket://order_detail?id={order.id}&role=seller"
    main = {"clickParam": {"arg1": "MsgCard"}, "exContent": shown, "targetUrl": target}
    template = {"name": _TEMPLATE, "version": "1667222052767"}
    return {"contentType": 26, "dxCard": {"item": {"main": main}, "template": template}}


def _told(world: World, said: SimMessage) -> tuple[Entry, ...]:
    reminder = payloads.red_reminder(said.chat, world.now_ms())
    return (payloads.message(said, said.chat.seller.id), reminder)
