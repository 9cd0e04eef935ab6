"""Follow-ups on the simulator: what a buyer reads after each step, and what they never read."""

from __future__ import annotations

import pytest
import trio

from tests.conftest import SHOP, Shop, clock_ms, open_shop
from xybot.accounts.chat import Patience
from xybot.config.follow_ups import FollowUp
from xybot.config.goods import Goods
from xybot.events import ReplyDrafted, ReplyDropped, ReplyRehearsed, ReplySent
from xybot.simulator.world import SimOrder
from xybot.store import orders, writing
from xybot.store.chats import FOREVER
from xybot.store.writing import TAKEN_OVER, Pause
from xybot.trade import OrderState

HOUR = 3600


def follow_up(when: str, text: str, **more: object) -> FollowUp:
    given = {"name": text[:3], "when": when, "text": text}
    return FollowUp(**(given | more))  # type: ignore[arg-type]


REMINDER = follow_up("placed", "《{item_title}》还没付款哦", delay=600)
THANKS = follow_up("completed", "谢谢 {send_user_name}")
FLOWER = follow_up("completed", "求小红花", delay=HOUR)


@pytest.fixture
async def selling(open_for_business: Shop) -> Shop:
    """A shop whose buyer has said hello, and which sells links."""
    shop = open_for_business
    shop.goods = (Goods(name="教程", kind="text", text="链接 https://…", title="/./", spec="*"),)
    shop.follow_ups = (REMINDER, THANKS, FLOWER)
    shop.says("在吗")
    await trio.sleep(10)
    return shop


def heard(shop: Shop) -> list[str]:
    """The words that the buyer got since hello."""
    return shop.heard[1:]


def title(order: SimOrder) -> str:
    return order.chat.item.title


async def test_from_the_order_to_the_flower_each_is_said_once_at_its_time(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.follow_ups = (
        *shop.follow_ups,
        follow_up("delivered", "收到货请看看", delay=60),
        follow_up("confirmed", "已发货 {order_id} ×{quantity}"),
    )
    order = shop.platform.buyer_orders(shop.sim, "小王", quantity=2)
    await trio.sleep(900)
    assert heard(shop) == [f"《{title(order)}》还没付款哦"]
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(300)
    assert heard(shop)[1:] == ["链接 https://…", f"已发货 {order.id} ×2", "收到货请看看"]
    await trio.sleep(6 * HOUR)
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop)[4:] == ["谢谢 小王"]
    completed_at = trio.current_time() - 60
    await trio.sleep(2 * HOUR)
    assert heard(shop)[5:] == ["求小红花"]
    assert HOUR <= shop.heard_at[-1] - completed_at < HOUR + 5
    sent = [each for each in shop.events if isinstance(each, ReplySent)]
    assert sent[-1].why == f"follow_up: 求小红 → {order.id}"


