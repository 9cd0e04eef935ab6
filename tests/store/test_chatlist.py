"""The list of chats: who spoke last, what was not looked at, and how one is found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store import selling
from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP, arrival, outgoing, turn
from xybot.model import (
    AccountId,
    ChatId,
    Content,
    Decision,
    Image,
    ItemId,
    Reply,
    ReplyMode,
    Text,
    UserId,
)
from xybot.store import chatlist, chats, outbox, turns, writing
from xybot.store.chatlist import Asked, Listed, Show
from xybot.store.chats import FOREVER, ByHand, Moment
from xybot.store.database import Database, Store
from xybot.store.deliveries import SOURCE
from xybot.store.inbox import Arrival
from xybot.store.outbox import Origin, Sent
from xybot.store.writing import Pause

SECOND = ChatId("c2")
THIRD = ChatId("c3")


def line(
    key: str, said: str | Content = "在吗", *, chat: str = CHAT, at: int = NOW, name: str = "小王"
) -> Arrival:
    """A line of a buyer's."""
    content = Text(said) if isinstance(said, str) else said
    found = arrival(key, content, chat=chat, name=name, sent_at=at)
    return attrs.evolve(found, kind="text" if isinstance(content, Text) else "image")


def own(key: str, said: str = "我来说", *, chat: str = CHAT, at: int = NOW) -> Arrival:
    """A line that came from our own account."""
    found = arrival(key, Text(said), chat=chat, outcome="own", sent_at=at)
    return attrs.evolve(found, kind="own", sender=UserId("me"), sender_name="店主", item=None)


async def come(store: Store, *arrivals: Arrival, account: AccountId = SHOP, now: int = NOW) -> None:
    moment = Moment(account=account, by_hand=ByHand(pause=0), now=now)
    await store.transact(chats.take_in, moment, arrivals)


async def page(store: Store, **asked) -> tuple[Listed, ...]:
    return await store.transact(chatlist.page, Asked(**({"now": NOW} | asked)))


async def ids(store: Store, **asked) -> list[str]:
    return [each.chat for each in await page(store, **asked)]


async def one(store: Store, chat: str = CHAT, *, now: int = NOW) -> Listed:
    found = await store.transact(chatlist.one, SHOP, ChatId(chat), now=now)
    assert found is not None
    return found


async def test_what_a_buyer_says_after_the_sellers_own_line_is_unread(store: Store) -> None:
    await come(store, own("1.PNM", at=NOW), line("2.PNM", "好的", at=NOW + 1))
    assert (await one(store)).unread == 1
    await come(store, own("3.PNM", at=NOW + 2))
    assert (await one(store)).unread == 0


async def test_an_own_line_that_comes_late_leaves_what_was_said_after_it_unread(
    store: Store,
) -> None:
    await come(store, line("2.PNM", "好的", at=NOW + 1))
    await come(store, own("1.PNM", at=NOW))
    assert (await one(store)).unread == 1


async def test_an_own_line_makes_nothing_unread_again(store: Store) -> None:
    await come(store, line("2.PNM", "好的", at=NOW + 1))
    await store.transact(chatlist.seen, SHOP, CHAT)
    await come(store, own("1.PNM", at=NOW))
    assert (await one(store)).unread == 0


async def test_an_older_line_that_comes_late_brings_nothing_back(store: Store) -> None:
    await come(store, attrs.evolve(line("2.PNM", name="新名"), item=ItemId("82")))
    await come(store, line("1.PNM", at=NOW - 9000, name="旧名"))
    found = await one(store)
    assert (found.name, found.item) == ("新名", "82")


async def decide(store: Store, key: str, mode: ReplyMode, *words: str) -> None:
    reply = Reply(contents=tuple(map(Text, words)), source="ai", because="x")
    uuids = tuple(f"{key}/{n}" for n in range(len(words)))
    decision = Decision(reply=reply, passed=(), mode=mode)
    assert await store.transact(turns.answer, turn(key), decision, uuids, now=NOW)


# What puts a chat into the list, and where.


