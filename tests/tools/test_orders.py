"""`xybot orders`, `order`, `deliver`, `confirm`: read and said while the bot runs, or does not."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.store import selling
from tests.store.selling import CODE, ORDER
from xybot.cli import amain
from xybot.model import AccountId, OrderId
from xybot.store import events, sales
from xybot.store.database import inline, open_store
from xybot.store.sales import Story
from xybot.trade import OrderState

SHOP, OTHER = AccountId("shop-a"), AccountId("shop-b")
SECOND = "2849113000012345679"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot, which is the current one."""
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    settings = {"simulator": {"enabled": True}, "accounts": [{"id": SHOP}, {"id": OTHER}]}
    (tmp_path / "bot.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    return tmp_path


def database(folder: Path) -> Path:
    return folder / "data" / "simulator.db"


async def keep(folder: Path, what: Any, *args: object, **values: object) -> None:
    async with open_store(database(folder), run=inline) as store:
        await store.transact(partial(what, **values), *args)


async def told(folder: Path, order: str = ORDER) -> Story:
    async with open_store(database(folder), run=inline) as store:
        found = await store.transact(sales.story, SHOP, OrderId(order))
    assert found is not None
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert err == ""
    return out


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """What went wrong, in one line."""
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("xybot: ")
    return err


# The list.


async def test_orders_are_a_table_the_last_changed_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, ORDER, changed_at=1, spec="容量:64G", quantity=2)
    await keep(folder, selling.put, SECOND, changed_at=2, state=OrderState.HELD, why="没有货")
    assert await amain(["orders"]) == 0
    out = said(capsys)
    assert out.index(SECOND) < out.index(ORDER)
    for words in ("月卡 容量:64G ×2", "9.90", "已付款 paid", "待您处理 held", "← 没有货"):
        assert words in out, words


async def test_only_held_orders_or_those_of_an_account_are_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, ORDER, state=OrderState.HELD)
    await keep(folder, selling.put, SECOND, account=OTHER)
    assert await amain(["orders", "--held"]) == 0
    out = said(capsys)
    assert ORDER in out
    assert SECOND not in out
    assert await amain(["orders", "--account", OTHER]) == 0
    out = said(capsys)
    assert SECOND in out
    assert ORDER not in out
    assert await amain(["orders", "--held", "--account", OTHER]) == 0
    assert "没有等您处理的订单" in said(capsys)


async def test_what_waits_for_the_seller_is_a_list_with_one_thing_to_do_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, ORDER, changed_at=2, state=OrderState.HELD, why="没有货")
    await keep(folder, selling.put, SECOND, changed_at=1, state=OrderState.DELIVERED, why="没确认")
    await keep(folder, selling.put, "7", account=OTHER, state=OrderState.CONFIRMED)
    assert await amain(["orders", "--todo"]) == 0
    out = said(capsys)
    assert out.index(f"xybot confirm {SECOND}") < out.index(f"xybot deliver {ORDER}")
    for words in ("待您处理 held", "← 没有货", "← 没确认", "月卡"):
        assert words in out, words
    assert out.count("xybot ") == 2
    assert await amain(["orders", "--todo", "--account", OTHER]) == 0
    assert "没有等您处理的订单" in said(capsys)


async def test_a_bot_without_orders_or_without_a_database_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["orders"]) == 2
    assert "simulator.db" in complaint(capsys)
    for command in (["order", ORDER], ["deliver", ORDER], ["confirm", ORDER]):
        assert await amain(command) == 2
        assert "simulator.db" in complaint(capsys)
    assert not database(folder).exists()
    await keep(folder, events.ends)
    assert await amain(["orders"]) == 0
    assert "还没有订单" in said(capsys)
    assert await amain(["orders", "--account", "nobody"]) == 2
    assert "no such account" in complaint(capsys)


async def test_a_spreadsheet_has_every_order_on_the_screen_or_in_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(60):
        await keep(folder, selling.put, f"{n}", title="=1+1", changed_at=n)
    assert await amain(["orders", "--csv", "-"]) == 0
    rows = list(csv.DictReader(io.StringIO(said(capsys))))
    assert [each["订单号 (order)"] for each in rows] == [f"{n}" for n in reversed(range(60))]
    assert {each["标题 (title)"] for each in rows} == {"'=1+1"}
    assert await amain(["orders", "--csv", "x.csv", "--held"]) == 0
    assert "0 单" in said(capsys)
    assert await amain(["orders", "--csv", "x.csv"]) == 0
    content = (folder / "x.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 61
    assert "60 单" in said(capsys)
    assert await amain(["orders", "--csv", str(folder / "no" / "x.csv")]) == 2
    assert "cannot be written" in complaint(capsys)
    assert await amain(["orders", "--csv", "--held"]) == 2
    assert "name a file" in complaint(capsys)


# The story of one.


async def test_a_story_has_its_facts_steps_and_messages_and_no_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, state=OrderState.HELD, why="不确定", goods="month")
    await keep(folder, selling.step, OrderState.PAID, words="我已付款，等待你发货")
    await keep(folder, selling.step, OrderState.PLACED, state="paid", source="api")
    await keep(folder, selling.deliver, state="held", reason="读不到")
    await keep(folder, selling.deliver, 1, settled_at=5, seen_at=7, message="1.PNM")
    await keep(folder, selling.give)
    assert await amain(["order", ORDER]) == 0
    out = said(capsys)
    for words in (
        "待您处理 held",
        "9.90 元",
        "货品 goods month · 卡密 codes 1",
        "卡片 card",
        "我已付款，等待你发货",
        "已下单，未付款 placed（仍是 still paid）",
        "第 1 条消息 message: 不确定是否送达",
        "← 读不到",
        "第 2 条消息 message: 平台已收到 (sent)",
        "1.PNM",
        "买家已读 seen",
        f"xybot deliver {ORDER}",
    ):
        assert words in out, words
    assert CODE not in out


