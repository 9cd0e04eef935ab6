"""What is asked of the platform about orders, and done with them."""

from __future__ import annotations

import json

import pytest
import trio

from tests.xianyu.test_mtop import KEEP_ALIVE, Desk, Said, Script, desk
from xybot.errors import LoginRequired, TransientError
from xybot.model import ItemId, OrderId, UserId
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount, SimOrder, SimSku
from xybot.trade import OrderFacts, OrderState
from xybot.xianyu import trade
from xybot.xianyu.mtop import AlreadyShipped, Forbidden, NotFound

S = OrderState
ORDER = OrderId("4400000000000000011")
SHIP = "mtop.taobao.idle.logistic.consign.dummy"
SOLD = "mtop.taobao.idle.trade.merchant.sold.get"
DETAIL = "mtop.idle.web.trade.order.detail"


@pytest.fixture
async def sim(platform: Platform, account: SimAccount) -> Desk:
    return desk(platform.http_app, account.cookie_text, platform.now_ms)


@pytest.fixture
async def order(platform: Platform, account: SimAccount) -> SimOrder:
    return platform.buyer_orders(account, "小王", 2)


async def state(sim: Desk, order: SimOrder) -> OrderState | None:
    found = await trade.order_facts(sim.mtop, order.id)
    assert found is not None
    return found.state


async def test_everything_about_an_order_is_told(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk
) -> None:
    sku = SimSku(id="1", properties={"颜色": "白", "容量": "64G"}, price=9950, quantity=3)
    order = platform.buyer_orders(account, "小王", 3, sku=sku)
    platform.buyer_pays(account, order)
    assert await trade.order_facts(sim.mtop, order.id) == OrderFacts(
        peer=order.chat.buyer.id,
        item=order.chat.item.id,
        state=S.PAID,
        words="买家已付款，请尽快发货",
        quantity=3,
        spec="颜色:白;容量:64G",
        amount=3 * 9950,
        title=order.chat.item.title,
    )


