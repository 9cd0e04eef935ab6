"""The last word, once to each buyer if the seller wants it so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.replies.samples import NOW, SHOP, said, turn
from xybot.config import Default
from xybot.model import Decision, Pass, Reply, Text, Turn
from xybot.replies.default import DefaultReply
from xybot.store import inbox, outbox, turns
from xybot.store.database import Store, inline, open_store
from xybot.store.inbox import Arrival
from xybot.store.outbox import Refused, Sent


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


async def say(store: Store, source: DefaultReply, asked: Turn, uuid: str) -> None:
    """Answer as an account would: the reply is on its way."""
    reply = await source.answer(asked)
    assert isinstance(reply, Reply)
    decision = Decision(reply=reply, passed=())
    came = [
        Arrival(key=line.id, kind="text", raw="", outcome=None, chat=asked.chat, sender=line.sender)
        for line in asked.messages
    ]
    await store.transact(inbox.insert_new, asked.account, came, now=NOW)
    await store.transact(turns.answer, asked, decision, (uuid,), now=NOW)
    await store.transact(outbox.take_due, SHOP, frozenset(), most=9, now=NOW)


async def test_the_default_answers_with_its_words(store: Store) -> None:
    source = DefaultReply(setting=Default(reply="稍等，{send_user_name}"), store=store)
    assert await source.answer(turn("{item_id}")) == Reply(
        contents=(Text("稍等，小王"),), source="default", because="默认回复 [default]"
    )


async def test_without_a_default_there_is_none(store: Store) -> None:
    for setting in (None, Default(reply="")):
        assert isinstance(await DefaultReply(setting=setting, store=store).answer(turn("x")), Pass)


async def test_once_is_once_in_each_chat(store: Store) -> None:
    source = DefaultReply(setting=Default(reply="稍等"), store=store)
    await say(store, source, turn("在吗"), "u1")
    answer = await source.answer(turn("人呢"))
    assert isinstance(answer, Pass)
    assert "once" in answer.reason
    await store.transact(outbox.settle, SHOP, "u1", Sent(None), now=NOW)
    assert isinstance(await source.answer(turn("人呢")), Pass)
    assert await said(source, turn("在吗", account="shop-b")) == "稍等"


async def test_not_once_is_every_time(store: Store) -> None:
    source = DefaultReply(setting=Default(reply="稍等", once=False), store=store)
    await say(store, source, turn("在吗"), "u1")
    await say(store, source, turn("人呢"), "u2")
    assert await said(source, turn("？")) == "稍等"


async def test_a_refused_default_was_not_said(store: Store) -> None:
    source = DefaultReply(setting=Default(reply="稍等"), store=store)
    await say(store, source, turn("在吗"), "u1")
    await store.transact(outbox.settle, SHOP, "u1", Refused("CSI_FORBID"), now=NOW)
    assert await said(source, turn("人呢")) == "稍等"
