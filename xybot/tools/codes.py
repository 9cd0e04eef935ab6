"""`xybot codes`: the stock of codes, beside a bot that runs or without one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from xybot import journal
from xybot.clock import now_ms
from xybot.config import load
from xybot.errors import ConfigError
from xybot.store import codes, receipts
from xybot.store.codes import Found, Repeat, Stock
from xybot.store.database import Database, open_store
from xybot.store.receipts import Receipt
from xybot.tools import codefile, showing
from xybot.tools.codefile import Entry
from xybot.tools.showing import Format

app = App(name="codes")

_SHOWN: Final = 20
"""Repeated codes that are told one by one: a whole file that is imported again has thousands."""
_STATES: Final[Mapping[str, str]] = {
    "unused": "未用 (unused)",
    "reserved": "已留给订单 (reserved)",
    "sent": "已发出 (sent)",
    "quarantined": "已隔离 (quarantined)",
}
_HAPPENED: Final[Mapping[str, str]] = {
    "imported": "导入 (imported)",
    "reserved": "留给订单 (reserved)",
    "returned": "退回库存 (returned)",
    "sent": "发出 (sent)",
    "seen": "买家已读 (seen)",
    "confirmed": "确认发货 (confirmed)",
    "quarantined": "隔离 (quarantined)",
}


@app.command(name="import")
async def import_(batch: str, file: Path, /, *, config: Path = Path("bot.toml")) -> int:
    """导入卡密：每行一条，或 CSV；有重复就一条也不导入 (add codes: all of a file, or none).

    Args:
      batch: 批次名，和 [[goods]] 的 batch 一致 (the batch; as `batch` of [[goods]]).
      file: 每行一条；.csv 只有一列，或有一列叫「卡密」 (one a line, or a CSV table).
      config: 设置文件 (the settings).
    """
    path = load(config).database
    entries = codefile.read(file)
    batch = batch.strip()
    if not batch or not batch.isprintable():
        raise ConfigError("批次名不能是空的 (the batch needs a name)")
    sys.stderr.write(f"{file}: 正在导入 {len(entries)} 条 (importing {len(entries)} codes) …\n")
    _make_private(path)
    async with open_store(path) as store:
        done = await store.transact(_import, batch, entries, now=now_ms())
    if done.repeats:
        _say_repeats(file, batch, entries, done.repeats)
        return 1
    sys.stdout.write(
        f"已导入 {len(entries)} 条到 {batch}，现有 {done.unused} 条未用"
        f" (imported {len(entries)}; unused now: {done.unused})\n"
    )
    if done.elsewhere:
        sys.stderr.write(
            f"xybot: 注意，其中 {done.elsewhere} 条在别的批次里也有，可能卖两次"
            f" ({done.elsewhere} of them are in other batches, too)\n"
        )
    return 0


@app.command(name="list")
async def list_(
    *,
    config: Path = Path("bot.toml"),
    format_: Annotated[Format, Parameter(name="--format")] = "table",
) -> int:
    """列出每个批次的库存，按最近 7 天的销量还能卖几天 (the batches, and how long they last).

    Args:
      config: 设置文件 (the settings).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
    """
    async with open_store(load(config).database, read_only=True) as store:
        found = await store.transact(codes.stock, now=now_ms())
    if format_ == "json":
        for each in found:
            row = attrs.asdict(each) | {"imported": each.imported, "days_left": each.days_left}
            sys.stdout.write(showing.json_line(row) + "\n")
    elif found:
        Console().print(_stock_table(found))
    else:
        sys.stdout.write("还没有卡密，用 xybot codes import 导入 (no codes yet: import some)\n")
    return 0


@app.command
async def export(
    batch: str,
    /,
    *,
    unused: Annotated[bool, Parameter(negative=())] = False,
    output: Path | None = None,
    config: Path = Path("bot.toml"),
) -> int:
    """导出未用的卡密为 CSV；它们仍在库存里 (write unused codes as CSV; they stay in stock).

    Args:
      batch: 批次名 (the batch).
      unused: 未用的；必须写明 (the unused ones; it has to be said).
      output: 新的 .csv 文件，只有您能读；不写就输出到屏幕 (a new .csv file; else the screen).
      config: 设置文件 (the settings).
    """
    if not unused:
        raise ConfigError("请写明 --unused，只能导出未用的卡密 (say --unused: only those are)")
    if output is not None and output.suffix.lower() != ".csv":
        raise ConfigError(f"--output {output}: 文件名要以 .csv 结尾 (must end in .csv)")
    async with open_store(load(config).database, read_only=True) as store:
        found = await store.transact(codes.unused, batch)
    if not found:
        raise ConfigError(f"{batch}: 没有未用的卡密 (no unused code in this batch)")
    if output is None:
        sys.stdout.write(codefile.table(code.code for code in found))
    else:
        codefile.write(output, (code.code for code in found))
    sys.stderr.write(
        f"已导出 {len(found)} 条；它们仍在库存里，机器人还会发"
        f" (exported {len(found)}; the bot may still give them)\n"
    )
    return 0


@app.command
async def quarantine(*batch_and_code: str, why: str, config: Path = Path("bot.toml")) -> int:
    """隔离一条坏的卡密，以后不会再发；只写卡密也行 (take a bad code out of sale, for good).

    Args:
      batch_and_code: 批次名和卡密，或只写卡密 (the batch and the code, or only the code).
      why: 原因，记在卡密旁边 (the reason; it is kept).
      config: 设置文件 (the settings).
    """
    batch, code = _named(batch_and_code)
    path = load(config).database
    if not path.exists():
        raise ConfigError(f"{path}: 还没有导入过卡密 (no code was imported yet)")
    async with open_store(path) as store:
        refusal = await store.transact(_quarantine, batch, code, why, now=now_ms())
    if refusal is not None:
        sys.stderr.write(f"xybot: 没有隔离 (not quarantined): {refusal}\n")
        return 1
    sys.stdout.write(f"已隔离，不会再发 (quarantined): {_short(code)}\n")
    return 0


@app.command
async def history(
    *batch_and_code: str,
    config: Path = Path("bot.toml"),
    format_: Annotated[Format, Parameter(name="--format")] = "table",
) -> int:
    """一条卡密的经历：何时导入、发给了哪个订单 (what happened to a code, and its order).

    Args:
      batch_and_code: 卡密，前面可以写批次名 (the code; its batch may stand before it).
      config: 设置文件 (the settings).
      format_: table 给人看，json 给程序 (a table, or one JSON object a line).
    """
    batch, code = _named(batch_and_code)
    async with open_store(load(config).database, read_only=True) as store:
        found = await store.transact(_histories, batch, code)
    if not found:
        raise ConfigError(f"{_short(code)}: 没有这条卡密 (no such code)")
    for where, story in found:
        _write(where, story) if format_ == "json" else _show(where, story, code)
    return 0


# Transactions.


@attrs.frozen
class _Imported:
    repeats: tuple[Repeat, ...] = ()
    unused: int = 0
    elsewhere: int = 0


def _import(db: Database, batch: str, entries: Sequence[Entry], *, now: int) -> _Imported:
    texts = [entry.code for entry in entries]
    if found := codes.repeats(db, batch, texts):
        return _Imported(found)
    codes.import_(db, batch, texts, now=now)
    return _Imported((), len(codes.unused(db, batch)), codes.elsewhere(db, batch, texts))


def _quarantine(db: Database, batch: str | None, code: str, why: str, *, now: int) -> str | None:
    found = codes.find(db, code, batch)
    if len(found) > 1:
        names = ", ".join(each.batch for each in found)
        return f"好几个批次都有，请写明批次 (several batches have it: name one): {names}"
    return codes.quarantine(db, found[0].id if found else 0, why, now=now)


def _histories(
    db: Database, batch: str | None, code: str
) -> tuple[tuple[Found, tuple[Receipt, ...]], ...]:
    return tuple((each, receipts.of(db, each.id)) for each in codes.find(db, code, batch))


# Words.


def _make_private(path: Path) -> None:
    """Make an empty database that only its owner can read, unless there is one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as exc:
        raise ConfigError(
            f"{path.parent}: 数据目录不可写 (the data folder cannot be written): {exc.strerror}"
        ) from exc