async def test_the_first_line_lists_its_chat_with_who_and_about_what(store: Store) -> None:
    await come(store, line("1.PNM", at=NOW - 5))
    assert await page(store) == (
        Listed(
            account=SHOP,
            chat=CHAT,
            peer=BUYER,
            name="小王",
            item=ItemId("81"),
            last_at=NOW - 5,
            unread=1,
            paused_until=None,
            drafts=0,
        ),
    )
    assert await one(store) == (await page(store))[0]
    assert await store.transact(chatlist.one, OTHER, CHAT, now=NOW) is None


async def test_the_chat_in_which_somebody_spoke_last_stands_first(store: Store) -> None:
    await come(store, line("1.PNM", at=NOW), line("2.PNM", chat="c2", at=NOW + 1))
    assert await ids(store) == ["c2", "c1"]
    await come(store, own("3.PNM", at=NOW + 2))
    assert await ids(store) == ["c1", "c2"]
    card = attrs.evolve(line("4.PNM", chat="c3", at=NOW + 3), kind="card", outcome="x")
    await come(store, card)
    assert await ids(store) == ["c3", "c1", "c2"]


async def test_a_line_that_comes_late_moves_its_chat_nowhere(store: Store) -> None:
    await come(store, line("2.PNM", at=NOW))
    await come(store, line("1.PNM", at=NOW - 9000))
    assert (await one(store)).last_at == NOW


async def test_a_line_without_a_time_counts_from_its_arrival(store: Store) -> None:
    await come(store, attrs.evolve(line("1.PNM"), sent_at=None), now=NOW + 7)
    assert (await one(store)).last_at == NOW + 7


async def test_a_line_that_tells_less_takes_nothing_away(store: Store) -> None:
    await come(store, line("1.PNM"))
    await come(store, attrs.evolve(line("2.PNM", name=""), item=None))
    await come(store, own("3.PNM"))
    found = await one(store)
    assert (found.peer, found.name, found.item) == (BUYER, "小王", "81")


async def test_what_nobody_said_is_not_in_the_list(store: Store) -> None:
    quiet = [
        attrs.evolve(line(f"{kind}.PNM"), kind=kind, outcome="not a person: x")
        for kind in ("read_receipt", "conversation", "recall", "other")
    ]
    nowhere = attrs.evolve(line("9.PNM"), chat=None, outcome="no way to answer: no chat")
    await come(store, *quiet, nowhere)
    assert await page(store) == ()


async def test_what_is_to_be_said_lists_its_chat_and_takes_nothing_from_it(store: Store) -> None:
    await come(store, line("1.PNM"))
    item = ItemId("82")
    await store.transact(chatlist.written, SHOP, outgoing("u1", "c2"), item, now=NOW + 1)
    assert await ids(store) == ["c2", "c1"]
    new = await one(store, "c2")
    assert (new.peer, new.name, new.item, new.unread) == (BUYER, None, "82", 0)
    await store.transact(chatlist.written, SHOP, outgoing("u2"), None, now=NOW + 2)
    known = await one(store)
    assert (known.name, known.item, known.unread, known.last_at) == ("小王", "81", 1, NOW + 2)


# What was not looked at yet.


async def test_unread_are_the_buyers_lines_since_the_seller_looked_chat_by_chat(
    store: Store,
) -> None:
    tip = attrs.evolve(line("3.PNM"), kind="tip", outcome="not a person: tip")
    await come(store, line("1.PNM"), line("2.PNM", Image("https://x/1.jpg")), tip)
    await come(store, line("4.PNM", chat="c2"))
    assert [each.unread for each in await page(store)] == [2, 1]
    assert await store.transact(chatlist.seen, SHOP, CHAT)
    assert not await store.transact(chatlist.seen, SHOP, CHAT)
    assert not await store.transact(chatlist.seen, OTHER, SECOND)
    assert [each.unread for each in await page(store)] == [0, 1]
    await come(store, line("5.PNM"))
    assert (await one(store)).unread == 1


async def test_an_entry_that_a_frame_carries_twice_or_that_comes_again_counts_once(
    store: Store,
) -> None:
    await come(store, line("1.PNM"), line("1.PNM"))
    assert (await one(store)).unread == 1
    await come(store, line("1.PNM", at=NOW + 5))
    assert await one(store) == attrs.evolve(await one(store), unread=1, last_at=NOW)


