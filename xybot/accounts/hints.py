"""What pushes only hint at: that there is more than they say."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from xybot.doorbell import Doorbell
from xybot.model import ChatId


@attrs.define(eq=False)
class Hints:
    """Kept until somebody looks after them."""

    bell: Doorbell = attrs.Factory(Doorbell)
    """Rung when there is a new one."""
    _chats: dict[ChatId, None] = attrs.field(factory=dict, init=False)
    _too_long: bool = attrs.field(default=False, init=False)

    def look_into(self, chats: Iterable[ChatId]) -> None:
        """Note chats in which something was said that was not pushed."""
        new = dict.fromkeys(chats)
        if new:
            self._chats.update(new)
            self.bell.ring()

    def too_long(self) -> None:
        """Note that the platform does not push all that we missed (§1.6, `syncExtraType`)."""
        self._too_long = True
        self.bell.ring()

    @property
    def is_too_long(self) -> bool:
        """Tell whether pushes were left out."""
        return self._too_long

    def take_chats(self) -> list[ChatId]:
        """Return, and forget, the chats to look into."""
        chats = list(self._chats)
        self._chats.clear()
        return chats

    def take_too_long(self) -> bool:
        """Tell whether pushes were left out, and forget it."""
        told, self._too_long = self._too_long, False
        return told
