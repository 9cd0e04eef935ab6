"""`xybot replay`: what would have been said to recorded messages, and why, to nobody."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog

from tests.app.program import XYBOT, ended
from tests.app.world import open_world
from tests.wire import samples
from xybot.cli import amain
from xybot.simulator import Platform, payloads
from xybot.simulator.payloads import Entry

START = 1_790_000_000_000
HEADERS = payloads.push_headers("1 0", "sid")
CAPTURES = Path(os.environ.get("XYBOT_CAPTURES") or "nowhere")
BOT_TOML = """\
[simulator]
enabled = true
[timing]
debounce = 3
message_expiry = 300
[[accounts]]
id = "shop-a"
[[rules]]
keywords = ["在吗"]
reply = "在的"
[[rules]]
keywords = ["多少钱"]
reply = "您问的是“{send_message}”"
[[rules]]
keywords = ["骂人"]
reply = ""
"""


@attrs.define(eq=False, slots=False)
class Recording:
    """A platform whose pushes are written down, one frame a line, instead of sent."""

    file: Path
    at: float = 0
    """Seconds since the recording began."""

    def __attrs_post_init__(self) -> None:
        self.platform = Platform(now_ms=self.now_ms, rng=random.Random(3))
        self.sim = self.platform.add_account("shop-a")
        self.file.touch()

    def now_ms(self) -> int:
        return START + round(1000 * self.at)

    def says(self, text: str, buyer: str = "小王") -> None:
        said = self.platform.buyer_says(self.sim, buyer, text)
        self.push(payloads.message(said, self.sim.user_id))

    def answers_by_hand(self, text: str, buyer: str = "小王") -> None:
        said = self.platform.seller_says(self.sim, buyer, text)
        self.push(payloads.message(said, self.sim.user_id))

    def is_told(self, text: str, buyer: str = "小王") -> None:
        said = self.platform.tip(self.sim, buyer, text)
        self.push(payloads.message(said, self.sim.user_id))

    def is_paid_by(self, buyer: str) -> None:
        before = len(self.platform.unacknowledged(self.sim))
        self.platform.buyer_pays(self.sim, self.platform.buyer_orders(self.sim, buyer))
        self.push(*self.platform.unacknowledged(self.sim)[before:])

    def push(self, *entries: Entry) -> None:
        self.write(payloads.frame(payloads.SYNC, HEADERS, entries, self.now_ms()))

    def write(self, line: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    (tmp_path / "bot.toml").write_text(BOT_TOML, encoding="utf-8")
    yield Recording(tmp_path / "frames.jsonl")
    structlog.reset_defaults()


async def rows(recording: Recording, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Replay with `--format json`, as the account that was recorded."""
    folder, user = recording.file.parent, recording.sim.user_id
    options = ("--config", str(folder / "bot.toml"), "--self", user, "--format", "json")
    assert await amain(["replay", str(recording.file), *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


async def test_a_burst_gets_one_reply_to_all_its_lines(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in ("你好", "我想问下", "多少钱"):
        recording.says(line)
        recording.at += 2
    found = await rows(recording, capsys)
    assert [each["text"] for each in found] == ["你好", "我想问下", "多少钱"]
    assert {tuple(each["reply"]) for each in found} == {("您问的是“你好\n我想问下\n多少钱”",)}
    assert {each["why"] for each in found} == {"rules: bot.toml: rules[1]（第 2 条） “多少钱”"}


async def test_lines_that_are_far_apart_get_a_reply_each(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.says("在吗")
    recording.at += 60
    recording.says("多少钱")
    recording.at += 0.5
    recording.says("在吗", buyer="小李")
    found = await rows(recording, capsys)
    assert [each["reply"] for each in found] == [["在的"], ["您问的是“多少钱”"], ["在的"]]
    assert [each["sender_name"] for each in found] == ["小王", "小王", "小李"]
    assert [each["sent_at"] for each in found] == [START, START + 60_000, START + 60_500]


async def test_what_is_not_answered_says_why(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.is_told("买家关闭了订单，在吗")
    recording.is_paid_by("小赵")
    recording.says("骂人")
    recording.says("没有规则的话", buyer="小李")
    recording.write("<html>502</html>")
    found = await rows(recording, capsys)
    answered = {each["kind"]: each for each in found}
    assert not any(each["reply"] for each in found)
    assert answered["tip"]["why"] == "not a person: tip"
    assert answered["card"]["why"] == "not a person: card"
    assert answered["garbage"]["why"] == "undecodable: not a frame"
    why = {each["text"]: each["why"] for each in found}
    assert why["骂人"] == "rules: bot.toml: rules[2]（第 3 条） “骂人”"
    assert "没有匹配的关键词" in why["没有规则的话"]


async def test_who_answers_by_hand_is_not_answered_for(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.says("在吗")
    recording.at += 1
    recording.answers_by_hand("在的呢，亲")
    recording.at += 5
    recording.says("多少钱")
    recording.says("在吗", buyer="小李")
    found = await rows(recording, capsys)
    assert [(each["kind"], each["reply"]) for each in found] == [
        ("text", []),
        ("own", []),
        ("text", []),
        ("text", ["在的"]),
    ]
    assert found[1]["why"] == "own"
    assert "卖家正在亲自回复" in found[2]["why"]


async def test_a_page_of_the_history_is_replayed_in_the_order_of_its_times(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [(0, "在吗", "2201"), (3600, "我在的", recording.sim.user_id), (9000, "多少钱", "2201")]
    models = [history_model(at, words, sender) for at, words, sender in said]
    page = {"raw_type": "listUserMessages body", "raw": {"userMessageModels": models[::-1]}}
    recording.write(json.dumps(page, ensure_ascii=False))
    found = await rows(recording, capsys)
    assert [(each["text"], each["reply"]) for each in found] == [
        ("在吗", ["在的"]),
        ("我在的", []),
        ("多少钱", ["您问的是“多少钱”"]),
    ]


def history_model(at: int, words: str, sender: str) -> dict[str, Any]:
    """One line of a page of the history, so many seconds after the start."""
    facts = {"messageId": f"{at}.PNM", "createAt": START + 1000 * at}
    uid = {"uid": f"{sender}@goofish", "tag": 0}
    return samples.model({"contentType": 1, "text": {"text": words}}, sender=uid, **facts)


async def test_a_line_that_was_old_when_it_came_is_left_to_the_seller(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    old = recording.platform.buyer_says(recording.sim, "小王", "在吗")
    recording.at += 3600
    new = recording.platform.buyer_says(recording.sim, "小李", "在吗")
    recording.push(*(payloads.message(each, recording.sim.user_id) for each in (old, new)))
    found = await rows(recording, capsys)
    assert [each["reply"] for each in found] == [[], ["在的"]]
    assert "消息已过期" in found[0]["why"]


@pytest.mark.parametrize("columns", [80, 140])
async def test_the_table_fits_its_terminal(
    recording: Recording,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(recording.file.parent)
    recording.says("在吗\x1b[2J")
    recording.says("没有规则的话", buyer="小李")
    recording.says("骂人", buyer="小赵")
    recording.is_told("交易关闭")
    assert await amain(["replay", "frames.jsonl", "--self", recording.sim.user_id]) == 0
    out, err = capsys.readouterr()
    assert (err, "\x1b" in out) == ("", False)
    assert max(map(len, out.splitlines())) <= columns
    for words in (
        "小王: 在吗",
        "在的",
        "← rules: bot.toml: rules[0]",
        "提示",
        "不是买家说的话",
        "不说话",
    ):
        assert words in out
    assert "共 4 条，其中 1 条会得到回复" in " ".join(out.split())


async def test_without_our_own_id_it_warns(
    recording: Recording, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recording.file.parent)
    assert await amain(["replay", "frames.jsonl"]) == 0
    assert "--self" in capsys.readouterr().err


async def test_it_knows_itself_by_its_cookie_and_contacts_nobody(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        entries = [
            payloads.message(world.platform.buyer_says(sim, "小王", "在吗"), sim.user_id),
            payloads.message(world.platform.seller_says(sim, "小李", "在吗"), sim.user_id),
        ]
        folder = tmp_path / "recorded"
        folder.mkdir()
        for n, entry in enumerate(entries):
            headers = payloads.push_headers(f"{n} 0", "sid")
            frame = payloads.frame(payloads.SYNC, headers, [entry], entry.at)
            (folder / f"{n}.jsonl").write_text(f"{frame}\n", encoding="utf-8")
        found = ended(*XYBOT, "replay", "recorded", "--format", "json", cwd=tmp_path)
        assert (found.returncode, found.stderr) == (0, "")
        assert (sum(sim.calls.values()), sim.connects, world.heard(sim)) == (0, [], [])
    kinds = [(row["kind"], row["reply"]) for row in map(json.loads, found.stdout.splitlines())]
    assert kinds == [("text", ["在的"]), ("own", [])]
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="XYBOT_CAPTURES names no folder of samples")
@pytest.mark.parametrize("format_", ["table", "json"])
async def test_the_recorded_samples_go_through(
    recording: Recording, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    config = str(recording.file.parent / "bot.toml")
    words = ["replay", str(CAPTURES.absolute()), "--self", "2753634884", "--format", format_]
    assert await amain([*words, "--config", config]) == 0
    out, err = capsys.readouterr()
    assert (err, len(out.splitlines()) > 20) == ("", True)
    assert "garbage" not in out
    assert "非数据" not in out
