"""What goes out: in order, one at a time in each chat, and never unknowingly twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import attrs
import pytest
import sqlalchemy as sa

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, outgoing, turn
from xybot.model import ChatId, Decision, Image, MessageId, Outgoing, Text
from xybot.store import inbox, outbox, turns
from xybot.store.database import Database, Store
from xybot.store.outbox import Held, NotSent, Ours, Refused, Sent, Taken, Which
from xybot.store.schema import outbox as table


@pytest.fixture
async def store(store: Store) -> Store:
    """With the turn that messages belong to."""
    await store.transact(inbox.insert_new, SHOP, [arrival("0.PNM")], now=NOW)
    await store.transact(turns.answer, turn("0.PNM"), Decision(reply=None, passed=()), (), now=NOW)
    return store


async def put(store: Store, *messages: Outgoing, account=SHOP, now: int = NOW) -> None:
    await store.transact(outbox.put, account, messages, turn=1, now=now)


async def take(
    store: Store, busy: Iterable[str] = (), *, most: int = 10, now: int = NOW + 1, account=SHOP
) -> list[str]:
    chats = frozenset(map(ChatId, busy))
    taken = await store.transact(outbox.take_due, account, chats, most=most, now=now)
    return [each.uuid for each in taken]


async def settle(store: Store, uuid: str, how: outbox.Settlement) -> None:
    await store.transact(outbox.settle, SHOP, uuid, how, now=NOW + 9)


async def make_urgent(store: Store, uuid: str) -> None:
    def change(db: Database) -> None:
        db.execute(sa.update(table).where(table.c.uuid == uuid).values(urgent=True))

    await store.transact(change)


async def row(store: Store, uuid: str) -> dict[str, object]:
    def read(db: Database) -> dict[str, object]:
        return dict(db.execute(table.select().where(table.c.uuid == uuid)).mappings().one())

    return await store.transact(read)


async def test_urgent_ones_go_first_and_then_the_oldest(store: Store) -> None:
    await put(store, *(outgoing(f"u{n}", f"c{n}") for n in range(5)))
    await make_urgent(store, "u3")
    await make_urgent(store, "u2")
    assert await take(store, most=3) == ["u2", "u3", "u0"]
    assert await take(store) == ["u1", "u4"]
    assert await take(store) == []


async def test_a_chat_gets_one_at_a_time_in_their_order(store: Store) -> None:
    await put(store, outgoing("u1"), outgoing("u2"), outgoing("u3", "c3"))
    assert await take(store) == ["u1", "u3"]
    assert await take(store, ["c1", "c3"]) == []
    await settle(store, "u1", Sent(MessageId("1.PNM")))
    assert await take(store, ["c3"]) == ["u2"]


async def test_long_queues_of_some_chats_do_not_hold_up_the_others(store: Store) -> None:
    await put(store, *(outgoing(f"busy{n}", "c1") for n in range(100)))
    await put(store, *(outgoing(f"full{n}", "c2") for n in range(100)))
    await put(store, outgoing("other", "c3"), outgoing("last", "c4"))
    assert await take(store, ["c1"], most=3) == ["full0", "other", "last"]
    assert await take(store, ["c2", "c3"], most=1) == ["busy0"]


async def test_nothing_is_taken_when_there_is_no_room(store: Store) -> None:
    await put(store, outgoing("u1"))
    assert await take(store, most=0) == []
    assert await take(store, account=OTHER) == []
    assert await take(store) == ["u1"]


async def test_a_message_goes_out_as_it_was_put(store: Store) -> None:
    message = outgoing("u1", content=Image("https://img.example/1.jpg", 2, 3))
    await put(store, message)
    assert (await row(store, "u1"))["state"] == "queued"
    (taken,) = await store.transact(outbox.take_due, SHOP, frozenset(), most=1, now=NOW + 1)
    assert taken.content == message.content
    assert (taken.chat, taken.to, taken.source, taken.because) == (
        message.chat,
        message.to,
        "rules",
        "rules[0]",
    )
    found = await row(store, "u1")
    assert (found["state"], found["sending_at"], found["queued_at"]) == ("sending", NOW + 1, NOW)


async def test_what_was_being_sent_is_uncertain_until_it_is_settled(store: Store) -> None:
    await put(store, outgoing("u1"), outgoing("u2", "c2"), outgoing("u3", "c3"))
    assert await store.transact(outbox.uncertain, SHOP) == ()
    await take(store, most=2, now=NOW + 5)
    uncertain = await store.transact(outbox.uncertain, SHOP)
    assert [(each.uuid, each.sending_since) for each in uncertain] == [
        ("u1", NOW + 5),
        ("u2", NOW + 5),
    ]
    assert await store.transact(outbox.uncertain, OTHER) == ()
    await settle(store, "u1", Sent(None))
    await settle(store, "u2", NotSent())
    assert await store.transact(outbox.uncertain, SHOP) == ()


async def test_each_way_to_settle(store: Store) -> None:
    await put(store, *(outgoing(f"u{n}", f"c{n}") for n in range(4)))
    assert await take(store, most=3) == ["u0", "u1", "u2"]
    await settle(store, "u0", Sent(MessageId("7.PNM")))
    await settle(store, "u1", Refused("CSI_FORBID"))
    await settle(store, "u2", NotSent())
    await settle(store, "u3", Sent(MessageId("8.PNM")))  # It is not being sent: no change.
    states = [(each["state"], each["reason"], each["message"]) for each in await rows(store)]
    assert states == [
        ("sent", None, "7.PNM"),
        ("refused", "CSI_FORBID", None),
        ("queued", None, None),
        ("queued", None, None),
    ]
    assert await take(store) == ["u2", "u3"]


async def rows(store: Store) -> list[dict[str, object]]:
    def read(db: Database) -> list[dict[str, object]]:
        return [dict(each) for each in db.execute(table.select().order_by(table.c.seq)).mappings()]

    return await store.transact(read)


async def test_a_settled_message_is_not_settled_again(store: Store) -> None:
    await put(store, outgoing("u1"))
    await take(store)
    await settle(store, "u1", Sent(MessageId("7.PNM")))
    await settle(store, "u1", Refused("too late"))
    await settle(store, "u1", NotSent())
    assert (await row(store, "u1"))["state"] == "sent"
    assert await take(store) == []


async def test_a_uuid_is_queued_once(store: Store) -> None:
    await put(store, outgoing("u1"))
    with pytest.raises(sqlite3.IntegrityError):
        await put(store, outgoing("u2"), outgoing("u1"))
    await put(store, outgoing("u1"), account=OTHER)
    assert [each["uuid"] for each in await rows(store)] == ["u1", "u1"]


async def has_said(store: Store, chat: str = CHAT, source: str = "rules", account=SHOP) -> bool:
    return await store.transact(outbox.has_said, account, ChatId(chat), source)


async def test_what_is_queued_counts_as_said_and_what_was_refused_does_not(store: Store) -> None:
    assert not await has_said(store)
    await put(store, outgoing("u1"))
    assert await has_said(store)
    assert not await has_said(store, "c2")
    assert not await has_said(store, source="default")
    assert not await has_said(store, account=OTHER)
    await take(store)
    assert await has_said(store)
    await settle(store, "u1", Refused("CSI_FORBID"))
    assert not await has_said(store)
    await put(store, outgoing("u2"))
    await take(store)
    await settle(store, "u2", Sent(None))
    assert await has_said(store)


async def test_told_are_the_platforms_ids_of_what_was_sent_in_a_chat(store: Store) -> None:
    await put(store, outgoing("u1"), outgoing("u2"), outgoing("u3"), outgoing("u4", "c4"))
    for uuid, how in (
        ("u1", Sent(MessageId("1.PNM"))),
        ("u2", Sent(None)),
        ("u3", Sent(MessageId("3.PNM"))),
    ):
        assert uuid in await take(store, ["c4"])
        await settle(store, uuid, how)
    await take(store)
    await settle(store, "u4", Sent(MessageId("4.PNM")))
    assert await store.transact(outbox.told, SHOP, CHAT) == {"1.PNM", "3.PNM"}
    assert await store.transact(outbox.told, OTHER, CHAT) == frozenset()


async def test_words_come_back_as_they_were(store: Store) -> None:
    words = Text("好的👌\x00\n{不是模板}" * 1000)
    await put(store, outgoing("u1", content=words))
    (taken,) = await store.transact(outbox.take_due, SHOP, frozenset(), most=1, now=NOW)
    assert taken.content == words


async def test_a_line_is_ours_by_its_id_or_while_that_is_unknown_by_its_words(
    store: Store,
) -> None:
    async def ours(message: str, words: str, chat: str = CHAT, account=SHOP) -> Ours | None:
        own = arrival(message, Text(words), chat=chat, outcome="own")
        return await store.transact(outbox.recognise, account, own, now=NOW + 3)

    await put(store, outgoing("u1", content=Text("在的")))
    assert await ours("1.PNM", "在的") is None  # Nobody has heard it yet.
    await take(store)
    assert await ours("1.PNM", "在") is None
    assert await ours("1.PNM", "在的", chat="c2") is None
    assert await ours("1.PNM", "在的", account=OTHER) is None
    first = await ours("1.PNM", "在的")
    assert first is not None
    assert first.settled is not None
    assert first.settled.uuid == "u1"
    assert await ours("1.PNM", "whatever") == Ours(None)
    assert await ours("2.PNM", "在的") is None


async def test_of_two_messages_in_the_same_words_an_echo_tells_of_the_first(store: Store) -> None:
    await put(store, outgoing("u1", content=Text("在的")), outgoing("u2", content=Text("在的")))
    await take(store)
    await settle(store, "u1", Held("?"))
    await take(store)
    own = arrival("1.PNM", Text("在的"), outcome="own")
    found = await store.transact(outbox.recognise, SHOP, own, now=NOW + 3)
    assert found is not None
    assert found.settled is not None
    assert found.settled.uuid == "u1"


async def test_a_held_message_is_neither_due_nor_uncertain(store: Store) -> None:
    await put(store, outgoing("u1"), outgoing("u2"))
    await take(store)
    await settle(store, "u1", Held("nobody knows"))
    assert (await row(store, "u1"))["reason"] == "nobody knows"
    assert await store.transact(outbox.uncertain, SHOP) == ()
    assert await take(store) == ["u2"]
    assert await has_said(store)


async def test_what_waited_too_long_is_dropped_but_not_what_is_urgent_or_under_way(
    store: Store,
) -> None:
    await put(store, outgoing("u1"), outgoing("u2"), outgoing("u3", "c3"), outgoing("u4", "c4"))
    await put(store, outgoing("u5", "c5"), now=NOW + 100)
    await make_urgent(store, "u3")
    assert await take(store, most=1) == ["u3"]
    await settle(store, "u3", NotSent())
    await take(store, ["c3", "c4", "c5"])
    late = await store.transact(outbox.drop, SHOP, Which(until=NOW + 99), "late", now=NOW + 200)
    assert [each.uuid for each in late] == ["u2", "u4"]
    states = [(each["uuid"], each["state"]) for each in await rows(store)]
    assert states == [
        ("u1", "sending"),
        ("u2", "dropped"),
        ("u3", "queued"),
        ("u4", "dropped"),
        ("u5", "queued"),
    ]


async def put_due(store: Store, uuid: str, due_at: int | None, chat: str = CHAT) -> None:
    await put(store, attrs.evolve(outgoing(uuid, chat), due_at=due_at))


async def test_a_message_is_taken_when_it_is_due_and_not_before(store: Store) -> None:
    await put_due(store, "u1", NOW + 50)
    await put_due(store, "u2", NOW + 90, "c2")
    first = await store.transact(outbox.take, SHOP, frozenset(), most=9, now=NOW + 49)
    assert first == Taken((), NOW + 50)
    second = await store.transact(outbox.take, SHOP, frozenset(), most=9, now=NOW + 50)
    assert [each.uuid for each in second.messages] == ["u1"]
    assert second.next_due == NOW + 90
    third = await store.transact(outbox.take, SHOP, frozenset(), most=9, now=NOW + 90)
    assert [each.uuid for each in third.messages] == ["u2"]
    assert third.next_due is None


async def test_what_is_urgent_does_not_wait_for_its_time(store: Store) -> None:
    await put_due(store, "u1", NOW + 50)
    await make_urgent(store, "u1")
    assert await take(store, now=NOW) == ["u1"]


async def test_nothing_overtakes_what_waits_for_its_time_in_the_same_chat(store: Store) -> None:
    await put_due(store, "u1", NOW + 50)
    await put_due(store, "u2", None)
    await put_due(store, "u3", NOW + 20)
    await put_due(store, "u4", None, "c4")
    assert await take(store, now=NOW) == ["u4"]
    assert await take(store, now=NOW + 49) == []
    assert await take(store, now=NOW + 50) == ["u1"]
    await settle(store, "u1", Sent(None))
    assert await take(store, now=NOW + 50) == ["u2"]


async def test_what_waits_for_its_time_is_dropped_like_all_that_is_queued(store: Store) -> None:
    await put_due(store, "u1", NOW + 50)
    which = Which(until=NOW, chat=ChatId(CHAT))
    (gone,) = await store.transact(outbox.drop, SHOP, which, "by hand", now=NOW)
    assert gone.uuid == "u1"
    assert await take(store, now=NOW + 50) == []
