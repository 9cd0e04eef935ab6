"""Identifiers that we make: mid, message uuid, device id (protocol.md §1)."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Protocol

import attrs

_BASE62 = string.digits + string.ascii_letters
_PER_MS = 1000
"""As many ids as a mid's prefix has room for in one millisecond."""


class Chance(Protocol):
    """The part of `random.Random` that is needed here."""

    def randrange(self, stop: int, /) -> int:
        """Return a number from 0 up to, not including, `stop`."""


@attrs.define
class Ids:
    """Makes mids and uuids that are unique, however many are wanted in one millisecond."""

    _now_ms: Callable[[], int]
    _rng: Chance
    _ms: int = attrs.field(default=0, init=False)
    _n: int = attrs.field(default=0, init=False)

    def mid(self) -> str:
        """Return `<0..999><ms> 0`; the prefix runs on, so none comes twice in a millisecond."""
        ms, n = self._next()
        return f"{n}{ms} 0"

    def uuid(self) -> str:
        """Return `-<ms><digits>`, the form of the platform's own page."""
        ms, n = self._next()
        return f"-{ms}{n}"

    def _next(self) -> tuple[int, int]:
        now = self._now_ms()
        if now > self._ms:
            self._ms, self._n = now, self._rng.randrange(_PER_MS)
        elif self._n < _PER_MS - 1:  # The same millisecond, or a clock that was set back.
            self._n += 1
        else:  # All numbers of this millisecond are used: borrow from the next.
            self._ms, self._n = self._ms + 1, 0
        return self._ms, self._n


def device_id(user: str, rng: Chance) -> str:
    """Make a device id for an account; keep it: the IM token is bound to it."""
    chars = [_BASE62[rng.randrange(62)] for _ in range(36)]
    for dash in (8, 13, 18, 23):
        chars[dash] = "-"
    chars[14] = "4"
    return f"{''.join(chars)}-{user}"
