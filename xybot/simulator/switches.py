"""What goes wrong with one account just now; `Faults` turns the switches, all others obey.

Assumption about the platform: a mishap meets the next frame, entry, call or answer of its
kind, and nothing else (unknown: protocol.md tells what happens, not how often).
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

import attrs

Mishap: TypeAlias = Literal[
    "alter_sends",
    "busy",
    "busy_reads",
    "drop_acks",
    "duplicate",
    "fail_calls",
    "fail_orders",
    "fail_over",
    "limit_connections",
    "lose_answers",
    "lose_order_answers",
    "lose_pushes",
    "refuse_dial",
    "refuse_history",
    "refuse_sends",
    "refuse_token",
    "reorder",
    "swallow_pushes",
]


@attrs.define(eq=False)
class Switches:
    """The switches of one account."""

    muted: bool = False
    no_vulcan: bool = False
    verification: bool = False
    dozing: bool = False
    slow: float = 0.0
    slow_orders: float = 0.0
    orders_late: float = 0.0
    orders_forbidden: bool = False
    shop_asleep: bool = False
    left: Counter[Mishap] = attrs.Factory(Counter)
    """How often more each mishap happens."""

    def happens(self, mishap: Mishap) -> bool:
        """Use up one of a mishap; False when none is left."""
        if self.left[mishap] <= 0:
            return False
        self.left[mishap] -= 1
        return True
