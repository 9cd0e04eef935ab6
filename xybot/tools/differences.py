"""What `xybot replay --since` found, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console

from xybot.model import Turn
from xybot.tools import showing
from xybot.tools.replay_stored import Effect, Result

_NOTHING: Final = "(不回 no reply)"
_MODES: Final = {"draft": "(草稿 draft)", "dry_run": "(演练 dry run)"}


def show(result: Result) -> None:
    """Print what would differ, and how much of it there is."""
    console = Console()
    table = showing.table(
        ("时间 time", 0), ("买家说 buyer", 2), ("原来 before", 3), ("现在 now", 3)
    )
    for row in result.rows:
        table.add_row(
            showing.cell([showing.clock(row.past.verdict.decided_at)]),
            showing.cell([_who(row.past.turn), *_said(row.past.turn)]),
            showing.cell(_told(row.before)),
            showing.cell(_told(row.after) if row.differs else ["(不变 the same)"]),
        )
    if result.rows:
        console.print(table)
    for source, times in sorted(result.assumed.items()):
        console.print(
            f"{source} 没有再问，{times} 个回答算作不变 (not asked again: {times} answers of then"
            " taken as unchanged)",
            soft_wrap=True,
        )
    console.print(
        f"共 {result.turns} 轮，{result.differing} 轮会不同；什么都没有发出去 "
        f"({result.differing} of {result.turns} turns would differ, nothing was sent)",
        soft_wrap=True,
    )


def _who(turn: Turn) -> str:
    return f"{turn.last.sender_name or turn.last.sender}:"


def _said(turn: Turn) -> Iterator[str]:
    for message in turn.messages:
        yield showing.words(message.content) or ""


def _told(effect: Effect) -> Iterator[str]:
    if effect.contents:
        yield from (showing.words(each) or "" for each in effect.contents)
    elif not effect.unknown:
        yield _NOTHING
    if effect.mode in _MODES:
        yield _MODES[effect.mode]
    yield from (f"← {each}" for each in effect.why)


def write(result: Result) -> None:
    """Print a line of JSON for each turn of the result."""
    for row in result.rows:
        turn = row.past.turn
        fields = {
            "account": turn.account,
            "chat_id": turn.chat,
            "turn": row.past.verdict.id,
            "message_ids": [each.id for each in turn.messages],
            "decided_at": row.past.verdict.decided_at,
            "sender_name": turn.last.sender_name,
            "text": turn.text,
            "differs": row.differs,
            "before": _fields(row.before),
            "after": _fields(row.after),
        }
        sys.stdout.write(showing.json_line(fields) + "\n")


def _fields(effect: Effect) -> dict[str, object]:
    return {
        "reply": [showing.words(each) for each in effect.contents],
        "mode": effect.mode,
        "why": list(effect.why),
        "known": not effect.unknown,
    }
