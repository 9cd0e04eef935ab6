"""The live end of the chronicle, for any number of listeners (Server-Sent Events).

One task reads what is new from the store and wakes all who listen; each goes on from where it
is.  So nobody is sent anything out of order, a listener that is slow or was away reads from the
store what it missed, and none has a queue that could grow.

Sending to a listener costs a tenth of an answer to a buyer and more, and buyers come first: few
are woken at a time, and the more there are and the more they are sent, the longer it takes until
it is their turn again.  By then more has been gathered, so each is sent as much, in larger pieces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Final, NoReturn, TypeAlias

import attrs
import trio
from trio.lowlevel import ParkingLot

from xybot.chronicle import Chronicle
from xybot.store import events
from xybot.store.events import Recorded

PER_LISTENER: Final = 0.004
"""Seconds for each listener that is woken: twenty times what sending to it takes."""
PER_BYTE: Final = 2e-8
"""Seconds for each byte that is sent to one."""
GROUP: Final = 10
"""Listeners that are woken at a time: no answer to a buyer has to wait for more."""
RECENT: Final = 2000
"""Events that are kept at hand for those who are up to date."""
AT_ONCE: Final = 500
"""Events that a listener is sent in one piece."""


@attrs.frozen
class Filter:
    """Which events somebody wants; empty: all."""

    accounts: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    """Names, or beginnings of names with a star: `reply.*`."""

    def lets_through(self, event: Recorded) -> bool:
        """Tell whether an event is wanted."""
        if self.accounts and event.account not in self.accounts:
            return False
        family = f"{event.name.partition('.')[0]}.*"
        return not self.types or event.name in self.types or family in self.types


@attrs.frozen
class Piece:
    """Some events in a row, as they go out."""

    text: bytes
    """Empty when none of them was wanted."""
    last: int
    """The id of the last of them."""


Render: TypeAlias = Callable[[Recorded], bytes]


@attrs.define(eq=False)
class Stream:
    """Every event from some moment on; `serve` has to run for it to go on."""

    chronicle: Chronicle
    listeners: int = attrs.field(default=0, init=False)
    """How many there are just now."""
    _waiting: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _sent: int = attrs.field(default=0, init=False)
    """Bytes, since the last ones were woken."""
    _last: int = attrs.field(default=0, init=False)
    _recent: deque[Recorded] = attrs.field(factory=lambda: deque(maxlen=RECENT), init=False)
    _pieces: dict[tuple[Filter, Render, int], Piece] = attrs.field(factory=dict, init=False)
    """What was sent to others since the last look: most are at the same place."""

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> NoReturn:
        """Look for what is new, and wake those who listen."""
        self._last = self.chronicle.newest
        task_status.started()
        while True:
            await self.chronicle.wait_beyond(self._last)
            new = await self.chronicle.store.read(events.after, self._last, most=RECENT)
            self._recent.extend(new)
            self._pieces.clear()
            self._last = new[-1].id if new else self._last
            await self._wake()

    async def _wake(self) -> None:
        """Wake all who wait, a few at a time, and let buyers come first in between."""
        waiting = len(self._waiting)
        while waiting > 0:
            woken = len(self._waiting.unpark(count=min(GROUP, waiting)))
            waiting -= GROUP
            await trio.sleep(woken * PER_LISTENER)
            sent, self._sent = self._sent, 0
            await trio.sleep(sent * PER_BYTE)

    @property
    def newest(self) -> int:
        """The id of the newest event that listeners were woken for."""
        return self._last

    async def follow(
        self, after: int, wanted: Filter, render: Render, *, idle: float
    ) -> AsyncGenerator[Piece | None, None]:
        """Yield what was stored after an event, and then what comes, for ever.

        Args:
          after: the id of the last event that is known already.
          wanted: which events.
          render: writes one.
          idle: after so many seconds without any, None is yielded.
        """
        self.listeners += 1
        try:
            while True:
                with trio.move_on_after(idle) as waited:
                    while self._last <= after:
                        await self._waiting.park()
                if waited.cancelled_caught:
                    yield None
                    continue
                piece = await self._piece(after, wanted, render)
                after = piece.last
                if piece.text:
                    self._sent += len(piece.text)
                    yield piece
        finally:
            self.listeners -= 1

    async def _piece(self, after: int, wanted: Filter, render: Render) -> Piece:
        known = self._pieces.get((wanted, render, after))
        if known is not None:
            return known
        rows = await self._rows(after)
        text = b"".join(render(each) for each in rows if wanted.lets_through(each))
        piece = Piece(text, rows[-1].id if rows else self._last)
        self._pieces[wanted, render, after] = piece
        return piece

    async def _rows(self, after: int) -> tuple[Recorded, ...]:
        if self._recent and self._recent[0].id <= after + 1:
            first = self._recent[0].id
            rows = list(self._recent)[max(0, after + 1 - first) :]
            return tuple(each for each in rows if each.id > after)[:AT_ONCE]
        return await self.chronicle.store.read(events.after, after, most=AT_ONCE)
