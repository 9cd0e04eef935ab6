"""The first page: how every account is doing, and what the day was like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from starlette.responses import Response

from xybot.config import AccountConfig
from xybot.days import midnight
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountId
from xybot.store import overview as numbers_of
from xybot.store import sales
from xybot.store.overview import Depth, Numbers
from xybot.web.api.accounts import stopped
from xybot.web.pages.visit import Visit, action, page, to
from xybot.web.pages.words import Condition, condition

_HOURS: Final = 24
_WIDTH, _HEIGHT = 240, 40


@attrs.frozen(kw_only=True)
class Card:
    """How an account is doing."""

    id: AccountId
    enabled: bool
    condition: Condition
    reason: str
    since: int
    next_try: float | None
    """Seconds from now; None when none is planned."""
    stopped: bool
    """Whether it waits for somebody to resume it."""
    numbers: Numbers
    depth: Depth
    held_orders: int
    """Orders that wait for their seller."""
    spark: str
    """The lines of each hour of the day, as the points of a line in SVG."""


@page("/")
async def overview(visit: Visit) -> Response:
    """Show every account."""
    return await visit.page("overview.html", cards=await cards(visit))


async def cards(visit: Visit) -> Sequence[Card]:
    """Return how every account is doing."""
    house = visit.house
    now = house.now_ms()
    today = midnight(now)
    numbers = await house.store.read(numbers_of.numbers, since=today)
    depths = await house.store.read(numbers_of.depths)
    held = await house.store.read(sales.held)
    parked = await house.store.read(stopped)
    return [
        _card(
            each,
            house.status(each.id),
            parked.get(each.id),
            numbers.get(each.id, Numbers()),
            depths.get(each.id, Depth()),
            held.get(each.id, 0),
            now,
        )
        for each in house.loaded().config.accounts
    ]


def _card(  # noqa: PLR0913, PLR0917  # what is known of an account, from everywhere
    config: AccountConfig,
    status: AccountStatus,
    parked: Cause | None,
    numbers: Numbers,
    depth: Depth,
    held_orders: int,
    now: int,
) -> Card:
    due = None
    if status.next_try is not None:
        due = max(0.0, status.next_try - (now - status.since) / 1000)
    return Card(
        id=config.id,
        enabled=config.enabled,
        condition=condition(status.new, status.cause, enabled=config.enabled),
        reason=status.reason,
        since=status.since,
        next_try=due,
        stopped=parked is not None,
        numbers=numbers,
        depth=depth,
        held_orders=held_orders,
        spark=sparkline(numbers),
    )


def sparkline(numbers: Numbers) -> str:
    """Return the lines of each hour as points, the busiest hour at the top."""
    counts = [numbers.hours.get(hour, 0) for hour in range(_HOURS)]
    most = max(*counts, 1)
    step = _WIDTH / (_HOURS - 1)
    points = (
        f"{n * step:.1f},{_HEIGHT - 2 - (_HEIGHT - 4) * count / most:.1f}"
        for n, count in enumerate(counts)
    )
    return " ".join(points)


@action("/language", "read")
async def choose_language(visit: Visit) -> Response:
    """Remember a language."""
    back = visit.field("back")
    answer = to(back if back.startswith("/") and not back.startswith("//") else "/")
    chosen = "en" if visit.field("to") == "en" else "zh"
    answer.set_cookie("lang", chosen, max_age=365 * 86_400, httponly=True, samesite="strict")
    return answer


PAGES: Final = (overview, choose_language)
