"""Orders on the small Xianyu: what their chat is told, and what the seller may do with them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.simulator.client import call, on_line
from xybot.simulator import Platform
from xybot.simulator.buyers import Buyer, buy
from xybot.simulator.world import SimAccount, SimOrder, SimSku
from xybot.trade import OrderState, Trade
from xybot.wire import sign
from xybot.wire.pushes import Card, ConversationUpdate, MessageUpdate, Tip

S = OrderState
SHIP = "mtop.taobao.idle.logistic.consign.dummy"
SKUS = (
    SimSku(id="1", properties={"时长": "月卡"}, price=990, quantity=9),
    SimSku(id="2", properties={"时长": "年卡"}, price=9900, quantity=9),
)


async def ship(platform: Platform, account: SimAccount, order: SimOrder) -> str:
    cookies = sign.parse_cookies(account.cookie_text)
    answer, _ = await call(platform, SHIP, {"orderId": order.id}, cookies)
    said: str = answer["ret"][0]
    return said.partition("::")[0]


def trades(pushes: list[Any]) -> list[Trade]:
    """What the pushes tell of orders, red reminders left out."""
    assert all(isinstance(each, Card | Tip | MessageUpdate | ConversationUpdate) for each in pushes)
    told = [each.facts.trade for each in pushes if not isinstance(each, ConversationUpdate)]
    assert None not in told
    return told


async def test_every_step_of_an_order_is_told_to_its_chat(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        order = platform.buyer_orders(account, "小王", 2)
        (placed,) = trades(await client.meant())
        assert (placed.order, placed.chat, placed.role) == (order.id, order.chat.id, "seller")
        assert (placed.state, placed.buyer) == (S.PLACED, order.chat.buyer.id)
        assert placed.item == order.chat.item.id
        steps: list[tuple[Callable[[SimAccount, SimOrder], None], list[OrderState]]] = [
            (platform.buyer_pays, [S.PAID, S.PAID]),
            (platform.seller_ships, [S.CONFIRMED]),
            (platform.buyer_confirms, [S.COMPLETED]),
            (platform.buyer_asks_refund, [S.REFUNDING]),
            (platform.refund_agreed, [S.REFUNDED]),
        ]
        for step, states in steps:
            step(account, order)
            told = trades(await client.meant())
            assert [each.state for each in told] == states
            assert {each.order for each in told} == {order.id}
            assert {each.buyer for each in told} == {order.chat.buyer.id}


async def test_an_order_is_closed_by_its_buyer_before_and_by_its_seller_after_the_payment(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        unpaid, paid = (platform.buyer_orders(account, name) for name in ("小王", "阿杰"))
        platform.buyer_pays(account, paid)
        await trio.sleep(1)
        while not await client.quiet(1):
            pass
        platform.buyer_closes(account, unpaid)
        (tip,) = trades(await client.meant())
        assert (tip.order, tip.chat, tip.state) == (None, unpaid.chat.id, S.CLOSED)
        platform.seller_closes(account, paid)
        (card,) = trades(await client.meant())
        assert (card.order, card.state) == (paid.id, S.CLOSED)
        assert (unpaid.status, paid.status) == ("交易关闭", "交易关闭")


async def test_a_knife_waits_until_its_seller_skips_those_who_would_join(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        order = platform.buyer_orders(account, "小王", knife=True, amount=100)
        await client.push()
        platform.buyer_pays(account, order)
        (waiting,) = trades(await client.meant())
        assert (waiting.order, waiting.state, waiting.knife) == (order.id, S.PAID, True)
        assert (order.status, await ship(platform, account, order)) == (
            "待刀成",
            "FAIL_BIZ_ORDER_STATUS_ERROR",
        )
        wanted = {
            "bizOrderId": order.id,
            "itemId": int(order.chat.item.id),
            "buyerId": int(order.chat.buyer.id),
        }
        cookies = sign.parse_cookies(account.cookie_text)
        api = "mtop.idle.groupon.activity.seller.freeshipping"
        answer, _ = await call(platform, api, wanted, cookies)
        assert answer["data"] == {"data": True}
        (cut,) = trades(await client.meant())
        assert (cut.order, cut.state, cut.knife) == (order.id, S.PAID, False)
        assert await ship(platform, account, order) == "SUCCESS"


async def test_what_was_said_before_a_shipment_is_known_afterwards(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    order = platform.buyer_orders(account, "小王")
    assert await ship(platform, account, order) == "FAIL_BIZ_ORDER_STATUS_ERROR"
    platform.buyer_pays(account, order)
    platform.buyer_says(account, "小王", "拍了")
    platform.seller_says(account, "小王", "卡密 1234")
    await trio.sleep(3)
    assert await ship(platform, account, order) == "SUCCESS"
    platform.seller_says(account, "小王", "请查收")
    assert order.shipment is not None
    assert (order.shipment.after, order.shipment.by_hand) == (("卡密 1234",), False)
    assert order.paid_at is not None
    assert order.shipment.at >= order.paid_at + 3000
    assert await ship(platform, account, order) == "ORDER_ALREADY_DELIVERY"


async def test_two_orders_at_once_are_two_with_their_own_variants(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        first, second = (
            platform.buyer_orders(account, "小王", n, sku=sku) for n, sku in enumerate(SKUS, 1)
        )
        assert first.chat is second.chat
        assert (first.amount, second.amount) == (990, 19800)
        told = trades(await client.meant())
        assert [each.order for each in told] == [first.id, second.id]


async def test_an_account_buys_too_and_its_cards_say_so(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    world = platform.world
    chat = world.open_chat(world.add_item(world.add_user("别人"), "旧书"), account.user)
    async with on_line(platform, account) as client:
        order = platform.buyer_orders(account, chat)
        platform.buyer_pays(account, order)
        pushes = await client.meant()
        while not any(isinstance(each, MessageUpdate) for each in pushes):
            pushes += await client.meant()
        told = trades(pushes)
        assert {(each.order, each.role, each.buyer) for each in told} == {(order.id, "buyer", None)}
    assert await ship(platform, account, order) == "FAIL_BIZ_ORDER_NOT_FOUND"


async def test_when_all_is_calm_again_nothing_about_orders_fails(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    order = platform.buyer_orders(account, "小王")
    platform.buyer_pays(account, order)
    faults = platform.faults(account)
    faults.forbid_orders()
    assert await ship(platform, account, order) == "PERMISSION_EXCEPTION"
    faults.slow_orders(9)
    faults.late_orders(9)
    faults.shop_sleeps()
    faults.fail_orders(3)
    faults.lose_order_answers(3)
    faults.calm()
    started = trio.current_time()
    assert await ship(platform, account, order) == "SUCCESS"
    assert trio.current_time() - started < 1


@pytest.mark.parametrize("goods", [True, False])
async def test_a_buyer_thanks_for_goods_and_wants_the_money_back_without_any(
    platform: Platform, account: SimAccount, autojump_clock: MockClock, goods: bool
) -> None:
    platform.world.items_of[account.user_id][0].skus = SKUS
    seen: set[str] = set()
    variants: set[tuple[str | None, int]] = set()
    for visit in range(30):
        chat = platform.chat(account, f"买家{visit}")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(buy, Buyer(platform, account, chat, random.Random(visit)))
            await trio.sleep(6)
            (order,) = (each for each in platform.world.orders.values() if each.chat is chat)
            if goods and order.status == "待发货":
                platform.seller_says(account, chat, "卡密 1234")
                assert await ship(platform, account, order) == "SUCCESS"
        seen.add(order.status)
        variants.add((order.sku and order.sku.id, order.quantity))
        if goods and order.shipment is not None:
            assert chat.messages[-1].sent_at > order.shipment.at
    assert seen == ({"交易关闭", "已发货", "交易成功"} if goods else {"交易关闭", "退款中"})
    assert {quantity for _, quantity in variants} == {1, 2, 3}
    assert {sku for sku, _ in variants} == {"1", "2"}
