"""Outages, and the books of the last days."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.responses import Response

from xybot.days import midnight
from xybot.store import books, gaps
from xybot.web.pages import words
from xybot.web.pages.visit import Visit, page

_DAYS: Final = 7
_OUTAGES: Final = 50


@page("/reports")
async def reports(visit: Visit) -> Response:
    """Show both."""
    store = visit.house.store
    since = midnight(visit.house.now_ms(), days_ago=_DAYS - 1)
    days = await store.read(partial(books.balance, since=since))
    wrong = await store.read(partial(books.contradictions, since=since))
    outages = await store.read(gaps.listed, None, most=_OUTAGES)
    return await visit.page(
        "reports.html", days=days[::-1], contradictions=wrong, outages=outages, words=words
    )


PAGES: Final = (reports,)
