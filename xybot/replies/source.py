"""What a reply source is, and the words a template may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol, TypeAlias

import attrs

from xybot.egress import Outside
from xybot.events import Event
from xybot.model import AccountId, Item, ItemId, Pass, Reply, Turn
from xybot.replies.hours import local_time
from xybot.store.database import Store
from xybot.template import names_item, render

Answer: TypeAlias = Reply | Pass


class Source(Protocol):
    """One way to answer a buyer; asked in the order of `replies.order`."""

    @property
    def name(self) -> str:
        """The name in `replies.order`, in decisions and in the console."""

    async def answer(self, turn: Turn) -> Answer:
        """Answer a turn, or pass and say why.

        Raises:
          ReplyError: the source is broken right now; the next one is asked.
        """


Facts: TypeAlias = Callable[[AccountId, ItemId], Awaitable[Item | None]]
"""Returns what is known of an item, fetched if need be; None when nobody knows, or not in time."""


def _nobody(_event: Event) -> None:
    """Tell nobody."""


@attrs.frozen(kw_only=True)
class Means:
    """What sources may use to find an answer."""

    store: Store
    facts: Facts
    outside: Outside
    """The world outside of the platform; it never sees a cookie."""
    now_ms: Callable[[], int]
    """Our own clock (ms): what time it is for the seller."""
    note: Callable[[Event], None] = _nobody
    """Told of what happens on the way to an answer."""


async def fill_in(
    templates: Sequence[str], turn: Turn, means: Means, zone: tzinfo | None = None
) -> tuple[str, ...]:
    """Return the words of templates; an item's facts are asked for only if one is named.

    Args:
      templates: of which all variables are known (see `xybot.template`).
      turn: what the buyer said.
      means: who knows the item and the time.
      zone: the seller's; None is that of this machine.
    """
    item = None
    if turn.item is not None and names_item(templates):
        item = await means.facts(turn.account, turn.item)
    values = variables(turn, item, local_time(means.now_ms(), zone))
    return tuple(render(each, values) for each in templates)


def variables(turn: Turn, item: Item | None, at: datetime) -> Mapping[str, str]:
    """Return what a reply template may name (see `xybot.template`); "" is unknown.

    Args:
      turn: what the buyer said.
      item: the facts of what they asked about.
      at: the time on the seller's clock.
    """
    price = item.price if item else None
    stock = item.stock if item else None
    return {
        "send_user_name": turn.last.sender_name,
        "send_user_id": turn.last.sender,
        "send_message": turn.text,
        "item_id": turn.item or "",
        "item_title": item.title if item else "",
        "item_price": "" if price is None else yuan(price),
        "item_stock": "" if stock is None else str(stock),
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M}",
    }


def yuan(fen: int) -> str:
    """Return a price in yuan: `88`, or `88.50`."""
    return f"{fen // 100}" if fen % 100 == 0 else f"{fen / 100:.2f}"
