"""The books balance, and when they do not, they say so."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, date, timedelta, timezone
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
import trio

from tests.conftest import Shop
from tests.store.samples import NOW, OTHER, SHOP, arrival, turn
from xybot.model import Decision, Reply, Text, Turn
from xybot.store import books, inbox, turns
from xybot.store.books import Day, Reason
from xybot.store.database import Database, Store, inline, open_store
from xybot.store.inbox import Arrival

DAY = 86_400_000
MIDNIGHT = NOW // DAY * DAY
TODAY = date(1970, 1, 1) + timedelta(days=NOW // DAY)
NONE = Decision(reply=None, passed=(("rules", "no"), ("default", "said once")))
BY_HAND = Decision(reply=None, passed=(("manual_pause", "the seller answers by hand"),))
LATE = Decision(reply=None, passed=(("message_expiry", "too late"),), late=True)
SILENT = Decision(reply=Reply(contents=(), source="rules", because="rules[1]"), passed=())


def saying(*words: str) -> Decision:
    contents = tuple(Text(each) for each in words)
    return Decision(reply=Reply(contents=contents, source="rules", because="rules[0]"), passed=())


def line(key: str, kind: str = "text", outcome: str | None = None) -> Arrival:
    return attrs.evolve(arrival(key, outcome=outcome), kind=kind)


async def receive(store: Store, *lines: Arrival, account=SHOP, at: int = NOW) -> None:
    await store.transact(inbox.insert_new, account, lines, now=at)


async def answer(store: Store, key: str, decision: Decision, account=SHOP, at: int = NOW) -> None:
    asked = attrs.evolve(turn(key), account=account)
    contents = decision.reply.contents if decision.reply else ()
    uuids = tuple(f"{key}/{n}" for n in range(len(contents)))
    assert await store.transact(turns.answer, asked, decision, uuids, now=at)


async def sql(store: Store, statement: str, *values: object) -> None:
    def run(db: Database) -> None:
        db.exec_driver_sql(statement, values)

    await store.transact(run)


async def days(store: Store, **wanted) -> tuple[Day, ...]:
    return await store.transact(books.balance, **{"zone": UTC, **wanted})


async def today(store: Store) -> Day:
    (day,) = await days(store)
    return day


def counted(day: Day) -> dict[str, int]:
    """What the books say of a day, but for what is zero."""
    numbers = {"answered": day.answered, "waiting": day.waiting, "held": day.held}
    assert day.received == sum(numbers.values()) + sum(day.skipped.values()) + day.unaccounted
    said = numbers | dict(day.skipped) | {"unaccounted": day.unaccounted}
    return {name: lines for name, lines in said.items() if lines}


# Stories: what really happens to lines.


async def by_its_words(turn: Turn, _now: int) -> Decision:
    match turn.text:
        case "骂人":
            return SILENT
        case "没有规则":
            return NONE
        case "昨天的":
            return LATE
        case "坏了":
            raise ValueError("x")
    return saying("在的", "亲")


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        ("在吗", "answered"),
        ("骂人", Reason.SILENT),
        ("没有规则", Reason.NO_ANSWER),
        ("昨天的", Reason.LATE),
        ("坏了", Reason.FAILED),
    ],
)
async def test_a_line_is_in_the_books_once_with_what_became_of_it(
    autojump_clock, open_for_business: Shop, words: str, fate: str
) -> None:
    shop = open_for_business
    shop.decide = by_its_words
    shop.says(words)
    shop.platform.tip(shop.sim, "小王", "买家已拍下")  # Nobody said this: it needs no answer.
    await trio.sleep(1)
    assert counted(await today(shop.store)) == {"waiting": 1}
    await trio.sleep(20)
    assert counted(await today(shop.store)) == {fate: 1}
    assert await shop.store.transact(books.contradictions) == ()


async def test_all_lines_of_a_turn_are_answered_by_its_reply(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    for words in ("在吗", "多少钱", "能便宜吗"):
        shop.says(words)
        await trio.sleep(1)
    shop.says("你好", buyer="阿杰")
    await trio.sleep(20)
    assert len(shop.heard) == 2
    assert counted(await today(shop.store)) == {"answered": 4}


async def test_what_the_platform_refuses_is_not_answered(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.refuse_sends(1)
    shop.says("在吗")
    await trio.sleep(20)
    assert counted(await today(shop.store)) == {Reason.REFUSED: 1}


async def test_what_the_seller_answers_by_hand_is_theirs(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(1)
    shop.platform.seller_says(shop.sim, "小王", "在的，我来说")
    await trio.sleep(10)
    shop.says("好的")
    await trio.sleep(20)
    assert shop.heard == []
    assert counted(await today(shop.store)) == {Reason.BY_HAND: 2}


async def test_an_answer_that_cannot_leave_yet_is_waited_for(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(2)
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(20)
    assert counted(await today(shop.store)) == {"waiting": 1}


# Rows: what is hard to reach in a story.


@pytest.mark.parametrize(
    ("states", "fate"),
    [
        (["queued"], "waiting"),
        (["sending"], "waiting"),
        (["sent"], "answered"),
        (["refused"], Reason.REFUSED),
        (["dropped"], Reason.DROPPED),
        (["draft"], "waiting"),
        (["dry_run"], Reason.DRY_RUN),
        (["sent", "draft"], "waiting"),
        (["held"], "held"),
        (["sent", "sent"], "answered"),
        (["sent", "queued"], "waiting"),
        (["sent", "dropped"], Reason.DROPPED),
        (["dropped", "refused"], Reason.REFUSED),
        (["refused", "queued"], "waiting"),
        (["sent", "held", "queued"], "held"),
        (["held", "lost"], "unaccounted"),
    ],
)
async def test_a_reply_of_several_messages_is_what_its_worst_is(
    store: Store, states: list[str], fate: str
) -> None:
    await receive(store, line("1.PNM"))
    await answer(store, "1.PNM", saying(*states))
    for n, state in enumerate(states):
        await sql(store, "UPDATE outbox SET state = ? WHERE uuid = ?", state, f"1.PNM/{n}")
    assert counted(await today(store)) == {fate: 1}


@pytest.mark.parametrize("kind", ["text", "image", "voice", "video", "expression"])
async def test_received_is_whatever_somebody_else_said(store: Store, kind: str) -> None:
    await receive(store, line("1.PNM", kind))
    assert counted(await today(store)) == {"waiting": 1}


async def test_what_nobody_said_is_not_received(store: Store) -> None:
    closed = {
        "own": "own",
        "card": "not a person: card",
        "tip": "not a person: tip",
        "recall": "not a message: recall",
        "garbage": "undecodable: not a frame",
    }
    await receive(store, *(line(kind, kind, outcome) for kind, outcome in closed.items()))
    assert await days(store) == ()


@pytest.mark.parametrize(
    ("outcome", "fate"),
    [
        ("skipped: 卖家已亲自回复 (the seller answered by hand)", Reason.BY_HAND),
        ("not a person: platform or group", Reason.NOT_A_PERSON),
        ("no way to answer: chat or sender is missing", Reason.NO_WAY),
        ("no reason at all: none", "unaccounted"),
        ("", "unaccounted"),
        (": ", "unaccounted"),
    ],
)
async def test_a_line_that_needed_no_turn_has_the_reason_it_came_with(
    store: Store, outcome: str, fate: str
) -> None:
    await receive(store, line("1.PNM", outcome=outcome))
    assert counted(await today(store)) == {fate: 1}


async def test_whom_the_seller_answers_is_told_from_whom_nobody_could_answer(
    store: Store,
) -> None:
    for n, decision in enumerate((BY_HAND, NONE, Decision(reply=None, passed=()))):
        await receive(store, line(f"{n}.PNM"))
        await answer(store, f"{n}.PNM", decision)
    assert counted(await today(store)) == {Reason.BY_HAND: 1, Reason.NO_ANSWER: 2}
    await sql(store, "UPDATE turns SET passed_json = '{[no JSON'")
    assert counted(await today(store)) == {Reason.NO_ANSWER: 3}


async def test_nothing_received_is_nothing_to_account_for(store: Store) -> None:
    assert await days(store) == ()
    assert await store.transact(books.contradictions) == ()


# Accounts and days.


async def test_each_account_has_its_own_books(store: Store) -> None:
    await receive(store, line("1.PNM"))
    await receive(store, line("1.PNM"), line("2.PNM"), account=OTHER)
    await answer(store, "1.PNM", NONE, OTHER)
    mine, theirs = await days(store)
    assert (mine.account, counted(mine)) == (SHOP, {"waiting": 1})
    assert (theirs.account, counted(theirs)) == (OTHER, {"waiting": 1, Reason.NO_ANSWER: 1})
    assert await days(store, account=OTHER) == (theirs,)
    assert await days(store, account="nobody") == ()


@pytest.mark.parametrize("minutes", [0, 480, 345, -210, 840, -720])
async def test_a_day_begins_at_midnight_where_the_seller_is(store: Store, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    midnight = MIDNIGHT - minutes * 60_000
    for n, at in enumerate((midnight - 1, midnight, midnight + DAY - 1, midnight + DAY)):
        await receive(store, line(f"{n}.PNM"), at=at)
    assert [(each.day - TODAY).days for each in await days(store, zone=zone)] == [-1, 0, 1]
    assert [each.received for each in await days(store, zone=zone)] == [1, 2, 1]


async def test_only_what_came_since_then_is_counted(store: Store) -> None:
    for n in range(3):
        at = MIDNIGHT + n * DAY
        await receive(store, line(f"{n}.PNM"), at=at)
        await answer(store, f"{n}.PNM", NONE if n == 1 else saying("在的"), at=at)
    found = await days(store, since=MIDNIGHT + DAY)
    assert [(each.day - TODAY).days for each in found] == [1, 2]
    assert [counted(each) for each in found] == [{Reason.NO_ANSWER: 1}, {"waiting": 1}]


# Damage: none of this can happen, and the books would show it.

#: What was done -> how, to the books of `write_books`.
DAMAGES = {
    "the reply was deleted": "DELETE FROM outbox",
    "the reply is in no known state": "UPDATE outbox SET state = 'lost'",
    "the reply belongs to nobody": "UPDATE outbox SET turn = NULL",
    "the turn was deleted": "DELETE FROM turns",
    "the turn belongs to another account": "UPDATE turns SET account = 'shop-z'",
    "the turn says something else": "UPDATE turns SET outcome = 'silent'",
    "the line forgot its turn": "UPDATE inbox SET turn = NULL WHERE message = 'said'",
    "the line is open, and answered": "UPDATE inbox SET outcome = NULL WHERE message = 'said'",
    "the outcome is garbled": "UPDATE inbox SET outcome = 'anwsered' WHERE message = 'said'",
}
#: What was done -> how, and what is said of it.
CONTRADICTIONS = {
    "the line was deleted": ("DELETE FROM inbox WHERE message = 'said'", "a turn without a line"),
    "an answer was sent twice": (
        "INSERT INTO outbox (account, uuid, chat, peer, content_json, source, because, urgent,"
        " state, message, turn, queued_at) SELECT account, 'again', chat, peer, content_json,"
        " source, because, urgent, state, message, turn, queued_at FROM outbox",
        "sent twice",
    ),
    "a line was answered in two turns": (
        "INSERT INTO turns (account, chat, decided_at, outcome, passed_json)"
        " SELECT account, chat, decided_at, outcome, passed_json FROM turns",
        "a turn without a line",
    ),
    "the turn was deleted": ("DELETE FROM turns", "the turn of a line is missing"),
}


async def write_books(path: Path, *, at: int) -> None:
    """Make a database in which one line was answered and another one waits."""
    async with open_store(path, run=inline) as store:
        await receive(store, line("said"), line("open"), at=at)
        await answer(store, "said", saying("在的"), at=at)
        await sql(store, "UPDATE outbox SET state = 'sent', message = '9.PNM'")


def damage(path: Path, statement: str) -> None:
    """Do what the bot never does; nothing checks the keys."""
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement).rowcount > 0


@asynccontextmanager
async def damaged(path: Path, statement: str) -> AsyncIterator[Store]:
    """Open the books of `write_books` after something was done to them."""
    await write_books(path, at=NOW)
    damage(path, statement)
    async with open_store(path, run=inline, read_only=True) as store:
        yield store


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_line_that_nobody_can_account_for_is_a_difference(
    tmp_path: Path, what: str
) -> None:
    async with damaged(tmp_path / "xybot.db", DAMAGES[what]) as store:
        day = await today(store)
        assert counted(day) == {"waiting": 1, "unaccounted": 1}
        assert not day.balances


@pytest.mark.parametrize("what", CONTRADICTIONS)
async def test_what_no_run_can_have_stored_is_told(tmp_path: Path, what: str) -> None:
    statement, words = CONTRADICTIONS[what]
    async with damaged(tmp_path / "xybot.db", statement) as store:
        (told,) = await store.transact(books.contradictions)
        assert words in told
        assert SHOP in told
        assert await store.transact(books.contradictions, since=NOW) == (told,)
        assert await store.transact(books.contradictions, account=OTHER) == ()


async def test_books_without_damage_are_without_contradiction(tmp_path: Path) -> None:
    async with damaged(tmp_path / "xybot.db", "UPDATE inbox SET raw = 'x'") as store:
        day = await today(store)
        assert (day.balances, counted(day)) == (True, {"answered": 1, "waiting": 1})
        assert await store.transact(books.contradictions) == ()


async def test_a_turn_over_midnight_has_its_line_in_the_day_before(store: Store) -> None:
    await receive(store, line("before"), at=MIDNIGHT - 1)
    await receive(store, line("after"), at=MIDNIGHT)
    await answer(store, "after", NONE, at=MIDNIGHT)
    await answer(store, "before", NONE, at=MIDNIGHT + 1)
    assert await store.transact(books.contradictions, since=MIDNIGHT) == ()
    assert [each.received for each in await days(store, since=MIDNIGHT)] == [1]


async def test_the_books_of_some_days_are_found_by_time(store: Store) -> None:
    def plan(db: Database, statement: sa.Select) -> str:
        asked = statement.params(since=1, of=None)
        compiled = asked.compile(dialect=db.dialect, compile_kwargs={"render_postcompile": True})
        arguments = [None for _ in compiled.positiontup]
        rows = db.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {compiled}", arguments)
        return "; ".join(row[3] for row in rows)

    for statement in (books._RECEIVED, books._FATES, books._TURN_MISSING):
        found = await store.transact(plan, statement)
        assert "SEARCH inbox USING INDEX inbox_by_time" in found
        assert "SCAN inbox" not in found
