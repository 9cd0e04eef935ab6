"""What the platform says waits for shipment is compared with our books, and differences end."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
import trio

from tests.conftest import SHOP, Shop
from xybot.accounts.chat import Patience
from xybot.config.goods import Goods
from xybot.days import next_at
from xybot.events import DeliverySent, OrderUpdated
from xybot.model import ChatId, ItemId
from xybot.simulator import trade
from xybot.simulator.trade import Wish
from xybot.simulator.world import SimOrder
from xybot.store import chatlist, codes, giving, orders, receipts, todo
from xybot.store.orders import Order
from xybot.trade import OrderState

NIGHT = 86_400
"""Within so many seconds every account has compared once."""
SOLD = "mtop.taobao.idle.trade.merchant.sold.get"
CONFIRMED, HELD, PAID = OrderState.CONFIRMED, OrderState.HELD, OrderState.PAID
DELIVERED, REFUNDING = OrderState.DELIVERED, OrderState.REFUNDING


def month(shop: Shop, **more: object) -> Goods:
    item = shop.platform.world.items_of[shop.sim.user_id][0].id
    given = {"name": "月卡", "kind": "codes", "batch": "month", "text": "卡密：{codes}"}
    return Goods(**(given | {"items": (item,)} | more))  # type: ignore[arg-type]


async def stock(shop: Shop, *texts: str) -> None:
    await shop.store.transact(codes.import_, "month", texts, now=shop.now_ms())


@pytest.fixture
async def selling(open_for_business: Shop) -> Shop:
    """A shop that has sold before, so that it knows since when it is told of orders."""
    shop = open_for_business
    shop.patience = Patience(heartbeat_interval=120, catch_up_every=14_400)  # Days go by.
    shop.goods = (month(shop),)
    await stock(shop, *(f"A-{n}" for n in range(60)))
    sold = shop.platform.buyer_orders(shop.sim, "老客")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(60)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-0"]
    shop.sim.heard.clear()
    shop.events.clear()
    return shop


def sells_unseen(shop: Shop, buyer: str = "小王", **wish: object) -> SimOrder:
    """Let somebody order and pay, and nobody tell us: no push, and no line in the history."""
    chat = shop.platform.chat(shop.sim, buyer)
    before = list(chat.messages)
    sold, _ = trade.place(shop.platform.world, chat, Wish(**wish))  # type: ignore[arg-type]
    trade.pay(shop.platform.world, sold)
    chat.messages.clear()
    chat.messages.extend(before)
    return sold


def ships_unseen(shop: Shop, sold: SimOrder) -> None:
    before = list(sold.chat.messages)
    trade.ship(shop.platform.world, sold, by_hand=True)
    sold.chat.messages.clear()
    sold.chat.messages.extend(before)


async def outage(shop: Shop, seconds: float = 60) -> None:
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(seconds)
    shop.faults.calm()
    await trio.sleep(120)


async def order(shop: Shop, sold: SimOrder) -> Order:
    found = await shop.store.transact(orders.find, SHOP, sold.id)
    assert found is not None
    return found


async def known(shop: Shop, sold: SimOrder) -> bool:
    return await shop.store.transact(orders.find, SHOP, sold.id) is not None


async def list_of(shop: Shop) -> list[tuple[str, str]]:
    found = await shop.store.transact(todo.todo, SHOP)
    assert all(each.why for each in found)
    return [(each.order, each.action) for each in found]


async def books(shop: Shop) -> dict[str, int]:
    assert await shop.store.transact(receipts.verify) == ()
    (of,) = await shop.store.transact(codes.stock, now=shop.now_ms())
    return {"unused": of.unused, "reserved": of.reserved, "sent": of.sent}


def told(shop: Shop) -> list[tuple[str, OrderState]]:
    return [(e.order, e.new) for e in shop.events if isinstance(e, OrderUpdated)]


# Orders that nobody told us of.


async def test_an_order_that_was_paid_while_we_were_away_is_found_and_delivered_once(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(30)
    sold = sells_unseen(shop)
    shop.faults.calm()
    await trio.sleep(120)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]
    assert sold.shipment is not None
    assert sold.shipment.after == ("卡密：A-1",)
    assert await books(shop) == {"unused": 58, "reserved": 0, "sent": 2}
    (sent,) = [each for each in shop.events if isinstance(each, DeliverySent)]
    assert sent.order == sold.id


async def test_a_push_that_is_lost_on_a_line_that_stands_is_made_good_at_night(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    sold = sells_unseen(shop)
    await trio.sleep(3600)
    assert not await known(shop, sold)
    await trio.sleep(NIGHT)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]


async def test_the_night_is_between_three_and_four_by_the_clock_on_the_wall(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    for _ in range(2):
        now = datetime.fromtimestamp(shop.now_ms() / 1000, UTC).astimezone()
        three = datetime.combine(now.date() + timedelta(days=1), time(3)).astimezone()
        await trio.sleep((three - now).total_seconds() - 1)
        before = shop.sim.calls[SOLD]
        await trio.sleep(3602)
        assert shop.sim.calls[SOLD] > before


def test_a_clock_that_shows_a_time_shows_it_next_on_the_next_day() -> None:
    zone = timezone(timedelta(hours=8))
    three = timedelta(hours=3, seconds=7)
    before = round(1000 * datetime(2026, 9, 22, 3, 0, 6, tzinfo=zone).timestamp())
    assert next_at(before, three, zone) == before + 1000
    assert next_at(before + 1000, three, zone) == before + 1000 + 86_400_000


async def test_a_chat_that_nobody_knows_is_opened_and_its_order_learns_it(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    sold = sells_unseen(shop, quantity=2)
    shop.goods = (month(shop, text="x" * 380 + "{codes}"),)
    await outage(shop)
    found = await order(shop, sold)
    assert (found.state, found.chat) == (CONFIRMED, sold.chat.id)
    (chat,) = {chat for _, chat, _ in shop.platform.heard(shop.sim)}
    assert chat == sold.chat.id
    listed = await shop.store.transact(chatlist.one, SHOP, sold.chat.id, now=shop.now_ms())
    assert listed is not None
    assert (listed.peer, listed.item) == (sold.chat.buyer.id, sold.chat.item.id)


async def test_lines_of_an_order_keep_their_order_though_its_chat_has_to_be_opened(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.goods = (month(shop, text="说" * 399 + "{codes}"),)
    sells_unseen(shop)
    await outage(shop)
    assert len(shop.heard) == 2
    assert shop.heard[-1].endswith("A-1")
    assert shop.heard[0].startswith("说")


async def test_the_chat_of_its_buyer_about_its_item_is_taken_where_it_is_known(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.says("在吗", "小王")
    await trio.sleep(30)
    shop.sim.heard.clear()
    sold = sells_unseen(shop)
    await outage(shop)
    found = await order(shop, sold)
    assert (found.state, found.chat, found.name) == (CONFIRMED, sold.chat.id, "小王")
    assert shop.heard == ["卡密：A-1"]


async def test_a_card_that_comes_later_changes_nothing_but_tells_the_chat(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.goods = (month(shop, items=(ItemId("81"),)),)  # Nothing fits: it is held.
    sold = sells_unseen(shop)
    await outage(shop)
    found = await order(shop, sold)
    assert (found.state, found.chat) == (HELD, ChatId(""))
    shop.platform.desks.of(shop.sim).push(*trade.ship(shop.platform.world, sold, by_hand=True))
    await trio.sleep(5)
    found = await order(shop, sold)
    assert (found.state, found.chat) == (CONFIRMED, sold.chat.id)


async def test_a_placed_order_whose_payment_was_not_told_goes_on(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    await trio.sleep(5)
    before = list(sold.chat.messages)
    trade.pay(shop.platform.world, sold)
    sold.chat.messages.clear()
    sold.chat.messages.extend(before)
    await outage(shop)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]


async def test_a_knife_order_that_nobody_told_of_is_cut_and_delivered(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    sold = sells_unseen(shop, knife=True)
    await outage(shop, 60)
    await trio.sleep(300)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]


async def test_all_pages_are_read_at_a_pace_and_every_order_is_delivered_once(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    sold = [sells_unseen(shop, f"买家{n}") for n in range(45)]
    before = shop.sim.calls[SOLD]
    await outage(shop)
    await trio.sleep(300)
    assert shop.sim.calls[SOLD] - before == 3
    assert {(await order(shop, each)).state for each in sold} == {CONFIRMED}
    assert sorted(shop.heard) == sorted(f"卡密：A-{n}" for n in range(1, 46))
    assert await books(shop) == {"unused": 14, "reserved": 0, "sent": 46}


async def test_what_was_paid_before_we_came_is_left_to_the_seller(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.goods = (month(shop),)
    await stock(shop, "A-1")
    sold = sells_unseen(shop)
    await trio.sleep(3600)
    nursery.start_soon(shop.run)
    await trio.sleep(60)
    await outage(shop)
    found = await order(shop, sold)
    assert found.state is HELD
    assert "接管之前" in (found.why or "")
    assert shop.heard == []
    assert await list_of(shop) == [(sold.id, "deliver")]
    assert await shop.store.transact(giving.release, SHOP, sold.id, now=shop.now_ms()) is None
    shop.summons.ring()
    await trio.sleep(60)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]
    assert await list_of(shop) == []


# Where the list cannot be had.


async def test_an_account_without_a_shop_is_quiet_and_its_chats_tell_all_the_same(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.sim.has_shop = False
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(1)
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(7200)  # Longer than a buyer's line is worth an answer.
    shop.faults.forget_backlog()  # No push ever: the history alone has the cards.
    shop.faults.calm()
    await trio.sleep(180)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]
    calls = shop.sim.calls[SOLD]
    await trio.sleep(3600)
    assert shop.sim.calls[SOLD] == calls, "a refusal is no failure that one tries again"
    unseen = sells_unseen(shop, "阿杰")
    await trio.sleep(NIGHT)
    assert not await known(shop, unseen)
    assert shop.platform.on_line(shop.sim)


async def test_a_shop_page_that_is_not_logged_in_does_not_park_the_account(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.faults.shop_sleeps()
    sells_unseen(shop)
    await trio.sleep(2 * NIGHT)
    assert shop.platform.on_line(shop.sim)
    assert shop.heard == []


async def test_a_bad_moment_of_the_gateway_is_waited_out(autojump_clock, selling: Shop) -> None:
    shop = selling
    sold = sells_unseen(shop)
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(60)
    shop.faults.calm()
    shop.faults.fail_orders(4)
    await trio.sleep(900)
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]


async def test_without_goods_nothing_is_asked(autojump_clock, selling: Shop) -> None:
    shop = selling
    shop.goods = ()
    before = shop.sim.calls[SOLD]
    sold = sells_unseen(shop)
    await outage(shop)
    await trio.sleep(NIGHT)
    assert shop.sim.calls[SOLD] == before
    assert not await known(shop, sold)


# What does not fit, and how it ends.


async def test_two_comparisons_change_nothing(autojump_clock, selling: Shop) -> None:
    shop = selling
    shop.goods = (month(shop, confirm=False),)
    delivered = sells_unseen(shop)
    stray = shop.platform.world.add_item(shop.sim.user, "别的")
    chat = shop.platform.world.open_chat(stray, shop.platform.world.add_user("阿杰"))
    other, _ = trade.place(shop.platform.world, chat, Wish())
    trade.pay(shop.platform.world, other)
    await outage(shop)
    assert (await order(shop, delivered)).state is DELIVERED
    assert (await order(shop, other)).state is HELD
    await trio.sleep(NIGHT)
    first, steps = await list_of(shop), told(shop)
    assert sorted(first) == sorted([(delivered.id, "confirm"), (other.id, "deliver")])
    for _ in range(3):
        await outage(shop)
        await trio.sleep(NIGHT)
    assert (await list_of(shop), told(shop)) == (first, steps)
    assert shop.heard == ["卡密：A-1"]


async def test_an_order_that_is_shipped_by_hand_leaves_the_list(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.goods = (month(shop, items=(ItemId("81"),)),)
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(30)
    assert await list_of(shop) == [(sold.id, "deliver")]
    shop.platform.seller_ships(shop.sim, sold)
    await trio.sleep(5)
    assert await list_of(shop) == []
    assert shop.heard == []


async def test_a_difference_is_forgotten_once_the_platform_lists_it_no_more(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.goods = (month(shop, confirm=False),)
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(300)
    assert await list_of(shop) == []
    await outage(shop)
    assert await list_of(shop) == [(sold.id, "confirm")]
    ships_unseen(shop, sold)
    await trio.sleep(NIGHT)
    assert await list_of(shop) == []
    assert shop.heard == ["卡密：A-1"]


async def test_what_could_not_be_confirmed_for_hours_is_confirmed_after_all(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    shop.faults.slow_orders(5)
    while not shop.heard:
        await trio.sleep(0.05)
    shop.faults.fail_orders(10_000)
    await trio.sleep(3 * 3600)
    found = await order(shop, sold)
    assert found.state is HELD
    assert await list_of(shop) == [(sold.id, "confirm")]
    shop.faults.calm()
    await trio.sleep(NIGHT)
    assert (await order(shop, sold)).state is CONFIRMED
    assert await list_of(shop) == []
    assert sold.shipment is not None
    assert shop.heard == ["卡密：A-1"]


async def test_what_the_platform_forgot_that_it_was_shipped_is_confirmed_again(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(300)
    assert sold.shipment is not None
    sold.shipment = None
    sold.steps.append((shop.now_ms(), "待发货"))
    await outage(shop)
    assert sold.shipment is not None
    assert (await order(shop, sold)).state is CONFIRMED
    assert shop.heard == ["卡密：A-1"]


async def test_a_refund_that_was_taken_back_is_for_the_seller(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.goods = (month(shop, delay=600),)
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(5)
    shop.platform.buyer_asks_refund(shop.sim, sold)
    await trio.sleep(300)
    sold.steps.append((shop.now_ms(), "待发货"))
    await outage(shop)
    assert (await order(shop, sold)).state is REFUNDING
    assert await list_of(shop) == [(sold.id, "deliver")]
    assert shop.heard == []


async def test_an_order_that_does_not_wait_any_more_is_looked_at_and_not_given(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.dry_run = True
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(30)
    assert (await order(shop, sold)).state is PAID
    assert await list_of(shop) == [(sold.id, "deliver")]
    ships_unseen(shop, sold)
    shop.dry_run = False
    await trio.sleep(3600)
    await outage(shop)
    assert (await order(shop, sold)).state is CONFIRMED
    assert await list_of(shop) == []
    assert shop.heard == []


async def test_what_a_dry_run_left_is_for_the_seller_and_not_given_by_itself(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.dry_run = True
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(3600)
    shop.dry_run = False
    await outage(shop)
    await trio.sleep(NIGHT)
    assert shop.heard == []
    assert await list_of(shop) == [(sold.id, "deliver")]


async def test_a_list_that_lags_behind_makes_no_difference(autojump_clock, selling: Shop) -> None:
    shop = selling
    sold = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, sold)
    await trio.sleep(60)
    assert (await order(shop, sold)).state is CONFIRMED
    before = told(shop)
    shop.faults.late_orders(50)
    shop.faults.cut()
    await trio.sleep(40)
    assert told(shop) == before
    assert await list_of(shop) == []
