"""`xybot why`: each message, answered or not, tells what became of it and for what reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from rich.cells import cell_len

from tests.conftest import open_shop
from tests.store import selling
from tests.store.samples import CHAT, NOW, SHOP, turn
from tests.store.test_books import LATE, NONE, SILENT, answer, line, receive, saying, sql
from xybot.cli import amain
from xybot.model import Decision, Text
from xybot.store import turns
from xybot.store.database import Store, inline, open_store
from xybot.store.deliveries import SOURCE
from xybot.tools.showing import KINDS

BOT_TOML = """\
[simulator]
enabled = true
[[accounts]]
id = "shop-a"
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bot of this folder, which is the current one, has its database."""
    (tmp_path / "bot.toml").write_text(BOT_TOML, encoding="utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "simulator.db"


async def why(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert await amain(["why", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


async def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    out = await why(capsys, *words, "--format", "json")
    return [json.loads(each) for each in out.splitlines()]


async def write(store: Store) -> None:
    """Two lines that a rule answered, after the rules of items had passed."""
    await receive(store, line("1.PNM"), line("2.PNM"), at=NOW)
    decision = attrs.evolve(saying("在的"), passed=(("item_rules", "没有匹配 (no match)"),))
    asked = turn("1.PNM", "2.PNM")
    assert await store.transact(turns.answer, asked, decision, ("a",), now=NOW + 3000)


async def test_an_answer_tells_who_passed_who_answered_and_what_became_of_it(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await write(store)
        await sql(
            store,
            "UPDATE outbox SET state = 'sent', message = '9.PNM', sending_at = ?, settled_at = ?",
            NOW + 4000,
            NOW + 5000,
        )
    out = await why(capsys, "1.PNM")
    for words in (
        "shop-a",
        "小王",
        "1.PNM",
        "2.PNM",
        "item_rules: 没有匹配 (no match)",
        "→ rules: rules[0]",
        "已发出 (sent) · 9.PNM",
    ):
        assert words in out
    first, second = await rows(capsys, "1")
    assert (first["message_id"], second["message_id"]) == ("1.PNM", "2.PNM")
    assert (first["sent_at"], first["received_at"]) == (NOW - 5, NOW)
    assert first["decision"] == second["decision"]
    assert first["decision"] == {
        "turn": 1,
        "decided_at": NOW + 3000,
        "outcome": "answered",
        "passed": [{"source": "item_rules", "reason": "没有匹配 (no match)"}],
        "source": "rules",
        "because": "rules[0]",
        "mode": "send",
        "held": None,
    }
    assert first["replies"] == [
        {
            "text": "在的",
            "state": "sent",
            "reason": None,
            "message_id": "9.PNM",
            "queued_at": NOW + 3000,
            "due_at": None,
            "sending_at": NOW + 4000,
            "settled_at": NOW + 5000,
        }
    ]


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (SILENT, ("规则说不回", "→ rules: rules[1]")),
        (NONE, ("没有回复", "rules: no", "default: said once")),
        (LATE, ("太晚，留给您", "message_expiry: too late")),
    ],
)
async def test_no_answer_tells_every_reason(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    decision: Decision,
    words: tuple[str, ...],
) -> None:
    async with open_store(database, run=inline) as store:
        await receive(store, line("1.PNM"))
        await answer(store, "1.PNM", decision)
    out = await why(capsys, "1")
    assert all(each in out for each in words)
    assert "机器人" not in out


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "等着发"),
        ("sending", "正在发"),
        ("refused", "平台拒发"),
        ("held", "不确定是否送达"),
        ("dropped", "没说就作废了"),
        ("draft", "草稿"),
        ("dry_run", "试运行"),
    ],
)
async def test_a_reply_that_was_not_sent_tells_where_it_is_and_why(
    database: Path, capsys: pytest.CaptureFixture[str], state: str, words: str
) -> None:
    async with open_store(database, run=inline) as store:
        await write(store)
        await sql(store, "UPDATE outbox SET state = ?, reason = 'so it is'", state)
    out = await why(capsys, "1")
    assert words in out
    assert "← so it is" in out


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "还没处理"),
        ("not a person: tip", "不是买家说的话"),
        ("no way to answer: chat or sender is missing", "缺少会话或发送者"),
        ("skipped: 卖家已亲自回复 (the seller answered by hand)", "卖家已亲自回复"),
    ],
)
async def test_a_line_that_needed_no_decision_tells_why(
    database: Path, capsys: pytest.CaptureFixture[str], outcome: str | None, words: str
) -> None:
    async with open_store(database, run=inline) as store:
        await receive(store, line("1.PNM", outcome=outcome))
    assert f"← {words}" in await why(capsys, "1.PNM")
    (row,) = await rows(capsys, "1.PNM")
    assert (row["outcome"], row["decision"], row["replies"]) == (outcome, None, [])


async def test_a_chat_is_a_conversation_in_the_order_of_time(
    autojump_clock, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_shop(database) as shop, trio.open_nursery() as nursery:
        nursery.start_soon(shop.run)
        while not shop.platform.on_line(shop.sim):
            await trio.sleep(0.1)
        shop.says("还在吗")
        await trio.sleep(20)
        shop.says("能便宜吗")
        await trio.sleep(1)
        shop.platform.seller_says(shop.sim, "小王", "我来说")
        await trio.sleep(20)
        shop.says("好的")
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    (chat,) = shop.platform.world.chats
    out = await why(capsys, f"{chat}@goofish")
    story = [
        "还在吗",
        "→ echo: it was said",
        "已发出 (sent)",
        "能便宜吗",
        "卖家已亲自回复",
        "您亲自",
        "我来说",
        "好的",
        "manual_pause: 卖家正在亲自回复",
    ]
    places = [out.find(words) for words in story]
    assert -1 not in places
    assert places == sorted(places)
    assert out.count("还在吗") == 2  # The buyer's, and the echo as we said it; not as it came back.
    last = await why(capsys, chat, "--last", "1")
    assert "好的" in last
    assert "我来说" not in last


async def test_what_is_not_there_is_said_in_one_line(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await write(store)
    for words in (["7.PNM"], ["1.PNM", "--account", "shop-b"], ["\x1b[2J"], [""]):
        assert await amain(["why", *words]) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines()), "\x1b" in err) == ("", 1, False)
        assert "no such message or chat" in err


async def test_without_a_database_it_says_so(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["why", "1.PNM"]) == 2
    assert str(database) in capsys.readouterr().err


async def test_it_reads_while_the_bot_writes(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database) as store:
        await receive(store, line("1.PNM"))
        (before,) = await rows(capsys, "1")
        await answer(store, "1.PNM", saying("在的"))
        (after,) = await rows(capsys, "1")
    assert (before["outcome"], after["outcome"]) == (None, "answered")


@pytest.mark.parametrize("columns", [80, 140])
async def test_the_table_fits_its_terminal_and_nothing_takes_it_over(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    hostile = "\x1b[2J 在吗\u202e\u2028" + "很长的话" * 50_000
    async with open_store(database, run=inline) as store:
        await receive(
            store, attrs.evolve(line("1.PNM"), content=Text(hostile), sender_name="\x07王")
        )
        passed = (("ai", "很长的原因" * 100), ("rules", hostile))
        decision = attrs.evolve(saying("在的" * 100), passed=passed)
        await answer(store, "1.PNM", decision)
    for words in ("1.PNM", CHAT):
        out = await why(capsys, words)
        assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(out)
        assert max(map(cell_len, out.splitlines())) <= columns
        assert len(out) < 20_000
    (row,) = await rows(capsys, "1")
    assert (row["account"], row["text"]) == (SHOP, hostile)


async def test_every_kind_of_message_has_its_word(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        for kind in KINDS:
            closed = attrs.evolve(line(kind, kind, f"not a message: {kind}"), content=None)
            await receive(store, closed)
    for kind, word in KINDS.items():
        assert f"[{word}]" in await why(capsys, kind)


async def test_goods_are_named_and_their_codes_are_not_shown(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_store(database, run=inline) as store:
        await receive(store, line("1.PNM"), at=NOW)
        await store.transact(selling.deliver, source=SOURCE, message="9.PNM")
    for out in (await why(capsys, CHAT), await why(capsys, CHAT, "--format", "json")):
        assert "发货内容" in out
        assert selling.CODE not in out
