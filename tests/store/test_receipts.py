"""Receipts prove each other: whatever is changed, taken away or moved afterwards shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.ledgers import DONE, ENDED, OPEN, add_order, opened, sell
from tests.store.samples import NOW, SHOP
from xybot.store import codes, ledger, receipts
from xybot.store.database import Database

CODES = {
    "id": ("id + 100",),
    "batch": ("'gift'", "''", "batch || ' '"),
    "code": ("'ZZZZ-9999'", "lower(code)", "code || ' '", "CAST(code AS BLOB)"),
    "state": ("'unused'", "'reserved'", "'sent'", "'quarantined'", "'lost'"),
    "imported_at": ("imported_at + 1", "0"),
    "account": ("NULL", "'shop-b'"),
    '"order"': ("NULL", "'1001'", "'1003'"),
    "line": ("NULL", "7", "line + 1"),
    "why": ("NULL", "'another'"),
}
RECEIPTS = {
    "id": ("id + 100", "-id"),
    "code": ("code % 6 + 1", "99"),
    "what": ("'imported'", "'reserved'", "'returned'", "'sent'", "'seen'", "'lost'"),
    "at": ("at + 1", "'x'"),
    "account": ("NULL", "'shop-b'", "''"),
    '"order"': ("NULL", "'1001'", "'1002'", "''"),
    "proof": ("''", "upper(proof)", "(SELECT proof FROM receipts LIMIT 1)"),
}
CHANGES = [
    (table, column, value)
    for table, columns in (("codes", CODES), ("receipts", RECEIPTS))
    for column, values in columns.items()
    for value in values
]
LAST = 17


@pytest.fixture(scope="module")
def sold() -> Iterator[Database]:
    """The books of `sell`, for many to damage; nothing checks the keys."""
    with opened() as db:
        with db.begin():
            sell(db)
        driver = db.connection.dbapi_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        yield db


def damaged(db: Database, *statements: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return what the proofs and the books say of some damage, and how many rows it touched."""
    with db.begin() as transaction:
        done = [db.connection.dbapi_connection.execute(each) for each in statements]
        found = receipts.verify(db), ledger.audit(db).wrong
        transaction.rollback()
    return *found, sum(each.rowcount for each in done)


def test_books_that_nobody_touched_are_right(sold: Database) -> None:
    assert damaged(sold) == ((), (), 0)
    with sold.begin():
        audit = ledger.audit(sold)
    assert (audit.receipts, audit.codes) == (LAST, 6)


@pytest.mark.parametrize(("table", "column", "value"), CHANGES)
def test_a_changed_column_of_any_receipt_or_code_shows(
    sold: Database, table: str, column: str, value: str
) -> None:
    with sold.begin():
        driver = sold.connection.dbapi_connection
        # A value that a row has already changes nothing.
        wanted = f"SELECT id FROM {table} WHERE {column} IS NOT {value}"
        rows = [id_ for (id_,) in driver.execute(wanted).fetchall()]
    assert rows
    for id_ in rows:
        change = f"UPDATE {table} SET {column} = {value} WHERE id = {id_}"
        _, wrong, touched = damaged(sold, change)
        assert (bool(wrong), touched) == (True, 1), change


@pytest.mark.parametrize("first", range(1, LAST))
def test_two_receipts_that_change_places_show(sold: Database, first: int) -> None:
    found, *_ = damaged(
        sold,
        f"UPDATE receipts SET id = -id WHERE id = {first}",
        f"UPDATE receipts SET id = {first} WHERE id = {first + 1}",
        f"UPDATE receipts SET id = {first + 1} WHERE id = -{first}",
    )
    assert found


@pytest.mark.parametrize("id_", range(1, LAST + 1))
def test_a_receipt_that_is_gone_shows_with_its_number(sold: Database, id_: int) -> None:
    found, *_ = damaged(sold, f"DELETE FROM receipts WHERE id = {id_}")
    assert f"回执 {id_} 不见了 (receipts are missing)" in found


@pytest.mark.parametrize("kept", range(LAST))
def test_an_end_that_was_cut_off_shows_even_when_the_counter_was_set_back(
    sold: Database, kept: int
) -> None:
    cut = f"DELETE FROM receipts WHERE id > {kept}"
    found, *_ = damaged(sold, cut)
    assert any("不见了" in each for each in found)
    found, *_ = damaged(sold, cut, f"UPDATE sqlite_sequence SET seq = {kept}")
    assert any("回执却说" in each or "没有回执" in each for each in found)


