"""Codes that are sold: each goes to one order, none is lost, and every change has its receipt."""

from __future__ import annotations

import sqlite3
import traceback

import pytest
import sqlalchemy as sa

from tests.store.samples import NOW, OTHER, SHOP
from xybot.model import OrderId
from xybot.store import codes, receipts, schema
from xybot.store.codes import Code, Repeat, Stock
from xybot.store.database import Database, Store

DAY = 86_400_000
FIRST, SECOND = OrderId("1001"), OrderId("1002")
AWKWARD = ("a,b", 'say "hi"', "two\nlines", " 卡密 🎁 ", "'; DROP TABLE codes; --", "\\0")


async def stocked(store: Store, *texts: str, batch: str = "steam", now: int = NOW) -> None:
    assert await store.transact(codes.import_, batch, texts, now=now) == len(texts)


async def reserved(
    store: Store, n: int, order: OrderId = FIRST, *, batch: str = "steam"
) -> tuple[Code, ...] | None:
    return await store.transact(codes.reserve, batch, n, account=SHOP, order=order, now=NOW + 1)


async def sold(store: Store, n: int, order: OrderId = FIRST, *, now: int = NOW + 2) -> None:
    got = await reserved(store, n, order)
    assert got is not None
    await store.transact(codes.assign, {code.id: 0 for code in got})
    assert await store.transact(codes.sent, SHOP, order, now=now) == n


async def states(store: Store, *, now: int = NOW) -> tuple[int, int, int, int]:
    (one,) = await store.transact(codes.stock, now=now)
    assert await store.transact(receipts.verify) == ()
    return one.unused, one.reserved, one.sent, one.quarantined


async def story(store: Store, code: int) -> list[tuple[str, int, str | None, str | None]]:
    found = await store.transact(receipts.of, code)
    return [(each.what, each.at - NOW, each.account, each.order) for each in found]


async def test_the_oldest_codes_are_given_first_and_come_out_as_they_were_put_in(
    store: Store,
) -> None:
    await stocked(store, *AWKWARD)
    got = await reserved(store, 2)
    assert got == (Code(1, AWKWARD[0]), Code(2, AWKWARD[1]))
    rest = await store.transact(codes.unused, "steam")
    assert tuple(code.code for code in rest) == AWKWARD[2:]
    assert await states(store) == (4, 2, 0, 0)


async def test_an_order_gets_all_that_it_wants_or_nothing(store: Store) -> None:
    await stocked(store, "a", "b")
    assert await reserved(store, 3) is None
    assert await reserved(store, 1, batch="other") is None
    assert await states(store) == (2, 0, 0, 0)
    assert await reserved(store, 2) is not None
    assert await reserved(store, 1, SECOND) is None


@pytest.mark.parametrize("n", [0, -1])
async def test_nobody_reserves_less_than_one(store: Store, n: int) -> None:
    await stocked(store, "a")
    with pytest.raises(ValueError, match="codes were asked for"):
        await reserved(store, n)
    assert await states(store) == (1, 0, 0, 0)


async def test_what_happens_to_a_code_is_written_down_once(store: Store) -> None:
    await stocked(store, "a")
    await sold(store, 1)
    for _ in range(2):
        await store.transact(codes.sent, SHOP, FIRST, now=NOW + 3)
        await store.transact(codes.seen, SHOP, FIRST, 0, now=NOW + 4)
        await store.transact(codes.confirmed, SHOP, FIRST, now=NOW + 5)
    assert await story(store, 1) == [
        ("imported", 0, None, None),
        ("reserved", 1, SHOP, FIRST),
        ("sent", 2, SHOP, FIRST),
        ("seen", 4, SHOP, FIRST),
        ("confirmed", 5, SHOP, FIRST),
    ]
    assert await states(store) == (0, 0, 1, 0)


async def test_only_the_codes_of_unsent_messages_come_back(store: Store) -> None:
    await stocked(store, "a", "b", "c")
    assert await reserved(store, 3) is not None
    await store.transact(codes.assign, {1: 0, 2: 1, 3: 2})
    assert await store.transact(codes.sent, SHOP, FIRST, now=NOW + 2, lines=[0]) == 1
    assert await store.transact(codes.give_back, SHOP, FIRST, [0, 1], now=NOW + 3) == 1
    assert await states(store) == (1, 1, 1, 0)
    assert await reserved(store, 1, SECOND) == (Code(2, "b"),)
    assert [what for what, *_ in await story(store, 2)] == [
        "imported",
        "reserved",
        "returned",
        "reserved",
    ]


async def test_an_order_touches_only_what_is_its_own(store: Store) -> None:
    await stocked(store, "a", "b")
    await sold(store, 1)
    assert await reserved(store, 1, SECOND) is not None
    assert await store.transact(codes.sent, OTHER, SECOND, now=NOW) == 0
    assert await store.transact(codes.give_back, OTHER, SECOND, [0], now=NOW) == 0
    assert await store.transact(codes.seen, SHOP, SECOND, 0, now=NOW) == 0
    assert await store.transact(codes.confirmed, SHOP, SECOND, now=NOW) == 0
    assert await states(store) == (0, 1, 1, 0)


