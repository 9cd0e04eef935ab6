"""`xybot books`: what was received, and what became of it; the bot may be running meanwhile.

With `--verify` also the goods: every code and every receipt.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from xybot.clock import now_ms
from xybot.config import load
from xybot.days import midnight
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.store import books, ledger
from xybot.store.books import Day, Reason
from xybot.store.database import open_store
from xybot.store.ledger import Audit

Format: TypeAlias = Literal["table", "json"]

REASONS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.SILENT: ("规则说不回", "a rule says: no reply"),
    Reason.LATE: ("太晚，留给您", "too late, left to you"),
    Reason.BY_HAND: ("您亲自回复了", "answered by your own hand"),
    Reason.NO_ANSWER: ("没有合适的回答", "no source had an answer"),
    Reason.FAILED: ("程序出错", "an error of ours"),
    Reason.REFUSED: ("平台拒发", "the platform refused the answer"),
    Reason.DROPPED: ("没说就作废了", "the answer was taken back unsaid"),
    Reason.DRY_RUN: ("只演练，没有发", "a dry run: not sent"),
    Reason.NOT_A_PERSON: ("不是买家说的", "not said by a buyer"),
    Reason.NO_WAY: ("不知道回给谁", "no chat or sender to answer"),
}
"""Why lines got no answer, for people: in Chinese, in English."""


async def command(
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    days: Annotated[int, Parameter(validator=Number(gte=1, lte=36_500))] = 7,
    format_: Annotated[Format, Parameter(name="--format")] = "table",
    verify: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """对账：收到的每条消息都有下落；有对不上的，退出码为 1 (every line accounted for).

    Args:
      config: 设置文件 (the settings).
      account: 只看这个账号 (only this account).
      days: 最近几天，今天也算 (how many days, with today).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
      verify: 再核对所有卡密和回执，与账号、天数无关 (all codes and their receipts, too).
    """
    loaded = load(config)
    path, since = loaded.database, midnight(now_ms(), days_ago=days - 1)
    of = AccountId(account) if account is not None else None
    async with open_store(path, read_only=True) as store:
        found = await store.transact(books.balance, since=since, account=of)
        wrong = await store.transact(books.contradictions, since=since, account=of)
        audit = await store.transact(ledger.audit) if verify else None
    if of and not found and all(of != each.id for each in loaded.config.accounts):
        raise ConfigError(f"--account {of}: 没有这个账号 (no such account)")
    wrong += audit.wrong if audit else ()
    if format_ == "json":
        _write(found, wrong, audit)
    else:
        _show(found, wrong, path, audit)
    return 0 if not wrong and all(day.balances for day in found) else 1


def _write(found: Iterable[Day], wrong: Iterable[str], audit: Audit | None) -> None:
    rows: list[dict[str, object]] = [_fields(day) for day in found]
    if audit:
        rows.append({"codes": audit.codes, "receipts": audit.receipts})
    for row in [*rows, *({"wrong": sentence} for sentence in wrong)]:
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")


def _fields(day: Day) -> dict[str, object]:
    return {
        "account": day.account,
        "day": day.day,
        "received": day.received,
        "answered": day.answered,
        "skipped": {reason.value: lines for reason, lines in day.skipped.items()},
        "waiting": day.waiting,
        "held": day.held,
        "unaccounted": day.unaccounted,
    }


def _show(found: Sequence[Day], wrong: Iterable[str], path: Path, audit: Audit | None) -> None:
    console = Console()
    if found:
        console.print(_table(found))
    problems = [f"{day.account} {day.day}: {_difference(day)}" for day in found if not day.balances]
    verdict = [*problems, *wrong] or ["账目相符 (the books balance)"]
    for line in (*_explained(found), *_checked(audit), *verdict, f"数据库 (database): {path}"):
        console.print(Cell(_plain(line)), soft_wrap=True)


def _explained(found: Iterable[Day]) -> Iterator[str]:
    """Yield what the table has no room for: the reasons in both languages, with their sums."""
    for reason, lines in _skipped(found).items():
        chinese, english = REASONS[reason]
        yield f"{chinese}: {lines} ({english})"


def _checked(audit: Audit | None) -> Iterator[str]:
    if audit:
        yield (
            f"核对了 {audit.codes} 条卡密、{audit.receipts} 条回执"
            f" (checked {audit.codes} codes and {audit.receipts} receipts)"
        )


def _difference(day: Day) -> str:
    return f"有 {day.unaccounted} 条对不上 (lines unaccounted for: {day.unaccounted})"


def _table(found: Sequence[Day]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("账号\naccount", overflow="fold")
    table.add_column("日期\nday", no_wrap=True)
    for head in ("收到\nreceived", "已回复\nanswered"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("没有回复\nskipped", overflow="fold")
    for head in ("等待\nwaiting", "待您看\nheld", "对不上\noff"):
        table.add_column(head, justify="right", no_wrap=True)
    for day in found:
        why = (f"{REASONS[reason][0]} {lines}" for reason, lines in day.skipped.items())
        table.add_row(_plain(day.account), f"{day.day}", *_cells([day], "\n".join(why)))
    table.add_section()
    table.add_row("合计 total", "", *_cells(found, str(_skipped(found).total())))
    return table


def _cells(days: Iterable[Day], skipped: str) -> list[str]:
    """Return the sums of some days, around the cell of what was skipped."""
    numbers = [(day.received, day.answered, day.waiting, day.held, day.unaccounted) for day in days]
    received, answered, *rest = (str(sum(column)) for column in zip(*numbers, strict=True))
    return [received, answered, skipped, *rest]


def _skipped(days: Iterable[Day]) -> Counter[Reason]:
    return sum((Counter(day.skipped) for day in days), Counter[Reason]())


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
