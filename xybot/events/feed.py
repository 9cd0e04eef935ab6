"""The feed: it hands every event to whoever listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import trio

from xybot.events.kinds import Event


@attrs.define(eq=False)
class Subscription:
    """Events for one listener, the oldest first."""

    _kept: deque[Event]
    _wanted: Callable[[Event], bool]
    _arrived: trio.Event = attrs.field(factory=trio.Event, init=False)
    lost: int = attrs.field(default=0, init=False)
    """How many events this listener was too slow for."""

    def put(self, event: Event) -> None:
        """Add an event, if it is wanted; the oldest goes when there is no room."""
        if not self._wanted(event):
            return
        self.lost += len(self._kept) == self._kept.maxlen
        self._kept.append(event)
        self._arrived.set()

    async def next(self) -> Event:
        """Wait for the next event and return it."""
        while not self._kept:
            self._arrived = trio.Event()
            await self._arrived.wait()
        return self._kept.popleft()


@attrs.define(eq=False)
class EventFeed:
    """Every event goes to `tell` at once, and to all subscribers."""

    tell: Callable[[Event], None]
    _listening: list[Callable[[Event], None]] = attrs.field(factory=list, init=False)
    _subscriptions: list[Subscription] = attrs.field(factory=list, init=False)

    def publish(self, event: Event) -> None:
        """Hand an event to everybody; never waits, never raises."""
        self.tell(event)
        for hear in self._listening:
            hear(event)
        for subscription in self._subscriptions:
            subscription.put(event)

    @contextmanager
    def heard_by(self, hear: Callable[[Event], None]) -> Iterator[None]:
        """Have a function called with every event for as long as the block runs.

        It must neither raise nor block.
        """
        self._listening.append(hear)
        try:
            yield
        finally:
            self._listening.remove(hear)

    @contextmanager
    def subscribe(
        self, *, room_for: int = 1000, wanted: Callable[[Event], bool] = lambda _: True
    ) -> Iterator[Subscription]:
        """Listen to what is wanted for as long as the block runs."""
        subscription = Subscription(deque(maxlen=room_for), wanted)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