def test_what_was_cut_off_shows_for_ever_after(sold: Database) -> None:
    with sold.begin() as transaction:
        driver = sold.connection.dbapi_connection
        driver.execute(f"DELETE FROM receipts WHERE id = {LAST}")
        codes.import_(sold, "gift", ["x"], now=NOW + 9)
        found = receipts.verify(sold)
        transaction.rollback()
    assert f"回执 {LAST} 不见了 (receipts are missing)" in found


@pytest.mark.parametrize("id_", range(1, 7))
def test_a_code_that_is_gone_shows(sold: Database, id_: int) -> None:
    found, *_ = damaged(sold, f"DELETE FROM codes WHERE id = {id_}")
    assert any(f"卡密 {id_} 不见了" in each for each in found)


def test_a_code_that_came_without_a_receipt_shows(sold: Database) -> None:
    row = "INSERT INTO codes (batch, code, state, imported_at) VALUES ('steam', 'x', 'unused', 1)"
    found, books, _ = damaged(sold, row)
    assert found == ("卡密 7（steam）: 没有回执 (a code without receipts)",)
    assert any("批次 steam: 导入了 6 条" in each for each in books)


def test_a_receipt_that_somebody_wrote_shows(sold: Database) -> None:
    forged = "INSERT INTO receipts (code, what, at, proof) VALUES (6, 'quarantined', 1, 'x')"
    change = "UPDATE codes SET state = 'quarantined', why = 'x' WHERE id = 6"
    found, *_ = damaged(sold, forged, change)
    assert any(f"回执 {LAST + 1} 或它的卡密 6 被改动过" in each for each in found)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"DELETE FROM orders WHERE \"order\" = '{OPEN}'", "却没有这个订单"),
        (f"DELETE FROM deliveries WHERE \"order\" = '{DONE}' AND line = 1", "却没有发货记录"),
    ],
)
def test_a_given_code_has_its_order_and_its_message(
    sold: Database, statement: str, words: str
) -> None:
    found, books, _ = damaged(sold, statement)
    assert found == ()
    (told,) = books
    assert words in told


@pytest.mark.parametrize(
    "forgery",
    [
        ("sent", ENDED),
        ("seen", ENDED),
        ("reserved", OPEN),
        ("returned", DONE),
        ("imported", None),
    ],
)
def test_receipts_that_cannot_follow_each_other_show_though_their_proofs_fit(
    sold: Database, forgery: tuple[receipts.What, str | None]
) -> None:
    what, order = forgery
    with sold.begin() as transaction:
        account = SHOP if order else None
        receipts.add(sold, [1], what, at=NOW, account=account, order=order)
        found = receipts.verify(sold)
        transaction.rollback()
    (told,) = found
    assert told.startswith("卡密 1（steam）: ")


def test_many_faults_are_told_by_the_first_and_by_their_number(sold: Database) -> None:
    with sold.begin() as transaction:
        codes.import_(sold, "gift", [f"{n}" for n in range(100)], now=NOW)
        sold.connection.dbapi_connection.execute("UPDATE codes SET code = code || 'x'")
        found = receipts.verify(sold)
        transaction.rollback()
    assert len(found) == 21
    assert found[-1] == "还有 86 处类似的问题 (and 86 more of this kind)"


def test_no_fault_shows_a_code(sold: Database) -> None:
    for change in ("UPDATE codes SET code = 'S3CRET' || id", "UPDATE codes SET state = 'sent'"):
        _, books, _ = damaged(sold, change)
        assert books
        assert "S3CRET" not in "".join(books)
        assert "AAAA-1111" not in "".join(books)


def test_the_books_are_right_after_an_order_gets_its_codes_at_a_second_try() -> None:
    with opened() as db, db.begin():
        sell(db)
        add_order(db, again := DONE.replace("1", "2"), 1)
        for _ in range(2):
            (code,) = codes.reserve(db, "steam", 1, account=SHOP, order=again, now=NOW) or ()
            codes.assign(db, {code.id: 0})
            codes.give_back(db, SHOP, again, [0], now=NOW)
        (code,) = codes.reserve(db, "steam", 1, account=SHOP, order=again, now=NOW) or ()
        codes.assign(db, {code.id: 0})
        codes.sent(db, SHOP, again, now=NOW)
        assert ledger.audit(db).wrong == ()
