"""The line goes down in every way there is, and comes back; each end has its words."""

from __future__ import annotations

import itertools

import attrs
import pytest
import trio

from tests.conftest import Shop
from xybot.accounts.chat import Patience
from xybot.errors import AttentionRequired, LoginRequired, SessionTaken, VerificationRequired
from xybot.events import AccountStatus, ReplySent
from xybot.model import AccountState

TOKEN = "mtop.taobao.idlemessage.pc.login.token"
CONNECTING, CONNECTED = AccountState.CONNECTING, AccountState.CONNECTED
RECONNECTING, FAILED = AccountState.RECONNECTING, AccountState.FAILED


def token_calls(shop: Shop) -> int:
    return shop.sim.calls[TOKEN]


def last_reason(shop: Shop, state: AccountState) -> str:
    return [e.reason for e in shop.events if isinstance(e, AccountStatus) and e.new is state][-1]


async def test_an_account_says_where_it_stands_from_the_start(
    autojump_clock, open_for_business: Shop
) -> None:
    assert open_for_business.states == [CONNECTING, CONNECTED]


@pytest.mark.parametrize("end", ["cut", "close", "mute"])
async def test_every_end_of_the_line_is_followed_by_another_line(
    autojump_clock, open_for_business: Shop, end: str
) -> None:
    shop = open_for_business
    getattr(shop.faults, end)()
    await trio.sleep(40)  # A silent peer is noticed by the heartbeat: 15 s, and 10 s for an answer.
    shop.faults.unmute()
    await trio.sleep(40)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]
    turns = [state for state, _ in itertools.groupby(shop.states)]
    assert turns == [CONNECTING, CONNECTED, RECONNECTING, CONNECTED]
    assert token_calls(shop) == 1


async def test_a_silent_peer_is_noticed_by_the_heartbeat(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.mute()
    await trio.sleep(26)
    assert shop.status.state is RECONNECTING
    assert "no answer to /!" in shop.status.reason


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


async def test_a_message_whose_answer_was_lost_is_not_said_again(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.lose_answers(1)
    shop.says("在吗")
    await trio.sleep(90)
    assert shop.heard == ["在吗"]
    assert len(shop.connects) == 2
    assert len([e for e in shop.events if isinstance(e, ReplySent)]) == 1


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


async def test_an_in_band_401_brings_a_new_token_and_a_new_line(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.expire_token()
    await trio.sleep(60)
    assert shop.status.state is CONNECTED
    assert token_calls(shop) == 2
    assert "token is not found" in last_reason(shop, RECONNECTING)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_a_kick_out_brings_a_new_token_and_a_new_line(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.kick_out()
    await trio.sleep(30)
    assert shop.status.state is CONNECTED
    assert token_calls(shop) == 2
    assert "kicked out" in last_reason(shop, RECONNECTING)


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


@pytest.mark.parametrize(
    ("fault", "error"),
    [("expire_cookie", LoginRequired), ("demand_verification", VerificationRequired)],
)
async def test_what_needs_a_person_is_not_tried_again(
    autojump_clock, shop: Shop, fault: str, error: type[AttentionRequired]
) -> None:
    getattr(shop.faults, fault)()
    with trio.fail_after(60), pytest.RaisesGroup(error, flatten_subgroups=True):
        await shop.run()
    assert token_calls(shop) == 1


async def test_a_session_taken_elsewhere_is_not_fought_over(autojump_clock, shop: Shop) -> None:
    async def taken() -> None:
        await trio.sleep(5)
        shop.faults.remove_session()

    with pytest.RaisesGroup(SessionTaken, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(taken)
            await shop.run()
    assert len(shop.connects) == 1


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
    assert attrs.asdict(shop.status)["state"] is RECONNECTING
