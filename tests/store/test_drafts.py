"""What waits for its seller, and what was only written down: neither is on its way."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, turn
from xybot.model import Decision, Reply, ReplyMode, Text
from xybot.store import chats, drafts, inbox, outbox, turns
from xybot.store.chats import FOREVER
from xybot.store.database import Database, Store
from xybot.store.outbox import Which
from xybot.store.schema import outbox as outbox_table
from xybot.store.schema import turns as turns_table


def decided(mode: ReplyMode, *, hand_over: bool = False) -> Decision:
    contents = (Text("在的"), Text("亲"))
    reply = Reply(contents=contents, source="ai", because="x", hand_over=hand_over)
    return Decision(reply=reply, passed=(), mode=mode, held="等您批准")


async def answer(store: Store, decision: Decision, key: str = "1.PNM") -> None:
    await store.transact(inbox.insert_new, SHOP, [arrival(key)], now=NOW)
    uuids = (f"{key}/0", f"{key}/1")
    assert await store.transact(turns.answer, turn(key), decision, uuids, now=NOW)


async def states(store: Store) -> list[tuple[object, ...]]:
    def read(db: Database) -> list[tuple[object, ...]]:
        columns = (outbox_table.c.uuid, outbox_table.c.state, outbox_table.c.reason)
        rows = db.execute(sa.select(*columns).order_by(outbox_table.c.seq))
        return [tuple(row) for row in rows]

    return await store.transact(read)


async def due(store: Store, at: int = NOW + 1) -> list[str]:
    taken = await store.transact(outbox.take_due, SHOP, frozenset(), most=9, now=at)
    return [each.uuid for each in taken]


@pytest.mark.parametrize("mode", ["draft", "dry_run"])
async def test_what_is_not_sent_is_stored_with_its_reason_and_never_taken(
    store: Store, mode: ReplyMode
) -> None:
    await answer(store, decided(mode))
    assert await states(store) == [("1.PNM/0", mode, "等您批准"), ("1.PNM/1", mode, "等您批准")]
    assert await due(store) == []
    assert await store.transact(outbox.uncertain, SHOP) == ()
    assert not await store.transact(outbox.has_said, SHOP, CHAT, "ai")

    def read(db: Database) -> tuple[object, ...]:
        found = db.execute(sa.select(turns_table.c.mode, turns_table.c.held)).one()
        return tuple(found)

    assert await store.transact(read) == (mode, "等您批准")


async def test_a_draft_that_is_approved_goes_out_as_if_it_were_new(store: Store) -> None:
    await answer(store, decided("draft"))
    assert await store.transact(drafts.approve, SHOP, "1.PNM/0", now=NOW + 9_000_000)
    late = Which(until=NOW + 8_000_000)
    assert await store.transact(outbox.drop, SHOP, late, "late", now=NOW) == ()
    assert await due(store) == ["1.PNM/0"]
    assert await store.transact(outbox.has_said, SHOP, CHAT, "ai")


async def test_a_draft_that_is_rejected_is_never_said(store: Store) -> None:
    await answer(store, decided("draft"))
    assert await store.transact(drafts.reject, SHOP, "1.PNM/0", now=NOW + 9)
    assert (await states(store))[0] == ("1.PNM/0", "dropped", drafts.REJECTED)
    assert not await store.transact(drafts.approve, SHOP, "1.PNM/0", now=NOW + 10)
    assert await due(store) == []


async def test_only_drafts_are_approved_or_rejected_and_only_once(store: Store) -> None:
    await answer(store, decided("dry_run"))
    await answer(store, decided("send"), "2.PNM")
    for uuid in ("1.PNM/0", "2.PNM/0", "nothing"):
        for decide in (drafts.approve, drafts.reject):
            assert not await store.transact(decide, SHOP, uuid, now=NOW)
    await answer(store, decided("draft"), "3.PNM")
    assert not await store.transact(drafts.approve, OTHER, "3.PNM/0", now=NOW)
    assert await store.transact(drafts.approve, SHOP, "3.PNM/0", now=NOW)
    assert not await store.transact(drafts.reject, SHOP, "3.PNM/0", now=NOW)


async def test_what_waits_is_listed_with_why_and_since_when(store: Store) -> None:
    await answer(store, decided("draft"))
    await answer(store, decided("send"), "2.PNM")
    first, second = await store.transact(drafts.waiting)
    assert (first.account, first.outgoing.uuid, first.held, first.since) == (
        SHOP,
        "1.PNM/0",
        "等您批准",
        NOW,
    )
    assert second.outgoing.content == Text("亲")
    assert await store.transact(drafts.waiting, OTHER) == ()


async def test_the_sellers_own_answer_takes_drafts_of_that_chat_back(store: Store) -> None:
    await answer(store, decided("draft"))
    which = Which(until=NOW, chat=CHAT)
    gone = await store.transact(outbox.drop, SHOP, which, "by hand", now=NOW)
    assert [each.uuid for each in gone] == ["1.PNM/0", "1.PNM/1"]
    assert await store.transact(drafts.waiting) == ()


@pytest.mark.parametrize(("mode", "until"), [("send", FOREVER), ("draft", FOREVER), ("dry_run", 0)])
async def test_a_chat_is_handed_over_with_the_answer_but_not_in_a_dry_run(
    store: Store, mode: ReplyMode, until: int
) -> None:
    await answer(store, decided(mode, hand_over=True))
    paused = await store.transact(chats.paused, SHOP, now=NOW)
    assert paused.get(CHAT, 0) == until


async def test_an_answer_that_is_not_stored_hands_nothing_over(store: Store) -> None:
    await answer(store, decided("send"))
    again = decided("send", hand_over=True)
    assert not await store.transact(turns.answer, turn("1.PNM"), again, ("a", "b"), now=NOW)
    assert await store.transact(chats.paused, SHOP, now=NOW) == {}
