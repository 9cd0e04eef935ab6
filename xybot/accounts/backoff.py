"""How long to wait before dialling again.

Not stamina: the delay has to be known before it is slept, since the seller is shown the
next try, and an end without an exception (a clean close) counts as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import attrs

FIRST: Final = 1.0
LONGEST: Final = 60.0


@attrs.define
class Backoff(Iterator[float]):
    """Delays in seconds, about doubling, jittered so that no two accounts dial in step."""

    rng: random.Random
    patience: int = 5
    """After so many failures in a row, every delay is of the longest kind."""
    first: float = FIRST
    longest: float = LONGEST
    failures: int = attrs.field(default=0, init=False)

    def __next__(self) -> float:
        """Count a failure and return how long to wait after it."""
        self.failures += 1
        bound = min(self.longest, self.first * 2**self.failures)
        if self.failures >= self.patience:
            bound = self.longest
        return self.rng.uniform(bound / 2, bound)

    def reset(self) -> None:
        """Begin anew: the line has proved itself."""
        self.failures = 0
