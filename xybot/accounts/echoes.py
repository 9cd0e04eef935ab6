"""Our own messages as the platform pushes them back.

The outbox has them already, under the same id; so an echo that is expected is acknowledged
and forgotten.  One that nobody expects goes to the store, which tells by its words whether
it is ours, or the seller wrote by hand.  If it is ours, and its answer is still awaited,
there is nothing left to wait for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import trio

from xybot.model import MessageId

_MOST: Final = 1000


@attrs.define(eq=False)
class Echoes:
    """The newest messages that the platform accepted and has not echoed."""

    _expected: dict[MessageId, None] = attrs.field(factory=dict, init=False)
    _awaited: dict[str, trio.CancelScope] = attrs.field(factory=dict, init=False)

    def expect(self, message: MessageId) -> None:
        """Note that a message of ours was accepted; the oldest is forgotten for it."""
        self._expected[message] = None
        if len(self._expected) > _MOST:
            del self._expected[next(iter(self._expected))]

    def is_expected(self, message: MessageId) -> bool:
        """Tell whether this is the echo of a message of ours; each is expected once."""
        return self._expected.pop(message, self) is None

    @contextmanager
    def awaiting(self, uuid: str) -> Iterator[trio.CancelScope]:
        """Wait for the answer to a message of ours, unless its echo settles it first."""
        with trio.CancelScope() as scope:
            self._awaited[uuid] = scope
            try:
                yield scope
            finally:
                del self._awaited[uuid]

    def settled(self, uuid: str) -> None:
        """Note that an echo has settled a message of ours."""
        if uuid in self._awaited:
            self._awaited[uuid].cancel()