def _named(words: Sequence[str]) -> tuple[str | None, str]:
    match words:
        case [code]:
            return None, code
        case [batch, code]:
            return batch, code
        case _:
            raise ConfigError("请写卡密，前面可以写批次名 (name a code; its batch may precede it)")


def _short(code: str) -> str:
    """Return enough of a code to find it in a file, and too little to use it."""
    return journal.short(code[: min(4, len(code) // 2)]) + "…"


def _say_repeats(
    file: Path, batch: str, entries: Sequence[Entry], repeats: Sequence[Repeat]
) -> None:
    for each in repeats[:_SHOWN]:
        entry = entries[each.index]
        if each.first is None:
            where = f"批次 {batch} 里已经有了 (is in the batch already)"
        else:
            line = entries[each.first].line
            where = f"和第 {line} 行重复 (as line {line})"
        sys.stderr.write(f"{file}: 第 {entry.line} 行 (line) {_short(entry.code)} {where}\n")
    if len(repeats) > _SHOWN:
        sys.stderr.write(f"{file}: … 还有 {len(repeats) - _SHOWN} 条 (more)\n")
    sys.stderr.write(
        f"xybot: 有 {len(repeats)} 条重复，一条也没有导入；去掉它们再导入"
        f" ({len(repeats)} repeated codes: nothing was imported; remove them)\n"
    )


def _stock_table(found: Iterable[Stock]) -> Table:
    table = showing.table(
        ("批次 batch", 1),
        ("未用\nunused", 0),
        ("已留\nreserved", 0),
        ("已发\nsent", 0),
        ("隔离\nquarantined", 0),
        ("还能卖(天)\ndays left", 0),
    )
    for each in found:
        numbers = (each.unused, each.reserved, each.sent, each.quarantined)
        days = "—" if each.days_left is None else f"{each.days_left}"
        table.add_row(showing.cell([each.batch]), *map(str, numbers), days)
    return table


def _show(where: Found, story: Iterable[Receipt], code: str) -> None:
    console = Console()
    why = f" · {where.why}" if where.why else ""
    heading = f"{_short(code)} · 批次 batch {where.batch} · {_STATES.get(where.state)}{why}"
    console.print(Cell(journal.short(heading, 500)))
    table = showing.table(
        ("时间 time", 0), ("经过 what", 2), ("账号 account", 1), ("订单 order", 0)
    )
    for each in story:
        what = _HAPPENED.get(each.what, each.what)
        cells = (showing.cell([words or ""]) for words in (what, each.account, each.order))
        table.add_row(showing.clock(each.at, "%Y-%m-%d %H:%M:%S"), *cells)
    console.print(table)


def _write(where: Found, story: Iterable[Receipt]) -> None:
    row = {"batch": where.batch, "state": where.state, "why": where.why}
    steps = [attrs.asdict(each) for each in story]
    sys.stdout.write(showing.json_line(row | {"receipts": steps}) + "\n")
