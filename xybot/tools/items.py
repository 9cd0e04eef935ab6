"""`xybot items`: what is known of the items that buyers ask about; the bot may be running."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import attrs
import trio
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from xybot import egress, journal
from xybot.accounts.supervisor import needed
from xybot.clock import now_ms
from xybot.config import Loaded, load
from xybot.errors import AttentionRequired, ConfigError
from xybot.facts import Facts
from xybot.model import AccountId, ItemId
from xybot.store import accounts, items
from xybot.store.database import Store, open_store
from xybot.store.items import Known
from xybot.xianyu import session as sessions
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.session import Session

_PACE: Final = 1.0
"""Seconds between two questions: nobody waits for the answers."""
_GONE: Final = "平台上没有 (gone)"
_UNASKED: Final = "还没问过 (not fetched)"


@attrs.frozen
class Row:
    """An item with what is known of it; `account` None: it has a file, and nobody asked."""

    account: AccountId | None
    id: ItemId
    known: Known | None


async def command(
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    fetch: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """列出买家问到的商品：标题、价格、库存、状态 (the items that buyers asked about).

    Args:
      config: 设置文件 (the settings).
      account: 只看这个账号 (only this account).
      fetch: 先向平台查询没有或过时的资料 (ask the platform first for what is missing or old).
    """
    loaded = load(config)
    only = _known_account(account, loaded)
    refused: list[str] = []
    if fetch:
        journal.configure("text", "warning")  # What it prints is a table and nothing else.
        refused = await _fetch(loaded, only)
    async with open_store(loaded.database, read_only=True) as store:
        found = await store.transact(items.listed, only)
    rows = _rows(found, loaded, only)
    _show(rows, loaded)
    for line in refused:
        sys.stderr.write(f"xybot: {line}\n")
    return 1 if refused else 0


def _known_account(account: str | None, loaded: Loaded) -> AccountId | None:
    known = [each.id for each in loaded.config.accounts]
    if account is not None and account not in known:
        names = ", ".join(known)
        raise ConfigError(f"--account {account}: 没有这个账号 (no such account): {names}")
    return None if account is None else AccountId(account)


def _rows(found: Iterable[items.Listed], loaded: Loaded, only: AccountId | None) -> list[Row]:
    rows = [Row(each.account, each.id, each.known) for each in found]
    seen = {row.id for row in rows}
    if only is None:
        rows += [Row(None, id_, None) for id_ in sorted(loaded.config.items.keys() - seen)]
    return rows


# Asking.


async def _fetch(loaded: Loaded, only: AccountId | None) -> list[str]:
    """Ask for what is missing or old; return what went wrong, in words for the seller."""
    if loaded.config.simulator.enabled:
        raise ConfigError("--fetch: 模拟器开着，没有平台可问 (the simulator is on)")
    if not loaded.database.exists():  # Made here it would not be for its owner only.
        raise ConfigError(f"{loaded.database}: 机器人还没有运行过 (the bot has not run yet)")
    enabled = [each.id for each in loaded.config.accounts if each.enabled]
    wanted = [id_ for id_ in enabled if only in (None, id_)]
    async with open_store(loaded.database) as store:
        roster = await store.transact(accounts.roster)
        parked = {each.id: each.reason for each in roster.parked}
        problems = {
            id_: parked[id_] if id_ in parked else await _ask_of(id_, loaded, store)
            for id_ in wanted
        }
    return [f"{id_}: {problem}" for id_, problem in problems.items() if problem]


async def _ask_of(account: AccountId, loaded: Loaded, store: Store) -> str:
    """Ask for an account's items one by one; one that needs its seller is parked."""
    facts, mtop = Facts(store=store, now_ms=now_ms), await _mtop(account, loaded, store)
    of_account = await store.transact(items.listed, account)
    try:
        with facts.through(account, mtop):
            for n, each in enumerate(of_account):
                await trio.sleep(_PACE if n else 0)
                await facts.of(account, each.id)
    except AttentionRequired as exc:
        reason = needed(account, ExceptionGroup("items", [exc]))
        await store.transact(accounts.park, account, reason, exc.cause)
        return reason
    left = [
        each.id
        for each in await store.transact(items.listed, account)
        if not facts.is_fresh(each.known)
    ]
    return f"没有问到 (no answer): {', '.join(left)}" if left else ""


async def _mtop(account: AccountId, loaded: Loaded, store: Store) -> Mtop:
    async def forget(_: Session) -> None:
        """Keep nothing: a bot that runs has the session, and must not lose what it keeps."""

    stored = await store.transact(accounts.session, account)
    session = (
        sessions.new_session(loaded.cookies[account], random.SystemRandom())
        if stored is None
        else sessions.loads(stored)
    )
    gateway, http = loaded.config.platform.gateway, egress.Client()
    return Mtop(gateway=gateway, http=http, session=session, save=forget, now_ms=now_ms)


# Showing.


def _show(rows: Sequence[Row], loaded: Loaded) -> None:
    console = Console()
    if not rows:
        console.print("还没有买家问到商品 (no buyer asked about an item yet)")
        return
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("账号\naccount", overflow="fold")
    table.add_column("商品编号\nitem", no_wrap=True)
    table.add_column("标题\ntitle", overflow="fold")
    for head in ("价格\nprice", "库存\nstock"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("状态\nstatus", overflow="fold")
    table.add_column("多久前\nage", justify="right", no_wrap=True)
    table.add_column("设置\nfile", justify="center", no_wrap=True)
    now = now_ms()
    for row in rows:
        own = "✓" if row.id in loaded.config.items else ""
        table.add_row(_plain(row.account or "—"), _plain(row.id), *_facts(row.known, now), own)
    console.print(table)


def _facts(known: Known | None, now: int) -> list[str]:
    if known is None:
        return ["", "", "", _UNASKED, ""]
    item, age = known.item, _age(now - known.fetched_at)
    if item is None:
        return ["", "", "", _GONE, age]
    stock = "" if item.stock is None else str(item.stock)
    return [_plain(item.title), _yuan(item.price), stock, _plain(item.status), age]


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02}"


def _age(passed: int) -> str:
    minutes = max(passed, 0) // 60_000
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
