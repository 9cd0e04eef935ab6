"""`xybot try`: what would be said to a buyer now, and why; nothing is sent, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Final

import attrs
from cyclopts import Parameter
from rich.console import Console

from xybot import journal
from xybot.clock import now_ms
from xybot.config import Config, load
from xybot.egress import Outside
from xybot.errors import ConfigError
from xybot.model import (
    AccountId,
    ChatId,
    Decision,
    ItemId,
    Message,
    MessageId,
    Text,
    Turn,
    UserId,
)
from xybot.replies.compose import composer
from xybot.replies.source import Means
from xybot.store.database import inline, open_store
from xybot.tools import showing
from xybot.tools.offline import account_of, known_facts, offline

_NOBODY: Final = "0"
"""The id of a buyer who never was, and the chat with them."""
_MODES: Final = {
    "draft": "会先等您同意 (waits for your approval)",
    "dry_run": "只演练，不会发送 (dry run)",
}


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Asked:
    """Who asks, where, about what, and when.

    Attributes:
      item: 商品编号 (the item that the chat is about).
      account: 当作哪个账号，默认第一个 (as which account; the first).
      buyer: 买家的名字 (the name of the buyer).
      at: 当作几点，如 "22:30" 或 "2026-10-01 22:30" (as if at this time; now).
    """

    item: str | None = None
    account: str | None = None
    buyer: str = "买家"
    at: str | None = None


_NOW: Final = Asked()


async def command(
    text: str,
    /,
    *,
    asked: Asked = _NOW,
    config: Path = Path("bot.toml"),
    outside: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """试一句话：现在会怎么回、为什么；不发送也不保存 (what would be said now; nothing is sent).

    Args:
      text: 买家说的话 (what the buyer says).
      config: 设置文件 (the settings).
      asked: 谁、在哪里、什么时候问的 (who asks, where, when).
      outside: 也真的去问 AI 和 webhook (really ask the model and the webhook, too).
    """
    journal.configure("text", "error")  # Why a source failed is in the table.
    loaded = load(config)
    now = _moment(asked.at)
    turn = _turn(text, asked, now, account_of(loaded, asked.account))
    async with known_facts(loaded) as facts, open_store(None, run=inline) as store:
        means = Means(store=store, facts=facts, outside=Outside(), now_ms=lambda: now)
        made = composer(loaded, means) if outside else offline(loaded, means)
        decision = await made.decide(turn, now)
    _show(turn, decision, loaded.config)
    return 0


def _moment(words: str | None) -> int:
    """Return a time of the seller's clock (ms): of today, unless a date is named; or now."""
    now = datetime.fromtimestamp(now_ms() / 1000, UTC).astimezone()
    if words is None:
        return now_ms()
    try:
        if "-" in words:
            at = datetime.fromisoformat(words)
        else:
            at = datetime.combine(now.date(), time.fromisoformat(words.strip().zfill(5)))
        return round(1000 * at.astimezone().timestamp())
    except (ValueError, OverflowError, OSError) as exc:
        raise ConfigError(
            f'--at {journal.short(words)}: 不是时间，如 "22:30" (not a time)'
        ) from exc


def _turn(text: str, asked: Asked, now: int, account: AccountId) -> Turn:
    line = Message(
        id=MessageId("try"),
        chat=ChatId(_NOBODY),
        sender=UserId(_NOBODY),
        sender_name=asked.buyer,
        content=Text(text),
        item=ItemId(asked.item) if asked.item else None,
        sent_at=now,
    )
    return Turn(account=account, chat=line.chat, messages=(line,))


def _show(turn: Turn, decision: Decision, config: Config) -> None:
    console = Console()
    heading = (
        f"账号 account {turn.account}",
        f"商品 item {turn.item}" if turn.item else "",
        f"{turn.last.sender_name}: {turn.text}",
        showing.clock(turn.last.sent_at),
    )
    console.print(showing.cell([" · ".join(filter(None, heading))]))
    table = showing.table(("问了谁 asked", 0), ("怎么说 said", 1))
    for name, reason in _asked(decision, config):
        table.add_row(showing.cell([name]), showing.cell([reason]))
    console.print(table)
    console.print(showing.cell(_reply(decision)))


def _asked(decision: Decision, config: Config) -> Iterator[tuple[str, str]]:
    """Yield who was asked, with what they said."""
    sources = set(config.replies.order)
    stopped = any(name not in sources for name, _ in decision.passed)
    if not stopped:
        yield "闸门 gates", "都放行 (nothing stops it)"
    yield from decision.passed
    if decision.reply is not None:
        yield decision.reply.source, f"✓ {decision.reply.because}"


def _reply(decision: Decision) -> Iterator[str]:
    reply = decision.reply
    if reply is None:
        yield "→ 没有回复 (no reply)"
        return
    if not reply.contents:
        yield f"→ {showing.SILENT}"
    for n, content in enumerate(reply.contents):
        for line in (showing.words(content) or "").split("\n"):
            yield f"→ {line}"
        if decision.delays:
            yield f"  {decision.delays[n]:.1f} 秒后 (seconds later)"
    if decision.mode in _MODES:
        yield f"  {_MODES[decision.mode]}: {decision.held}"
    if reply.hand_over:
        yield "  然后把会话交给您 (and hands the chat over to you)"
