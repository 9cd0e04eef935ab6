"""The line goes down at every bad moment, and comes back; nothing is lost or said twice."""

from __future__ import annotations

import trio

from tests.conftest import Shop
from xybot.accounts.chat import Patience
from xybot.events import AccountStatus
from xybot.model import AccountState

TOKEN = "mtop.taobao.idlemessage.pc.login.token"
CONNECTING, CONNECTED = AccountState.CONNECTING, AccountState.CONNECTED
RECONNECTING, FAILED = AccountState.RECONNECTING, AccountState.FAILED


def token_calls(shop: Shop) -> int:
    return shop.sim.calls[TOKEN]


async def test_an_account_says_where_it_stands_from_the_start(
    autojump_clock, open_for_business: Shop
) -> None:
    assert open_for_business.states == [CONNECTING, CONNECTED]


async def test_a_reply_thought_out_while_the_line_is_down_is_said_when_it_is_back(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(1)
    shop.faults.cut()
    shop.faults.refuse_dial(3)
    await trio.sleep(60)
    assert shop.heard == ["在吗"]


async def test_a_lost_acknowledgement_gets_no_second_answer(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.drop_acks(1)
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == ["在吗"]
    assert shop.platform.unacknowledged(shop.sim) == ()


async def test_a_push_that_comes_twice_gets_one_answer(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.duplicate(5)
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == ["在吗"]


async def test_the_same_words_twice_are_two_messages(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(10)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗", "在吗"]


async def test_a_lost_push_is_answered_when_the_platform_repeats_it(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    shop.faults.lose_pushes(1)
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == ["在吗"]


async def test_a_line_cut_while_a_message_is_on_its_way_does_not_lose_it(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    shop.faults.mute()  # The message leaves us, and reaches nobody.
    shop.says("在吗")
    await trio.sleep(2)
    shop.faults.unmute()
    shop.says("还在吗")
    await trio.sleep(1)
    shop.faults.mute()
    await trio.sleep(60)
    shop.faults.unmute()
    await trio.sleep(60)
    assert "+".join(shop.heard) in ("在吗+还在吗", "还在吗+在吗")


async def test_a_reconnect_makes_no_token_call(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business
    for _ in range(10):
        shop.faults.cut()
        await trio.sleep(200)
    assert token_calls(shop) == 1
    assert len(shop.connects) == 11


async def test_a_token_is_renewed_before_it_is_worthless(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    await trio.sleep(13 * 3600)
    # Two renewals; by then the signing token is stale as well, and each call is signed again.
    assert token_calls(shop) == 1 + 2 * 2
    assert shop.status.state is CONNECTED
    assert [round(at / 3600) for at in shop.connects] == [0, 6, 12]


async def test_a_stale_signature_is_signed_again_once(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.faults.expire_h5()
    nursery.start_soon(shop.run)
    await trio.sleep(5)
    assert shop.status.state is CONNECTED
    assert token_calls(shop) == 2


async def test_readiness_is_awaited_even_when_the_platform_never_announces_it(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.faults.no_vulcan()
    nursery.start_soon(shop.run)
    await trio.sleep(2.5)
    assert shop.status.state is CONNECTING
    await trio.sleep(1)
    assert shop.status.state is CONNECTED


async def test_a_dead_network_is_told_once_and_tried_for_ever(
    autojump_clock, shop: Shop, nursery
) -> None:
    shop.faults.refuse_dial(30)
    nursery.start_soon(shop.run)
    await trio.sleep(600)
    failed = [e for e in shop.events if isinstance(e, AccountStatus) and e.new is FAILED]
    assert len(failed) == 1
    assert 30 <= failed[0].next_try <= 60
    await trio.sleep(3600)
    assert shop.status.state is CONNECTED
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_a_platform_that_hangs_up_at_once_is_not_dialled_in_a_hot_loop(
    autojump_clock, open_for_business: Shop, nursery: trio.Nursery
) -> None:
    shop = open_for_business

    async def rude() -> None:
        while True:
            await trio.sleep(1)
            if shop.platform.on_line(shop.sim):
                shop.faults.close()

    nursery.start_soon(rude)
    await trio.sleep(1800)
    assert len(shop.connects) < 70
    assert shop.status.state in (FAILED, CONNECTED)


async def test_the_server_that_hangs_up_every_ten_minutes_costs_a_second_or_two(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    for _ in range(20):
        await trio.sleep(600)
        shop.faults.close()
        await trio.sleep(4)
        assert shop.status.state is CONNECTED


async def test_stopping_is_prompt(autojump_clock, shop: Shop) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert trio.current_time() < 6.5


async def test_a_heartbeat_goes_out_as_often_as_the_settings_say(
    autojump_clock, shop: Shop, nursery
) -> None:
    shop.patience = Patience(heartbeat_interval=5)
    nursery.start_soon(shop.run)
    await trio.sleep(1)
    shop.faults.mute()
    await trio.sleep(5 + 10 + 1)
    assert shop.status.state is RECONNECTING
