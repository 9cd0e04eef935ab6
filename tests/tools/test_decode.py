"""`xybot decode`: every entry of recorded frames becomes one line, whatever the input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, ITEM, ME, NOW, PNM
from xybot.tools.decode import decode

KEYS = [
    "kind",
    "from_human",
    "message_id",
    "chat_id",
    "sender_id",
    "sender_name",
    "text",
    "content_type",
    "item_id",
    "order_id",
    "role",
    "sent_at",
]
NOTHING = dict.fromkeys(KEYS) | {"from_human": False}
TEXT = samples.push(samples.item(samples.message(), 40000))
TWO = samples.push(
    samples.item(samples.EVERY_KIND["receipt"][1]),
    samples.item(samples.card(samples.trade_card(samples.order_url()))),
)
ANSWER = '{"code":200,"headers":{"mid":"1 0"},"body":{"userMessageModels":[]}}'
ROOT = Path(__file__).parents[2]


def run(
    *files: Path, stdin: str = "", self_id: str | None = ME
) -> tuple[int, list[dict[str, Any]], str]:
    out, err = io.StringIO(), io.StringIO()
    code = decode(files, self_id=self_id, out=out, err=err, stdin=io.StringIO(stdin))
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in found]


def test_an_entry_becomes_one_object_with_the_promised_keys_in_order() -> None:
    code, (found,), err = run(stdin=TEXT)
    assert (code, err) == (0, "")
    assert list(found) == KEYS
    assert found == {
        "kind": "text",
        "from_human": True,
        "message_id": PNM,
        "chat_id": CHAT,
        "sender_id": BUYER,
        "sender_name": "路人甲",
        "text": "还在吗",
        "content_type": 1,
        "item_id": ITEM,
        "order_id": None,
        "role": None,
        "sent_at": NOW,
    }


def test_a_card_shows_its_order_and_our_role() -> None:
    _, found, _ = run(stdin=TWO)
    assert kinds(found) == ["read_receipt", "card"]
    assert (found[1]["order_id"], found[1]["role"]) == (samples.ORDER, "seller")


def test_files_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_text(f"{TWO}\n\n{TEXT}\n", "utf-8")
    second.write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n" + TWO.encode())
    text, two = ["text"], ["read_receipt", "card"]
    assert kinds(run(first, second)[1]) == two + text + text + two
    assert kinds(run(second, first)[1]) == text + two + two + text


def test_standard_input_is_read_where_no_file_is_named_or_a_dash() -> None:
    lines = f"\ufeff{TEXT}\n \n{TWO}"
    assert run(stdin=lines) == run(Path("-"), stdin=lines)
    assert kinds(run(stdin=lines)[1]) == ["text", "read_receipt", "card"]


def test_the_account_decides_what_is_own() -> None:
    echo = samples.push(samples.item(samples.message(sender=ME)))
    accounts = (ME, f"{ME}@goofish", BUYER, None, "")
    found = [run(stdin=echo, self_id=each)[1][0]["kind"] for each in accounts]
    assert found == ["own", "own", "text", "text", "text"]


def test_answers_and_pushes_without_entries_print_nothing() -> None:
    lines = (ANSWER, '{"code":401}', '{"lwp":"/push/kickout"}', samples.push(), "", "  ")
    assert run(stdin="\n".join(lines)) == (0, [], "")


def test_a_push_with_a_code_is_a_push() -> None:
    assert kinds(run(stdin=json.dumps(json.loads(TEXT) | {"code": 0}))[1]) == ["text"]


@pytest.mark.parametrize(
    "garbage", ["words", "7", "{}", "[" * 5000, "\x00", TEXT[:-5], '{"ret":[]}', "}", "\ud83d"]
)
def test_a_line_that_is_no_frame_gives_an_object_and_a_complaint(garbage: str) -> None:
    code, found, err = run(stdin=f"{TEXT}\n{garbage}\n{TEXT}\n")
    assert (code, kinds(found)) == (0, ["text", "undecodable", "text"])
    assert found[1] == NOTHING | {"kind": "undecodable"}
    assert err.count("\n") == 1
    assert err.startswith("-:2: 不是 LWP 帧")


def test_a_damaged_entry_gives_its_own_object_and_no_complaint() -> None:
    mixed = samples.push(samples.item(samples.message()), None, {"data": "***"})
    code, found, err = run(stdin=mixed)
    assert (code, kinds(found), err) == (0, ["text", "undecodable", "undecodable"], "")


def test_a_line_that_is_not_utf8_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "mixed"
    file.write_bytes(b"\xff\xfe\x00\n" + TEXT.encode() + b"\n\xe5\n")
    code, found, err = run(file)
    assert (code, kinds(found)) == (0, ["undecodable", "text", "undecodable"])
    assert [line.split(": ")[0] for line in err.splitlines()] == [f"{file}:1", f"{file}:3"]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_decoded(tmp_path: Path) -> None:
    good, missing = tmp_path / "good", tmp_path / "没有"
    good.write_text(TEXT, "utf-8")
    code, found, err = run(missing, good, tmp_path, good)
    assert (code, kinds(found)) == (2, ["text", "text"])
    first, second = err.splitlines()
    assert first.startswith(f"无法读取 {missing} / cannot read it: ")
    assert second.startswith(f"无法读取 {tmp_path} / cannot read it: ")


def test_words_keep_their_line_and_their_letters() -> None:
    words = "字👍\n\u2028\x00\\"
    content = {"contentType": 1, "text": {"text": words}}
    out = io.StringIO()
    lines = io.StringIO(samples.push(samples.item(samples.message(content))))
    decode((), self_id=None, out=out, err=io.StringIO(), stdin=lines)
    line = out.getvalue()
    assert (line.count("\n"), "字👍" in line, json.loads(line)["text"]) == (1, True, words)


COMMAND = """
import sys; from pathlib import Path; from xybot.tools.decode import decode
raise SystemExit(decode([Path(each) for each in sys.argv[1:]], self_id=None,
                        out=sys.stdout, err=sys.stderr, stdin=sys.stdin))
"""


def start(*files: Path, **env: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, files)],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=ROOT,
        env=os.environ | env,
    )


def test_a_terminal_of_another_encoding_gets_utf8() -> None:
    with start(PYTHONIOENCODING="ascii", PYTHONUTF8="0") as process:
        out, err = process.communicate(b"\xef\xbb\xbf" + TEXT.encode() + "\n不是".encode())
    first, second = map(json.loads, out.decode("utf-8").splitlines())
    assert "还在吗" in out.decode("utf-8")
    assert (process.returncode, first["kind"], second["kind"]) == (0, "text", "undecodable")
    assert "不是 LWP 帧" in err.decode("utf-8")


def test_a_reader_who_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_text(f"{TEXT}\n" * 2000, "utf-8")
    with start(file, file) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["kind"] == "text"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


def test_each_line_is_shown_as_soon_as_it_came() -> None:
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(TEXT.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["kind"] == "text"
        process.stdin.close()
        assert process.wait(20) == 0