async def test_who_answers_by_hand_has_looked_and_our_own_echo_has_not(store: Store) -> None:
    await come(store, line("1.PNM"), line("2.PNM", chat="c2"))
    await decide(store, "1.PNM", "send", "在的")
    await store.transact(outbox.take_due, SHOP, frozenset(), most=9, now=NOW)
    await store.transact(outbox.settle, SHOP, "1.PNM/0", Sent(None), now=NOW)
    await come(store, own("8.PNM", "在的"))
    assert (await one(store)).unread == 1
    await come(store, own("9.PNM", "我来说"))
    assert (await one(store)).unread == 0
    assert (await one(store, "c2")).unread == 1


# What is shown.


@pytest.fixture
async def three(store: Store) -> Store:
    """Three chats: one with a draft, one taken over, one that was looked at."""
    await come(store, line("1.PNM"), line("2.PNM", chat="c2"), line("3.PNM", chat="c3"))
    await come(store, line("4.PNM"), account=OTHER)
    await decide(store, "1.PNM", "draft", "在的", "亲")
    await store.transact(writing.take_over, SHOP, SECOND, Pause(NOW + 100, "x"), now=NOW)
    await store.transact(chatlist.seen, SHOP, THIRD)
    return store


@pytest.mark.parametrize(
    ("show", "found"),
    [
        ("all", ["c1", "c2", "c3"]),
        ("unread", ["c1", "c2"]),
        ("taken_over", ["c2"]),
        ("drafts", ["c1"]),
    ],
)
async def test_only_what_was_asked_for_is_shown(three: Store, show: Show, found: list[str]) -> None:
    assert await ids(three, account=SHOP, show=show) == found


async def test_the_accounts_stand_together_unless_one_is_asked_for(three: Store) -> None:
    assert [each.account for each in await page(three)] == [SHOP, SHOP, SHOP, OTHER]
    assert await ids(three, account=OTHER) == ["c1"]
    assert await ids(three, account=AccountId("nobody")) == []


async def test_a_pause_that_is_over_does_not_count_as_taken_over(three: Store) -> None:
    assert (await one(three, "c2", now=NOW + 99)).paused_until == NOW + 100
    assert (await one(three, "c2", now=NOW + 100)).paused_until is None
    assert await ids(three, show="taken_over", now=NOW + 100) == []
    await three.transact(writing.take_over, SHOP, SECOND, Pause(FOREVER, "x"), now=NOW)
    assert await ids(three, show="taken_over", now=NOW + 10**9) == ["c2"]


async def test_drafts_are_counted_by_message_and_only_while_they_wait(three: Store) -> None:
    assert (await one(three)).drafts == 2
    origin = Origin(turn=None, now=NOW, mode="dry_run")
    await three.transact(outbox.put_as, SHOP, [outgoing("u8")], origin)
    await three.transact(
        outbox.put_as, OTHER, [outgoing("u9")], Origin(turn=None, now=NOW, mode="draft")
    )
    assert (await one(three)).drafts == 2
    await three.transact(writing.take_over, SHOP, CHAT, Pause(FOREVER, "x"), now=NOW)
    assert (await one(three)).drafts == 0
    assert await ids(three, account=SHOP, show="drafts") == []


async def test_the_last_words_of_each_chat_are_told_and_silence_is_left_out(store: Store) -> None:
    picture = Image("https://x/1.jpg", 3, 4)
    await come(store, line("1.PNM"), line("2.PNM", chat="c2"))
    await come(store, own("3.PNM", "我来说"), line("4.PNM", picture, chat="c2"))
    recall = attrs.evolve(line("5.PNM"), kind="recall", content=None, outcome="x")
    await come(store, recall)
    await store.transact(chatlist.written, SHOP, outgoing("u1", "c3"), None, now=NOW)
    listed = await page(store)
    assert len(listed) == 3
    assert await store.transact(chatlist.last_words, listed) == {
        (SHOP, CHAT): Text("我来说"),
        (SHOP, SECOND): picture,
    }


# How a chat is found.


@pytest.mark.parametrize(
    "words",
    ['他说"在吗"', "便宜50%", "a_b", "表情😀", "还在吗", r"C:\x", "it's", "第一行\n第二行", "a/b"],
)
async def test_words_that_were_said_find_their_chat_and_no_other(store: Store, words: str) -> None:
    await come(
        store, line("1.PNM", f"我想问{words}可以吗"), line("2.PNM", "便宜501 aXb", chat="c2")
    )
    assert await ids(store, words=words) == ["c1"]
    assert await ids(store, words=f" {words} ") == ["c1"]


