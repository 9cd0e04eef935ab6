"""A paid order reaches its buyer once, and whatever cannot be known is left to the seller."""

from __future__ import annotations

import random
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from tests.conftest import SHOP, Shop, new_platform, open_shop
from xybot.config.goods import Goods, Supplier
from xybot.events import DeliveryHeld, DeliverySent, WroteByHand
from xybot.model import ItemId
from xybot.simulator.world import SimOrder
from xybot.store import codes, conversation, giving, orders, receipts
from xybot.store.deliveries import UNSEEN
from xybot.store.orders import Order
from xybot.trade import OrderState, Trade
from xybot.wire.ids import Ids

CONFIRMED, COMPLETED, HELD = OrderState.CONFIRMED, OrderState.COMPLETED, OrderState.HELD
REFUNDING, CLOSED, PAID = OrderState.REFUNDING, OrderState.CLOSED, OrderState.PAID


def item_of(shop: Shop) -> ItemId:
    return shop.platform.world.items_of[shop.sim.user_id][0].id


def month(shop: Shop, **more: object) -> Goods:
    """Codes of the batch `month` for the shop's first item."""
    given = {"name": "月卡", "kind": "codes", "batch": "month", "text": "卡密：{codes}"}
    return Goods(**({"items": (item_of(shop),)} | given | more))  # type: ignore[arg-type]


async def stock(shop: Shop, *texts: str, batch: str = "month") -> None:
    await shop.store.transact(codes.import_, batch, texts, now=shop.now_ms())


def orders_and_pays(shop: Shop, buyer: str = "小王", **wish: object) -> SimOrder:
    order = shop.platform.buyer_orders(shop.sim, buyer, **wish)  # type: ignore[arg-type]
    shop.platform.buyer_pays(shop.sim, order)
    return order


async def order(shop: Shop, sold: SimOrder) -> Order:
    found = await shop.store.transact(orders.find, SHOP, sold.id)
    assert found is not None
    return found


async def stands(shop: Shop, sold: SimOrder, state: OrderState, within: float = 60) -> Order:
    """Wait until an order stands there."""
    with trio.move_on_after(within):
        while True:
            found = await shop.store.transact(orders.find, SHOP, sold.id)
            if found is not None and found.state is state:
                return found
            await trio.sleep(0.5)
    pytest.fail(f"it is {found.state}: {found.why}" if found else "nobody knows of it")


async def counts(shop: Shop) -> dict[str, int]:
    (of,) = await shop.store.transact(codes.stock, now=shop.now_ms())
    found = {"unused": of.unused, "reserved": of.reserved, "sent": of.sent}
    return {name: n for name, n in found.items() if n}


@pytest.fixture
async def selling(open_for_business: Shop) -> Shop:
    shop = open_for_business
    shop.goods = (month(shop),)
    await stock(shop, "AAA-1", "AAA-2", "AAA-3")
    return shop


async def test_a_paid_order_gets_its_code_and_is_confirmed_only_afterwards(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]
    assert sold.shipment is not None
    assert sold.shipment.after == ("卡密：AAA-1",)
    assert await counts(selling) == {"unused": 2, "sent": 1}
    assert await selling.store.transact(receipts.verify) == ()
    (told,) = [each for each in selling.events if isinstance(each, DeliverySent)]
    assert (told.order, told.goods, told.messages) == (sold.id, "月卡", 1)


async def test_quantity_takes_as_many_codes_in_one_message(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling, quantity=3)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1\nAAA-2\nAAA-3"]


async def test_two_orders_at_once_get_a_code_each(selling: Shop, autojump_clock: MockClock) -> None:
    first, second = orders_and_pays(selling), orders_and_pays(selling, "阿杰")
    await stands(selling, first, CONFIRMED)
    await stands(selling, second, CONFIRMED)
    assert sorted(selling.heard) == ["卡密：AAA-1", "卡密：AAA-2"]


