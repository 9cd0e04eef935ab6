"""Rule sources on made-up facts and a clock that stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import cast

import attrs

from tests.replies.samples import NOW
from xybot.config import Rule
from xybot.egress import Outside
from xybot.model import AccountId, Item, ItemId
from xybot.replies.rules import Rules, general_rules, item_rules
from xybot.replies.source import Means
from xybot.store.database import Store

CHINA = timezone(timedelta(hours=8))


@attrs.define
class World:
    """What sources can learn; remembers which items they asked for."""

    items: dict[str, Item] = attrs.field(factory=dict)
    now: int = NOW
    asked: list[ItemId] = attrs.field(factory=list)

    @property
    def means(self) -> Means:
        store = cast("Store", None)  # No rule looks into it.
        return Means(store=store, facts=self.facts, outside=Outside(), now_ms=lambda: self.now)

    async def facts(self, _account: AccountId, item: ItemId) -> Item | None:
        self.asked.append(item)
        return self.items.get(item)

    def sells(
        self, id_: str, title: str, price: int | None = None, stock: int | None = None
    ) -> None:
        self.items[id_] = Item(id=ItemId(id_), title=title, price=price, stock=stock)

    def general(self, *rules: Rule) -> Rules:
        return general_rules(rules, self.means, CHINA)

    def bound(self, *rules: Rule) -> Rules:
        return item_rules(rules, self.means, CHINA)


def general(rules: Iterable[Rule]) -> Rules:
    return World().general(*rules)


def bound(rules: Iterable[Rule]) -> Rules:
    return World().bound(*rules)


def at(clock: str) -> int:
    """Return a moment (ms) at which a clock in China shows `HH:MM`."""
    hour, minute = clock.split(":")
    time = datetime(2026, 3, 8, int(hour), int(minute), tzinfo=CHINA).astimezone(UTC)
    return int(time.timestamp() * 1000)
