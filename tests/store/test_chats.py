"""Chats that the seller has taken over."""

from __future__ import annotations

import attrs

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, outgoing, turn
from xybot.model import ChatId, Decision, MessageId, Text
from xybot.store import chats, inbox, outbox, turns
from xybot.store.chats import Intake
from xybot.store.database import Store
from xybot.store.inbox import Arrival

PAUSE = 600_000


def own(key: str, words: str = "我来说", *, chat: str = CHAT, sent_at: int = NOW) -> Arrival:
    said = arrival(key, Text(words), chat=chat, outcome="own", sent_at=sent_at)
    return attrs.evolve(said, kind="own")


async def take_in(store: Store, *arrivals: Arrival, pause: int = PAUSE, now: int = NOW) -> Intake:
    return await store.transact(chats.take_in, SHOP, arrivals, pause=pause, now=now)


async def test_a_line_by_hand_pauses_its_chat_and_closes_what_waits_there(store: Store) -> None:
    await take_in(store, arrival("1.PNM"), arrival("2.PNM", chat="c2"))
    intake = await take_in(store, own("3.PNM", sent_at=NOW - 1000))
    until = NOW - 1000 + PAUSE
    assert intake == Intake(fresh=frozenset({MessageId("3.PNM")}), taken_over={CHAT: until})
    assert [m.id for m in await store.transact(inbox.still_open, SHOP)] == ["2.PNM"]
    assert await store.transact(chats.paused, SHOP, now=until - 1) == {CHAT: until}
    assert await store.transact(chats.paused, OTHER, now=NOW) == {}
    assert await store.transact(chats.paused, SHOP, now=until) == {}


async def test_another_line_by_hand_makes_the_pause_longer(store: Store) -> None:
    await take_in(store, own("1.PNM"))
    await take_in(store, own("2.PNM", sent_at=NOW + 5000), now=NOW + 5000)
    assert await store.transact(chats.paused, SHOP, now=NOW) == {ChatId(CHAT): NOW + 5000 + PAUSE}


async def test_a_redelivery_an_old_line_and_no_pause_take_nothing_over(store: Store) -> None:
    assert (await take_in(store, own("1.PNM"), pause=0)).taken_over == {}
    assert (await take_in(store, own("1.PNM"))).taken_over == {}
    assert (await take_in(store, own("2.PNM", sent_at=NOW - PAUSE))).taken_over == {}
    assert await store.transact(chats.paused, SHOP, now=NOW) == {}


async def test_what_we_said_ourselves_takes_nothing_over(store: Store) -> None:
    await store.transact(turns.answer, turn("0.PNM"), Decision(reply=None, passed=()), (), now=NOW)
    ours = [outgoing("u1", content=Text("在的"))]
    await store.transact(outbox.put, SHOP, ours, turn=1, now=NOW)
    await store.transact(outbox.take_due, SHOP, frozenset(), most=1, now=NOW)
    assert (await take_in(store, own("1.PNM", "在的"))).taken_over == {}
    assert list((await take_in(store, own("2.PNM", "我来说"))).taken_over) == [CHAT]
