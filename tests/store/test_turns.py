"""Closing a turn: all of it or nothing."""

from __future__ import annotations

import json
import sqlite3

import pytest
import sqlalchemy as sa

from tests.store.samples import BUYER, CHAT, NOW, SHOP, arrival, turn
from xybot.model import Decision, Image, Reply, Text
from xybot.store import inbox, outbox, turns
from xybot.store.database import Database, Store
from xybot.store.schema import inbox as inbox_table
from xybot.store.schema import outbox as outbox_table
from xybot.store.schema import turns as turns_table

REPLY = Reply(
    contents=(Text("在的"), Image("https://img.example/1.jpg")), source="rules", because="rules[0]"
)
DECISION = Decision(reply=REPLY, passed=(("item_rules", "没有匹配 \"'\\ 👑"),))


async def rows(store: Store, table: sa.Table) -> list[dict[str, object]]:
    def read(db: Database) -> list[dict[str, object]]:
        return [dict(each) for each in db.execute(table.select()).mappings()]

    return await store.transact(read)


@pytest.fixture
async def store(store: Store) -> Store:
    """With three lines that wait for an answer."""
    waiting = [arrival("1.PNM"), arrival("2.PNM"), arrival("3.PNM")]
    await store.transact(inbox.insert_new, SHOP, waiting, now=NOW)
    return store


async def test_an_answer_closes_its_lines_and_queues_its_words(store: Store) -> None:
    asked = turn("1.PNM", "2.PNM")
    await store.transact(turns.answer, asked, DECISION, ("u1", "u2"), now=NOW + 1)
    (decided,) = await rows(store, turns_table)
    assert json.loads(str(decided.pop("passed_json"))) == [["item_rules", "没有匹配 \"'\\ 👑"]]
    id_ = decided.pop("id")
    assert decided == {
        "account": SHOP,
        "chat": CHAT,
        "decided_at": NOW + 1,
        "outcome": "answered",
        "source": "rules",
        "because": "rules[0]",
        "mode": "send",
        "held": None,
        "rule": None,
    }
    closed = [(each["outcome"], each["turn"]) for each in await rows(store, inbox_table)]
    assert closed == [("answered", id_), ("answered", id_), (None, None)]
    queued = await rows(store, outbox_table)
    assert [(each["uuid"], each["turn"], each["peer"]) for each in queued] == [
        ("u1", id_, BUYER),
        ("u2", id_, BUYER),
    ]
    first = await store.transact(outbox.take_due, SHOP, frozenset(), most=5, now=NOW)
    assert [each.content for each in first] == [Text("在的")]


async def test_an_answer_that_cannot_be_queued_closes_nothing(store: Store) -> None:
    asked = turn("1.PNM")
    with pytest.raises(ValueError, match="zip"):
        await store.transact(turns.answer, asked, DECISION, ("u1",), now=NOW)
    with pytest.raises(sqlite3.IntegrityError) as caught:
        await store.transact(turns.answer, asked, DECISION, ("u1", "u1"), now=NOW)
    assert "outbox.uuid" in str(caught.value)
    assert await rows(store, turns_table) == []
    assert await rows(store, outbox_table) == []
    assert len(await store.transact(inbox.still_open, SHOP)) == 3


async def test_what_somebody_else_has_dealt_with_is_answered_no_more_and_the_rest_anew(
    store: Store,
) -> None:
    await store.transact(inbox.close, SHOP, ["1.PNM"], "skipped: the seller's", None)
    asked = turn("1.PNM", "2.PNM")
    assert not await store.transact(turns.answer, asked, DECISION, ("u1", "u2"), now=NOW)
    assert await rows(store, turns_table) == await rows(store, outbox_table) == []
    keys = [message.id for message in asked.messages]
    assert await store.transact(inbox.closed, SHOP, keys) == {"1.PNM"}
    assert await store.transact(turns.answer, turn("2.PNM"), DECISION, ("u1", "u2"), now=NOW)


async def test_a_silent_reply_and_none_at_all_are_told_apart(store: Store) -> None:
    silent = Decision(reply=Reply(contents=(), source="rules", because="rules[1]"), passed=())
    none = Decision(reply=None, passed=(("rules", "no"), ("default", "said once")))
    await store.transact(turns.answer, turn("1.PNM"), silent, (), now=NOW)
    await store.transact(turns.answer, turn("2.PNM"), none, (), now=NOW)
    await store.transact(turns.fail, turn("3.PNM"), "ValueError: x", now=NOW)
    decided = await rows(store, turns_table)
    assert [(each["outcome"], each["source"]) for each in decided] == [
        ("silent", "rules"),
        ("skipped", None),
        ("failed", None),
    ]
    assert [json.loads(str(each["passed_json"])) for each in decided] == [
        [],
        [["rules", "no"], ["default", "said once"]],
        [["xybot", "ValueError: x"]],
    ]
    assert await rows(store, outbox_table) == []
    outcomes = [each["outcome"] for each in await rows(store, inbox_table)]
    assert outcomes == ["silent", "skipped", "failed"]