async def test_an_unused_code_is_quarantined_for_good(store: Store) -> None:
    await stocked(store, "a", "b")
    assert await store.transact(codes.quarantine, 1, "供货商说已失效", now=NOW + 1) is None
    assert await states(store) == (1, 0, 0, 1)
    assert await reserved(store, 1) == (Code(2, "b"),)
    assert await store.transact(codes.quarantine, 1, "again", now=NOW + 2) is not None
    (found,) = await store.transact(codes.find, "a")
    assert (found.state, found.why) == ("quarantined", "供货商说已失效")
    assert [what for what, *_ in await story(store, 1)] == ["imported", "quarantined"]


async def test_a_code_of_an_order_is_not_quarantined_and_the_order_is_named(store: Store) -> None:
    await stocked(store, "a", "b")
    await sold(store, 1)
    assert await reserved(store, 1, SECOND) is not None
    for id_, order in ((1, FIRST), (2, SECOND)):
        words = await store.transact(codes.quarantine, id_, "bad", now=NOW)
        assert words is not None
        assert order in words
    assert "没有这条卡密" in str(await store.transact(codes.quarantine, 9, "bad", now=NOW))
    assert await states(store) == (0, 1, 1, 0)


async def test_codes_that_would_be_there_twice_are_told_by_their_places(store: Store) -> None:
    await stocked(store, "a", "b")
    await stocked(store, "d", batch="other")
    found = await store.transact(codes.repeats, "steam", ["c", "b", "c", "d", "c"])
    assert found == (Repeat(1, None), Repeat(2, 0), Repeat(4, 0))
    assert await store.transact(codes.repeats, "steam", ["c", "d", "B"]) == ()


async def test_stock_lasts_as_long_as_it_sold_in_the_last_seven_days(store: Store) -> None:
    await stocked(store, *"abcdefghij")
    await stocked(store, "x", batch="other")
    await sold(store, 2, FIRST, now=NOW)
    await sold(store, 1, SECOND, now=NOW + 5 * DAY)
    numbers = {"unused": 7, "reserved": 0, "sent": 3, "quarantined": 0}
    mine, other = await _by_name(store, now=NOW + 6 * DAY)
    assert mine == Stock(batch="steam", sent_lately=3, **numbers)
    assert (mine.imported, mine.days_left) == (10, 16)
    assert (other.imported, other.days_left) == (1, None)
    for days, left in ((8, 49), (13, None)):
        mine, _ = await _by_name(store, now=NOW + days * DAY)
        assert mine.days_left == left


async def _by_name(store: Store, *, now: int) -> tuple[Stock, Stock]:
    other, mine = await store.transact(codes.stock, now=now)
    assert (other.batch, mine.batch) == ("other", "steam")
    return mine, other


async def test_few_codes_are_counted_and_many_are_not(store: Store) -> None:
    await stocked(store, "a", "b", "c")
    assert await reserved(store, 1) is not None
    for below, left in ((-1, None), (0, None), (2, None), (3, 2), (100, 2)):
        assert await store.transact(codes.low, "steam", below) == left
    assert await store.transact(codes.low, "unknown", 1) == 0


async def test_a_code_shows_in_no_repr(store: Store) -> None:
    await stocked(store, "S3CRET")
    got = await reserved(store, 1)
    assert got is not None
    assert "S3CRET" not in repr(got) + repr(await store.transact(codes.find, "S3CRET"))


async def test_the_hot_statements_are_found_by_index(store: Store) -> None:
    def plan(db: Database, statement: str) -> str:
        rows = db.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", {"l": 1})
        return "; ".join(row[3] for row in rows)

    await stocked(store, "a")
    await sold(store, 1)
    await store.transact(codes.give_back, SHOP, FIRST, [0], now=NOW)
    await store.transact(codes.seen, SHOP, FIRST, 0, now=NOW)
    for hot, index in (
        (codes._OLDEST, "codes_free"),
        (codes._SENT, "codes_by_order"),
        (codes._GIVE_BACK, "codes_by_order"),
        (codes._UNTOLD, "codes_by_order"),
    ):
        sql = (hot._sql or "").replace("?", ":l")
        found = await store.transact(plan, sql)
        assert f"SEARCH codes USING INDEX {index}" in found
        assert "SCAN codes" not in found


async def test_an_error_of_the_database_shows_no_code(store: Store) -> None:
    secret = "S3CRET"

    def insert_twice(db: Database) -> None:
        row = {"batch": "steam", "code": secret, "state": "unused", "imported_at": NOW}
        for _ in range(2):
            db.execute(sa.insert(schema.codes), row)

    with pytest.raises(sa.exc.IntegrityError) as caught:
        await store.transact(insert_twice)
    assert secret not in "".join(traceback.format_exception(caught.value))
    await stocked(store, secret)
    with pytest.raises(sqlite3.IntegrityError) as raised:
        await stocked(store, secret)
    assert secret not in "".join(traceback.format_exception(raised.value))