async def test_an_item_without_a_title_is_named_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, item="900012345678", title="")
    assert await amain(["order", ORDER]) == 0
    assert said(capsys).count("900012345678") == 1


async def test_codes_are_shown_to_whoever_asks_for_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put)
    await keep(folder, selling.give)
    assert await amain(["order", ORDER, "--codes"]) == 0
    assert f"{CODE} · month · sent · 第 1 条 message" in said(capsys)
    await keep(folder, selling.put, SECOND)
    assert await amain(["order", SECOND, "--codes"]) == 0
    assert "卡密 codes: 0" in said(capsys)


async def test_nothing_that_people_wrote_takes_over_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[2J\u202e[red]x[/red]"
    values = {"title": evil, "spec": evil, "why": evil, "goods": evil, "buyer": evil}
    await keep(folder, selling.put, state=OrderState.HELD, **values)
    await keep(folder, selling.step, OrderState.PAID, words=evil)
    await keep(folder, selling.deliver, state="held", reason=evil)
    await keep(folder, selling.give, evil)
    for command in (["orders"], ["order", ORDER, "--codes"]):
        assert await amain(command) == 0
        out = said(capsys)
        assert out.replace("\n", "").isprintable()
        assert "[red]" in out


async def test_an_order_nobody_knows_is_told_where_to_look(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put)
    for command in ("order", "deliver", "confirm"):
        assert await amain([command, "123\x1b"]) == 2
        line = complaint(capsys)
        assert "xybot orders" in line
        assert line[:-1].isprintable()
        assert await amain([command, ORDER, "--account", "nobody"]) == 2
        assert "no such account" in complaint(capsys)


async def test_of_an_order_between_two_own_accounts_the_one_that_sells_is_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, account=OTHER)
    await keep(folder, selling.put, role="buyer")
    assert await amain(["order", ORDER]) == 0
    assert f"账号 account {OTHER}" in said(capsys)
    assert await amain(["order", ORDER, "--account", SHOP]) == 0
    assert "买入 bought" in said(capsys)


async def test_where_both_might_sell_the_account_has_to_be_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for account in (SHOP, OTHER):
        await keep(folder, selling.put, account=account, role=None)
    assert await amain(["deliver", ORDER]) == 2
    assert f"--account 写明账号 (say whose, by --account): {SHOP}, {OTHER}" in complaint(capsys)


# The seller's word.


async def test_a_held_order_is_released(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await keep(folder, selling.put, state=OrderState.HELD, why="没有货")
    assert await amain(["deliver", ORDER]) == 0
    assert said(capsys).startswith(f"{SHOP} {ORDER}: 几秒内核对")
    found = await told(folder)
    assert (found.order.state, found.order.why) == (OrderState.PAID, "")
    assert found.order.due_at is not None
    assert found.steps[-1].source == "seller"


async def test_an_order_is_confirmed_and_nothing_is_sent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, state=OrderState.HELD)
    assert await amain(["confirm", ORDER]) == 0
    assert "确认发货" in said(capsys)
    found = await told(folder)
    assert found.order.state is OrderState.DELIVERED
    assert found.order.due_at is not None
    assert found.deliveries == ()


async def test_the_same_codes_are_sent_again_to_the_same_order(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder, selling.put, state=OrderState.COMPLETED)
    await keep(folder, selling.deliver)
    await keep(folder, selling.give)
    assert await amain(["deliver", ORDER, "--again"]) == 0
    out = said(capsys)
    assert "再发一次" in out
    assert CODE not in out
    (delivery,) = (await told(folder)).deliveries
    assert (delivery.line, delivery.state) == (0, "queued")


@pytest.mark.parametrize("command", [["deliver"], ["confirm"], ["deliver", "--again"]])
async def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    await keep(folder, selling.put, state=OrderState.CLOSED)
    before = await told(folder)
    assert await amain([*command, ORDER]) == 1
    assert ORDER in complaint(capsys)
    assert await told(folder) == before


@pytest.mark.parametrize("command", ["orders", "order", "deliver", "confirm"])
async def test_help_is_in_chinese_first(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await amain([command, "--help"]) == 0
    first = said(capsys).split("\n\n")[1]
    assert "\u4e00" <= first.strip()[0] <= "\u9fff"