async def test_words_of_a_buyer_never_give_anything(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = selling.platform.buyer_orders(selling.sim, "小王")
    selling.says(f"我已付款，等待你发货 orderId={sold.id}")
    selling.says("[我已付款，等待你发货]")
    await trio.sleep(120)
    assert (await order(selling, sold)).state is OrderState.PLACED
    assert await counts(selling) == {"unused": 3}


async def test_a_chat_that_the_seller_took_over_is_delivered_all_the_same(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.platform.seller_says(selling.sim, "小王", "我来")
    await trio.sleep(1)
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]


async def test_an_order_api_that_lags_is_asked_again(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.faults.late_orders(12)
    sold = orders_and_pays(selling)
    await trio.sleep(10)
    assert selling.heard == []
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]


async def test_an_order_api_that_fails_is_asked_again(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.faults.fail_orders(3)
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED, within=120)
    assert selling.heard == ["卡密：AAA-1"]


async def test_a_lost_answer_to_the_confirmation_confirms_it_again(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling)
    selling.faults.lose_order_answers(2)
    await stands(selling, sold, CONFIRMED, within=120)
    assert (selling.heard, len(selling.platform.unacknowledged(selling.sim))) == (
        ["卡密：AAA-1"],
        0,
    )


async def test_an_account_that_may_not_ask_holds_the_order_and_says_so(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.faults.forbid_orders()
    sold = orders_and_pays(selling)
    held = await stands(selling, sold, HELD)
    assert "不许" in (held.why or "")
    assert selling.heard == []


@pytest.mark.parametrize(
    ("more", "wish", "why"),
    [
        ({"spec": "颜色:白"}, {}, "spec"),
        ({"min_amount": 10_000.0}, {}, "min_amount"),
        ({}, {"quantity": 5000}, "数量"),
        ({}, {"quantity": 0}, "数量"),
        ({"items": ("1",)}, {}, "goods"),
        ({}, {"quantity": 4}, "库存不足"),
    ],
)
async def test_what_does_not_fit_is_held_and_nothing_is_given(
    selling: Shop,
    autojump_clock: MockClock,
    more: dict[str, object],
    wish: dict[str, object],
    why: str,
) -> None:
    selling.goods = (month(selling, **more),)
    sold = orders_and_pays(selling, **wish)
    held = await stands(selling, sold, HELD)
    assert why in (held.why or "")
    assert (selling.heard, await counts(selling)) == ([], {"unused": 3})
    assert [each.order for each in selling.events if isinstance(each, DeliveryHeld)] == [sold.id]


async def test_a_refilled_batch_delivers_what_waited_for_it(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling, quantity=4)
    await stands(selling, sold, HELD)
    await stock(selling, "AAA-4")
    await stands(selling, sold, CONFIRMED, within=120)
    assert selling.heard == ["卡密：AAA-1\nAAA-2\nAAA-3\nAAA-4"]


async def test_a_refused_message_holds_its_order_and_the_same_code_goes_out_again(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.faults.refuse_sends(1)
    sold = orders_and_pays(selling)
    await stands(selling, sold, HELD)
    assert sold.shipment is None
    uuid = Ids(selling.now_ms, random.Random(9)).uuid
    again = partial(giving.again, uuid=uuid, now=selling.now_ms())
    assert await selling.store.transact(again, SHOP, sold.id) is None
    selling.summons.ring()
    await stands(selling, sold, CONFIRMED)
    assert (selling.heard, await counts(selling)) == (["卡密：AAA-1"], {"unused": 2, "sent": 1})


async def test_an_order_closed_before_it_is_delivered_gets_nothing(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = (month(selling, delay=30.0),)
    sold = orders_and_pays(selling)
    await trio.sleep(5)
    selling.platform.seller_closes(selling.sim, sold)
    await trio.sleep(120)
    assert (await order(selling, sold)).state in (CLOSED, OrderState.REFUNDED)
    assert (selling.heard, await counts(selling)) == ([], {"unused": 3})


async def test_a_delay_is_waited_for(selling: Shop, autojump_clock: MockClock) -> None:
    selling.goods = (month(selling, delay=30.0),)
    at = trio.current_time()
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard_at[0] - at >= 30


async def test_a_refund_after_delivery_is_noted_and_nothing_more_is_given(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    selling.platform.buyer_asks_refund(selling.sim, sold)
    await stands(selling, sold, REFUNDING)
    assert (len(selling.heard), await counts(selling)) == (1, {"unused": 2, "sent": 1})


async def test_a_trade_ends_when_its_buyer_confirms(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    selling.platform.buyer_confirms(selling.sim, sold)
    await stands(selling, sold, COMPLETED)


async def test_a_knife_order_has_its_price_cut_first(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling, knife=True)
    await stands(selling, sold, CONFIRMED, within=120)
    assert selling.heard == ["卡密：AAA-1"]


async def test_without_goods_orders_are_only_written_down(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = ()
    sold = orders_and_pays(selling)
    await trio.sleep(60)
    found = await order(selling, sold)
    assert (found.state, selling.heard) == (PAID, [])
    assert selling.sim.calls["mtop.idle.web.trade.order.detail"] == 0


async def test_a_dry_run_gives_nothing(selling: Shop, autojump_clock: MockClock) -> None:
    selling.dry_run = True
    sold = orders_and_pays(selling)
    await trio.sleep(60)
    assert ((await order(selling, sold)).state, selling.heard) == (PAID, [])
    assert await counts(selling) == {"unused": 3}


async def test_goods_that_are_not_to_be_confirmed_are_not(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = (month(selling, confirm=False),)
    sold = orders_and_pays(selling)
    await stands(selling, sold, OrderState.DELIVERED)
    await trio.sleep(60)
    assert (sold.shipment, selling.heard) == (None, ["卡密：AAA-1"])


async def test_text_goods_tell_everybody_the_same(selling: Shop, autojump_clock: MockClock) -> None:
    selling.goods = (
        Goods(name="教程", items=(item_of(selling),), kind="text", text="{send_user_name}：请看"),
    )
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard[0].endswith("请看")


async def test_goods_may_go_by_the_title_of_the_item(
    selling: Shop, autojump_clock: MockClock
) -> None:
    title = selling.platform.world.items_of[selling.sim.user_id][0].title
    selling.goods = (month(selling, items=(), title=title[:4]),)
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]


async def test_who_sells_is_known_by_the_item_where_no_push_told(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = (month(selling, delay=5.0),)
    sold = orders_and_pays(selling)
    await trio.sleep(2)
    found = await order(selling, sold)
    await selling.store.transact(orders.change, found, role=None)
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]


async def test_an_order_that_is_not_paid_is_not_asked_about_for_ever(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = selling.platform.buyer_orders(selling.sim, "小王")
    await trio.sleep(2)
    found = await order(selling, sold)
    await selling.store.transact(orders.change, found, due_at=selling.now_ms())
    selling.summons.ring()
    await trio.sleep(3600)
    found = await order(selling, sold)
    assert (found.state, found.due_at) == (OrderState.PLACED, None)
    assert selling.sim.calls["mtop.idle.web.trade.order.detail"] == 3


async def test_an_order_of_another_account_is_held_and_gets_nothing(
    selling: Shop, autojump_clock: MockClock
) -> None:
    """Its card may be in our chat: the platform says that it is not our order."""
    other = selling.platform.add_account("shop-b")
    foreign = selling.platform.buyer_orders(other, "小王")
    selling.platform.buyer_pays(other, foreign)
    ours = selling.platform.chat(selling.sim, "小王")
    told = Trade(
        order=foreign.id,
        chat=ours.id,
        state=PAID,
        role="seller",
        buyer=ours.buyer.id,
        item=ours.item.id,
        source="card",
    )
    await selling.store.transact(orders.told, SHOP, told, now=selling.now_ms())
    selling.summons.ring()
    held = await stands(selling, foreign, HELD)
    assert held.why
    assert (selling.heard, await counts(selling)) == ([], {"unused": 3})


async def test_a_code_whose_message_the_platform_changed_is_told_to_nobody_else(
    autojump_clock: MockClock,
) -> None:
    platform = new_platform(echo="before")
    async with open_shop(platform=platform) as shop, trio.open_nursery() as nursery:
        shop.goods = (month(shop),)
        await stock(shop, "AAA-1")
        nursery.start_soon(shop.run)
        await trio.sleep(2)
        shop.faults.alter_sends(1)
        shop.faults.lose_answers(1)
        sold = orders_and_pays(shop)
        await stands(shop, sold, HELD, within=120)
        assert shop.heard == ["卡密：AAA-1。"]
        assert "AAA" not in repr(shop.events)
        said = await shop.store.transact(conversation.recent, SHOP, sold.chat.id, most=9)
        assert "AAA" not in repr(said), "a model would read it"
        nursery.cancel_scope.cancel()


async def test_a_code_that_the_seller_copies_is_told_to_nobody_else(
    selling: Shop, autojump_clock: MockClock
) -> None:
    sold = orders_and_pays(selling)
    await stands(selling, sold, CONFIRMED)
    selling.platform.seller_says(selling.sim, "小王", "再发一次：AAA-1 收好")
    await trio.sleep(5)
    assert [each.text for each in selling.events if isinstance(each, WroteByHand)] == [UNSEEN]


async def test_what_is_held_for_its_amount_is_given_at_the_sellers_word(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = (month(selling, min_amount=10_000.0),)
    sold = orders_and_pays(selling)
    await stands(selling, sold, HELD)
    release = partial(giving.release, now=selling.now_ms())
    assert await selling.store.transact(release, SHOP, sold.id) is None
    selling.summons.ring()
    await stands(selling, sold, CONFIRMED)
    assert selling.heard == ["卡密：AAA-1"]


async def test_a_supplier_is_not_asked_for_a_buyer_who_has_enough(
    selling: Shop, autojump_clock: MockClock
) -> None:
    selling.goods = (month(selling, limit_per_buyer=1),)
    await stands(selling, orders_and_pays(selling), CONFIRMED)
    nobody = Supplier(url="http://127.0.0.1:9/", answer="code", retries=0)
    selling.goods = (
        Goods(
            name="月卡",
            items=(item_of(selling),),
            kind="supplier",
            supplier=nobody,
            text="{codes}",
            limit_per_buyer=1,
        ),
    )
    held = await stands(selling, orders_and_pays(selling), HELD)
    assert "limit_per_buyer" in (held.why or "")
