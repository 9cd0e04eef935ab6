"""A conversation page by page: all sides, in the order of time, each line once, with its why."""

from __future__ import annotations

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.chatting import answered, decided, settled
from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, outgoing, turn
from xybot.model import ChatId, Content, Decision, Image, ReplyMode, Text
from xybot.store import chats, drafts, inbox, outbox, schema, transcript, turns, writing
from xybot.store.chats import ByHand, Moment
from xybot.store.database import Database, Store
from xybot.store.inbox import Arrival
from xybot.store.outbox import Held, Origin, Refused
from xybot.store.transcript import Cursor, Entry
from xybot.store.writing import TAKEN_OVER, Pause, Wanted


def line(key: str, said: str | Content | None, *, at: int, kind: str = "text") -> Arrival:
    content = Text(said) if isinstance(said, str) else said
    spoken = kind in ("text", "image")
    found = arrival(key, content, sent_at=at, outcome=None if spoken else f"not a person: {kind}")
    return attrs.evolve(found, kind=kind)


async def come(store: Store, *arrivals: Arrival, now: int = NOW) -> None:
    moment = Moment(account=SHOP, by_hand=ByHand(pause=0), now=now)
    await store.transact(chats.take_in, moment, arrivals)


async def page(
    store: Store, before: Cursor | None = None, *, chat: str = CHAT, most: int = 50
) -> tuple[Entry, ...]:
    return await store.transact(transcript.page, SHOP, ChatId(chat), before=before, most=most)


async def told(store: Store) -> list[tuple[str, str]]:
    """Who said what; of a message of ours also what became of it."""
    return [(entry.who, _words(entry)) for entry in await page(store)]


def _words(entry: Entry) -> str:
    words = getattr(entry.content, "text", "-")
    return f"{words} ({entry.said.state})" if entry.said else words


async def write(store: Store, uuid: str, words: str, *, at: int) -> None:
    """Let the seller write in the console."""
    by_hand = attrs.evolve(outgoing(uuid, content=Text(words)), source=outbox.BY_HAND)
    await store.transact(writing.write, SHOP, Wanted(outgoing=by_hand, quiet=1), now=at)


# What is shown.


