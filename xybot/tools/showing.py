"""How commands show what was said, decided and when; harmless to any terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, assert_never

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text as Cell

from xybot import journal
from xybot.model import Image, Media, Photo, Text
from xybot.store.codec import Kept

Format: TypeAlias = Literal["table", "json"]

KINDS: Final = {
    "text": "文字",
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "expression": "表情",
    "card": "卡片",
    "tip": "提示",
    "own": "自己",
    "read_receipt": "已读",
    "message_update": "改动",
    "conversation_update": "会话",
    "message_pointer": "指针",
    "recall": "撤回",
    "undecodable": "坏条目",
    "garbage": "非数据",
    "other": "其他",
}
"""Kinds of entries, for people."""
SILENT: Final = "(不说话 silent)"
_LONGEST: Final = 500
"""Characters of one line of a cell."""
_REASONS: Final = {
    "own": "自己发的 (own)",
    "not a person": "不是买家说的话 (not a person)",
    "not a message": "不是消息 (not a message)",
    "no way to answer": "缺少会话或发送者 (no way to answer)",
    "undecodable": "无法解读 (undecodable)",
}
"""Why an entry was closed as it came in, for people."""


def reason(outcome: str, kind: str) -> str:
    """Put the outcome of an entry that needed no turn into words."""
    word, _, detail = outcome.partition(": ")
    if word in _REASONS:
        return _REASONS[word] + (f": {detail}" if detail not in ("", kind) else "")
    return detail if word == "skipped" and detail else outcome


def words(content: Kept | None) -> str | None:
    """Render what was said, or is to be said, as text."""
    match content:
        case None:
            return None
        case Text(text):
            return text
        case Image(url=url):
            return f"[图片] {url}".rstrip()
        case Photo(path=path):
            return f"[图片] {path}"
        case Media(kind=kind, url=url):
            return f"[{KINDS[kind]}] {url}".rstrip()
        case _:
            assert_never(content)


def clock(at: int | None, form: str = "%m-%d %H:%M") -> str:
    """Return a time (ms) as it is here; nothing for one that no calendar has."""
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone() if at is not None else None
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime(form) if moment else ""


def cell(lines: Iterable[str]) -> Cell:
    """Return lines for a table; what of them could take over a terminal is replaced."""
    return Cell("\n".join(journal.short(line, _LONGEST) for line in lines))


def json_line(row: Mapping[str, object]) -> str:
    """Return a row as a line of JSON; what could take over a terminal stands there escaped."""
    text = msgspec.json.encode(row).decode()
    # Beyond ASCII JSON has characters in texts only, where an escape says the same.
    return "".join(c if c.isascii() or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def table(*heads: tuple[str, int]) -> Table:
    """Return an empty table that fits its terminal: a width of 0 is as wide as what is in it."""
    made = Table(box=SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    for head, ratio in heads:
        made.add_column(head, no_wrap=not ratio, ratio=ratio or None, overflow="fold")
    return made
