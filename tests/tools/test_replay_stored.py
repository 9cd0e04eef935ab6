"""`xybot replay --since`: which of the stored turns would be answered otherwise now, and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog
import trio
from rich.cells import cell_len

from tests.conftest import Shop, open_shop
from tests.store.samples import NOW, OTHER, SHOP, turn
from tests.store.test_books import BY_HAND, NONE, answer, line, receive, saying, sql
from xybot.cli import amain
from xybot.clock import now_ms
from xybot.config import load
from xybot.egress import Outside
from xybot.errors import ConfigError
from xybot.facts import Facts
from xybot.model import AccountId, Decision, Item, ItemId, Offer, Photo, Reply, Text
from xybot.replies.compose import composer
from xybot.replies.source import Means
from xybot.store import items, turns
from xybot.store.database import Store, inline, open_store
from xybot.tools.replay_stored import milliseconds

EVER = "99999d"
BOT_TOML = """\
[simulator]
enabled = true
[[accounts]]
id = "shop-a"
[[accounts]]
id = "shop-b"
[[rules]]
keywords = ["在吗"]
reply = "在的"
[[rules]]
keywords = ["多少钱"]
reply = "88 元"
[[rules]]
keywords = ["骂人"]
reply = ""
[default]
reply = "稍后回复您"
"""
AI = """\
[ai]
url = "http://127.0.0.1:9/v1"
model = "none"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a bot, which is the current one."""
    (tmp_path / "bot.toml").write_text(BOT_TOML, encoding="utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


@pytest.fixture
def database(folder: Path) -> Path:
    return folder / "data" / "simulator.db"


def new_settings(folder: Path, *changes: tuple[str, str], more: str = "") -> str:
    """Write `new.toml` beside bot.toml, and return its name."""
    text = BOT_TOML
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "new.toml").write_text(text + more, encoding="utf-8")
    return "new.toml"


async def replay(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert await amain(["replay", "--since", EVER, *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


async def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    out = await replay(capsys, *words, "--format", "json")
    return [json.loads(each) for each in out.splitlines()]


def by_bot_toml(shop: Shop, path: Path) -> None:
    """Have the shop answer as its bot.toml says."""
    means = Means(
        store=shop.store,
        facts=Facts(store=shop.store, now_ms=shop.now_ms).of,
        outside=Outside(),
        now_ms=shop.now_ms,
    )
    shop.decide = composer(load(path), means).decide


async def a_day(shop: Shop) -> None:
    """Let buyers say all sorts of things, some of them to nobody."""
    shop.says("在吗")
    shop.says("随便说说", buyer="小李")
    await trio.sleep(10)
    shop.says("多少钱")
    shop.says("还有什么", buyer="小李")  # The default was said once: no answer.
    shop.faults.refuse_sends(1)
    await trio.sleep(10)
    shop.says("骂人", buyer="小赵")
    await trio.sleep(10)
    shop.platform.seller_says(shop.sim, "小王", "我来说")
    await trio.sleep(2)
    shop.says("在吗")
    shop.says("你好", buyer="小孙")
    await trio.sleep(1)
    shop.says("多少钱", buyer="小孙")
    await trio.sleep(10)
    shop.says("好的", buyer="小孙")  # The first default in this chat.
    await trio.sleep(20)


async def a_stored_day(folder: Path) -> None:
    async with open_shop(folder / "data" / "simulator.db") as shop, trio.open_nursery() as nursery:
        by_bot_toml(shop, folder / "bot.toml")
        nursery.start_soon(shop.run)
        while not shop.platform.on_line(shop.sim):
            await trio.sleep(0.1)
        await a_day(shop)
        nursery.cancel_scope.cancel()


async def test_with_the_same_settings_nothing_differs(
    autojump_clock, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_stored_day(folder)
    assert await rows(capsys) == []
    every = await rows(capsys, "--all")
    assert len(every) == 8
    assert all(each["before"]["reply"] == each["after"]["reply"] for each in every)
    assert {each["text"]: each["after"]["reply"] for each in every if each["text"] != "在吗"} == {
        "随便说说": ["稍后回复您"],
        "还有什么": [],
        "多少钱": ["88 元"],
        "骂人": [],
        "你好\n多少钱": ["88 元"],
        "好的": ["稍后回复您"],
    }
    assert "0 of 8 turns would differ" in await replay(capsys)


async def test_with_other_settings_only_what_differs_is_listed_with_before_and_after(
    autojump_clock, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_stored_day(folder)
    new = new_settings(folder, ("88 元", "66 元"), ('["骂人"]', '["骂", "人"]'))
    found = await rows(capsys, "--config", new)
    assert [(each["before"]["reply"], each["after"]["reply"]) for each in found] == [
        (["88 元"], ["66 元"]),
        (["88 元"], ["66 元"]),
    ]
    assert {each["sender_name"] for each in found} == {"小王", "小孙"}
    assert found[0]["before"]["why"] == ["rules: bot.toml: rules[1]（第 2 条） “多少钱”"]
    assert found[0]["after"]["why"] == ["rules: new.toml: rules[1]（第 2 条） “多少钱”"]
    out = await replay(capsys, "--config", new)
    for words in ("88 元", "66 元", "2 of 8 turns would differ", "nothing was sent"):
        assert words in out


async def test_what_is_said_now_counts_in_what_comes_after(
    autojump_clock, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_stored_day(folder)
    new = new_settings(folder, ('["多少钱"]', '["没人说的"]'))
    found = await rows(capsys, "--config", new)
    assert [(each["text"], each["after"]["reply"]) for each in found] == [
        ("多少钱", ["稍后回复您"]),
        ("你好\n多少钱", ["稍后回复您"]),
        ("好的", []),  # The default has been said by now.
    ]


async def test_a_dry_run_is_a_difference(
    autojump_clock, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_stored_day(folder)
    new = new_settings(folder, more="[replies]\ndry_run = true\n")
    found = await rows(capsys, "--config", new)
    modes = {(each["before"]["mode"], each["after"]["mode"]) for each in found}
    # What is only rehearsed was not said: the default is due again and again.
    assert modes == {("send", "dry_run"), ("", "dry_run")}
    assert "(演练 dry run)" in await replay(capsys, "--config", new)


async def test_the_database_is_left_as_it_was(
    autojump_clock, folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_stored_day(folder)
    before = database.read_bytes()
    await replay(capsys, "--config", new_settings(folder, ("88 元", "66 元")))
    assert database.read_bytes() == before


def by(source: str, because: str, *words: str) -> Decision:
    contents = tuple(Text(each) for each in words)
    return Decision(reply=Reply(contents=contents, source=source, because=because), passed=())


async def answered(store: Store, key: str, text: str, decision: Decision, at: int = NOW) -> None:
    """Store a line of its own chat, and what was decided on it."""
    said = attrs.evolve(line(key), content=Text(text), sent_at=at)
    await receive(store, said, at=at)
    await answer(store, key, decision, at=at)


async def test_what_was_said_before_these_days_still_counts(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    default = by("default", "默认回复 [default]", "稍后回复您")
    today = now_ms()
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "你好", default, at=today - 9 * 86_400_000)
        await answered(store, "2.PNM", "好的", NONE, at=today)
    assert await amain(["replay", "--since", "7d"]) == 0
    assert "0 of 1 turns would differ" in capsys.readouterr().out
    assert await amain(["replay", "--since", "10d"]) == 0
    assert "0 of 2 turns would differ" in capsys.readouterr().out


async def test_a_chat_in_the_sellers_hand_stays_there(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "在吗", BY_HAND)
    assert await rows(capsys) == []


async def test_only_the_days_and_the_account_that_are_meant(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "在吗", NONE)
        await receive(store, line("2.PNM"), account=OTHER)
        await answer(store, "2.PNM", NONE, OTHER)
    assert {each["account"] for each in await rows(capsys)} == {SHOP, OTHER}
    assert {each["account"] for each in await rows(capsys, "--account", OTHER)} == {OTHER}
    assert await amain(["replay", "--since", EVER, "--account", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


async def test_pages_are_turned_and_no_turn_is_left_out(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        for n in range(1203):
            await answered(store, f"{n}.PNM", "在吗", NONE)
    new = new_settings(database.parents[1], more="[replies]\nchat_limit = 0\nbuyer_limit = 0\n")
    found = await rows(capsys, "--config", new)
    assert [each["turn"] for each in found] == list(range(1, 1204))


# Sources that ask outside.


async def test_a_model_is_not_asked_again_and_says_what_it_said(
    folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "怎么洗", by("ai", "it thinks", "冷水手洗"))
        refused = attrs.evolve(saying("稍后回复您"), passed=(("ai", "timeout"),))
        await answered(store, "2.PNM", "怎么晒", refused)
    new = new_settings(folder, more=AI)
    assert await rows(capsys, "--config", new) == []
    first, second = await rows(capsys, "--config", new, "--all")
    assert first["after"]["why"] == ["ai: it thinks"]
    assert second["after"]["reply"] == ["稍后回复您"]
    out = await replay(capsys, "--config", new)
    assert "ai 没有再问，1 个回答算作不变" in out


async def test_what_a_model_never_heard_is_not_made_up(
    folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "怎么洗", saying("稍后回复您"))
    (row,) = await rows(capsys, "--config", new_settings(folder, more=AI))
    assert (row["after"]["known"], row["after"]["reply"]) == (False, [])
    assert "不知道会说什么" in row["after"]["why"][0]


async def test_without_the_model_its_turns_differ(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "怎么洗", by("ai", "it thinks", "冷水手洗"))
    (row,) = await rows(capsys)
    assert (row["before"]["reply"], row["after"]["reply"]) == (["冷水手洗"], ["稍后回复您"])


@pytest.mark.parametrize(("made", "more", "differs"), [(8000, AI, 0), (9000, AI, 1), (8000, "", 1)])
async def test_an_offer_that_a_model_worded_is_the_same_while_its_price_is(
    folder: Path,
    database: Path,
    capsys: pytest.CaptureFixture[str],
    made: int,
    more: str,
    differs: int,
) -> None:
    item = Item(id=ItemId("81"), title="耳机", price=10_000)
    offer = Offer(item=item.id, asked=5000, made=made)
    worded = by("haggle", "round 1", f"亲，{made // 100} 元给您带走")
    assert worded.reply is not None
    worded = attrs.evolve(worded, reply=attrs.evolve(worded.reply, offer=offer))
    async with open_store(database, run=inline) as store:
        await store.transact(items.keep, AccountId(SHOP), item.id, item, now=NOW)
        await answered(store, "1.PNM", "50 卖不卖", worded)
    haggle = "[haggle]\nenabled = true\nmax_percent = 20\nrounds = 1\n"
    new = new_settings(folder, more=haggle + more)
    assert len(await rows(capsys, "--config", new)) == differs
    (row,) = await rows(capsys, "--config", new, "--all")
    assert "80" in row["after"]["reply"][0]


# Pictures.


async def test_a_picture_is_the_same_while_its_file_is(
    folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02"
    (folder / "menu.png").write_bytes(picture)
    more = '[[rules]]\nkeywords = ["菜单"]\nreply = "看图"\nimage = "menu.png"\n'
    new = new_settings(folder, more=more)
    async with open_store(database, run=inline) as store:
        said = attrs.evolve(line("1.PNM"), content=Text("菜单"))
        await receive(store, said)
        decision = saying("看图", "")
        assert decision.reply is not None
        contents = (Text("看图"), Photo(str(folder / "menu.png")))
        decision = attrs.evolve(decision, reply=attrs.evolve(decision.reply, contents=contents))
        await store.transact(turns.answer, turn("1.PNM"), decision, ("a", "b"), now=NOW)
        await sql(
            store,
            "UPDATE outbox SET content_json ="
            ' \'{"is":"image","url":"https://x/1.png","width":2,"height":2}\' WHERE uuid = \'b\'',
        )
        await sql(
            store,
            "INSERT INTO uploads VALUES (?, ?, 'https://x/1.png', 2, 2, 0)",
            AccountId(SHOP),
            hashlib.sha256(picture).hexdigest(),
        )
    assert await rows(capsys, "--config", new) == []
    (folder / "menu.png").write_bytes(picture + b"more")
    (row,) = await rows(capsys, "--config", new)
    assert row["before"]["reply"] == ["看图", "[图片] https://x/1.png"]


# What can be asked for.


@pytest.mark.parametrize(
    ("words", "ms"),
    [("7d", 604_800_000), ("12h", 43_200_000), (" 30M ", 1_800_000), ("1s", 1000)],
)
def test_durations_are_read_as_people_write_them(words: str, ms: int) -> None:
    assert milliseconds(words) == ms


@pytest.mark.parametrize("words", ["", "7", "d", "-1d", "1.5d", "7 d", "7天", "1234567d", "\x1b"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(ConfigError, match="7d"):
        milliseconds(words)


@pytest.mark.parametrize("words", [[], ["frames.jsonl", "--since", "7d"], ["--since", "soon"]])
async def test_files_or_days_must_be_named(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert await amain(["replay", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


async def test_without_a_database_it_says_so_and_makes_none(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["replay", "--since", "7d"]) == 2
    assert str(database) in capsys.readouterr().err
    assert not database.exists()


@pytest.mark.parametrize("columns", [80, 140])
async def test_the_table_fits_its_terminal_and_nothing_takes_it_over(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    async with open_store(database, run=inline) as store:
        await answered(store, "1.PNM", "在吗\x1b[2J\u202e" + "很长的话" * 9000, NONE)
    out = await replay(capsys)
    assert not {"\x1b", "\u202e"} & set(out)
    table = [each for each in out.splitlines() if "would differ" not in each]
    assert max(map(cell_len, table)) <= columns
    assert "1 of 1 turns would differ" in out