async def test_who_has_paid_is_not_reminded_though_nobody_told_us(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    order = shop.platform.buyer_orders(shop.sim, "小王")
    await trio.sleep(590)
    shop.faults.lose_pushes(9)
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(HOUR)
    assert [text for text in heard(shop) if "还没付款" in text] == []


async def test_a_reminder_waits_until_the_platform_can_be_asked(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.platform.buyer_orders(shop.sim, "小王")
    shop.faults.forbid_orders()
    await trio.sleep(HOUR)
    assert heard(shop) == []
    shop.faults.forbid_orders(on=False)
    await trio.sleep(2 * HOUR)
    assert len(heard(shop)) == 1


async def test_a_reminder_that_was_no_use_for_a_day_is_dropped_with_the_reason(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    shop.patience = Patience(heartbeat_interval=6 * HOUR, catch_up_every=24 * HOUR)
    shop.platform.buyer_orders(shop.sim, "小王")
    shop.faults.forbid_orders()
    await trio.sleep(72 * HOUR)
    assert heard(shop) == []
    (told,) = [each for each in shop.events if isinstance(each, ReplyDropped)]
    assert "long after its time" in told.why


async def test_a_refund_takes_back_what_was_still_to_be_said(autojump_clock, selling: Shop) -> None:
    shop = selling
    order = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(60)
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop)[1:] == ["谢谢 小王"]
    shop.platform.buyer_asks_refund(shop.sim, order)
    await trio.sleep(2 * HOUR)
    assert heard(shop)[2:] == []


async def test_a_chat_that_the_seller_took_over_gets_none_and_the_reason_is_told(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    order = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(60)
    pause = Pause(FOREVER, TAKEN_OVER)
    await shop.store.transact(writing.take_over, SHOP, order.chat.id, pause, now=clock_ms())
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop) == ["链接 https://…"]
    (told,) = [each for each in shop.events if isinstance(each, ReplyDropped)]
    assert (told.text, "its seller has the chat" in told.why) == ("谢谢 小王", True)


@pytest.mark.parametrize(("mode", "event"), [("draft", ReplyDrafted), ("dry_run", ReplyRehearsed)])
async def test_what_becomes_of_replies_becomes_of_follow_ups(
    autojump_clock, selling: Shop, mode: str, event: type[ReplyDrafted]
) -> None:
    shop = selling
    shop.judge = lambda texts: (mode, f"held: {len(texts)}")  # type: ignore[return-value]
    order = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(60)
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop) == ["链接 https://…"]
    (told,) = [each for each in shop.events if isinstance(each, event)]
    assert (told.text, told.held) == ("谢谢 小王", "held: 1")


async def test_a_seller_without_goods_who_ships_by_hand_may_have_follow_ups_by_title(
    autojump_clock,
    selling: Shop,
) -> None:
    shop = selling
    shop.goods = ()
    order = shop.platform.buyer_orders(shop.sim, "小王")
    shop.follow_ups = (
        follow_up("confirmed", "发走了", title=title(order)),
        follow_up("completed", "《{item_title}》好用吗", items=(order.chat.item.id,)),
        follow_up("completed", "与您无关", items=("1",)),
        follow_up("completed", "也无关", title="/^没有这样的标题$/"),
        follow_up("completed", "别的账号", accounts=("shop-b",)),
    )
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(60)
    shop.platform.seller_ships(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop) == ["发走了"]
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    assert heard(shop)[1:] == [f"《{title(order)}》好用吗"]


async def test_what_is_due_is_said_as_bot_toml_stands_then(autojump_clock, selling: Shop) -> None:
    shop = selling
    order = shop.platform.buyer_orders(shop.sim, "小王")
    shop.platform.buyer_pays(shop.sim, order)
    await trio.sleep(60)
    shop.platform.buyer_confirms(shop.sim, order)
    await trio.sleep(60)
    shop.follow_ups = (follow_up("completed", "求小红花 v2", delay=2 * HOUR),)
    await trio.sleep(1.5 * HOUR)
    assert heard(shop)[2:] == []
    await trio.sleep(HOUR)
    assert heard(shop)[2:] == ["求小红花 v2"]


async def test_one_that_was_taken_out_of_bot_toml_is_not_said_any_more(
    autojump_clock, selling: Shop
) -> None:
    shop = selling
    order = shop.platform.buyer_orders(shop.sim, "小王")
    await trio.sleep(60)
    shop.follow_ups = ()
    await trio.sleep(HOUR)
    assert heard(shop) == []
    found = await shop.store.transact(orders.find, SHOP, order.id)
    assert found is not None
    assert found.state is OrderState.PLACED


async def test_a_restart_loses_nothing_and_repeats_nothing(autojump_clock) -> None:
    async with open_shop(follow_ups=(THANKS, FLOWER)) as shop:
        platform, order = shop.platform, None
        for _ in range(4):
            with trio.move_on_after(0.4 * HOUR):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(shop.run)
                    await trio.sleep(30)
                    if order is None:
                        order = platform.buyer_orders(shop.sim, "小王")
                        platform.buyer_pays(shop.sim, order)
                        await trio.sleep(1)
                        platform.seller_ships(shop.sim, order)
                        platform.buyer_confirms(shop.sim, order)
            await trio.sleep(60)
        assert shop.heard == ["谢谢", "求小红花"]
