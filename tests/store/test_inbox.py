"""What came in: stored once each, and open until it is dealt with."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP, arrival, turn
from xybot.model import ChatId, Content, Decision, Image, ItemId, Media, Message, MessageId, Text
from xybot.store import inbox, turns
from xybot.store.database import Database, Store, inline, open_store
from xybot.store.inbox import Arrival
from xybot.store.schema import inbox as table


async def insert(store: Store, *arrivals: Arrival, account=SHOP) -> set[str]:
    return set(await store.transact(inbox.insert_new, account, arrivals, now=NOW))


async def open_keys(store: Store, account=SHOP) -> list[str]:
    return [message.id for message in await store.transact(inbox.still_open, account)]


async def test_only_what_was_not_seen_before_is_new(store: Store) -> None:
    assert await insert(store) == set()
    assert await insert(store, arrival("1.PNM"), arrival("2.PNM")) == {"1.PNM", "2.PNM"}
    assert await insert(store, arrival("2.PNM"), arrival("3.PNM")) == {"3.PNM"}
    assert await insert(store, arrival("1.PNM"), account=OTHER) == {"1.PNM"}
    assert await open_keys(store) == ["1.PNM", "2.PNM", "3.PNM"]


async def test_a_frame_that_brings_an_entry_twice_stores_the_first(store: Store) -> None:
    twice = (arrival("1.PNM", Text("first")), arrival("1.PNM", Text("second")))
    assert await insert(store, *twice) == {"1.PNM"}
    (message,) = await store.transact(inbox.still_open, SHOP)
    assert message.content == Text("first")


async def test_a_thousand_in_one_batch_keep_their_order(store: Store) -> None:
    many = [arrival(f"{n * 7919 % 10_000}.PNM") for n in range(2500)]
    assert len(await insert(store, *many[:1200])) == 1200
    assert await insert(store, *many) == {each.key for each in many[1200:]}
    assert await open_keys(store) == [each.key for each in many]


async def test_a_redelivery_after_a_restart_is_not_new(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, run=inline) as store:
        await insert(store, arrival("1.PNM"))
        await store.transact(inbox.close, SHOP, [MessageId("1.PNM")], "answered", None)
    async with open_store(path, run=inline) as store:
        assert await insert(store, arrival("1.PNM"), arrival("2.PNM")) == {"2.PNM"}
        assert await open_keys(store) == ["2.PNM"]


CONTENTS: list[Content] = [
    Text("在吗"),
    Text(""),
    Text("👨‍👩‍👧 🏳️‍🌈 e\u0301 \u202e"),
    Text("a\x00b\x1b[31m\r\n\t\x7f"),
    Text('{"is": "image", "url": "x"} \\ " \''),
    Text("长" * 100_000),
    Image("https://img.example/1.jpg", 1080, 1920),
    Image("https://img.example/2.jpg"),
    Media("voice", "https://v.example/1.amr"),
    Media("video", "https://v.example/1.mp4"),
    Media("expression", "https://e.example/1.gif"),
]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: type(content).__name__)
async def test_whatever_was_said_comes_back_as_it_was(store: Store, content: Content) -> None:
    said = attrs.evolve(arrival("1.PNM", content, name="Bobby\x00'); --👑"), raw="raw \x00 👑")
    await insert(store, said)
    (message,) = await store.transact(inbox.still_open, SHOP)
    assert message == inbox.message(said, NOW)
    assert message == Message(
        id=MessageId("1.PNM"),
        chat=CHAT,
        sender=BUYER,
        sender_name="Bobby\x00'); --👑",
        content=content,
        item=ItemId("81"),
        sent_at=NOW - 5,
    )


async def test_a_line_without_a_date_was_sent_when_it_came(store: Store) -> None:
    said = attrs.evolve(arrival("1.PNM", sent_at=None), sender_name=None, item=None)
    await insert(store, said)
    (message,) = await store.transact(inbox.still_open, SHOP)
    assert message == inbox.message(said, NOW)
    assert (message.sent_at, message.sender_name, message.item) == (NOW, "", None)


async def test_what_needs_no_answer_is_stored_and_not_open(store: Store) -> None:
    assert await insert(store, arrival("1.PNM", None, outcome="own")) == {"1.PNM"}
    assert await open_keys(store) == []


async def test_closing_says_why_and_leaves_the_others_open(store: Store) -> None:
    await insert(store, arrival("1.PNM"), arrival("2.PNM"), arrival("3.PNM"))
    await insert(store, arrival("1.PNM"), account=OTHER)
    await store.transact(inbox.close, SHOP, [], "nothing", None)
    await store.transact(
        inbox.close, SHOP, map(MessageId, ("1.PNM", "3.PNM", "none")), "skipped", None
    )
    assert await open_keys(store) == ["2.PNM"]
    assert await open_keys(store, OTHER) == ["1.PNM"]

    def outcomes(db: Database) -> list[str | None]:
        query = table.select().where(table.c.account == SHOP).order_by(table.c.seq)
        return [row.outcome for row in db.execute(query)]

    assert await store.transact(outcomes) == ["skipped", None, "skipped"]


async def test_closing_a_chat_closes_what_is_open_in_it_and_nothing_else(store: Store) -> None:
    await insert(store, arrival("1.PNM"), arrival("2.PNM", chat="c2"), arrival("3.PNM"))
    await insert(store, arrival("1.PNM"), account=OTHER)
    await insert(store, arrival("4.PNM", sent_at=NOW + 1), arrival("5.PNM", sent_at=None))
    nothing = Decision(reply=None, passed=())
    await store.transact(turns.answer, turn("1.PNM"), nothing, (), now=NOW)
    closed = await store.transact(inbox.close_chat, SHOP, CHAT, "skipped", until=NOW)
    assert closed == {"3.PNM", "5.PNM"}
    assert await open_keys(store) == ["2.PNM", "4.PNM"]
    assert await open_keys(store, OTHER) == ["1.PNM"]

    def outcomes(db: Database) -> list[str | None]:
        query = table.select().where(table.c.account == SHOP).order_by(table.c.seq)
        return [row.outcome for row in db.execute(query)]

    assert await store.transact(outcomes) == ["skipped", None, "skipped", None, "skipped"]


async def test_what_waits_is_loaded_by_chats_those_that_waited_longest_first(store: Store) -> None:
    await insert(store, *(arrival(f"{n}.PNM", chat=f"c{n % 4}") for n in range(12)))

    async def loaded(*busy: str, most: int) -> list[str]:
        chats = frozenset(map(ChatId, busy))
        found = await store.transact(inbox.still_open, SHOP, chats, most=most)
        return [message.id.removesuffix(".PNM") for message in found]

    assert await loaded(most=2) == ["0", "1", "4", "5", "8", "9"]
    assert await loaded("c0", "c2", most=1) == ["1", "5", "9"]
    assert await loaded("c0", "c1", "c2", most=9) == ["3", "7", "11"]
    assert await loaded(most=0) == []


@pytest.mark.parametrize("sent_at", [10**30, 2**63, 253_402_300_800_000, -1, -(10**30)])
async def test_a_date_that_cannot_be_is_none(store: Store, sent_at: int) -> None:
    await insert(store, arrival("1.PNM", sent_at=sent_at), arrival("2.PNM"))
    first, second = await store.transact(inbox.still_open, SHOP)
    assert (first.sent_at, second.sent_at) == (NOW, NOW - 5)
