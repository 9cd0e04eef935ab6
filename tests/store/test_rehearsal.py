"""The turns of the past, read in their order, and decided on again in a store of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest
import sqlalchemy as sa

from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP, arrival, turn
from tests.store.test_books import NONE, answer, line, receive, saying, sql
from xybot.model import Decision, ItemId, Offer, Reply, Text
from xybot.store import haggles, limits, outbox, rehearsal, turns
from xybot.store.database import Database, Store, inline, open_store
from xybot.store.rehearsal import Past, Span

DAY = 86_400_000
EVER = Span(since=0)


@pytest.fixture
async def copy() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


async def page(store: Store, span: Span = EVER, after: int = 0, most: int = 500) -> list[Past]:
    return list(await store.transact(rehearsal.page, span, after, most))


async def test_turns_come_in_order_with_their_lines_and_their_replies(store: Store) -> None:
    await receive(store, line("1.PNM"), line("2.PNM"))
    await store.transact(turns.answer, turn("1.PNM", "2.PNM"), saying("在的"), ("a",), now=NOW)
    await receive(store, line("3.PNM"))
    await answer(store, "3.PNM", NONE, at=NOW + 9)
    first, second = await page(store)
    assert [each.id for each in first.turn.messages] == ["1.PNM", "2.PNM"]
    assert (first.turn.account, first.turn.chat, first.turn.last.sender) == (SHOP, CHAT, BUYER)
    assert [each.content for each in first.said] == [Text("在的")]
    assert (second.verdict.passed, second.said, second.offered) == (NONE.passed, (), None)


async def test_pages_go_on_where_the_last_one_ended(store: Store) -> None:
    for n in range(7):
        await receive(store, line(f"{n}.PNM"))
        await answer(store, f"{n}.PNM", NONE)
    seen, last = [], 0
    while found := await page(store, after=last, most=3):
        seen += [each.turn.last.id for each in found]
        last = found[-1].verdict.id
    assert seen == [f"{n}.PNM" for n in range(7)]
    assert await store.transact(rehearsal.count, EVER) == 7


async def test_only_what_was_decided_since_then_for_the_account_is_read(store: Store) -> None:
    for account in (SHOP, OTHER):
        for n in range(3):
            await receive(store, line(f"{n}.PNM"), account=account)
            await answer(store, f"{n}.PNM", NONE, account, at=NOW + n)
    span = Span(since=NOW + 1, account=OTHER)
    assert [(each.turn.account, each.turn.last.id) for each in await page(store, span)] == [
        (OTHER, "1.PNM"),
        (OTHER, "2.PNM"),
    ]
    assert await store.transact(rehearsal.count, span) == 2


async def said(store: Store, key: str, chat: str, at: int, decision: Decision) -> None:
    await receive(store, attrs.evolve(arrival(key, chat=chat), kind="text"), at=at)
    asked = attrs.evolve(turn(key), chat=chat)
    contents = decision.reply.contents if decision.reply else ()
    uuids = tuple(f"{key}/{n}" for n in range(len(contents)))
    assert await store.transact(turns.answer, asked, decision, uuids, now=at)


async def test_what_later_turns_look_back_at_is_copied_and_nothing_else(
    store: Store, copy: Store
) -> None:
    offer = Offer(item=ItemId("81"), asked=8000, made=8800)
    bid = Reply(contents=(Text("88"),), source="haggle", because="round 1", offer=offer)
    await said(store, "1.PNM", "c1", NOW - 30 * DAY, Decision(reply=bid, passed=()))
    await said(store, "2.PNM", "c2", NOW - 30 * DAY, saying("在的"))  # Nobody comes back to it.
    await said(store, "3.PNM", "c3", NOW - DAY // 2, saying("在的"))  # The limits of a day.
    await said(store, "4.PNM", "c1", NOW, saying("在的"))
    rows = await store.transact(rehearsal.before, Span(since=NOW))
    await copy.transact(rehearsal.restore, rows)

    async def has_said(chat: str) -> bool:
        return any(
            [
                await copy.transact(outbox.has_said, SHOP, chat, source)
                for source in ("rules", "haggle")
            ]
        )

    assert [await has_said(chat) for chat in ("c1", "c2", "c3")] == [True, False, True]
    assert await copy.transact(haggles.past, SHOP, CHAT, offer.item) == (offer,)
    lately = await copy.transact(limits.lately, turn("4.PNM"), now=NOW)
    assert (lately.in_chat, lately.to_buyer) == (0, 1)


async def test_nothing_before_is_nothing_to_copy(store: Store, copy: Store) -> None:
    rows = await store.transact(rehearsal.before, EVER)
    await copy.transact(rehearsal.restore, rows)
    assert await page(copy) == []


@pytest.mark.parametrize(
    ("state", "counts"), [("sent", True), ("held", True), ("refused", False), ("dropped", False)]
)
async def test_what_became_of_a_reply_is_what_became_of_it_then(
    copy: Store, state: str, counts: bool
) -> None:
    await copy.transact(rehearsal.settle, turn("1.PNM"), saying("在的"), [state], NOW)
    assert await copy.transact(outbox.has_said, SHOP, CHAT, "rules") is counts
    (past,) = await page(copy)
    assert [each.state for each in past.said] == [state]


async def test_a_draft_stays_one_whatever_became_of_it_then(copy: Store) -> None:
    draft = attrs.evolve(saying("在的"), mode="draft", held="wait")
    await copy.transact(rehearsal.settle, turn("1.PNM"), draft, ["sent"], NOW)
    (past,) = await page(copy)
    assert [each.state for each in past.said] == ["draft"]


async def test_a_picture_is_known_by_what_is_in_its_file(store: Store) -> None:
    await sql(store, "INSERT INTO uploads VALUES ('shop-a', 'd1', 'https://x/1.png', 3, 4, 0)")
    found = await store.transact(rehearsal.picture, SHOP, "d1")
    assert found is not None
    assert (found.url, found.width, found.height) == ("https://x/1.png", 3, 4)
    assert await store.transact(rehearsal.picture, SHOP, "d2") is None
    assert await store.transact(rehearsal.picture, OTHER, "d1") is None


async def test_the_lines_of_a_turn_are_found_by_their_chat(store: Store) -> None:
    def plan(db: Database, statement: sa.Select) -> str:
        compiled = statement.params(ids=[1]).compile(
            dialect=db.dialect, compile_kwargs={"render_postcompile": True}
        )
        arguments = [None for _ in compiled.positiontup]
        rows = db.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {compiled}", arguments)
        return "; ".join(row[3] for row in rows)

    found = await store.transact(plan, rehearsal._LINES)
    assert "inbox_by_chat (account=? AND chat=?)" in found
    assert "SCAN inbox" not in found
