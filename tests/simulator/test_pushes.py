"""Pushes that come late, elsewhere, or never."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from tests.simulator.client import Client, on_line
from xybot.simulator import Platform
from xybot.simulator.desk import TooLong
from xybot.simulator.world import SimAccount
from xybot.wire import requests
from xybot.wire.frames import Frame
from xybot.wire.pushes import Typing
from xybot.wire.requests import Request

STATE = Request("/r/SyncStatus/getState", [{"topic": "sync"}])


def ack_diff(state: object) -> Request:
    return Request("/r/SyncStatus/ackDiff", [state])


def extra(frame: Frame) -> int | None:
    """Return the `syncExtraType` of a push."""
    found: dict[str, int] = frame.body.get("syncExtraType", {})
    return found.get("type")


def count(frame: Frame) -> int:
    return len(frame.body["syncPushPackage"]["data"])


async def words(client: Client) -> list[str | None]:
    return [push.facts.text for push in await client.meant()]


async def test_a_backlog_comes_newest_first(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    platform.faults(account).reorder(2)
    for n in range(40):
        platform.buyer_says(account, "小王", str(n))
    async with on_line(platform, account) as client:
        heard = await words(client) + await words(client)
        assert heard == [str(n) for n in reversed(range(40))]
        for line in ("a", "b"):
            platform.buyer_says(account, "小王", line)
        assert await words(client) == ["a", "b"]
        assert await client.quiet(60)


async def test_a_lone_entry_is_overtaken_by_the_next_or_waits_a_second(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.reorder(2)
        platform.buyer_says(account, "小王", "先")
        assert await client.quiet(0.5)
        platform.buyer_says(account, "小王", "后")
        assert await words(client) == ["后", "先"]
        before = trio.current_time()
        platform.buyer_says(account, "小王", "独")
        assert await words(client) == ["独"]
        assert trio.current_time() - before == pytest.approx(1)
        platform.buyer_says(account, "小王", "快")
        assert await words(client) == ["快"]
        assert trio.current_time() - before == pytest.approx(1)


async def test_what_is_held_back_survives_its_line(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.reorder()
        platform.buyer_says(account, "小王", "在吗")
        assert await client.quiet(0.5)
        faults.cut()
    await trio.sleep(60)
    async with on_line(platform, account) as client:
        assert await words(client) == ["在吗"]


async def test_what_the_phone_took_is_told_by_the_history_alone(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        platform.faults(account).swallow_pushes(2)
        chat = platform.buyer_says(account, "小王", "1").chat
        platform.seller_says(account, "小王", "2")
        platform.buyer_says(account, "小王", "3")
        assert await words(client) == ["3"]
        assert await client.quiet(60)
    async with on_line(platform, account) as client:
        assert await client.quiet(60)
        page = (await client.ask(requests.history(chat.id))).body
        told = [each["message"]["messageId"] for each in page["userMessageModels"]]
        assert told == [each.id for each in reversed(chat.messages)]
        (listed,) = (await client.ask(requests.conversations())).body["userConvs"]
        assert listed["singleChatUserConversation"]["redPoint"] == 2


async def test_pushes_come_by_the_other_path_so_many_times(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        platform.faults(account).fail_over()
        platform.buyer_says(account, "小王", "1")
        (heard,) = await client.meant("/s/sync_failover")
        assert heard.facts.text == "1"
        await trio.sleep(1)
        assert platform.unacknowledged(account) == ()
        platform.buyer_says(account, "小王", "2")
        assert await words(client) == ["2"]


@pytest.mark.parametrize("kind", [1, 2])
async def test_a_forgotten_backlog_is_told_until_the_state_is_sent_back(
    platform: Platform, account: SimAccount, autojump_clock: MockClock, kind: TooLong
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        usual = (await client.ask(STATE)).body
        assert (await client.ask(ack_diff({"pts": 0}))).code == 200
        faults.forget_backlog(kind)
        told = await client.push()
        assert (count(told), extra(told)) == (0, kind)
        platform.buyer_says(account, "小王", "在吗")
        told = await client.push()
        assert (count(told), extra(told)) == (1, kind)
        platform.buyer_types(account, "小王", started=True)
        assert extra(await client.push("/s/para")) == kind
        # A state from before says nothing of what was forgotten since.
        assert (await client.ask(ack_diff(usual))).code == 400
        await trio.sleep(1)
        older = (await client.ask(STATE)).body
        await trio.sleep(1)
        state = (await client.ask(STATE)).body
        for wrong in (older, state | {"seq": 1}, [state], None):
            assert (await client.ask(ack_diff(wrong))).code == 400
        assert (await client.ask(ack_diff(state))).code == 200
        platform.buyer_says(account, "小王", "在吗")
        assert extra(await client.push()) is None
        platform.buyer_types(account, "小王", started=True)
        (typing,) = await client.meant("/s/para")
        assert isinstance(typing, Typing)
        assert await client.quiet(60)


async def test_what_is_forgotten_off_line_never_comes_but_what_is_said_later_does(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    platform.buyer_says(account, "小王", "早")
    async with on_line(platform, account, acks=False) as client:
        assert await words(client) == ["早"]
    lost = platform.buyer_says(account, "小王", "中")
    platform.faults(account).forget_backlog()
    assert platform.unacknowledged(account) == ()
    platform.buyer_says(account, "小王", "晚")
    for _ in range(2):
        async with on_line(platform, account, acks=False) as client:
            empty, later = await client.push(), await client.push()
            assert [count(empty), count(later)] == [0, 1]
            assert [extra(empty), extra(later)] == [2, 2]
    async with on_line(platform, account) as client:
        assert await words(client) == []
        assert await words(client) == ["晚"]
        page = (await client.ask(requests.history(lost.chat.id))).body
        models = page["userMessageModels"]
        assert lost.id in [each["message"]["messageId"] for each in models]
        state = (await client.ask(STATE)).body
        assert (await client.ask(ack_diff(state))).code == 200
    async with on_line(platform, account) as client:
        assert await client.quiet(60)


async def test_a_frame_on_its_way_again_is_forgotten_too(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.lose_pushes()
        platform.buyer_says(account, "小王", "在吗")
        await trio.sleep(1)
        faults.forget_backlog()
        assert count(await client.push()) == 0
        assert await client.quiet(60)
        # The notice itself is kept until somebody confirms it.
        client.acks = False
        faults.forget_backlog()
        assert await client.push() == await client.push()
