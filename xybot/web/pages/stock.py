"""Codes that are sold: what there is of each batch, and what became of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from xybot.store import codes
from xybot.web.api.stock import history
from xybot.web.pages import words
from xybot.web.pages.orders import order_path
from xybot.web.pages.visit import Visit, action, page

_LONGEST: Final = 5000


@page("/stock")
async def stock(visit: Visit) -> Response:
    """Show every batch."""
    return await _shown(visit)


async def _shown(visit: Visit, found: Sequence[Any] | None = None) -> Response:
    batches = await visit.house.store.read(partial(codes.stock, now=visit.house.now_ms()))
    return await visit.page(
        "stock.html", batches=batches, found=found, words=words, order_path=order_path
    )


@action("/stock/history", "admin")
async def of_code(visit: Visit) -> Response:
    """Show what became of a code; it is in the form, for addresses are kept in logs."""
    typed = visit.field("code")[:_LONGEST]
    found = await visit.house.store.read(history, typed, None)
    if not found:  # Blanks that were copied along; but those of a table may be part of a code.
        found = await visit.house.store.read(history, typed.strip(), None)
    return await _shown(visit, found)


PAGES: Final = (stock, of_code)
