"""What the web side knows of the bot: a few things to look at, and a bell to ring.

It never reaches into an account.  It changes the store and rings; the account does the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs

from xybot.chronicle import Chronicle
from xybot.config import AccountConfig, Loaded
from xybot.config.editing import Edit
from xybot.events import AccountStatus
from xybot.model import AccountId, Decision, Turn
from xybot.store.database import Store
from xybot.web.stream import Stream


@attrs.frozen(kw_only=True)
class House:
    """Made by whoever runs the bot."""

    chronicle: Chronicle
    loaded: Callable[[], Loaded]
    """The settings in force."""
    status: Callable[[AccountId], AccountStatus]
    """The last change of an account's connection."""
    ring: Callable[[AccountId], None]
    """Has an account look at what the store says of it now."""
    clock: Callable[[], int]
    """The platform's clock (ms), which all that is stored goes by."""
    uuid: Callable[[], str]
    """Makes a name for a message of ours."""
    rehearse: Callable[[Turn, bool], Awaitable[Decision]]
    """Decides what would be said, without storing it; asks outside services only if told to."""
    change: Callable[[Edit], Awaitable[bool]]
    """Edits the settings as they stand on disk, and has them take effect at once.

    False: there was nothing to be done.  Raises ConfigError when they cannot be used; nothing is
    written then."""
    now_ms: Callable[[], int]
    """The clock of this machine."""
    stream: Stream = attrs.Factory(lambda house: Stream(house.chronicle), takes_self=True)
    """What happens, for those who listen."""

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.chronicle.store

    @property
    def data(self) -> Path:
        """The folder of everything that the program keeps."""
        return self.loaded().database.parent

    def account(self, id_: str) -> AccountConfig | None:
        """Return what bot.toml says of an account, None when it has no such account."""
        return next((each for each in self.loaded().config.accounts if each.id == id_), None)
