"""`xybot codes`: stock that is filled, looked at and mended beside a bot that runs."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest
import trio

from tests.app.program import XYBOT, ended
from tests.store.ledgers import add_order, opened, sell
from tests.store.samples import SHOP
from xybot.cli import amain
from xybot.clock import now_ms
from xybot.model import OrderId
from xybot.store import codes, ledger
from xybot.store.database import Database, open_store

AWKWARD = ("a,b", 'say "hi"', "two\nlines", " 卡密 🎁 ", "=1+1", "'; DROP TABLE codes; --")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot that has not run yet; the current one."""
    (tmp_path / "bot.toml").write_text('[simulator]\nenabled = true\n[[accounts]]\nid = "shop-a"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def database(folder: Path) -> Path:
    return folder / "data" / "simulator.db"


def save(text: str, name: str = "codes.txt") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


async def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, int | None]]:
    capsys.readouterr()
    assert await amain(["codes", "list", "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row.pop("batch"): row for row in rows}


async def test_a_file_is_imported_before_the_bot_ever_ran(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["codes", "import", "steam-50", save("AAAA\n\nBBBB\n")]) == 0
    out, err = capsys.readouterr()
    assert out == "已导入 2 条到 steam-50，现有 2 条未用 (imported 2; unused now: 2)\n"
    assert err == "codes.txt: 正在导入 2 条 (importing 2 codes) …\n"
    assert stat.S_IMODE(database(folder).stat().st_mode) == 0o600
    numbers = {"unused": 2, "reserved": 0, "sent": 0, "quarantined": 0, "imported": 2}
    assert await listed(capsys) == {"steam-50": numbers | {"sent_lately": 0, "days_left": None}}


async def test_repeated_codes_are_told_by_their_lines_and_nothing_is_imported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["codes", "import", "steam", save("OLD-12345678\n")]) == 0
    capsys.readouterr()
    again = save("NEW-11111111\nOLD-12345678\n\nNEW-11111111\n")
    assert await amain(["codes", "import", "steam", again]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "第 2 行 (line) OLD-… 批次 steam 里已经有了" in err
    assert "第 4 行 (line) NEW-… 和第 1 行重复 (as line 1)" in err
    assert "有 2 条重复，一条也没有导入" in err
    assert "12345678" not in err
    assert "11111111" not in err
    assert (await listed(capsys))["steam"]["imported"] == 1


async def test_a_whole_file_that_is_imported_again_does_not_flood_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = save("".join(f"code-{n}\n" for n in range(1000)))
    assert await amain(["codes", "import", "steam", name]) == 0
    capsys.readouterr()
    assert await amain(["codes", "import", "steam", name]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 23
    assert "还有 980 条" in err
    assert "有 1000 条重复" in err


async def test_blanks_around_the_name_of_a_batch_make_no_other_batch(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["codes", "import", "steam", save("a\n")]) == 0
    assert await amain(["codes", "import", " steam ", save("b\n")]) == 0
    assert list(await listed(capsys)) == ["steam"]


async def test_the_order_of_a_code_can_be_copied_from_a_narrow_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    order = OrderId("1795792769342879000")
    assert await amain(["codes", "import", "steam", save("code-1\n")]) == 0
    with opened(database(folder)) as db, db.begin():
        codes.reserve(db, "steam", 1, account=SHOP, order=order, now=now_ms())
    capsys.readouterr()
    assert await amain(["codes", "history", "code-1"]) == 0
    assert order in capsys.readouterr().out


async def test_a_database_that_cannot_be_written_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **_named: object) -> None:
        exc = sqlite3.OperationalError("database or disk is full")
        exc.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise exc

    monkeypatch.setattr(codes, "import_", full)
    assert await amain(["codes", "import", "steam", save("a\n")]) == 2
    importing, line = capsys.readouterr().err.splitlines()
    assert "importing 1 codes" in importing
    assert line.startswith("xybot: 数据库暂时无法写入 (cannot write the database)")


async def test_a_code_that_another_batch_has_is_imported_with_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["codes", "import", "one", save("a\nb\n")]) == 0
    capsys.readouterr()
    assert await amain(["codes", "import", "two", save("b\nc\n")]) == 0
    assert "其中 1 条在别的批次里也有" in capsys.readouterr().err


async def test_exported_codes_are_the_imported_ones_letter_by_letter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["卡密,备注", *('"' + code.replace('"', '""') + '",x' for code in AWKWARD)]
    assert await amain(["codes", "import", "steam", save("\n".join(rows), "in.csv")]) == 0
    capsys.readouterr()
    assert await amain(["codes", "export", "steam", "--unused", "--output", "out.csv"]) == 0
    out, err = capsys.readouterr()
    assert (out, "已导出 6 条" in err) == ("", True)
    assert stat.S_IMODE(Path("out.csv").stat().st_mode) == 0o600
    assert await amain(["codes", "import", "again", "out.csv"]) == 0
    with opened(database(folder)) as db, db.begin():
        assert tuple(code.code for code in codes.unused(db, "again")) == AWKWARD
    capsys.readouterr()
    assert await amain(["codes", "export", "again", "--unused"]) == 0
    table = Path("out.csv").read_bytes().decode("utf-8-sig")
    assert capsys.readouterr().out == table


async def test_a_sold_code_is_not_exported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database(folder).parent.mkdir()
    with opened(database(folder)) as db, db.begin():
        sell(db)
    assert await amain(["codes", "export", "steam", "--unused"]) == 0
    assert capsys.readouterr().out.splitlines() == ['"code"', '"DDDD-4444"', '"FFFF-6666"']


async def test_a_bad_code_is_quarantined_by_itself_or_by_its_batch(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await amain(["codes", "import", "one", save("same\nother\n")])
    await amain(["codes", "import", "two", save("same\n")])
    capsys.readouterr()
    assert await amain(["codes", "quarantine", "same", "--why", "坏的"]) == 1
    assert "请写明批次 (several batches have it: name one): one, two" in capsys.readouterr().err
    assert await amain(["codes", "quarantine", "two", "same", "--why", "坏的"]) == 0
    assert await amain(["codes", "quarantine", "other", "--why", "坏的"]) == 0
    capsys.readouterr()
    assert await amain(["codes", "quarantine", "other", "--why", "坏的"]) == 1
    assert "已经隔离了" in capsys.readouterr().err
    assert await amain(["codes", "quarantine", "none", "--why", "坏的"]) == 1
    assert "没有这条卡密" in capsys.readouterr().err
    found = await listed(capsys)
    assert [found[batch]["quarantined"] for batch in ("one", "two")] == [1, 1]
    assert [found[batch]["unused"] for batch in ("one", "two")] == [1, 0]


async def test_the_history_of_a_code_names_its_order(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database(folder).parent.mkdir()
    with opened(database(folder)) as db, db.begin():
        sell(db)
    assert await amain(["codes", "history", "steam", "BBBB-2222"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "BBBB… · 批次 batch steam · 已发出 (sent)" in out
    assert "BBBB-2222" not in out
    rows = [line for line in out.splitlines() if "1001" in line]
    assert [row.split()[2] for row in rows] == ["留给订单", "发出", "买家已读", "确认发货"]
    assert await amain(["codes", "history", "EEEE-5555", "--format", "json"]) == 0
    story = json.loads(capsys.readouterr().out)
    assert (story["state"], story["why"]) == ("quarantined", "失效了")
    assert [each["what"] for each in story["receipts"]] == ["imported", "quarantined"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "steam"], "FILE"),
        (["import", "steam", "none.txt"], "none.txt: 读不了"),
        (["import", " ", "codes.txt"], "批次名"),
        (["import", "a\x1b[2J", "codes.txt"], "批次名"),
        (["import", "steam", "empty.txt"], "里面没有卡密"),
        (["export", "steam"], "--unused"),
        (["export", "none", "--unused"], "没有未用的卡密"),
        (["export", "steam", "--unused", "--output", "x.txt"], ".csv"),
        (["export", "steam", "--unused", "--output", "old.csv"], "已经有了"),
        (["quarantine", "steam", "AAAA"], "--why"),
        (["quarantine", "--why", "x"], "请写卡密"),
        (["quarantine", "a", "b", "c", "--why", "x"], "请写卡密"),
        (["history", "none"], "没有这条卡密"),
        (["imprt"], "imprt"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    save("", "empty.txt")
    save("", "old.csv")
    await amain(["codes", "import", "steam", save("AAAA\n")])
    capsys.readouterr()
    assert await amain(["codes", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    "words", [["list"], ["export", "a", "--unused"], ["quarantine", "a", "--why", "x"]]
)
async def test_without_a_database_it_says_so_and_makes_none(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert await amain(["codes", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not database(folder).parent.exists()


async def test_a_table_without_batches_says_how_to_get_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database(folder).parent.mkdir()
    async with open_store(database(folder)):
        pass
    assert await amain(["codes", "list"]) == 0
    assert "xybot codes import" in capsys.readouterr().out


async def test_the_list_fits_its_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    await amain(["codes", "import", "Steam 50 元充值卡 " * 5, save("AAAA\n")])
    capsys.readouterr()
    assert await amain(["codes", "list"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_a_megabyte_of_codes_is_imported_within_seconds(folder: Path) -> None:
    save("".join(f"XYBT-{n:010}-{n % 97:02}\n" for n in range(55_000)))
    with trio.fail_after(10):  # Two seconds on an idle machine.
        found = await trio.to_thread.run_sync(
            lambda: ended(*XYBOT, "codes", "import", "steam", "codes.txt", cwd=folder)
        )
    assert (found.returncode, "已导入 55000 条" in found.stdout) == (0, True)


async def test_codes_are_imported_while_the_bot_sells(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sell_one(db: Database, order: OrderId) -> bool:
        got = codes.reserve(db, "steam", 1, account=SHOP, order=order, now=now_ms())
        if got is None:
            return False
        add_order(db, order, 1)
        codes.assign(db, {got[0].id: 0})
        return codes.sent(db, SHOP, order, now=now_ms()) == 1

    save("".join(f"first {n}\n" for n in range(100)), "first.txt")
    assert await amain(["codes", "import", "steam", "first.txt"]) == 0
    async with open_store(database(folder)) as store, trio.open_nursery() as nursery:
        for n in range(5):
            save("".join(f"{n} {each}\n" for each in range(100)), f"{n}.txt")
            command = (*XYBOT, "codes", "import", "steam", f"{n}.txt")
            nursery.start_soon(
                trio.to_thread.run_sync, lambda words=command: ended(*words, cwd=folder)
            )
        for n in range(300):
            while not await store.transact(sell_one, OrderId(f"{n}")):
                await trio.sleep(0.01)
    with opened(database(folder)) as db, db.begin():
        (steam,) = codes.stock(db, now=now_ms())
        assert (steam.sent, steam.unused) == (300, 300)
        assert ledger.audit(db).wrong == ()
