"""What others ask of a running account: rows that they changed, and a ring.

A console, an API or another process never reaches into an account.  It changes the store and
rings; what is read here is what the store says then, so a lost or doubled ring does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

import attrs

from xybot.accounts.chats import Chats
from xybot.accounts.shared import Shared
from xybot.doorbell import Doorbell
from xybot.model import AccountId, ChatId
from xybot.store import accounts
from xybot.store import chats as taken
from xybot.store.database import Database


@attrs.frozen(kw_only=True)
class Standing:
    """What the store wants of an account."""

    paused: Mapping[ChatId, int]
    """The chats to keep out of, and until when (ms)."""
    redials: int
    """How often a new connection was asked for."""


def standing(db: Database, account: AccountId, *, now: int) -> Standing:
    """Return what the store wants of an account now (ms)."""
    return Standing(
        paused=taken.paused(db, account, now=now), redials=accounts.redials(db, account)
    )


@attrs.frozen(kw_only=True)
class Wishes:
    """Follows what is asked of one account, for as long as it runs."""

    shared: Shared
    bell: Doorbell
    """Rung by whoever changed something."""
    sender: Doorbell
    """Rung when there may be something to say."""
    reconnect: Callable[[], None]

    async def standing(self) -> Standing:
        """Return what the store wants of the account."""
        shared = self.shared
        return await shared.store.insist(standing, shared.account, now=shared.now_ms())

    async def follow(self, begun: Standing, chats: Chats) -> NoReturn:
        """Do what is asked for, as it is asked for."""
        redials = begun.redials
        while True:
            await self.bell.wait()
            now = await self.standing()
            _pause(chats, now.paused)
            self.sender.ring()
            self.shared.trades.ring()
            if now.redials != redials:
                redials = now.redials
                self.reconnect()


def _pause(chats: Chats, paused: Mapping[ChatId, int]) -> None:
    """Have chats paused as they should be; what is in preparation there starts over."""
    for chat in chats.paused.keys() - paused.keys():
        chats.pause(chat, 0)
    for chat, until in paused.items():
        if chats.paused.get(chat) != until:
            chats.pause(chat, until)
            chats.start_over(chat)
