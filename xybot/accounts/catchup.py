"""What pushes did not bring: read back after every gap, and on a slow timer.

A connection starts with a pass over all chats that changed since the inbox was last known
to be complete (protocol.md §4).  What is found goes the way of a push; so nothing comes
twice, and what is too old to answer is stored and left to the seller.  The cards of orders
stand in the history as well, and count as told however old they are: where an account may not
list its orders (`xybot.orders.reconcile`), this is all that finds one whose push was lost.
Each gap ends in a report, made as soon as its lines have their outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

import attrs
import structlog
import trio

from xybot.accounts.chats import Chats
from xybot.accounts.past import Past
from xybot.accounts.receive import Receiver
from xybot.accounts.shared import Shared
from xybot.errors import Busy, first_error
from xybot.model import ChatId
from xybot.store import gaps
from xybot.telling import gap_closed

log = structlog.get_logger()

_OVERLAP: Final = 120_000
"""Milliseconds before the watermark that are read again: a line may be dated late."""
_AT_ONCE: Final = 4
"""Chats whose history is asked for at the same time."""
_AGAIN: Final = 60.0
"""Seconds until a pass that the platform did not let through is tried again."""
_A_MOMENT: Final = 2.0
"""Seconds that an answer usually takes, once its buyer is silent."""
_SETTLING: Final = 60.0
"""Seconds that a slow reply source may take before a gap is reported without its answer."""


@attrs.frozen
class CatchUp:
    """Keeps the inbox of one account complete; outlives its connections."""

    shared: Shared
    receiver: Receiver
    _read: dict[ChatId, int | None] = attrs.field(factory=dict, init=False)
    """Chats that the present pass has done with, and when they had changed (ms)."""

    async def run_once(self, past: Past, chats: Chats) -> int | None:
        """Read back all that may be missing, and note that nothing is missing any more.

        Returns:
          How many buyers' lines were new; None when the platform did not tell them all.
        """
        began, found = self.shared.now_ms(), None
        try:
            if self.shared.hints.take_too_long():
                await past.diff_done()
            since = await self._since(began)
            changed = await past.changed(since)
            # A pass that was broken off goes on where it was.
            left = {c: at for c, at in changed.items() if at is None or self._read.get(c) != at}
            found = await self._look_into(past, chats, left, since)
        except* Busy as group:
            self._warn(group)
        else:
            await self.shared.store.transact(gaps.caught_up, self.shared.account, began)
            self._read.clear()
        return found

    def _warn(self, group: BaseException) -> None:
        log.warning("catchup.failed", account=self.shared.account, reason=str(first_error(group)))

    async def serve(self, past: Past, chats: Chats) -> NoReturn:
        """Follow hints at once, and look for what nobody hinted at, for as long as we are let."""
        due = self._next_pass(complete=True)
        while True:
            with trio.move_on_at(due) as waiting:
                await self.shared.hints.bell.wait()
            if waiting.cancelled_caught or self.shared.hints.is_too_long:
                found = await self.run_once(past, chats)
                due = self._next_pass(complete=found is not None)
            else:
                found = await self._follow(past, chats)
            if found:
                log.info("catchup.found", account=self.shared.account, lines=found)

    def _next_pass(self, *, complete: bool) -> float:
        every = self.shared.patience().catch_up_every
        return trio.current_time() + (every if complete else min(every, _AGAIN))

    async def _follow(self, past: Past, chats: Chats) -> int | None:
        since, found = await self._since(self.shared.now_ms()), None
        try:
            pointed = dict.fromkeys(self.shared.hints.take_chats())
            found = await self._look_into(past, chats, pointed, since)
        except* Busy as group:
            self._warn(group)
        return found

    async def _since(self, now: int) -> int:
        complete = await self.shared.store.transact(gaps.caught_up_to, self.shared.account)
        if complete is None:
            # What was said before we first came is the seller's, but for what is still fresh.
            complete = now - round(1000 * self.shared.patience().message_expiry) + _OVERLAP
            await self.shared.store.transact(gaps.caught_up, self.shared.account, complete)
        return complete - _OVERLAP

    async def _look_into(
        self, past: Past, chats: Chats, changed: Mapping[ChatId, int | None], since: int
    ) -> int:
        """Take in the history of chats; return how many buyers' lines were new."""
        limit, found = trio.CapacityLimiter(_AT_ONCE), []

        async def one(chat: ChatId) -> None:
            async with limit:
                news = await self.receiver.take_lines(chat, await past.said(chat, since))
            news.hand_to(chats)
            found.append(len(news.messages))
            self._read[chat] = changed[chat]

        async with trio.open_nursery() as nursery:
            for chat in changed:
                nursery.start_soon(one, chat, name=f"history of {chat}")
        return sum(found)

    async def report(self) -> None:
        """Report on the gap before this connection, once its lines have their outcomes."""
        await trio.sleep(self.shared.patience().debounce + _A_MOMENT)
        if await self.shared.store.transact(gaps.has_open_lines, self.shared.account):
            await trio.sleep(self.shared.patience().debounce_max + _SETTLING)
        account, now = self.shared.account, self.shared.now_ms()
        await self.shared.chronicle.transact(
            lambda reports: [gap_closed(account, each) for each in reports],
            gaps.report,
            account,
            now=now,
        )
