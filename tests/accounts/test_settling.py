"""A send whose answer is lost is settled by its echo, or by what the conversation tells.

It is never said again in doubt: then it is held, and its seller is told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import pytest
import trio

from tests.conftest import Shop, clock_ms, new_platform, open_shop
from xybot.accounts.chat import Patience
from xybot.events import ChatPaused, ReplySent, SendHeld
from xybot.model import Decision, Image, Reply, Text
from xybot.store.database import Database
from xybot.store.schema import outbox

HOUR = 3_600_000


@asynccontextmanager
async def in_business(now_ms: Callable[[], int] | None = None, **settings) -> AsyncIterator[Shop]:
    """A shop on a platform that behaves as told; by default it echoes nothing."""
    platform = new_platform(**({"echo": "never"} | settings))
    if now_ms is not None:
        platform = attrs.evolve(platform, now_ms=now_ms)
    async with open_shop(platform=platform) as shop, trio.open_nursery() as nursery:
        nursery.start_soon(shop.run)
        await trio.sleep(1)
        yield shop
        nursery.cancel_scope.cancel()


def sent(shop: Shop) -> list[str]:
    return [event.text for event in shop.events if isinstance(event, ReplySent)]


def held(shop: Shop) -> list[SendHeld]:
    return [event for event in shop.events if isinstance(event, SendHeld)]


async def states(shop: Shop) -> list[str]:
    def read(db: Database) -> list[str]:
        return [row.state for row in db.execute(outbox.select().order_by(outbox.c.seq))]

    return await shop.store.transact(read)


async def test_an_echo_settles_a_send_at_once_and_the_line_stays(autojump_clock) -> None:
    async with in_business(echo="after") as shop:
        shop.faults.lose_answers(2)
        shop.says("在吗")
        await trio.sleep(5)
        assert sent(shop) == ["在吗"]
        shop.says("还在吗")
        await trio.sleep(60)
        assert shop.heard == sent(shop) == ["在吗", "还在吗"]
        assert len(shop.connects) == 1


async def test_an_echo_that_comes_before_its_answer_tells_once(autojump_clock) -> None:
    async with in_business(echo="before") as shop:
        for n in range(20):
            shop.says(f"第{n}句", f"buyer {n}")
        await trio.sleep(60)
        assert sorted(sent(shop)) == sorted(shop.heard) == sorted(f"第{n}句" for n in range(20))
        assert not [event for event in shop.events if isinstance(event, ChatPaused)]


async def test_without_an_echo_the_next_connection_reads_the_conversation(autojump_clock) -> None:
    async with in_business() as shop:
        shop.faults.lose_answers(1)
        shop.says("在吗")
        await trio.sleep(90)
        assert shop.heard == sent(shop) == ["在吗"]
        assert len(shop.connects) == 2


async def test_what_did_not_arrive_is_said_again_under_the_same_uuid(autojump_clock) -> None:
    async with in_business() as shop:
        shop.says("在吗")
        await trio.sleep(2.9)
        shop.faults.mute()  # The message leaves us, and reaches nobody.
        await trio.sleep(1)
        assert await states(shop) == ["sending"]
        await trio.sleep(30)
        shop.faults.unmute()
        await trio.sleep(60)
        assert shop.heard == sent(shop) == ["在吗"]
        assert len(shop.sim.uuids) == 1


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
async def test_our_own_clock_does_not_matter(autojump_clock, skew: int) -> None:
    async with in_business(lambda: clock_ms() + skew) as shop:
        shop.faults.lose_answers(1)
        shop.says("在吗")
        await trio.sleep(90)
        assert len(shop.connects) == 2
        assert shop.heard == ["在吗"]


async def test_words_that_were_said_before_are_said_again_when_they_are_due(autojump_clock) -> None:
    async with in_business() as shop:
        shop.decide = partial(_always, Text("您好"))
        shop.says("在吗")
        await trio.sleep(200)
        shop.says("有货吗")
        await trio.sleep(2.9)
        shop.faults.mute()
        await trio.sleep(30)
        shop.faults.unmute()
        await trio.sleep(60)
        assert shop.heard == ["您好", "您好"]


async def _always(content: Text | Image, _turn, _now) -> Decision:
    return Decision(reply=Reply(contents=(content,), source="t", because="t"), passed=())


async def test_two_lost_answers_in_the_same_words_are_two_messages(autojump_clock) -> None:
    async with in_business() as shop:
        shop.decide = partial(_always, Text("您好"))
        shop.faults.lose_answers(2)
        shop.says("在吗", "小王")
        shop.says("在吗", "阿杰")
        await trio.sleep(120)
        assert shop.heard == ["您好", "您好"]
        assert await states(shop) == ["sent", "sent"]


async def test_a_send_is_held_when_the_conversation_cannot_be_read(autojump_clock) -> None:
    async with in_business() as shop:
        shop.faults.lose_answers(1)
        shop.faults.refuse_history(100)
        shop.says("在吗")
        await trio.sleep(120)
        assert shop.heard == ["在吗"]
        (event,) = held(shop)
        assert event.text == "在吗"
        assert await states(shop) == ["held"]
        shop.faults.calm()
        shop.says("还在吗")
        await trio.sleep(120)
        assert shop.heard == ["在吗", "还在吗"]


async def test_a_held_send_that_turns_up_later_is_sent_and_pauses_nothing(autojump_clock) -> None:
    async with in_business() as shop:
        shop.patience = Patience(catch_up_every=300)
        shop.faults.lose_answers(1)
        shop.faults.refuse_history(12)
        shop.says("在吗")
        await trio.sleep(120)
        assert len(held(shop)) == 1
        shop.faults.calm()
        await trio.sleep(600)
        assert shop.heard == sent(shop) == ["在吗"]
        assert await states(shop) == ["sent"]
        assert not [event for event in shop.events if isinstance(event, ChatPaused)]


async def test_a_send_whose_words_the_platform_changed_is_held_not_repeated(autojump_clock) -> None:
    async with in_business() as shop:
        shop.faults.alter_sends(1)
        shop.faults.lose_answers(1)
        shop.says("在吗")
        await trio.sleep(200)
        assert len(shop.heard) == 1
        assert await states(shop) == ["held"]
        assert len(held(shop)) == 1


async def test_when_the_seller_wrote_meanwhile_the_send_is_held(autojump_clock) -> None:
    async with in_business(echo="after") as shop:
        shop.says("在吗")
        await trio.sleep(2.9)
        shop.faults.mute()
        await trio.sleep(10)
        shop.platform.seller_says(shop.sim, "小王", "我来回")
        await trio.sleep(20)
        shop.faults.unmute()
        await trio.sleep(60)
        assert shop.heard == []
        assert await states(shop) == ["held"]


async def test_a_picture_is_recognised_by_its_address(autojump_clock) -> None:
    async with in_business() as shop:
        shop.decide = partial(_always, Image("https://img.example/1.jpg", 4, 3))
        shop.faults.lose_answers(1)
        shop.says("看图")
        await trio.sleep(90)
        assert len(shop.heard) == 1
        assert await states(shop) == ["sent"]
