"""Reasons to keep quiet, whatever the sources would say."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import attrs
import pytest

from tests.replies.samples import NOW, turn
from xybot.config import Replies
from xybot.model import ChatId, Decision, Message, Reply, Text, Turn, UserId
from xybot.replies.gates import Blacklist, Limits, Stop, gates
from xybot.store import inbox, outbox, turns
from xybot.store.database import Store, inline, open_store
from xybot.store.inbox import Arrival
from xybot.store.limits import DAY, HOUR

SAYING = Decision(
    reply=Reply(contents=(Text("在"), Text("的")), source="a", because="b"), passed=()
)
_N = itertools.count()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


def of(asked: Turn, **values: object) -> Turn:
    """The same turn from another buyer, or by another name."""
    changed: tuple[Message, ...] = tuple(attrs.evolve(each, **values) for each in asked.messages)
    return attrs.evolve(asked, messages=changed)


async def close(store: Store, asked: Turn, decision: Decision = SAYING, at: int = NOW) -> None:
    """Store what was decided."""
    n = next(_N)
    asked = of(asked, id=f"{n}.PNM")
    came = [
        Arrival(key=line.id, kind="text", raw="", outcome=None, chat=asked.chat, sender=line.sender)
        for line in asked.messages
    ]
    await store.transact(inbox.insert_new, asked.account, came, now=at)
    contents = decision.reply.contents if decision.reply else ()
    uuids = tuple(f"{n}/{each}" for each in range(len(contents)))
    assert await store.transact(turns.answer, asked, decision, uuids, now=at)


async def test_a_buyer_on_the_blacklist_is_not_answered_by_id_or_by_name() -> None:
    (gate,) = gates(Replies(blacklist=("2201 ", "Spammer"), chat_limit=0, buyer_limit=0), None)
    stop = await gate.check(turn("在吗"), NOW)
    assert stop is not None
    assert (stop.gate, stop.alarm) == ("blacklist", False)
    by_name = of(turn("在吗"), sender=UserId("9"), sender_name=" spammer")
    assert await gate.check(by_name, NOW) is not None
    assert await gate.check(of(by_name, sender_name="spammer 2"), NOW) is None


async def test_without_limits_and_blacklist_there_is_no_gate(store: Store) -> None:
    assert gates(Replies(chat_limit=0, buyer_limit=0), store) == ()
    assert [type(each) for each in gates(Replies(blacklist=("x",)), store)] == [Blacklist, Limits]


async def test_so_many_replies_in_a_chat_within_an_hour_and_no_more(store: Store) -> None:
    gate = Limits(store=store, in_chat=2, to_buyer=0)
    await close(store, turn("在吗"), at=NOW - HOUR)
    await close(store, turn("在吗"), at=NOW - HOUR + 1)
    assert await gate.check(turn("在吗"), NOW) is None
    await close(store, turn("在吗"))
    stop = await gate.check(turn("在吗"), NOW)
    assert stop is not None
    assert stop.gate == "chat_limit"
    assert await gate.check(attrs.evolve(turn("在吗"), chat=ChatId("c2")), NOW) is None
    assert await gate.check(turn("在吗", account="shop-b"), NOW) is None
    assert await gate.check(turn("在吗"), NOW + 1) is None  # The first of them is an hour old.


async def test_so_many_replies_to_a_buyer_within_a_day_in_all_chats(store: Store) -> None:
    gate = Limits(store=store, in_chat=0, to_buyer=2)
    await close(store, turn("在吗"), at=NOW - DAY + 1)
    await close(store, attrs.evolve(turn("在吗"), chat=ChatId("c2")))
    third = attrs.evolve(turn("在吗"), chat=ChatId("c3"))
    stop = await gate.check(third, NOW)
    assert stop is not None
    assert stop.gate == "buyer_limit"
    assert await gate.check(of(third, sender=UserId("2202")), NOW) is None
    assert await gate.check(third, NOW + DAY) is None


async def test_what_was_refused_or_dropped_is_no_reply(store: Store) -> None:
    gate = Limits(store=store, in_chat=1, to_buyer=1)
    await close(store, turn("在吗"))
    which = outbox.Which(until=NOW)
    await store.transact(outbox.drop, turn("x").account, which, "late", now=NOW)
    assert await gate.check(turn("在吗"), NOW) is None


async def test_the_seller_is_told_of_a_limit_once(store: Store) -> None:
    gate = Limits(store=store, in_chat=1, to_buyer=0)
    await close(store, turn("在吗"))

    async def stop(at: int) -> Stop:
        found = await gate.check(turn("在吗"), at)
        assert found is not None
        return found

    async def note(found: Stop, at: int) -> None:
        passed = ((found.gate, found.reason),)
        await close(store, turn("在吗"), Decision(reply=None, passed=passed), at)

    first = await stop(NOW)
    assert first.alarm
    await note(first, NOW)
    for later in range(1, 4):
        again = await stop(NOW + later)
        assert not again.alarm
        await note(again, NOW + later)
    late = NOW + 2 * HOUR
    await close(store, turn("在吗"), at=late)
    assert (await stop(late)).alarm
