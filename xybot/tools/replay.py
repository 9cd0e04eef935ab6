"""`xybot replay`: what would have been answered to recorded messages, and why.

The frames go through the real way in, the real chats and the real sources, on a store in
memory and on a clock that leaps from one recorded moment to the next; only the line to the
platform is missing, so nothing is ever said to anybody.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, assert_never

import attrs
import msgspec
import trio
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell
from trio.testing import MockClock

from xybot.accounts.answer import Answerer
from xybot.accounts.chat import Patience
from xybot.accounts.chats import Chats
from xybot.accounts.doorbell import Doorbell
from xybot.accounts.receive import Receiver
from xybot.accounts.shared import Shared
from xybot.config import Config, Loaded, load
from xybot.errors import ConfigError, WireError
from xybot.events import EventFeed
from xybot.model import AccountId, ChatId, Content, Image, Media, Text, UserId
from xybot.replies.compose import composer
from xybot.store import history
from xybot.store.database import inline, open_store
from xybot.store.history import Explained
from xybot.tools.recordings import UnreadableFile, read_frames
from xybot.wire import frames, payload, reading
from xybot.wire.ids import Ids
from xybot.wire.sign import parse_cookies
from xybot.xianyu.connection import Garbage, Push

Format: TypeAlias = Literal["table", "json"]

_KINDS_OF_FILE: Final = ("*.json", "*.jsonl", "*.ndjson", "*.log", "*.txt")
_KINDS: Final = {
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
_SILENT: Final = "(不说话 silent)"
_WHO_ARE_WE: Final = (
    "xybot: 没有 --self 用户编号，自己发的消息会被当成买家的 "
    "(without --self our own messages look like a buyer's)\n"
)
#: Why an entry was closed as it came in, for people.
_REASONS: Final = {
    "own": "自己发的 (own)",
    "not a person": "不是买家说的话 (not a person)",
    "not a message": "不是消息 (not a message)",
    "no way to answer": "缺少会话或发送者 (no way to answer)",
    "undecodable": "无法解读 (undecodable)",
}


async def command(
    paths: Annotated[list[Path], Parameter(negative=())],
    /,
    *,
    config: Path = Path("bot.toml"),
    self_: Annotated[str | None, Parameter(name="--self")] = None,
    account: str | None = None,
    format_: Annotated[Format, Parameter(name="--format")] = "table",
) -> int:
    """看看录下的消息会得到什么回复、为什么；不会真的发送 (nothing is sent).

    Args:
      paths: 录制文件或文件夹 (files or folders of recorded frames).
      config: 用哪份设置里的规则 (whose rules).
      self_: 本账号的用户编号 unb，用来认出自己发的消息 (our own user id).
      account: 当作哪个账号，默认第一个 (as which account; the first).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
    """
    loaded = load(config)
    id_ = _account(loaded, account)
    pushes = tuple(_in_time(_files(paths)))
    user = UserId(self_) if self_ else _own_id(loaded, id_)
    if not user:
        sys.stderr.write(_WHO_ARE_WE)
    played = functools.partial(_play, loaded, id_, user, pushes)
    # The leaping clock needs a loop of its own, and one loop does not run inside another.
    rows = await trio.to_thread.run_sync(_on_leaping_clock, played)
    _show(rows, format_)
    return 0


def _account(loaded: Loaded, wanted: str | None) -> AccountId:
    known = [each.id for each in loaded.config.accounts]
    if wanted is None:
        return known[0] if known else AccountId("replay")
    if wanted not in known:
        raise ConfigError(f"--account {wanted}: 没有这个账号 (no such account): {', '.join(known)}")
    return AccountId(wanted)


def _own_id(loaded: Loaded, account: AccountId) -> UserId:
    cookie = loaded.cookies.get(account)
    return UserId(parse_cookies(cookie.reveal())["unb"] if cookie else "")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for kind in _KINDS_OF_FILE for file in path.rglob(kind))
        else:
            yield path


@attrs.frozen
class _Moment:
    """A push, and when it came (ms)."""

    at: int
    push: Push


def _in_time(files: Iterator[Path]) -> list[_Moment]:
    """Return the pushes of all files in the order in which they were recorded."""
    moments: list[_Moment] = []
    at = 0
    try:
        for file in files:
            for recorded in read_frames(file):
                push = _push(recorded.text)
                if push is not None:
                    at = _sent_at(push) or at
                    moments.append(_Moment(at, push))
    except UnreadableFile as exc:
        raise ConfigError(f"{exc.filename}: 无法读取 (cannot be read): {exc.strerror}") from exc
    return sorted(moments, key=lambda moment: moment.at)


def _push(text: str) -> Push | None:
    try:
        frame = frames.decode(text)
    except WireError:
        return Garbage(text)
    return frame if frame.lwp is not None else None


def _sent_at(push: Push) -> int | None:
    if isinstance(push, Garbage):
        return None
    times = (reading.read(entry, None).facts.sent_at for entry in payload.entries(push))
    return max((at for at in times if at is not None), default=None)


def _on_leaping_clock(played: functools.partial[Any]) -> tuple[Explained, ...]:
    rows: tuple[Explained, ...] = trio.run(played, clock=MockClock(autojump_threshold=0))
    return rows


async def _play(
    loaded: Loaded, account: AccountId, user: UserId, moments: Sequence[_Moment]
) -> tuple[Explained, ...]:
    start = moments[0].at if moments else 0

    def now_ms() -> int:
        return start + round(1000 * trio.current_time())

    patience = _patience(loaded.config)
    feed = EventFeed(lambda _: None)
    paused: dict[ChatId, int] = {}
    async with open_store(None, run=inline) as store:
        answerer = Answerer(
            store=store,
            feed=feed,
            ids=Ids(now_ms, random.Random(0)),
            decide=composer(loaded.config, store).decide,
            bell=Doorbell(),
            now_ms=now_ms,
            paused=paused,
        )
        shared = Shared(
            account=account,
            user=user,
            store=store,
            feed=feed,
            patience=lambda: patience,
            now_ms=now_ms,
        )
        receiver = Receiver(shared)
        # The nursery ends when the last chat has answered.
        async with trio.open_nursery() as nursery:
            chats = Chats(account, lambda: patience, answerer, nursery, paused)
            for moment in moments:
                await trio.sleep_until((moment.at - start) / 1000)
                (await receiver.take_in([moment.push])).hand_to(chats)
        return await store.transact(history.explained, account)


def _patience(config: Config) -> Patience:
    timing = config.timing
    return Patience(
        debounce=timing.debounce,
        debounce_max=timing.debounce_max,
        manual_pause=timing.manual_pause,
        toggle_word=config.replies.toggle_word.strip(),
    )


def _show(rows: Sequence[Explained], format_: Format) -> None:
    console = Console()
    if format_ == "json":
        for row in rows:
            console.file.write(msgspec.json.encode(_fields(row)).decode() + "\n")
        return
    table = Table(box=SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("时间 time", no_wrap=True)
    table.add_column("类型 kind", no_wrap=True)
    table.add_column("消息 message", ratio=2, overflow="fold")
    table.add_column("回复 ← 原因 reply ← why", ratio=3, overflow="fold")
    for row in rows:
        kind = _KINDS.get(row.kind, row.kind)
        shown = (_clock(row.sent_at), kind, _said(row), _answered(row))
        table.add_row(*(Cell(_plain(each)) for each in shown))
    answered = sum(bool(row.replies) for row in rows)
    console.print(table)
    console.print(
        f"共 {len(rows)} 条，其中 {answered} 条会得到回复；什么都没有发出去 "
        f"({len(rows)} entries, {answered} answered, nothing was sent)"
    )


def _said(row: Explained) -> str:
    words = _words(row.content) or ""
    return f"{row.sender_name}: {words}" if row.sender_name and words else words


def _answered(row: Explained) -> str:
    reason, _, detail = row.why.partition(": ")
    why = row.why.replace("; ", "\n  ")
    if reason in _REASONS:
        why = _REASONS[reason] + (f": {detail}" if detail not in ("", row.kind) else "")
    replies = [_SILENT] if row.outcome == "silent" else [_words(each) or "" for each in row.replies]
    return "\n".join([*replies, f"← {why}"])


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)[:500]


def _fields(row: Explained) -> dict[str, object]:
    return {
        "message_id": row.message,
        "chat_id": row.chat,
        "kind": row.kind,
        "sent_at": row.sent_at,
        "sender_name": row.sender_name,
        "text": _words(row.content),
        "outcome": row.outcome,
        "reply": [_words(each) for each in row.replies],
        "why": row.why,
    }


def _clock(at: int | None) -> str:
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone() if at is not None else None
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%m-%d %H:%M") if moment else ""


def _words(content: Content | None) -> str | None:
    match content:
        case None:
            return None
        case Text(text):
            return text
        case Image(url=url):
            return f"[图片] {url}".rstrip()
        case Media(kind=kind, url=url):
            return f"[{_KINDS[kind]}] {url}".rstrip()
        case _:
            assert_never(content)
