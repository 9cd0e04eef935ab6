"""`xybot why`: what became of a message, or of a whole chat, and for what reasons.

The bot may be running meanwhile: its database is only read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Final, TypeAlias, assert_never

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.text import Text as Cell

from xybot import journal
from xybot.config import load
from xybot.errors import ConfigError
from xybot.model import AccountId, ChatId
from xybot.store import stories
from xybot.store.database import Store, open_store
from xybot.store.deliveries import SOURCE, UNSEEN
from xybot.store.stories import Line, Said, Story, Verdict
from xybot.tools import showing
from xybot.tools.showing import Format
from xybot.wire.fields import bare

_Event: TypeAlias = Line | Verdict | Said
_SECOND: Final = "%m-%d %H:%M:%S"
_STATES: Final = {
    "draft": "草稿，等您同意 (draft, waits for your approval)",
    "dry_run": "试运行，没有发 (dry run, not sent)",
    "queued": "等着发 (queued)",
    "sending": "正在发 (being sent)",
    "sent": "已发出 (sent)",
    "refused": "平台拒发 (refused)",
    "held": "不确定是否送达，不会重发 (held, not said again)",
    "dropped": "没说就作废了 (dropped)",
}
_OUTCOMES: Final = {
    "answered": "回复 (answered)",
    "silent": "规则说不回 (silent: a rule says so)",
    "skipped": "没有回复 (no reply)",
    "late": "太晚，留给您 (too late, left to you)",
    "failed": "程序出错 (an error of ours)",
}
_SOURCE: Final = "→"
_STILL_OPEN: Final = "还没处理 (still open)"
_BY_HAND: Final = "您亲自 you"
_BOT: Final = "机器人 bot"


async def command(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    format_: Annotated[Format, Parameter(name="--format")] = "table",
    last: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
) -> int:
    """为什么这样回、为什么没回：一条消息，或整个会话 (why it was answered, or was not).

    Args:
      id_: 消息编号（可以不写 .PNM）或会话编号 (the id of a message or of a chat).
      config: 设置文件 (the settings).
      account: 只看这个账号 (only this account).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
      last: 会话只看最近几条 (of a chat only so many lines, the last).
    """
    path = load(config).database
    async with open_store(path, read_only=True) as store:
        found = await _stories(
            store, id_, AccountId(account) if account is not None else None, last
        )
    if not found:
        raise ConfigError(
            f"{journal.short(id_)}: 没有这条消息，也没有这个会话 (no such message or chat): {path}"
        )
    for story in found:
        _write(story) if format_ == "json" else _show(story)
    return 0


async def _stories(
    store: Store, id_: str, account: AccountId | None, last: int | None
) -> tuple[Story, ...]:
    key = bare(id_.strip()) or ""
    found = await store.transact(stories.of_message, key, account)
    return found or await store.transact(stories.of_chat, ChatId(key), account, last=last)


def _in_time(story: Story) -> list[_Event]:
    """Return all that happened, in its order; what is of one moment in that of cause and effect."""
    lines = (line for line in story.lines if not line.ours)
    return sorted(chain[_Event](lines, story.verdicts, story.said), key=_at)


def _at(event: _Event) -> int:
    match event:
        case Line():
            return event.at
        case Verdict():
            return event.decided_at
        case Said():
            return event.sending_at or event.queued_at
        case _:
            assert_never(event)


# For people.


def _show(story: Story) -> None:
    console = Console()
    console.print(Cell(journal.short(_heading(story), 500)))
    shown = showing.table(("时间 time", 0), ("谁 who", 1), ("说了什么、为什么 what, and why", 5))
    for event in _in_time(story):
        who, *lines = _told(event)
        shown.add_row(showing.clock(_at(event), _SECOND), showing.cell([who]), showing.cell(lines))
    console.print(shown)


def _heading(story: Story) -> str:
    items = dict.fromkeys(line.item for line in story.lines if line.item)
    named = (f"{name} {value}" for name, value in _names(story) if value)
    return " · ".join((*named, *(f"商品 item {item}" for item in items)))


def _names(story: Story) -> Iterator[tuple[str, str | None]]:
    yield "账号 account", story.account
    yield "会话 chat", story.chat


def _told(event: _Event) -> Iterator[str]:
    """Yield who, and then the lines of what."""
    match event:
        case Line():
            yield _BY_HAND if event.kind == "own" else event.sender_name or event.sender or ""
            yield from _came(event)
        case Verdict():
            yield "决定 decided"
            yield from _decided(event)
        case Said():
            yield _BOT
            yield from _became(event)
        case _:
            assert_never(event)


def _came(line: Line) -> Iterator[str]:
    yield showing.words(line.content) or f"[{showing.KINDS.get(line.kind, line.kind)}]"
    received = showing.clock(line.received_at, _SECOND)
    missed = "（离线时发的 while off line）" if line.missed else ""
    yield f"  {line.message} · 收到 received {received}{missed}"
    if line.outcome is None:
        yield f"  ← {_STILL_OPEN}"
    elif line.turn is None and line.kind != "own":
        yield f"  ← {showing.reason(line.outcome, line.kind)}"


def _decided(verdict: Verdict) -> Iterator[str]:
    yield _OUTCOMES.get(verdict.outcome, verdict.outcome)
    for source, reason in verdict.passed:
        yield f"  {source}: {reason}"
    if verdict.source:
        yield f"{_SOURCE} {verdict.source}: {verdict.because}"
    if verdict.held:
        yield f"  {_held_as(verdict)}: {verdict.held}"


def _held_as(verdict: Verdict) -> str:
    return _STATES.get(verdict.mode or "", verdict.mode or "")


def _words(said: Said) -> str | None:
    # Goods are shown by `xybot order ID --codes`, and by nothing else.
    return UNSEEN if said.source == SOURCE else showing.words(said.content)


def _became(said: Said) -> Iterator[str]:
    yield _words(said) or ""
    times = (
        ("排队 queued", said.queued_at),
        ("不早于 not before", said.due_at),
        ("发送 sending", said.sending_at),
        ("了结 settled", said.settled_at),
    )
    state = _STATES.get(said.state, said.state)
    yield "  " + " · ".join(filter(None, (state, said.message)))
    if said.reason:
        yield f"  ← {said.reason}"
    yield "  " + " · ".join(f"{name} {showing.clock(at, '%H:%M:%S')}" for name, at in times if at)


# For programs.


def _write(story: Story) -> None:
    for line in story.lines:
        if not line.ours:
            sys.stdout.write(showing.json_line(_fields(story, line)) + "\n")
    turns = {each.id for each in story.verdicts}
    for said in story.said:
        if said.turn not in turns:
            row = {"account": story.account, "chat_id": story.chat, "reply": _reply(said)}
            sys.stdout.write(showing.json_line(row) + "\n")


def _fields(story: Story, line: Line) -> dict[str, object]:
    of_turn = [each for each in story.said if each.turn == line.turn and line.turn is not None]
    return {
        "account": story.account,
        "chat_id": story.chat,
        "message_id": line.message,
        "kind": line.kind,
        "sender_id": line.sender,
        "sender_name": line.sender_name,
        "text": showing.words(line.content),
        "item_id": line.item,
        "sent_at": line.sent_at,
        "received_at": line.received_at,
        "while_off_line": line.missed,
        "outcome": line.outcome,
        "decision": _decision([each for each in story.verdicts if each.id == line.turn]),
        "replies": [_reply(each) for each in of_turn],
    }


def _decision(found: Sequence[Verdict]) -> dict[str, object] | None:
    for verdict in found:
        return {
            "turn": verdict.id,
            "decided_at": verdict.decided_at,
            "outcome": verdict.outcome,
            "passed": _passed(verdict.passed),
            "source": verdict.source,
            "because": verdict.because,
            "mode": verdict.mode,
            "held": verdict.held,
        }
    return None


def _passed(passed: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"source": source, "reason": reason} for source, reason in passed]


def _reply(said: Said) -> dict[str, object]:
    return {
        "text": _words(said),
        "state": said.state,
        "reason": said.reason,
        "message_id": said.message,
        "queued_at": said.queued_at,
        "due_at": said.due_at,
        "sending_at": said.sending_at,
        "settled_at": said.settled_at,
    }
