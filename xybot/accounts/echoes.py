"""Our own messages as the platform pushes them back.

The outbox has them already, under the same id; so an echo that is expected is acknowledged
and forgotten.  One that nobody expects goes to the store, which tells by its words whether
it is ours, or the seller wrote by hand.
"""

from __future__ import annotations

from typing import Final

import attrs

from xybot.model import MessageId

_MOST: Final = 1000


@attrs.define(eq=False)
class Echoes:
    """The newest messages that the platform accepted and has not echoed."""

    _expected: dict[MessageId, None] = attrs.field(factory=dict, init=False)

    def expect(self, message: MessageId) -> None:
        """Note that a message of ours was accepted; the oldest is forgotten for it."""
        self._expected[message] = None
        if len(self._expected) > _MOST:
            del self._expected[next(iter(self._expected))]

    def is_expected(self, message: MessageId) -> bool:
        """Tell whether this is the echo of a message of ours; each is expected once."""
        return self._expected.pop(message, self) is None
