"""What is known of the items that buyers ask about: stored, and asked for when it is old.

An account is asked only while it runs, through its own session; never twice at a time for
one item, and not again soon after a failure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import structlog
import trio

from xybot.errors import AttentionRequired, Busy, TransientError
from xybot.model import AccountId, Item, ItemId
from xybot.store import items
from xybot.store.database import Store
from xybot.store.items import Known
from xybot.xianyu import api
from xybot.xianyu.mtop import Mtop

log = structlog.get_logger()

FRESH: Final = 3_600_000
"""Milliseconds for which facts are good."""
PATIENCE: Final = 3.0
"""Seconds after which an answer to a buyer does without fresh facts."""
_NOT_AGAIN: Final = 300.0
"""Seconds for which nobody asks again after a failure."""


@attrs.define(eq=False, kw_only=True)
class _Way:
    """How to ask for one account, and what not to ask just now (trio time)."""

    mtop: Mtop
    busy_until: float = -math.inf
    not_before: dict[ItemId, float] = attrs.Factory(dict)
    asking: dict[ItemId, trio.Event] = attrs.Factory(dict)

    def may_ask(self, item: ItemId) -> bool:
        now = trio.current_time()
        self.not_before = {id_: at for id_, at in self.not_before.items() if at > now}
        return now >= self.busy_until and item not in self.not_before

    def leave_alone(self, item: ItemId) -> None:
        self.not_before[item] = trio.current_time() + _NOT_AGAIN


@attrs.define(eq=False, kw_only=True)
class Facts:
    """The facts of all accounts' items; `of` is what reply sources are given."""

    store: Store
    now_ms: Callable[[], int]
    _ways: dict[AccountId, _Way] = attrs.field(factory=dict, init=False)

    @contextmanager
    def through(self, account: AccountId, mtop: Mtop) -> Iterator[None]:
        """Ask through the account's own session for as long as the block runs."""
        self._ways[account] = _Way(mtop=mtop)
        try:
            yield
        finally:
            self._ways.pop(account, None)

    async def of(self, account: AccountId, item: ItemId) -> Item | None:
        """Return what is known of an item, fetched if it is old, within `PATIENCE` seconds.

        Facts that are old are better than none; None: nobody knows, or there is no such item.

        Raises:
          AttentionRequired: the account needs its seller; it is not asked any more.
        """
        known: Known | None = None
        with trio.move_on_after(PATIENCE) as waited:
            known = await self._known(account, item)
            way = self._ways.get(account)
            while way is not None and not self.is_fresh(known) and way.may_ask(item):
                if (other := way.asking.get(item)) is not None:
                    await other.wait()
                    known, way = await self._known(account, item), self._ways.get(account)
                else:
                    known = await self._ask(account, item, way) or known
                    break
        if waited.cancelled_caught and account in self._ways:
            log.info("facts.slow", account=account, item=item)
            self._ways[account].leave_alone(item)
        return known.item if known is not None else None

    async def _known(self, account: AccountId, item: ItemId) -> Known | None:
        return await self.store.insist(items.known, account, item)

    def is_fresh(self, known: Known | None) -> bool:
        """Tell whether what is known is good enough not to ask."""
        return known is not None and 0 <= self.now_ms() - known.fetched_at < FRESH

    async def _ask(self, account: AccountId, item: ItemId, way: _Way) -> Known | None:
        """Ask the platform and keep the answer; None: it gave none."""
        done = way.asking[item] = trio.Event()
        try:
            found = await self._asked(account, item, way)
            if found is not None:
                await self.store.insist(items.keep, account, item, found.item, now=found.fetched_at)
            return found
        finally:
            del way.asking[item]
            done.set()

    async def _asked(self, account: AccountId, item: ItemId, way: _Way) -> Known | None:
        try:
            return Known(await api.item(way.mtop, item), self.now_ms())
        except AttentionRequired:
            self._ways.pop(account, None)
            raise
        except Busy as exc:
            way.busy_until = trio.current_time() + _NOT_AGAIN
            log.info("facts.busy", account=account, item=item, reason=str(exc))
        except TransientError as exc:
            way.leave_alone(item)
            log.info("facts.failed", account=account, item=item, reason=str(exc))
        return None
