"""What time it is for the platform, whatever the clock of this machine says.

`/reg` tells the platform's time; from there Trio's clock counts on, which no summer time
and no synchronisation can set back.  A platform that is more than a day off ours is not
believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio

_BELIEVED_MS: Final = 24 * 3600 * 1000


@attrs.define(eq=False)
class PlatformClock:
    """Milliseconds since 1970; our own clock until the platform has told its time."""

    _ours: Callable[[], int]
    _told: tuple[int, float] | None = attrs.field(default=None, init=False)

    def set(self, at_ms: int | None) -> None:
        """Note what the platform says the time is now; None leaves things as they are."""
        if at_ms is not None and abs(at_ms - self._ours()) <= _BELIEVED_MS:
            self._told = (at_ms, trio.current_time())

    def now_ms(self) -> int:
        """Return the time by the platform's clock."""
        if self._told is None:
            return self._ours()
        at, then = self._told
        return at + round(1000 * (trio.current_time() - then))
