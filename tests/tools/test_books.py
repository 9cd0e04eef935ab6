"""`xybot books`: a table for the seller, an exit code for a script, beside a bot that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.app.program import XYBOT, ended
from tests.store.ledgers import opened, sell
from tests.store.samples import OTHER, SHOP
from tests.store.test_books import (
    CONTRADICTIONS,
    DAMAGES,
    NONE,
    SILENT,
    answer,
    damage,
    line,
    receive,
    sql,
    write_books,
)
from xybot.cli import amain
from xybot.clock import now_ms
from xybot.store.books import Reason
from xybot.store.database import inline, open_store
from xybot.tools.books import REASONS

DAY = 86_400_000
BOT_TOML = """\
[simulator]
enabled = true
[[accounts]]
id = "shop-a"
[[accounts]]
id = "shop-b"
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bot of this folder, which is the current one, has its database."""
    (tmp_path / "bot.toml").write_text(BOT_TOML, encoding="utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "simulator.db"


async def test_books_that_balance_say_so(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_books(database, at=now_ms())
    assert await amain(["books"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "账目相符 (the books balance)" in out
    assert str(database) in out
    (row,) = (each.split() for each in out.splitlines() if each.startswith(SHOP))
    assert row[2:] == ["2", "1", "1", "0", "0"]
    (total,) = (each.split() for each in out.splitlines() if each.startswith("合计"))
    assert total[2:] == ["2", "1", "0", "1", "0", "0"]


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_difference_is_named_and_is_the_exit_code(
    database: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    await write_books(database, at=now_ms())
    damage(database, DAMAGES[what])
    assert await amain(["books"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert f"{SHOP} " in out
    assert "有 1 条对不上 (lines unaccounted for: 1)" in out
    assert "账目相符" not in out
    assert await amain(["books", "--format", "json"]) == 1
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (row["received"], row["waiting"], row["unaccounted"]) == (2, 1, 1)


@pytest.mark.parametrize("what", CONTRADICTIONS)
async def test_a_contradiction_is_the_exit_code_even_if_the_numbers_agree(
    database: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    statement, words = CONTRADICTIONS[what]
    await write_books(database, at=now_ms())
    damage(database, statement)
    assert await amain(["books"]) == 1
    assert words in capsys.readouterr().out
    assert await amain(["books", "--format", "json"]) == 1
    assert words in json.loads(capsys.readouterr().out.splitlines()[-1])["wrong"]


async def test_programs_get_a_line_for_each_account_and_day(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = now_ms()
    await write_books(database, at=now - 8 * DAY)
    async with open_store(database, run=inline) as store:
        await receive(store, line("a"), at=now - 2 * DAY)
        await receive(store, line("b"), line("c"), account=OTHER, at=now)
        await answer(store, "b", SILENT, OTHER)
        await answer(store, "c", NONE, OTHER)
    assert await amain(["books", "--format", "json"]) == 0
    mine, theirs = (json.loads(row) for row in capsys.readouterr().out.splitlines())
    assert mine.pop("day") < theirs.pop("day")
    nothing = {"received": 1, "answered": 0, "skipped": {}, "held": 0, "unaccounted": 0}
    assert mine == nothing | {"account": SHOP, "waiting": 1}
    skipped = {"silent": 1, "no answer": 1}
    assert theirs == nothing | {"account": OTHER, "received": 2, "skipped": skipped, "waiting": 0}
    assert await amain(["books", "--format", "json", "--days", "10", "--account", "shop-a"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(row["account"], row["received"]) for row in rows] == [(SHOP, 2), (SHOP, 1)]


async def test_it_reads_while_the_bot_writes(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database) as store:
        await receive(store, line("1.PNM"), at=now_ms())
        assert await amain(["books", "--format", "json"]) == 0
        first = json.loads(capsys.readouterr().out)
        await answer(store, "1.PNM", SILENT)
        assert await amain(["books", "--format", "json"]) == 0
        second = json.loads(capsys.readouterr().out)
    assert (first["waiting"], first["skipped"]) == (1, {})
    assert (second["waiting"], second["skipped"]) == (0, {"silent": 1})


@pytest.mark.parametrize("columns", [80, 140])
async def test_the_table_fits_its_terminal_and_gives_reasons_in_words(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    async with open_store(database, run=inline) as store:
        for n, outcome in enumerate(("not a person: x", "no way to answer: x", "skipped: x")):
            await receive(store, line(f"{n}", outcome=outcome), at=now_ms())
        for n, decision in enumerate((SILENT, NONE, NONE)):
            await receive(store, line(f"t{n}"), at=now_ms())
            await answer(store, f"t{n}", decision)
        await sql(store, "UPDATE inbox SET account = 'shop-\x1b[2J' WHERE message = 't2'")
        await sql(store, "UPDATE turns SET account = 'shop-\x1b[2J' WHERE id = 3")
    assert await amain(["books"]) == 0
    out, err = capsys.readouterr()
    assert (err, "\x1b" in out) == ("", False)
    table = [each for each in out.splitlines() if "数据库" not in each]
    assert max(map(len, table)) <= columns
    for words in ("规则说不回 1", "没有合适的回答 1", "您亲自回复了 1", "不是买家说的 1"):
        assert words in out
    assert "没有合适的回答: 2 (no source had an answer)" in out


def test_every_reason_has_its_words() -> None:
    assert REASONS.keys() == set(Reason)
    assert all(chinese and english for chinese, english in REASONS.values())


async def test_a_day_is_a_day_of_this_machine(database: Path) -> None:
    await write_books(database, at=now_ms())
    found = []
    for zone in ("<+14>-14", "<-12>12"):  # Never the same date.
        command = (*XYBOT, "books", "--days", "2", "--format", "json")
        program = ended(*command, cwd=database.parents[1], TZ=zone)
        assert (program.returncode, program.stderr) == (0, "")
        found.append(json.loads(program.stdout)["day"])
    assert found[0] > found[1]


async def test_empty_books_balance(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_store(database, run=inline):
        pass
    assert await amain(["books"]) == 0
    assert "账目相符" in capsys.readouterr().out
    assert await amain(["books", "--account", "shop-b"]) == 0
    capsys.readouterr()
    assert await amain(["books", "--account", "shop-x"]) == 2
    assert "shop-x: 没有这个账号" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--days", "0"], ["--days", "x"], ["--format", "xml"], ["y"]])
async def test_what_cannot_be_meant_is_refused_in_one_line(
    database: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert await amain(["books", *options]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


async def test_without_a_database_it_says_so_and_makes_none(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["books"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert str(database) in err
    assert list(database.parent.iterdir()) == []


async def test_the_real_shop_and_the_simulator_have_books_of_their_own(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_books(database, at=now_ms())
    path = Path("bot.toml")
    cookie = 'cookie = "unb=2201; cookie2=x; _m_h5_tk=y_1"'
    real = f'[[accounts]]\nid = "shop-a"\n{cookie}\n'
    path.write_text(real, encoding="utf-8")
    assert await amain(["books"]) == 2
    assert str(database.with_name("xybot.db")) in capsys.readouterr().err
    database.rename(database.with_name("xybot.db"))
    assert await amain(["books"]) == 0
    assert str(database.with_name("xybot.db")) in capsys.readouterr().out


async def sold(path: Path) -> None:
    """Add the books of a few codes to those of what was said."""
    await write_books(path, at=now_ms())
    with opened(path) as db, db.begin():
        sell(db)


async def test_verify_goes_through_every_code_and_receipt_and_says_how_many(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await sold(database)
    assert await amain(["books", "--verify"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "核对了 6 条卡密、17 条回执 (checked 6 codes and 17 receipts)" in out
    assert "账目相符 (the books balance)" in out
    assert await amain(["books", "--verify", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"codes": 6, "receipts": 17}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE codes SET code = 'another' WHERE id = 1", "被改动过"),
        ("UPDATE codes SET state = 'unused', \"order\" = NULL WHERE id = 1", "回执却说 sent"),
        ("DELETE FROM receipts WHERE id = 17", "回执 17 不见了"),
        ("DELETE FROM codes WHERE id = 6", "卡密 6 不见了"),
        ("DELETE FROM orders WHERE \"order\" = '1001'", "却没有这个订单"),
        ("UPDATE codes SET batch = 'gift' WHERE id = 6", "它的卡密 6 被改动过"),
    ],
)
async def test_books_that_somebody_changed_are_the_exit_code_of_verify_alone(
    database: Path, capsys: pytest.CaptureFixture[str], statement: str, words: str
) -> None:
    await sold(database)
    damage(database, statement)
    assert await amain(["books"]) == 0
    assert "核对了" not in capsys.readouterr().out
    assert await amain(["books", "--verify"]) == 1
    out, err = capsys.readouterr()
    assert (err, words in out, "账目相符" in out) == ("", True, False)
    assert await amain(["books", "--verify", "--format", "json"]) == 1
    assert words in capsys.readouterr().out