@pytest.mark.parametrize("name", ["小王", '"老板"', "100%", "a_b", "😀"])
async def test_a_part_of_a_name_finds_its_chat_and_no_other(store: Store, name: str) -> None:
    await come(store, line("1.PNM", name=f"甲{name}乙"), line("2.PNM", chat="c2", name="1000 aXb"))
    assert await ids(store, words=name) == ["c1"]


async def test_an_id_finds_its_chat_when_it_is_whole(store: Store) -> None:
    await come(store, line("1.PNM", chat="60585751957"))
    other = attrs.evolve(line("2.PNM", chat="c2"), sender=UserId("2202"), item=ItemId("900"))
    await come(store, other)
    for whole in ("60585751957", BUYER, "81"):
        assert await ids(store, words=whole) == ["60585751957"]
    for part in ("6058575195", "220", "90"):
        assert await ids(store, words=part) == []


async def test_what_our_own_side_said_finds_nothing_and_blanks_find_everything(
    store: Store,
) -> None:
    await come(store, line("1.PNM"), own("2.PNM", "包邮"), line("3.PNM", chat="c2"))
    assert await ids(store, words="包邮") == []
    assert await ids(store, words="  ") == ["c1", "c2"]


@pytest.mark.parametrize("words", ["text", "is", ":", "{", "n", "u0001", "https", "width", "3"])
async def test_how_a_line_is_stored_finds_nothing(store: Store, words: str) -> None:
    await come(store, line("1.PNM", "第一行\n第二行\x01"))
    await come(store, line("2.PNM", Image("https://x/1.jpg", 3, 4), chat="c2"))
    assert await ids(store, words=words) == []


async def test_words_and_filters_hold_together(three: Store) -> None:
    assert await ids(three, account=SHOP, words="在吗", show="unread") == ["c1", "c2"]
    assert await ids(three, account=SHOP, words="在吗", show="drafts") == ["c1"]
    assert await ids(three, words="没人说过", show="unread") == []


# Page by page.


places = st.tuples(st.sampled_from([SHOP, OTHER]), st.text("a_%你😀", min_size=1, max_size=2))


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(places, st.integers(NOW, NOW + 2), max_size=12),
    st.integers(1, 4),
    st.sampled_from([None, SHOP]),
)
def test_page_by_page_every_chat_comes_once_and_the_last_spoken_first(
    db: Database,
    spoken: dict[tuple[AccountId, str], int],
    most: int,
    account: AccountId | None,
) -> None:
    with db.begin() as story:
        for (shop, chat), at in spoken.items():
            chatlist.came(db, shop, [line(f"{chat}.PNM", chat=chat, at=at)], now=NOW)
        wanted = sorted(
            (-at, shop, chat)
            for (shop, chat), at in spoken.items()
            if account is None or shop == account
        )
        assert list(_leafed(db, Asked(account=account, most=most), pages=len(spoken) + 1)) == wanted
        story.rollback()


def _leafed(db: Database, asked: Asked, *, pages: int) -> Iterator[tuple[int, str, str]]:
    for _ in range(pages):
        found: Sequence[Listed] = chatlist.page(db, asked)
        assert len(found) <= asked.most
        yield from ((-each.last_at, each.account, each.chat) for each in found)
        if not found:
            return
        last = found[-1]
        asked = attrs.evolve(asked, before=(last.last_at, last.account, last.chat))
    assert not chatlist.page(db, asked)


async def test_the_goods_that_we_sent_are_not_what_a_list_shows(store: Store) -> None:
    await come(store, line("1.PNM", "多少钱"))
    await store.transact(selling.deliver, source=SOURCE, message="2.PNM")
    await come(store, own("2.PNM", f"卡密 {selling.CODE}"))
    listed = await page(store)
    last = await store.transact(chatlist.last_words, listed)
    assert last == {(SHOP, CHAT): Text("多少钱")}
    await come(store, own("3.PNM", "谢谢"))
    assert (await store.transact(chatlist.last_words, listed))[SHOP, CHAT] == Text("谢谢")
