"""The last word, once to each buyer if the seller wants it so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest

from tests.replies.samples import NOW, SHOP, means, said, turn
from xybot.config import Default, ItemConfig
from xybot.model import Decision, ItemId, Pass, Reply, ReplyMode, Text, Turn
from xybot.replies.default import DefaultReply
from xybot.store import drafts, inbox, outbox, turns
from xybot.store.database import Store, inline, open_store
from xybot.store.inbox import Arrival
from xybot.store.outbox import Refused, Sent

ONCE = Default(reply="稍等")
ITEMS = {ItemId("82"): ItemConfig(reply="这件包邮", where="bot.d/items/82.toml")}


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


def default(store: Store, setting: Default | None, **more) -> DefaultReply:
    return DefaultReply(setting=setting, means=means(store), **more)


async def say(
    store: Store, source: DefaultReply, asked: Turn, uuid: str, mode: ReplyMode = "send"
) -> None:
    """Answer as an account would: the reply is on its way, unless it may not be."""
    asked = attrs.evolve(asked, messages=tuple(attrs.evolve(x, id=uuid) for x in asked.messages))
    reply = await source.answer(asked)
    assert isinstance(reply, Reply)
    decision = Decision(reply=reply, passed=(), mode=mode)
    came = [
        Arrival(key=line.id, kind="text", raw="", outcome=None, chat=asked.chat, sender=line.sender)
        for line in asked.messages
    ]
    await store.transact(inbox.insert_new, asked.account, came, now=NOW)
    assert await store.transact(turns.answer, asked, decision, (uuid,), now=NOW)
    await store.transact(outbox.take_due, SHOP, frozenset(), most=9, now=NOW)


async def test_the_default_answers_with_its_words(store: Store) -> None:
    source = default(store, Default(reply="稍等，{send_user_name}"))
    assert await source.answer(turn("{item_id}")) == Reply(
        contents=(Text("稍等，小王"),), source="default", because="默认回复 [default]"
    )


async def test_without_a_default_there_is_none(store: Store) -> None:
    for setting in (None, Default(reply="")):
        assert isinstance(await default(store, setting).answer(turn("x")), Pass)


async def test_once_is_once_in_each_chat(store: Store) -> None:
    source = default(store, ONCE)
    await say(store, source, turn("在吗"), "u1")
    answer = await source.answer(turn("人呢"))
    assert isinstance(answer, Pass)
    assert "once" in answer.reason
    await store.transact(outbox.settle, SHOP, "u1", Sent(None), now=NOW)
    assert isinstance(await source.answer(turn("人呢")), Pass)
    assert await said(source, turn("在吗", account="shop-b")) == "稍等"


async def test_not_once_is_every_time(store: Store) -> None:
    source = default(store, Default(reply="稍等", once=False))
    await say(store, source, turn("在吗"), "u1")
    await say(store, source, turn("人呢"), "u2")
    assert await said(source, turn("？")) == "稍等"


async def test_a_refused_default_was_not_said(store: Store) -> None:
    source = default(store, ONCE)
    await say(store, source, turn("在吗"), "u1")
    await store.transact(outbox.settle, SHOP, "u1", Refused("CSI_FORBID"), now=NOW)
    assert await said(source, turn("人呢")) == "稍等"


async def test_a_default_that_was_only_rehearsed_was_not_said(store: Store) -> None:
    source = default(store, ONCE)
    await say(store, source, turn("在吗"), "u1", "dry_run")
    assert await said(source, turn("人呢")) == "稍等"


async def test_a_draft_of_the_default_is_said_when_it_is_approved(store: Store) -> None:
    source = default(store, ONCE)
    await say(store, source, turn("在吗"), "u1", "draft")
    assert await said(source, turn("人呢")) == "稍等"
    assert await store.transact(drafts.approve, SHOP, "u1", now=NOW)
    assert await said(source, turn("人呢")) is None


async def test_an_items_own_reply_stands_in_place_of_the_default(store: Store) -> None:
    source = default(store, ONCE, items=ITEMS)
    answer = await source.answer(turn("在吗", item="82"))
    assert isinstance(answer, Reply)
    assert answer.contents == (Text("这件包邮"),)
    assert "bot.d/items/82.toml" in answer.because
    assert await said(source, turn("在吗")) == "稍等"
    assert await said(default(store, None, items=ITEMS), turn("在吗", item="82")) == "这件包邮"


async def test_an_items_own_reply_is_said_once_too(store: Store) -> None:
    source = default(store, ONCE, items=ITEMS)
    await say(store, source, turn("在吗", item="82"), "u1")
    assert await said(source, turn("人呢", item="82")) is None
    assert await said(source, turn("人呢", item="81")) == "稍等"
    again = default(store, Default(reply="稍等", once=False), items=ITEMS)
    assert await said(again, turn("人呢", item="82")) == "这件包邮"
