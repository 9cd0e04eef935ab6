"""What others ask of an account: they change a row and ring; a ring alone changes nothing."""

from __future__ import annotations

import pytest
import trio

from tests.conftest import SHOP, Shop, clock_ms, echo
from xybot.errors import Cause
from xybot.events import AccountStatus, ReplySkipped
from xybot.model import AccountState, ChatId
from xybot.store import accounts, chats, gaps, writing
from xybot.store.accounts import Setting
from xybot.store.chats import FOREVER
from xybot.store.writing import TAKEN_OVER, Pause

BY_YOU = "您暂停的 (paused by you)"


@pytest.fixture
async def supervised(autojump_clock, shop: Shop, nursery: trio.Nursery) -> Shop:
    """A shop on line, under its supervisor."""
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(2)
    assert shop.platform.on_line(shop.sim)
    return shop


def bell(shop: Shop) -> None:
    assert shop.supervising is not None
    shop.supervising.bell.ring()


async def pause(shop: Shop) -> None:
    assert await shop.store.transact(accounts.pause, SHOP, BY_YOU)
    bell(shop)
    await trio.sleep(2)


async def resume(shop: Shop) -> None:
    assert await shop.store.transact(accounts.resume, SHOP)
    bell(shop)
    await trio.sleep(2)


async def redial(shop: Shop) -> None:
    assert await shop.store.transact(accounts.redial, SHOP)
    shop.summons.ring()


async def causes(shop: Shop) -> list[str]:
    """Why the account was off line, the last time first."""
    return [each.gap.cause for each in await shop.store.transact(gaps.listed, SHOP)]


def chat_of(shop: Shop, buyer: str = "小王") -> ChatId:
    return shop.platform.chat(shop.sim, buyer).id


# An account that its seller pauses.


