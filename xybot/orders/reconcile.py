"""The orders that wait for shipment, as the platform lists them, compared with our books.

After every gap and once a night.  An account that may not list its orders has what its chats
tell (`xybot.accounts.catchup`), and nothing here.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final, NoReturn

import attrs
import structlog
import trio

from xybot.chronicle import Chronicle
from xybot.config.goods import Goods
from xybot.days import next_at
from xybot.doorbell import Doorbell
from xybot.errors import TransientError
from xybot.model import AccountId, ChatId, OrderId
from xybot.store import differences
from xybot.store.differences import Waiting
from xybot.telling import stepped
from xybot.trade import Trade
from xybot.xianyu import trade
from xybot.xianyu.mtop import Forbidden, Mtop

log = structlog.get_logger()

_NIGHT: Final = timedelta(hours=3)
_SPREAD: Final = 3600
"""Seconds after that within which the accounts take their turns."""
_PACE: Final = 1.0
"""Seconds between two pages."""
_REST: Final = 60.0
"""Seconds between two comparisons, however often a line comes back."""
_FIRST: Final = 30.0
"""Seconds from a first failure to the next try; twice as many after each."""
_LONGEST: Final = 3600.0


@attrs.frozen(eq=False, kw_only=True)
class Reconcile:
    """Compares the orders of one account with those of the platform."""

    account: AccountId
    mtop: Mtop
    chronicle: Chronicle
    goods: Callable[[], Sequence[Goods]]
    """The goods of the moment; without any there is nothing to compare."""
    now_ms: Callable[[], int]
    """The platform's clock."""

    async def serve(self, back: Doorbell, deliveries: Doorbell) -> NoReturn:
        """Compare whenever it is time, until cancelled.

        Args:
          back: rung when the account is on line again.
          deliveries: is rung when there may be something to deliver.

        Raises:
          AttentionRequired: the account needs its seller.
        """
        while True:
            with trio.move_on_after(self._until_tonight()):
                await back.wait()
            await self._until_compared()
            deliveries.ring()
            await trio.sleep(_REST)

    def _until_tonight(self) -> float:
        """Return how many seconds are left; each account has its own minute of the night."""
        place = timedelta(seconds=zlib.crc32(self.account.encode()) % _SPREAD)
        now = self.now_ms()
        return (next_at(now, _NIGHT + place) - now) / 1000

    async def _until_compared(self) -> None:
        for pause in _pauses():
            try:
                if self.goods():
                    await self._compare()
            except Forbidden:
                return
            except TransientError as exc:
                log.warning("reconcile.failed", account=self.account, reason=str(exc))
                await trio.sleep(pause)
            else:
                return

    async def _compare(self) -> None:
        waiting, account = await self._waiting(), self.account
        await self.chronicle.insist(
            lambda steps: stepped(account, steps),
            differences.compare,
            account,
            waiting,
            now=self.now_ms(),
        )

    async def _waiting(self) -> Waiting:
        """Return what waits for shipment, from all pages."""
        began, found = self.now_ms(), dict[OrderId, Trade]()
        for number in itertools.count(1):
            page = await trade.unshipped(self.mtop, number)
            before = len(found)
            for sold in page.orders:
                found[sold.order] = Trade(
                    order=sold.order,
                    chat=ChatId(""),  # The list does not tell it.
                    state=sold.state,
                    role="seller",
                    buyer=sold.buyer,
                    item=sold.item,
                    knife=sold.knife,
                    source="api",
                    words=sold.words,
                    at=sold.paid_at,
                )
            # A list that goes on without anything new would go on for ever.
            if not page.more or len(found) == before:
                return Waiting(orders=found, complete=not page.more, began=began)
            await trio.sleep(_PACE)
        raise AssertionError("there is no last number")


def _pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST)