async def test_all_sides_stand_in_the_order_of_time(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await answered(store, "1.PNM", "在的", at=NOW + 10)
    await come(store, line("2.PNM", "便宜点", at=NOW + 20))
    await come(store, line("3.PNM", "不便宜", at=NOW + 30, kind="own"))
    await come(store, line("4.PNM", "买家已拍下", at=NOW + 40, kind="tip"))
    await come(store, line("5.PNM", "等待付款", at=NOW + 41, kind="card"))
    await come(store, line("6.PNM", None, at=NOW + 42, kind="recall"))
    await write(store, "w", "谢谢", at=NOW + 50)
    assert await told(store) == [
        ("buyer", "在吗"),
        ("bot", "在的 (sent)"),
        ("buyer", "便宜点"),
        ("seller", "不便宜"),
        ("platform", "买家已拍下"),
        ("platform", "等待付款"),
        ("platform", "-"),
        ("seller", "谢谢 (queued)"),
    ]


async def test_a_line_that_came_late_stands_where_it_was_said(store: Store) -> None:
    await come(store, line("2.PNM", "second", at=NOW + 10))
    await come(store, line("1.PNM", "first", at=NOW))
    await come(store, attrs.evolve(line("3.PNM", "third", at=NOW), sent_at=None), now=NOW + 20)
    assert [words for _, words in await told(store)] == ["first", "second", "third"]
    assert [entry.at for entry in await page(store)] == [NOW, NOW + 10, NOW + 20]


async def test_a_picture_is_shown_as_one_and_what_tells_nothing_is_not_shown(store: Store) -> None:
    picture = Image("https://x/1.jpg", 3, 4)
    await come(store, line("1.PNM", picture, at=NOW, kind="image"))
    await come(store, line("2.PNM", None, at=NOW + 1, kind="read_receipt"))
    await come(store, line("3.PNM", None, at=NOW + 2, kind="conversation"))
    (entry,) = await page(store)
    assert (entry.content, entry.message, entry.who) == (picture, "1.PNM", "buyer")


async def test_another_chat_and_another_account_are_not_in_it(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await come(store, attrs.evolve(line("2.PNM", "x", at=NOW), chat=ChatId("c2")))
    await store.transact(inbox.insert_new, OTHER, [line("3.PNM", "y", at=NOW)], now=NOW)
    origin = Origin(turn=None, now=NOW)
    await store.transact(outbox.put_as, SHOP, [outgoing("u1", "c2")], origin)
    await store.transact(outbox.put_as, OTHER, [outgoing("u2")], origin)
    assert [entry.message for entry in await page(store)] == ["1.PNM"]
    assert await page(store, chat="nowhere") == ()


# What we said.


async def test_what_we_said_is_not_shown_again_when_it_comes_back(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await answered(store, "1.PNM", "在的", at=NOW + 10)
    again = line("bot-1.PNM", "在的", at=NOW + 11, kind="own")
    assert await store.transact(inbox.insert_new, SHOP, [again], now=NOW) == frozenset()
    _, reply = await page(store)
    assert (reply.who, reply.message, reply.heard) == ("bot", "bot-1.PNM", None)


async def test_an_echo_that_names_a_message_in_doubt_is_shown_once(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await decided(store, "1.PNM", "在的", at=NOW + 10)
    await settled(store, "1.PNM", Held("断线"), at=NOW + 11)
    assert await told(store) == [("buyer", "在吗"), ("bot", "在的 (held)")]
    await come(store, line("8.PNM", "在的", at=NOW + 12, kind="own"))
    assert await told(store) == [("buyer", "在吗"), ("bot", "在的 (sent)")]


async def test_the_same_words_by_the_sellers_own_hand_are_theirs(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await answered(store, "1.PNM", "在的", at=NOW + 10)
    await come(store, line("8.PNM", "在的", at=NOW + 20, kind="own"))
    assert [who for who, _ in await told(store)] == ["buyer", "bot", "seller"]


@pytest.mark.parametrize("mode", ["draft", "dry_run"])
async def test_what_was_not_sent_is_shown_with_its_state(store: Store, mode: ReplyMode) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    await decided(store, "1.PNM", "在的", at=NOW + 10, mode=mode)
    assert await told(store) == [("buyer", "在吗"), ("bot", f"在的 ({mode})")]


async def test_what_was_dropped_or_refused_is_shown_with_why(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW), line("2.PNM", "嗯?", at=NOW + 1))
    await decided(store, "1.PNM", "在的", at=NOW + 10, mode="draft")
    assert await store.transact(drafts.reject, SHOP, "u-1.PNM", now=NOW + 20)
    await decided(store, "2.PNM", "在", at=NOW + 30)
    await settled(store, "2.PNM", Refused("禁言"), at=NOW + 31)
    states = [(x.said.state, x.said.reason) for x in await page(store) if x.said]
    assert states == [("dropped", drafts.REJECTED), ("refused", "禁言")]


# Why.


async def test_every_line_of_a_turn_and_its_reply_have_the_verdict_and_others_none(
    store: Store,
) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW), line("2.PNM", "人呢", at=NOW + 1))
    passed = (("rules", "no keyword"),)
    skipped = Decision(reply=None, passed=passed)
    assert await store.transact(turns.answer, turn("1.PNM"), skipped, (), now=NOW + 2)
    await decided(store, "2.PNM", "在的", at=NOW + 3)
    await come(store, line("3.PNM", "好的", at=NOW + 4), line("4.PNM", "x", at=NOW + 5, kind="tip"))
    verdicts = [x.verdict for x in await page(store)]
    assert [each and (each.outcome, each.source, each.passed) for each in verdicts] == [
        ("skipped", None, passed),
        ("answered", "rules", ()),
        ("answered", "rules", ()),
        None,
        None,
    ]
    assert verdicts[1] == verdicts[2]


async def test_what_nobody_decided_on_has_the_outcome_that_closed_it(store: Store) -> None:
    await come(store, line("1.PNM", "在吗", at=NOW))
    pause = Pause(NOW + 1000, TAKEN_OVER)
    await store.transact(writing.take_over, SHOP, CHAT, pause, now=NOW)
    (entry,) = await page(store)
    assert entry.verdict is None
    assert entry.heard is not None
    assert entry.heard.outcome == f"skipped: {TAKEN_OVER}"


# Page by page.


async def test_a_page_has_the_last_lines_and_its_first_leads_to_those_before(store: Store) -> None:
    await come(store, *(line(f"{n}.PNM", str(n), at=NOW + n) for n in range(5)))
    last = await page(store, most=2)
    assert [_words(entry) for entry in last] == ["3", "4"]
    middle = await page(store, last[0].place, most=2)
    assert [_words(entry) for entry in middle] == ["1", "2"]
    first = await page(store, middle[0].place, most=2)
    assert [_words(entry) for entry in first] == ["0"]
    assert await page(store, first[0].place, most=2) == ()


async def test_what_comes_meanwhile_does_not_move_the_pages_before(store: Store) -> None:
    await come(store, *(line(f"{n}.PNM", str(n), at=NOW) for n in range(4)))
    last = await page(store, most=2)
    await come(store, line("9.PNM", "9", at=NOW + 1))
    await write(store, "w", "w", at=NOW)
    assert [_words(entry) for entry in await page(store, last[0].place)] == ["0", "1"]


#: Who speaks, and when; "echo" is a message of ours that came back.
speakers = st.sampled_from(["buyer", "own", "tip", "console", "bot", "draft", "echo"])
spoken = st.tuples(speakers, st.integers(NOW, NOW + 2))


@settings(deadline=None, max_examples=60)
@given(st.lists(spoken, max_size=12), st.integers(1, 4))
def test_page_by_page_every_line_comes_exactly_once_and_in_order(
    db: Database, lines: list[tuple[str, int]], most: int
) -> None:
    with db.begin() as story:
        for n, (who, at) in enumerate(lines):
            _say(db, n, who, at)
        whole, before = [], None
        for _ in range(len(lines) + 1):
            found = transcript.page(db, SHOP, CHAT, before=before, most=most)
            assert len(found) <= most
            whole[:0] = found
            if not found:
                break
            before = found[0].place
        assert not transcript.page(db, SHOP, CHAT, before=before or (0, 0, 0), most=most)
        assert [entry.place for entry in whole] == sorted(entry.place for entry in whole)
        names = sorted(x.said.uuid if x.said else x.heard.message for x in whole)
        assert names == sorted(str(n) for n in range(len(lines)))
        assert {entry.at for entry in whole} == {at for _, at in lines}
        story.rollback()


def _say(db: Database, n: int, who: str, at: int) -> None:
    kinds = {"buyer": "text", "own": "own", "tip": "tip"}
    if who in kinds:
        inbox.insert_new(db, SHOP, [line(str(n), f"{n}", at=at, kind=kinds[who])], now=NOW)
        return
    source = outbox.BY_HAND if who == "console" else "rules"
    ours = attrs.evolve(outgoing(str(n)), source=source)
    mode: ReplyMode = "draft" if who == "draft" else "send"
    outbox.put_as(db, SHOP, [ours], Origin(turn=None, now=at, mode=mode))
    if who == "echo":
        settled = {"state": "sent", "sending_at": at, "message": f"echo-{n}"}
        db.execute(sa.update(schema.outbox).where(schema.outbox.c.uuid == str(n)).values(settled))
        inbox.insert_new(db, SHOP, [line(f"echo-{n}", "x", at=at, kind="own")], now=NOW)