async def test_the_state_of_an_order_follows_what_its_people_do(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    states = [await state(sim, order)]
    for step in (
        platform.buyer_pays,
        platform.seller_ships,
        platform.buyer_confirms,
        platform.buyer_asks_refund,
        platform.refund_agreed,
    ):
        step(account, order)
        states.append(await state(sim, order))
    assert states == [S.PLACED, S.PAID, S.CONFIRMED, S.COMPLETED, S.REFUNDING, S.REFUNDED]
    closed = platform.buyer_orders(account, "阿杰")
    platform.buyer_closes(account, closed)
    assert await state(sim, closed) is S.CLOSED


async def test_an_order_of_nobody_or_of_another_account_is_none(
    autojump_clock, platform: Platform, sim: Desk
) -> None:
    other = platform.add_account("shop-b")
    foreign = platform.buyer_orders(other, "小王")
    assert await trade.order_facts(sim.mtop, foreign.id) is None
    assert await trade.order_facts(sim.mtop, ORDER) is None
    with pytest.raises(NotFound):
        await trade.ship(sim.mtop, foreign.id)
    assert foreign.shipment is None


async def test_an_answer_about_another_order_is_not_believed(autojump_clock) -> None:
    said = Said(json.dumps({"ret": ["SUCCESS::好"], "data": {"orderId": "5500000000000000022"}}))
    with pytest.raises(TransientError, match="5500000000000000022"):
        await trade.order_facts(desk(Script([said])).mtop, ORDER)


async def test_an_answer_that_tells_nothing_is_an_order_of_which_nothing_is_known(
    autojump_clock,
) -> None:
    found = await trade.order_facts(desk(Script([Said('{"ret": ["SUCCESS::好"]}')])).mtop, ORDER)
    assert found is not None
    assert (found.state, found.quantity, found.amount) == (None, None, None)


async def test_an_order_is_shipped_once_and_to_ship_it_again_is_done(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.buyer_pays(account, order)
    await trade.ship(sim.mtop, order.id)
    assert order.shipment is not None
    at = order.shipment.at
    await trio.sleep(5)
    await trade.ship(sim.mtop, order.id)
    assert (order.status, order.shipment.at, order.shipment.by_hand) == ("已发货", at, False)
    assert account.calls[SHIP] == 2


async def test_an_order_that_is_not_paid_or_wanted_back_is_not_shipped(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    with pytest.raises(TransientError):
        await trade.ship(sim.mtop, order.id)
    platform.buyer_pays(account, order)
    platform.buyer_asks_refund(account, order)
    with pytest.raises(TransientError):
        await trade.ship(sim.mtop, order.id)
    assert order.shipment is None


async def test_a_shipment_whose_answer_was_lost_is_done_at_the_second_try(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.buyer_pays(account, order)
    platform.faults(account).lose_order_answers()
    with pytest.raises(TransientError):
        await trade.ship(sim.mtop, order.id)
    assert order.status == "已发货"
    await trade.ship(sim.mtop, order.id)


async def test_a_knife_is_known_by_its_price_and_goes_on_when_others_are_skipped(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk
) -> None:
    order = platform.buyer_orders(account, "小王", knife=True)
    platform.buyer_pays(account, order)
    waiting = await trade.order_facts(sim.mtop, order.id)
    assert waiting is not None
    assert (waiting.state, waiting.knife) == (None, True)
    with pytest.raises(TransientError):
        await trade.ship(sim.mtop, order.id)
    item, buyer = order.chat.item.id, order.chat.buyer.id
    for _ in range(2):
        await trade.free_shipping(sim.mtop, order.id, item=item, buyer=buyer)
        assert await state(sim, order) is S.PAID
    await trade.ship(sim.mtop, order.id)


async def test_what_is_no_knife_cannot_be_made_one(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.buyer_pays(account, order)
    item, buyer = order.chat.item.id, order.chat.buyer.id
    with pytest.raises(TransientError, match="not done"):
        await trade.free_shipping(sim.mtop, order.id, item=item, buyer=buyer)
    with pytest.raises(TransientError, match="参数错误"):
        await trade.free_shipping(sim.mtop, order.id, item=ItemId("1"), buyer=UserId("2"))


async def test_skipping_others_of_what_is_shipped_is_done(autojump_clock) -> None:
    said = Said('{"ret": ["FAIL_BIZ_ORDER_ALREADY_DELIVERY::已发货成功"]}')
    script = Script([said])
    one = desk(script).mtop
    await trade.free_shipping(one, ORDER, item=ItemId("7"), buyer=UserId("8"))
    await trade.ship(one, ORDER)
    asked = [json.loads(form["data"][0]) for form in script.forms]
    assert asked == [
        {"bizOrderId": ORDER, "itemId": 7, "buyerId": 8},
        {"orderId": ORDER, "tradeText": "", "picList": [], "newUnconsign": True},
    ]


# What waits for shipment.


async def test_all_that_waits_for_shipment_is_listed_page_by_page_the_newest_first(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk
) -> None:
    placed = [platform.buyer_orders(account, f"买家{n}") for n in range(26)]
    for each in placed[1:]:
        platform.buyer_pays(account, each)
    await trade.ship(sim.mtop, placed[1].id)
    first, second = [await trade.unshipped(sim.mtop, page) for page in (1, 2)]
    assert (len(first.orders), first.more, second.more) == (20, True, False)
    listed = [each.order for each in first.orders + second.orders]
    assert listed == [each.id for each in reversed(placed[2:])]
    newest = first.orders[0]
    assert (newest.state, newest.amount, newest.buyer) == (S.PAID, 8800, placed[-1].chat.buyer.id)
    paid_at = placed[-1].paid_at
    assert paid_at is not None
    assert newest.paid_at == paid_at // 1000 * 1000


async def test_a_knife_that_waits_is_listed_as_such(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk
) -> None:
    platform.buyer_pays(account, platform.buyer_orders(account, "小王", knife=True))
    (found,) = (await trade.unshipped(sim.mtop, 1)).orders
    assert (found.state, found.knife, found.words) == (None, True, "待刀成")


async def test_an_account_without_a_shop_may_not_list(
    autojump_clock, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    account.has_shop = False
    with pytest.raises(Forbidden):
        await trade.unshipped(sim.mtop, 1)
    assert await state(sim, order) is S.PLACED


async def test_a_shop_whose_pages_forgot_the_login_is_no_login_that_is_gone(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk
) -> None:
    platform.faults(account).shop_sleeps()
    with pytest.raises(Forbidden):
        await trade.unshipped(sim.mtop, 1)
    platform.faults(account).shop_sleeps(on=False)
    platform.faults(account).doze()
    assert (await trade.unshipped(sim.mtop, 1)).orders == ()
    platform.faults(account).expire_cookie()
    with pytest.raises(LoginRequired):
        await trade.unshipped(sim.mtop, 1)
    assert account.calls[KEEP_ALIVE] > 0


async def test_an_answer_without_a_list_is_not_taken_for_an_empty_one(autojump_clock) -> None:
    with pytest.raises(TransientError, match="no list"):
        await trade.unshipped(desk(Script([Said('{"ret": ["SUCCESS::好"]}')])).mtop, 1)


# When it goes wrong.


async def test_every_call_about_orders_can_be_refused_to_an_account(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.faults(account).forbid_orders()
    with pytest.raises(Forbidden):
        await trade.order_facts(sim.mtop, order.id)
    with pytest.raises(Forbidden):
        await trade.ship(sim.mtop, order.id)


async def test_a_gateway_that_fails_did_nothing_and_is_asked_again(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.buyer_pays(account, order)
    platform.faults(account).fail_orders(2)
    for _ in range(2):
        with pytest.raises(TransientError):
            await trade.ship(sim.mtop, order.id)
        assert order.shipment is None
    await trade.ship(sim.mtop, order.id)
    assert order.shipment is not None


async def test_a_platform_that_lags_still_waits_for_the_payment(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.faults(account).late_orders(4)
    platform.buyer_pays(account, order)
    assert await state(sim, order) is S.PLACED
    assert (await trade.unshipped(sim.mtop, 1)).orders == ()
    await trio.sleep(5)
    assert await state(sim, order) is S.PAID


async def test_a_slow_order_api_takes_its_time_and_nothing_else_does(
    autojump_clock, platform: Platform, account: SimAccount, sim: Desk, order: SimOrder
) -> None:
    platform.faults(account).slow_orders(7)
    before = trio.current_time()
    await sim.mtop.call(KEEP_ALIVE, {})
    assert trio.current_time() - before < 1
    await trade.order_facts(sim.mtop, order.id)
    assert trio.current_time() - before >= 7


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("PERMISSION_EXCEPTION", Forbidden),
        ("FAIL_BIZ_PERMISSION_EXCEPTION", Forbidden),
        ("ORDER_ALREADY_DELIVERY", AlreadyShipped),
        ("FAIL_BIZ_ORDER_NOT_FOUND", NotFound),
        ("FAIL_BIZ_ORDER_STATUS_ERROR", TransientError),
        ("FAIL_SYS_API_NOT_FOUNDED", TransientError),
    ],
)
async def test_each_refusal_of_an_order_says_what_it_means(
    autojump_clock, code: str, error: type[TransientError]
) -> None:
    with pytest.raises(TransientError) as caught:
        await desk(Script([Said(json.dumps({"ret": [f"{code}::x"]}))])).mtop.call(DETAIL, {})
    assert type(caught.value) is error
