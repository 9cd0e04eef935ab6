"""Orders: what the platform writes into the chat while one goes its way.

Assumptions about the platform:

* a placed order is a card (contentType 26) of the buyer with the `updateKey`
  `<chat>:<order>:10:BUYER_CREATE_ORDER:26`, and a red reminder 等待买家付款 (captures 17, 35);
* a paid one is another card, `<chat>:<order>:10:TRADE_PAID:26`, a red reminder 等待卖家发货,
  and an edit of the first card whose own reminder stays stale (captures 34, 29);
* one that is closed before it is paid is a tip, 买家关闭订单_卖家 (capture 64);
* the titles and tasks of the other cards, and the red reminders 交易成功 and 买家申请退款, are as
  protocol.md §2.6 lists them; that they are cards of the buyer, and their keys: unknown;
* a 小刀 is paid, waits with a card 我已小刀，待刀成 under the summary [卡片消息] (§2.6), cannot be
  shipped, and becomes 待发货 with a card 我已成功小刀，待发货 once the seller skips the others who
  would join (public clients say so; nobody published a recording);
* where an account is the buyer, its cards say role=buyer and _买家 (capture 36, made up by its
  author from one of a seller);
* the order of these entries within a moment: unknown.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

from xybot.model import OrderId
from xybot.simulator import payloads
from xybot.simulator.payloads import Entry
from xybot.simulator.world import Shipment, SimChat, SimMessage, SimOrder, SimSku, World

_TEMPLATE = "idlefish_message_trade_chat_card"


@attrs.frozen(kw_only=True)
class Step:
    """A card: what it says, and how the platform files it."""

    title: str
    description: str
    button: tuple[str, str] = ("查看详情", "fleamarket://order_detail?id=")
    """(words, address up to the order id)."""
    key: str
    """The end of the `updateKey`."""
    task: str
    """What stands before the side it is for, and what after it."""
    reminder: tuple[str, str]
    summary: str = ""
    """What the app shows in its stead; empty: the title."""


PLACED = Step(
    title="我已拍下，待付款",
    description="请双方沟通及时确认价格",
    button=("修改价格", "fleamarket://adjust_price?flutter=true&bizOrderId="),
    key="10:BUYER_CREATE_ORDER:26",
    task="已拍下_未付款_{side}",
    reminder=("等待买家付款", "1"),
)
PAID = Step(
    title="我已付款，等待你发货",
    description="请包装好商品，并按我在闲鱼上提供的地址发货",
    button=("去发货", "fleamarket://consign?orderId="),
    key="10:TRADE_PAID:26",
    task="付款完成待发货_{side}-正向升级",
    reminder=("等待卖家发货", "2"),
)
CUTTING = Step(
    title="我已小刀，待刀成",
    description="等待小刀成功后发货",
    key="10:GROUPON_WAIT:26",
    task="小刀待刀成_{side}",
    reminder=("等待刀成", "2"),
    summary="[卡片消息]",
)
CUT = attrs.evolve(PAID, title="我已成功小刀，待发货", task="小刀成功_{side}")
SHIPPED = Step(
    title="你已发货",
    description="请等待买家确认收货",
    key="10:SELLER_CONSIGN:26",
    task="提醒发货已发货_{side}",
    reminder=("等待买家收货", "3"),
)
CONFIRMED = Step(
    title="买家确认收货，交易成功",
    description="钱款已打入你的账户",
    key="10:BUYER_CONFIRM:26",
    task="买家确认收货_{side}",
    reminder=("交易成功", "10"),
)
REFUND_ASKED = Step(
    title="我发起了退款申请",
    description="请及时处理",
    key="10:BUYER_APPLY_REFUND:26",
    task="发起退款申请_{side}-新逆向url",
    reminder=("买家申请退款", "5"),
)
REFUNDED = Step(
    title="退款成功，钱款已原路退返",
    description="交易已关闭",
    key="10:REFUND_SUCCESS:26",
    task="退款申请已同意_{side}",
    reminder=("交易关闭", "11"),
)
CLOSED = Step(
    title="你关闭了订单，钱款已原路退返",
    description="交易已关闭",
    key="10:SELLER_CLOSE:26",
    task="卖家关闭订单_{side}",
    reminder=("交易关闭", "11"),
)


@attrs.frozen(kw_only=True)
class Wish:
    """What a buyer orders."""

    quantity: int = 1
    sku: SimSku | None = None
    knife: bool = False
    """At the price of a 小刀."""
    amount: int | None = None
    """Fen; None: what it costs."""


def place(world: World, chat: SimChat, wish: Wish) -> tuple[SimOrder, tuple[Entry, ...]]:
    """Place an order; return it and what the account is told."""
    number = OrderId(f"{world.number()}000"[:19].ljust(19, "0"))
    price = wish.sku.price if wish.sku else round(float(chat.item.price) * 100)
    order = SimOrder(
        id=number,
        chat=chat,
        quantity=wish.quantity,
        created_at=world.now_ms(),
        amount=price * wish.quantity if wish.amount is None else wish.amount,
        sku=wish.sku,
        knife=wish.knife,
    )
    world.orders[order.id] = order
    order.card = _card(world, order, PLACED)
    return order, _told(world, order.card)


def pay(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Pay an order; return what the account is told."""
    now = order.paid_at = world.now_ms()
    if order.knife:
        return _go_on(world, order, "待刀成", CUTTING)
    told = _go_on(world, order, "待发货", PAID)
    if order.card is None:
        return told
    return (*told, payloads.card_update(order.card, "[已付款，待发货]", now))