async def test_a_paused_account_is_off_line_as_its_seller_wants_it(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    await pause(shop)
    assert not shop.platform.on_line(shop.sim)
    assert (shop.status.state, shop.status.cause) == (AccountState.CLOSED, Cause.PAUSED)
    assert shop.status.reason == BY_YOU
    shop.says("在吗")
    await trio.sleep(3600)
    assert (shop.heard, len(shop.connects)) == ([], 1)
    assert AccountState.FAILED not in shop.states


async def test_a_resumed_account_is_back_at_once_and_answers_what_came_meanwhile(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    await pause(shop)
    shop.says("在吗")
    await trio.sleep(60)
    await resume(shop)
    assert shop.platform.on_line(shop.sim)
    assert shop.status.state is AccountState.CONNECTED
    await trio.sleep(10)
    assert shop.heard == ["在吗"]
    assert await causes(shop) == ["paused"]


async def test_a_pause_is_known_after_a_restart_and_told_as_one(autojump_clock, shop: Shop) -> None:
    for run in range(2):
        with trio.move_on_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(shop.supervisor().run)
                await trio.sleep(2)
                if run == 0:
                    await pause(shop)
        assert len(shop.connects) == 1
    assert (shop.status.state, shop.status.cause) == (AccountState.CLOSED, Cause.PAUSED)
    assert AccountState.FAILED not in shop.states


async def test_a_new_cookie_does_not_end_a_pause_and_is_used_after_it(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    await pause(shop)
    saved = await shop.store.transact(accounts.session, SHOP)
    await shop.store.transact(accounts.configure, {SHOP: Setting(version="2", pasted="2")})
    bell(shop)
    await trio.sleep(10)
    assert not shop.platform.on_line(shop.sim)
    assert shop.status.cause is Cause.PAUSED
    assert saved is not None
    assert await shop.store.transact(accounts.session, SHOP) is None
    await resume(shop)
    assert shop.platform.on_line(shop.sim)


async def test_a_paused_account_that_is_switched_off_and_on_runs(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    await pause(shop)
    await shop.store.transact(accounts.configure, {})
    bell(shop)
    await trio.sleep(2)
    assert shop.status.cause is Cause.STOPPED
    await shop.open()
    bell(shop)
    await trio.sleep(2)
    assert shop.platform.on_line(shop.sim)


async def test_only_what_runs_is_paused_or_dialled_anew_and_only_what_stands_still_resumed(
    autojump_clock, supervised: Shop
) -> None:
    store = supervised.store
    assert not await store.transact(accounts.resume, SHOP)
    await pause(supervised)
    assert not await store.transact(accounts.pause, SHOP, "again")
    assert not await store.transact(accounts.redial, SHOP)
    assert supervised.status.reason == BY_YOU
    await resume(supervised)
    await store.transact(accounts.configure, {})
    for change in (accounts.resume, accounts.redial):
        assert not await store.transact(change, SHOP)
    assert not await store.transact(accounts.pause, SHOP, BY_YOU)


async def test_an_account_that_waits_for_its_seller_is_parked_and_not_paused(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    shop.faults.remove_session()
    await trio.sleep(5)
    assert not await shop.store.transact(accounts.pause, SHOP, BY_YOU)
    assert (shop.status.state, shop.status.cause) == (AccountState.FAILED, Cause.SESSION_TAKEN)
    await resume(shop)
    await pause(shop)
    assert (shop.status.state, shop.status.cause) == (AccountState.CLOSED, Cause.PAUSED)


# A new connection.


async def test_redialling_connects_anew_at_once_and_the_gap_says_why(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    asked_at = trio.current_time()
    await redial(shop)
    await trio.sleep(1)
    assert len(shop.connects) == 2
    assert shop.connects[-1] - asked_at < 0.5
    assert await causes(shop) == ["redial"]
    told = [each for each in shop.events if isinstance(each, AccountStatus)][-2:]
    assert [(each.new, each.cause) for each in told] == [
        (AccountState.RECONNECTING, Cause.REDIAL),
        (AccountState.CONNECTED, None),
    ]
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_redialling_does_not_wait_for_the_end_of_a_pause_between_tries(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    shop.faults.refuse_dial(5)
    shop.faults.cut()
    while shop.status.now.next_try is None or shop.status.now.next_try < 20:
        await trio.sleep(0.1)
    shop.faults.calm()
    await redial(shop)
    await trio.sleep(1)
    assert shop.platform.on_line(shop.sim)
    assert shop.status.state is AccountState.CONNECTED
    # The line had ended by itself, long before anybody asked.
    assert await causes(shop) == ["aborted"]


async def test_an_end_after_a_redial_has_a_cause_of_its_own(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    await redial(shop)
    await trio.sleep(5)
    shop.faults.close()
    await trio.sleep(60)
    await redial(shop)
    await trio.sleep(6 * 3600)  # The token is renewed within that time.
    assert await causes(shop) == ["renewal", "redial", "closed", "redial"]


async def test_two_wishes_for_a_new_connection_before_a_ring_are_one(
    autojump_clock, supervised: Shop
) -> None:
    shop = supervised
    for _ in range(2):
        assert await shop.store.transact(accounts.redial, SHOP)
    shop.summons.ring()
    await trio.sleep(60)
    assert len(shop.connects) == 2


async def test_a_wish_from_before_the_start_is_not_one_of_this_run(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    assert await shop.store.transact(accounts.redial, SHOP)
    nursery.start_soon(shop.run)
    await trio.sleep(5)
    shop.summons.ring()
    await trio.sleep(60)
    assert len(shop.connects) == 1


async def test_a_ring_about_nothing_changes_nothing(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    before = len(shop.events)
    for _ in range(5):
        shop.summons.ring()
        shop.summons.ring()
        await trio.sleep(1)
    assert (len(shop.connects), len(shop.events)) == (1, before)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


# A chat that is taken over, or given back.


async def take_over(shop: Shop, buyer: str = "小王", *, until: int = FOREVER) -> None:
    pause, now = Pause(until, TAKEN_OVER), clock_ms()
    await shop.store.transact(writing.take_over, SHOP, chat_of(shop, buyer), pause, now=now)
    shop.summons.ring()


async def hand_back(shop: Shop) -> None:
    assert await shop.store.transact(writing.hand_back, SHOP, chat_of(shop), now=clock_ms())
    shop.summons.ring()


@pytest.mark.parametrize("after", [1, 10])
async def test_a_chat_that_is_taken_over_while_a_reply_is_made_ready_gets_none(
    autojump_clock, open_for_business: Shop, after: float
) -> None:
    shop, finished = open_for_business, []

    async def slow(turn, now):
        await trio.sleep(20)
        finished.append(turn.chat)
        return await echo(turn, now)

    shop.decide = slow
    shop.says("在吗", buyer="小王")
    shop.says("你好", buyer="阿杰")
    await trio.sleep(after)
    await take_over(shop)
    await trio.sleep(60)
    assert shop.heard == ["你好"]
    assert finished == [chat_of(shop, "阿杰")]
    assert None not in [row.outcome for row in await shop.books()]


async def test_what_is_in_preparation_is_skipped_with_the_reason_when_only_a_row_says_so(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(1)
    await shop.store.transact(chats.hand_over, SHOP, chat_of(shop))
    shop.summons.ring()
    await trio.sleep(10)
    assert shop.heard == []
    (skipped,) = [each for each in shop.events if isinstance(each, ReplySkipped)]
    assert "until given back" in skipped.why


async def test_a_chat_that_is_given_back_is_answered_again(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    await take_over(shop)
    shop.says("在吗")
    await trio.sleep(3600)
    assert shop.heard == []
    await hand_back(shop)
    shop.says("有人吗")
    await trio.sleep(10)
    assert shop.heard == ["有人吗"]


async def test_a_chat_that_is_taken_over_for_a_while_is_answered_after_it(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    await take_over(shop, until=clock_ms() + 60_000)
    shop.says("在吗")
    await trio.sleep(50)
    assert shop.heard == []
    await trio.sleep(11)
    shop.says("有人吗")
    await trio.sleep(10)
    assert shop.heard == ["有人吗"]


async def test_a_longer_pause_replaces_a_shorter_one_with_the_next_ring(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    await take_over(shop, until=clock_ms() + 60_000)
    await trio.sleep(1)
    await take_over(shop)
    await trio.sleep(600)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == []


async def test_a_chat_that_is_taken_over_while_the_account_does_not_run_stays_so(
    autojump_clock, shop: Shop
) -> None:
    await take_over(shop)
    shop.says("在吗")
    with trio.move_on_after(30):
        await shop.run()
    assert shop.heard == []
    assert None not in [row.outcome for row in await shop.books()]


async def test_a_chat_that_is_taken_over_off_line_is_not_answered_when_the_line_is_back(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.refuse_dial(3)
    shop.faults.cut()
    await trio.sleep(1)
    shop.says("在吗")
    await take_over(shop)
    await trio.sleep(120)
    assert shop.platform.on_line(shop.sim)
    assert shop.heard == []
