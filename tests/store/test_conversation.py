"""A conversation: who said what, in the order of time, and nothing twice."""

from __future__ import annotations

from tests.store import selling
from tests.store.chatting import answered, decided, heard, settled
from tests.store.samples import CHAT, NOW, OTHER, SHOP
from xybot.model import ChatId, Image, Text
from xybot.store import conversation
from xybot.store.database import Store
from xybot.store.deliveries import SOURCE, UNSEEN
from xybot.store.outbox import Refused


async def told(store: Store, most: int = 100) -> list[tuple[str, str]]:
    lines = await store.transact(conversation.recent, SHOP, CHAT, most=most)
    return [(each.who, getattr(each.content, "text", "[图片]")) for each in lines]


async def test_buyer_bot_and_seller_stand_in_the_order_of_time_each_once(store: Store) -> None:
    await heard(store, "1.PNM", Text("在吗"), at=NOW)
    await answered(store, "1.PNM", "在的", at=NOW + 10)
    await heard(store, "2.PNM", Image("https://img/1.jpg"), at=NOW + 20)
    await heard(store, "3.PNM", Text("我来说"), at=NOW + 30, own=True)
    assert await told(store) == [
        ("buyer", "在吗"),
        ("bot", "在的"),
        ("buyer", "[图片]"),
        ("seller", "我来说"),
    ]
    assert await told(store, most=2) == [("buyer", "[图片]"), ("seller", "我来说")]
    assert await told(store, most=0) == []


async def test_a_line_that_came_late_stands_where_it_was_said(store: Store) -> None:
    await heard(store, "2.PNM", Text("second"), at=NOW + 10)
    await heard(store, "1.PNM", Text("first"), at=NOW)
    assert await told(store) == [("buyer", "first"), ("buyer", "second")]


async def test_what_is_about_to_be_said_counts_and_what_nobody_heard_does_not(
    store: Store,
) -> None:
    for n, mode in enumerate(("send", "draft", "dry_run")):
        await heard(store, f"{n}.PNM", Text(f"q{n}"), at=NOW + n)
        await decided(store, f"{n}.PNM", mode, at=NOW + n, mode=mode)
    assert [words for who, words in await told(store) if who == "bot"] == ["send"]


async def test_what_was_refused_was_not_said(store: Store) -> None:
    await heard(store, "1.PNM", Text("在吗"), at=NOW)
    await decided(store, "1.PNM", "在的", at=NOW)
    await settled(store, "1.PNM", Refused("no"), at=NOW + 1)
    assert await told(store) == [("buyer", "在吗")]


async def test_other_chats_and_other_accounts_tell_nothing(store: Store) -> None:
    await heard(store, "1.PNM", Text("在吗"), at=NOW)
    for account, chat in ((OTHER, CHAT), (SHOP, ChatId("c2"))):
        assert await store.transact(conversation.recent, account, chat, most=9) == ()


async def test_whoever_answers_knows_that_goods_were_sent_and_not_one_code(store: Store) -> None:
    await heard(store, "1.PNM", Text("付了"), at=NOW)
    await store.transact(selling.deliver, source=SOURCE, message="2.PNM", sending_at=NOW + 5)
    await heard(store, "2.PNM", Text(f"卡密 {selling.CODE}"), at=NOW + 5, own=True)
    assert await told(store) == [("buyer", "付了"), ("bot", UNSEEN)]