def cut(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Let a 小刀 have its price; return what the account is told."""
    return _go_on(world, order, "待发货", CUT)


def ship(world: World, order: SimOrder, *, by_hand: bool) -> tuple[Entry, ...]:
    """Ship an order; return what the account is told."""
    chat = order.chat
    lines = (each for each in chat.messages if each.by_person and each.sender is chat.seller)
    after = tuple(each.summary for each in lines)
    order.shipment = Shipment(at=world.now_ms(), by_hand=by_hand, after=after)
    return _go_on(world, order, "已发货", SHIPPED)


def confirm(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Receive an order; return what the account is told."""
    return _go_on(world, order, "交易成功", CONFIRMED)


def ask_refund(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Want the money of an order back; return what the account is told."""
    return _go_on(world, order, "退款中", REFUND_ASKED)


def refund(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Give the money of an order back; return what the account is told."""
    return _go_on(world, order, "退款成功", REFUNDED)


def close(world: World, order: SimOrder) -> tuple[Entry, ...]:
    """Close an order: the buyer before it is paid, else the seller; return what is told."""
    if order.paid_at is not None:
        return _go_on(world, order, "交易关闭", CLOSED)
    order.steps.append((world.now_ms(), "交易关闭"))
    order.chat.red_reminder = ("交易关闭", "11")
    task = f"买家关闭订单_{_side(world, order.chat)}"
    return _told(world, tip(world, order.chat, "未付款，买家关闭了订单", task=task))


def tip(world: World, chat: SimChat, words: str, task: str = "聊天引导") -> SimMessage:
    """Write a grey line into a chat; its sender is the buyer, who never typed it."""
    content = {"contentType": 14, "tip": {"tip": words}}
    return world.write(chat, chat.buyer, kind=14, content=content, summary=f"[{words}]", task=task)


def _go_on(world: World, order: SimOrder, status: str, step: Step) -> tuple[Entry, ...]:
    order.steps.append((world.now_ms(), status))
    return _told(world, _card(world, order, step))


def _side(world: World, chat: SimChat) -> Literal["卖家", "买家"]:
    """Return which side of a chat is told: the seller where that is an account."""
    return "卖家" if chat.seller.id in world.by_user else "买家"


def _card(world: World, order: SimOrder, step: Step) -> SimMessage:
    chat = order.chat
    chat.red_reminder = step.reminder
    words, style = step.reminder
    side = _side(world, chat)
    return world.write(
        chat,
        chat.buyer,
        kind=26,
        content=_content(order, step, "seller" if side == "卖家" else "buyer"),
        summary=step.summary or f"[{step.title}]",
        task=step.task.format(side=side),
        ext_json={"updateKey": f"{chat.id}:{order.id}:{step.key}"},
        extension={"redReminder": words, "redReminderStyle": style},
    )


def _content(order: SimOrder, step: Step, role: str) -> dict[str, Any]:
    words, address = step.button
    shown = {
        "bgColor": "#FFFFFF",
        "button": {"bgColor": "#FFE60F", "text": words, "targetUrl": f"{address}{order.id}"},
        "desc": step.description,
        "title": step.title,
    }
    target = f"fleamarket://order_detail?id={order.id}&role={role}"
    main = {"clickParam": {"arg1": "MsgCard"}, "exContent": shown, "targetUrl": target}
    template = {"name": _TEMPLATE, "version": "1667222052767"}
    return {"contentType": 26, "dxCard": {"item": {"main": main}, "template": template}}


def _told(world: World, said: SimMessage) -> tuple[Entry, ...]:
    side = said.chat.seller if _side(world, said.chat) == "卖家" else said.chat.buyer
    reminder = payloads.red_reminder(said.chat, world.now_ms())
    return (payloads.message(said, side.id), reminder)
