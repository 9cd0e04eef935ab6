"""`xybot try`: what would be said now, and why; nobody is asked, told, or remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from rich.cells import cell_len

from xybot.cli import amain
from xybot.clock import now_ms
from xybot.model import AccountId, Item, ItemId
from xybot.store import items
from xybot.store.database import inline, open_store

BOT_TOML = """\
[simulator]
enabled = true
[replies]
blacklist = ["坏人"]
order = ["item_rules", "rules", "ai", "webhook", "default"]
[[accounts]]
id = "shop-a"
[[accounts]]
id = "shop-b"
dry_run = true
[[rules]]
items = ["81"]
keywords = ["价"]
reply = "{item_title} {item_price} 元"
[[rules]]
keywords = ["几点"]
reply = "{send_user_name}，现在 {time}"
[[rules]]
keywords = ["骂人"]
reply = ""
[[rules]]
keywords = ["转人工"]
reply = ["好的", "请稍等"]
hand_over = true
[default]
reply = "稍后回复您"
[ai]
url = "http://127.0.0.1:9/v1"
model = "none"
[webhook]
url = "http://127.0.0.1:9/reply"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "bot.toml").write_text(BOT_TOML, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


async def tried(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert await amain(["try", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


async def test_everybody_who_is_asked_is_named_with_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = await tried(capsys, "有没有蓝色的")
    asked = [row.split()[0] for row in out.splitlines()[4:] if row.strip()]
    assert asked == ["闸门", "item_rules", "rules", "ai", "webhook", "default", "→"]
    assert "默认回复 [default]" in out
    assert out.count("这里没有问 (not asked here)") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("骂人", ["→ (不说话 silent)"]),
        ("转人工", ["→ 好的", "→ 请稍等", "把会话交给您"]),
        ("现在几点", ["→ 小王，现在 22:30"]),
    ],
)
async def test_the_reply_is_told_whole(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: list[str]
) -> None:
    out = await tried(capsys, text, "--buyer", "小王", "--at", "22:30")
    assert all(each in out for each in said)


async def test_a_day_may_be_named_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = await tried(capsys, "几点", "--at", "2026-10-01 08:05")
    assert "10-01 08:05" in out
    assert "现在 08:05" in out


async def test_a_gate_that_stops_it_is_named_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = await tried(capsys, "几点", "--buyer", "坏人")
    assert "blacklist" in out
    assert "→ 没有回复 (no reply)" in out
    assert "都放行" not in out
    assert "item_rules" not in out


async def test_a_dry_run_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "只演练" in await tried(capsys, "几点", "--account", "shop-b")
    assert "只演练" not in await tried(capsys, "几点")


async def test_what_is_known_of_the_item_is_used_and_nothing_is_stored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = folder / "data" / "simulator.db"
    database.parent.mkdir()
    async with open_store(database, run=inline) as store:
        item = Item(id=ItemId("81"), title="耳机", price=8800)
        await store.transact(items.keep, AccountId("shop-a"), item.id, item, now=now_ms())
    before = database.read_bytes()
    assert "→ 耳机 88 元" in await tried(capsys, "什么价", "--item", "81")
    assert "→ 稍后回复您" in await tried(capsys, "什么价", "--item", "82")
    assert "→ 稍后回复您" in await tried(capsys, "什么价", "--item", "82")  # Never said before.
    assert database.read_bytes() == before


async def test_without_a_database_nothing_is_known_and_none_is_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = await tried(capsys, "什么价", "--item", "81")
    assert "item_rules" in out
    assert [each.name for each in folder.iterdir()] == ["bot.toml"]


async def test_a_database_that_cannot_be_read_is_told_and_done_without(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = folder / "data" / "simulator.db"
    database.parent.mkdir()
    database.write_bytes(b"no database" * 1000)
    assert await amain(["try", "几点"]) == 0
    out, err = capsys.readouterr()
    assert "→ 买家，现在" in out
    assert str(database) in err


async def test_outside_is_asked_only_when_that_is_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = await tried(capsys, "有没有蓝色的", "--outside")
    assert "not asked here" not in out
    assert "→ 稍后回复您" in out  # Nobody listens there.


@pytest.mark.parametrize(
    "words",
    [[], ["a", "b"], ["a", "--at", "25:00"], ["a", "--at", "x"], ["a", "--account", "nobody"]],
)
async def test_what_cannot_be_meant_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert await amain(["try", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


@pytest.mark.parametrize("columns", [80, 140])
async def test_it_fits_its_terminal_and_nothing_takes_that_over(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = await tried(capsys, "几点\x1b[2J\u202e" + "很长" * 9000, "--buyer", "王\x07")
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert max(map(cell_len, out.splitlines())) <= columns
