"""Outages and the books."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

import attrs
from msgspec import Meta

from xybot.days import midnight
from xybot.model import AccountId
from xybot.store import books, gaps
from xybot.store.books import Day
from xybot.web import cursors
from xybot.web.api.shapes import Ms
from xybot.web.cursors import CursorText, Limit, Whole
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.sending import known

_OfAccount = Annotated[str, Meta(description="只看这个账号 (of this account only)")]


@attrs.frozen(kw_only=True)
class OutageQuery:
    """Which outages."""

    account: _OfAccount = ""
    cursor: CursorText = ""
    limit: Limit = 50


@attrs.frozen(kw_only=True)
class Outage:
    """A time in which an account was not on line; numbers are buyers' lines of it."""

    account: AccountId
    since: Ms
    until: Ms
    cause: str
    because: str
    recovered: int | None
    """All of them, null until they have outcomes; the sum of the following."""
    answered: int | None
    late: int | None
    skipped: int | None
    unaccounted: int | None


@attrs.frozen(kw_only=True)
class Outages:
    """A page of outages, the last first."""

    items: tuple[Outage, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class BooksQuery:
    """Which days."""

    account: _OfAccount = ""
    days: Annotated[int, Meta(ge=1, le=366, description="最近几天，今天也算 (today included)")] = 7


@attrs.frozen(kw_only=True)
class BooksDay:
    """What somebody else said to an account on a day, in lines."""

    account: AccountId
    day: Annotated[str, Meta(description="2026-11-25")]
    received: int
    answered: int
    skipped: Mapping[str, int]
    """Reason -> lines."""
    waiting: int
    held: int
    unaccounted: int
    balances: bool


@attrs.frozen(kw_only=True)
class Books:
    """The books of some days: received = answered + skipped + waiting + held."""

    days: tuple[BooksDay, ...]
    contradictions: tuple[str, ...]
    """What no run of the bot can have stored; empty when all is well."""


@endpoint("GET", "/api/v1/outages", "read", refusals=(404,))
async def list_outages(house: House, query: OutageQuery) -> Outages:
    """离线报告：从几点到几点、为什么、补回几条 (times off line, and what became of them)."""
    account = _account(house, query.account)
    before = cursors.read(query.cursor, Whole)
    found = await house.store.read(gaps.listed, account, before=before, most=query.limit)
    more = len(found) == query.limit
    return Outages(
        items=tuple(map(outage, found)),
        next=cursors.write(found[-1].gap.id) if more else None,
    )


def outage(listed: gaps.Listed) -> Outage:
    """Return what is shown of an outage."""
    gap, report = listed.gap, listed.report
    return Outage(
        account=listed.account,
        since=gap.began_at,
        until=gap.ended_at,
        cause=gap.cause,
        because=gap.because,
        recovered=report.recovered if report else None,
        answered=report.answered if report else None,
        late=report.late if report else None,
        skipped=report.skipped if report else None,
        unaccounted=report.unaccounted if report else None,
    )


@endpoint("GET", "/api/v1/books", "read", refusals=(404,))
async def get_books(house: House, query: BooksQuery) -> Books:
    """对账：收到 = 已回 + 没回（按原因）+ 等待 + 待您看 (the books of each account and day)."""
    account = _account(house, query.account)
    since = midnight(house.now_ms(), days_ago=query.days - 1)
    days = await house.store.read(partial(books.balance, since=since, account=account))
    wrong = await house.store.read(partial(books.contradictions, since=since, account=account))
    return Books(days=tuple(map(_day, days)), contradictions=wrong)


def _account(house: House, named: str) -> AccountId | None:
    return known(house, named).id if named else None


def _day(day: Day) -> BooksDay:
    return BooksDay(
        account=day.account,
        day=day.day.isoformat(),
        received=day.received,
        answered=day.answered,
        skipped={reason.value: lines for reason, lines in day.skipped.items()},
        waiting=day.waiting,
        held=day.held,
        unaccounted=day.unaccounted,
        balances=day.balances,
    )


ENDPOINTS: Final = (list_outages, get_books)
