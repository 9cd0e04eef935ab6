"""The chats of an account that have something to answer: so many at a time, and no more.

A line that finds no room stays where it is, in the inbox; when chats have ended, those that
have waited longest are opened from there.  As long as any waits there, no other chat is
opened past it, so nobody is overtaken, and a flood of messages takes no more memory than
the chats that are open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from typing import Final, NoReturn, TypeAlias

import attrs
import trio

from xybot.accounts.chat import Answering, Chat, Patience
from xybot.doorbell import Doorbell
from xybot.model import AccountId, ChatId, Message, MessageId

MOST: Final = 1000
"""Chats of one account that are open at the same time."""

Load: TypeAlias = Callable[[Set[ChatId], int], Awaitable[tuple[Message, ...]]]
"""Returns all open lines of so many chats, those left out that are named."""


@attrs.define(eq=False)
class Chats:
    """Opens, and forgets, the chats of one account."""

    account: AccountId
    patience: Callable[[], Patience]
    answering: Answering
    _nursery: trio.Nursery
    paused: dict[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller took over, and until when (ms)."""
    most: int = MOST
    _open: dict[ChatId, Chat] = attrs.field(factory=dict, init=False)
    _thinking: trio.CapacityLimiter = attrs.field(init=False)
    _left: bool = attrs.field(default=False, init=False)
    """Whether open lines of closed chats are in the inbox."""
    _came: bool = attrs.field(default=False, init=False)
    """Whether such a line came since the inbox was last read."""
    _room: Doorbell = attrs.field(factory=Doorbell, init=False)

    def __attrs_post_init__(self) -> None:
        self._thinking = trio.CapacityLimiter(self.patience().thinking)

    def pause(self, chat: ChatId, until: int) -> None:
        """Keep out of a chat until then (ms); 0 is the end of it."""
        if until:
            self.paused[chat] = until
        else:
            self.paused.pop(chat, None)

    def drop(self, chat: ChatId, lines: Set[MessageId]) -> None:
        """Forget lines that need no answer any more, and what was in preparation for them."""
        if chat in self._open:
            self._open[chat].drop(lines)

    def start_over(self, chat: ChatId) -> None:
        """Have a chat decide anew on what it has in preparation."""
        if chat in self._open:
            self._open[chat].drop(frozenset())

    def put(self, message: Message) -> None:
        """Hand a line to its chat, starting the chat if there is room; never waits."""
        chat = self._open.get(message.chat)
        if chat is not None:
            chat.put(message)
        elif self._left or len(self._open) >= self.most:
            self._left = self._came = True
        else:
            self._start(message)

    def _start(self, message: Message) -> None:
        self._thinking.total_tokens = self.patience().thinking
        chat = Chat(self.account, message.chat, self.patience, self.answering, self._thinking)
        self._open[message.chat] = chat
        chat.put(message)
        self._nursery.start_soon(self._run, chat, name=f"chat {chat.id}")

    async def _run(self, chat: Chat) -> None:
        try:
            await chat.run()
        finally:
            del self._open[chat.id]
            if self._left and len(self._open) <= self.most // 2:
                self._room.ring()

    async def feed(self, load: Load) -> NoReturn:
        """Open chats for what waits in the inbox, as there is room; earlier runs' lines first."""
        self._left = True
        while True:
            while self._left and (room := self.most - len(self._open)) > 0:
                await self._fill(load, room)
            await self._room.wait()

    async def _fill(self, load: Load, room: int) -> None:
        self._came = False
        waiting = await load(frozenset(self._open), room)
        self._left = self._came or len({message.chat for message in waiting}) >= room
        for message in waiting:
            if message.chat in self._open:
                self._open[message.chat].put(message)
            else:
                self._start(message)
