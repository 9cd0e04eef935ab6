"""`xybot replay`: what would have been answered to recorded messages, and why.

Stored days are replayed by `xybot.tools.replay_stored`; here recorded files are.
The frames go through the real way in, the real chats and the real sources, on a store in
memory and on a clock that leaps from one recorded moment to the next; only the line to the
platform is missing, so nothing is ever said to anybody.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
import trio
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress
from trio.testing import MockClock

from xybot import journal
from xybot.accounts.answer import Answerer
from xybot.accounts.chat import Patience
from xybot.accounts.chats import Chats
from xybot.accounts.receive import Receiver
from xybot.accounts.shared import Shared
from xybot.chronicle import Chronicle
from xybot.clock import now_ms
from xybot.config import Config, Loaded, load
from xybot.doorbell import Doorbell
from xybot.egress import Outside
from xybot.errors import ConfigError, WireError
from xybot.events import EventFeed
from xybot.model import AccountId, ChatId, UserId
from xybot.replies.source import Means
from xybot.store import history
from xybot.store.database import inline, open_store
from xybot.store.history import Explained
from xybot.store.rehearsal import Span
from xybot.tools import differences, replay_stored, showing
from xybot.tools.offline import account_of, known_facts, offline
from xybot.tools.recordings import UnreadableFile, read_frames
from xybot.tools.showing import Format
from xybot.wire import frames, payload, reading
from xybot.wire.ids import Ids
from xybot.wire.sign import parse_cookies
from xybot.xianyu.connection import Garbage, Push

_KINDS_OF_FILE: Final = ("*.json", "*.jsonl", "*.ndjson", "*.log", "*.txt")
_A_STEP: Final = 100
"""Turns from one look at the progress to the next."""
_WHO_ARE_WE: Final = (
    "xybot: 没有 --self 用户编号，自己发的消息会被当成买家的 "
    "(without --self our own messages look like a buyer's)\n"
)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Wanted:
    """What to replay, and what of it to show.

    Attributes:
      since: 不用录制文件，重放数据库里最近这么久，如 7d、12h (the stored days instead of files).
      all_: 和 --since 一起：没有变化的也列出来 (with --since: also what would not differ).
      account: 当作哪个账号，默认第一个；--since 时默认全部 (which account).
      self_: 本账号的用户编号 unb，用来认出自己发的消息 (our own user id).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
    """

    since: str | None = None
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False
    account: str | None = None
    self_: Annotated[str | None, Parameter(name="--self")] = None
    format_: Annotated[Format, Parameter(name="--format")] = "table"


_PLAIN: Final = Wanted()


async def command(
    paths: Annotated[list[Path] | None, Parameter(negative=())] = None,
    /,
    *,
    config: Path = Path("bot.toml"),
    wanted: Wanted = _PLAIN,
) -> int:
    """用某份设置重放录下的或存下的消息：会怎么回、为什么；不会真的发送 (nothing is sent).

    Args:
      paths: 录制文件或文件夹 (files or folders of recorded frames).
      config: 用哪份设置里的规则 (whose rules).
      wanted: 要重放什么 (what to replay).
    """
    if bool(paths) == (wanted.since is not None):
        wrong = "请给出录制文件，或者 --since 7d (name files, or say --since 7d)"
        raise ConfigError(wrong)
    journal.configure("text", "error")  # Why a source failed is in the table.
    if wanted.since is not None:
        return await _stored_days(load(config), wanted, replay_stored.milliseconds(wanted.since))
    return await _recorded(load(config), paths or [], wanted)


async def _stored_days(loaded: Loaded, wanted: Wanted, back: int) -> int:
    account = account_of(loaded, wanted.account) if wanted.account is not None else None
    span = Span(since=now_ms() - back, account=account)
    console = Console(stderr=True)
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("重放 replaying")

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, refresh=done % _A_STEP == 0)

        result = await replay_stored.rehearse(loaded, span, whole=wanted.all_, progress=progress)
    if wanted.format_ == "json":
        differences.write(result)
    else:
        differences.show(result)
    return 0


async def _recorded(loaded: Loaded, paths: Sequence[Path], wanted: Wanted) -> int:
    id_ = account_of(loaded, wanted.account)
    pushes = tuple(_in_time(_files(paths)))
    user = UserId(wanted.self_) if wanted.self_ else _own_id(loaded, id_)
    if not user:
        sys.stderr.write(_WHO_ARE_WE)
    played = functools.partial(_play, loaded, id_, user, pushes)
    # The leaping clock needs a loop of its own, and one loop does not run inside another.
    rows = await trio.to_thread.run_sync(_on_leaping_clock, played)
    _show(rows, wanted.format_)
    return 0


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
    paused: dict[ChatId, int] = {}
    async with open_store(None, run=inline) as store, known_facts(loaded, run=inline) as facts:
        means = Means(store=store, facts=facts, outside=Outside(), now_ms=now_ms)
        chronicle = Chronicle(store, EventFeed(lambda _: None), now_ms)
        answerer = Answerer(
            chronicle=chronicle,
            ids=Ids(now_ms, random.Random(0)),
            decide=offline(loaded, means).decide,
            bell=Doorbell(),
            now_ms=now_ms,
            paused=paused,
        )
        shared = Shared(
            account=account,
            user=user,
            store=store,
            chronicle=chronicle,
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
            console.file.write(showing.json_line(_fields(row)) + "\n")
        return
    table = showing.table(
        ("时间 time", 0), ("类型 kind", 0), ("消息 message", 2), ("回复 ← 原因 reply ← why", 3)
    )
    for row in rows:
        kind = showing.KINDS.get(row.kind, row.kind)
        shown = ([showing.clock(row.sent_at)], [kind], [_said(row)], _answered(row))
        table.add_row(*map(showing.cell, shown))
    answered = sum(bool(row.replies) for row in rows)
    console.print(table)
    console.print(
        f"共 {len(rows)} 条，其中 {answered} 条会得到回复；什么都没有发出去 "
        f"({len(rows)} entries, {answered} answered, nothing was sent)"
    )


def _said(row: Explained) -> str:
    words = showing.words(row.content) or ""
    return f"{row.sender_name}: {words}" if row.sender_name and words else words


def _answered(row: Explained) -> list[str]:
    why = showing.reason(row.why, row.kind).split("; ")
    if row.outcome == "silent":
        replies = [showing.SILENT]
    else:
        replies = [showing.words(each) or "" for each in row.replies]
    return [*replies, f"← {why[0]}", *(f"  {each}" for each in why[1:])]


def _fields(row: Explained) -> dict[str, object]:
    return {
        "message_id": row.message,
        "chat_id": row.chat,
        "kind": row.kind,
        "sent_at": row.sent_at,
        "sender_name": row.sender_name,
        "text": showing.words(row.content),
        "outcome": row.outcome,
        "reply": [showing.words(each) for each in row.replies],
        "why": row.why,
    }
