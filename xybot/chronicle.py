"""What happened: stored together with what made it happen, and then told.

An event that a transaction means is a row of that very transaction.  So wherever the process
is killed, either both are there or neither, and whoever reads the rows misses nothing.  What
happens outside of transactions (a line ends) is told at once and stored a moment later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeAlias, TypeVar

import attrs
import trio

from xybot.doorbell import Doorbell
from xybot.errors import StoreUnavailable
from xybot.events import Event, EventFeed, body
from xybot.store import events as recording
from xybot.store.database import Database, Store
from xybot.store.events import Happening

P = ParamSpec("P")
T = TypeVar("T")
Means: TypeAlias = Callable[[T], Iterable[Event]]
"""Tells which events the outcome of a transaction means; runs inside it, perhaps twice."""

KEPT: Final = 7 * 86_400_000
"""Milliseconds for which events are kept."""
_PRUNE_EVERY: Final = 3600.0
_LAST_WORDS: Final = 2.0
"""Seconds that storing what happened at the end may take."""


@attrs.define(eq=False)
class Chronicle:
    """Where everything that happens goes through; made by `open_chronicle`."""

    store: Store
    feed: EventFeed
    now_ms: Callable[[], int]
    newest: int = attrs.field(default=0, init=False)
    """The id of the newest event that this process has stored."""
    _noted: deque[Happening] = attrs.field(factory=deque, init=False)
    _bell: Doorbell = attrs.field(factory=Doorbell, init=False)
    _grown: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def transact(
        self,
        means: Means[T],
        fn: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `fn(db, *args)` and store the events that its outcome means; then tell them.

        Raises:
          StoreUnavailable: nothing was stored, and nothing told.
        """
        call: Callable[[Database], T] = partial(_called, fn, args, kwargs)
        return self._told(await self.store.transact(_recorded, call, means, self.now_ms()))

    async def insist(
        self,
        means: Means[T],
        fn: Callable[Concatenate[Database, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do the same again and again until it is stored."""
        call: Callable[[Database], T] = partial(_called, fn, args, kwargs)
        return self._told(await self.store.insist(_recorded, call, means, self.now_ms()))

    def note(self, event: Event) -> None:
        """Tell an event that no transaction means, and have it stored; never waits."""
        self._noted.append(_happening(event, self.now_ms()))
        self._bell.ring()
        self.feed.publish(event)

    async def wait_beyond(self, id_: int) -> None:
        """Block until this process has stored an event with a higher id."""
        while self.newest <= id_:
            await self._grown.wait()

    async def _write(self) -> None:
        with suppress(StoreUnavailable):  # It is closed, or damaged; whoever owns it says so.
            while True:
                await self._bell.wait()
                await self._flush()

    async def _flush(self) -> None:
        """Store what was noted."""
        noted = tuple(self._noted)
        self._grow(await self.store.insist(recording.record, noted))
        for _ in noted:
            self._noted.popleft()

    async def _prune(self) -> None:
        with suppress(StoreUnavailable):
            while True:
                until = self.now_ms() - KEPT
                while await self.store.insist(recording.prune, until=until):
                    pass
                await trio.sleep(_PRUNE_EVERY)

    def _told(self, done: _Done[T]) -> T:
        self._grow(done.last)
        for event in done.events:
            self.feed.publish(event)
        return done.value

    def _grow(self, last: int | None) -> None:
        if last is not None and last > self.newest:
            self.newest = last
            self._grown.set()
            self._grown = trio.Event()


@attrs.frozen
class _Done(Generic[T]):
    """A transaction that was committed."""

    value: T
    events: tuple[Event, ...]
    last: int | None


def _called(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], db: Database) -> T:
    return fn(db, *args, **kwargs)


def _recorded(db: Database, call: Callable[[Database], T], means: Means[T], now: int) -> _Done[T]:
    value = call(db)
    events = tuple(means(value))
    return _Done(value, events, recording.record(db, (_happening(each, now) for each in events)))


def _happening(event: Event, now: int) -> Happening:
    return Happening(account=event.account, name=event.name, body=body(event), at=now)


@asynccontextmanager
async def open_chronicle(
    store: Store, feed: EventFeed, now_ms: Callable[[], int]
) -> AsyncIterator[Chronicle]:
    """Store what happens for as long as the block runs, its end included."""
    chronicle = Chronicle(store, feed, now_ms)
    _, chronicle.newest = await store.insist(recording.ends)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chronicle._write, name="chronicle")
            nursery.start_soon(chronicle._prune, name="prune events")
            yield chronicle
            nursery.cancel_scope.cancel()
    finally:
        # A store that is closed, or cannot be written, has no more to do with us.
        with suppress(StoreUnavailable), trio.move_on_after(_LAST_WORDS, shield=True):
            await chronicle._flush()
