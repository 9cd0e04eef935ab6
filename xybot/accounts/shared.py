"""What the tasks of one account have in common."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from xybot.accounts.chat import Patience
from xybot.accounts.echoes import Echoes
from xybot.accounts.hints import Hints
from xybot.chronicle import Chronicle
from xybot.doorbell import Doorbell
from xybot.model import AccountId, UserId
from xybot.store.database import Store


@attrs.frozen(kw_only=True)
class Shared:
    """Made once for an account; outlives its connections."""

    account: AccountId
    user: UserId
    """The account's own id on the platform."""
    store: Store
    chronicle: Chronicle
    patience: Callable[[], Patience]
    """The settings of the moment."""
    now_ms: Callable[[], int]
    """Milliseconds by the platform's clock, which everything that is stored goes by."""
    echoes: Echoes = attrs.Factory(Echoes)
    hints: Hints = attrs.Factory(Hints)
    trades: Doorbell = attrs.Factory(Doorbell)
    """Rung when something of an order has changed."""
