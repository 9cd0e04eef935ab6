"""One conversation: wait until the buyer falls silent, then answer once.

The quiet period and the search for a reply run under one cancel scope.  A new line
cancels it, and the chat starts over with one line more in its turn.  Storing the answer is
the point of no return: a transaction, once begun, is not cancellable, and leaves the scope
with nothing left to cancel.  So an answer is never half given, and never given twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import attrs
import structlog
import trio

from xybot.errors import StoreUnavailable
from xybot.model import AccountId, ChatId, Message, Turn

log = structlog.get_logger()

_STORE_AGAIN: Final = 5.0
"""Seconds until a turn that could not be stored is tried again."""


@attrs.frozen(kw_only=True)
class Patience:
    """What the tasks of an account wait for, in seconds; read anew at every use."""

    debounce: float = 3
    """Silence that ends a buyer's turn; 0 answers at once."""
    debounce_max: float = 30
    """After so long we answer, silence or not."""
    heartbeat_interval: float = 15
    heartbeat_timeout: float = 10
    manual_pause: float = 600
    """How long the bot keeps out of a chat after the seller wrote in it by hand."""
    max_failures: int = 5
    """Bad ends in a row after which the seller is told."""


class Answering(Protocol):
    """What a chat does with a turn; both store its outcome before they return."""

    async def answer(self, turn: Turn) -> None:
        """Answer a turn, or decide not to."""

    async def give_up(self, turn: Turn, reason: str) -> None:
        """Close a turn whose answer broke."""


@attrs.define(eq=False)
class Chat:
    """Lives while there is something to answer; `Chats` starts and forgets it."""

    account: AccountId
    id: ChatId
    patience: Callable[[], Patience]
    answering: Answering
    _pending: list[Message] = attrs.field(factory=list, init=False)
    _answer_by: float = attrs.field(default=0, init=False)
    _waiting: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    def put(self, message: Message) -> None:
        """Add a buyer's line to the turn and restart the quiet period."""
        if not self._pending:
            self._answer_by = trio.current_time() + self.patience().debounce_max
        self._pending.append(message)
        if trio.current_time() < self._answer_by:
            self._waiting.cancel()

    def stand_down(self) -> None:
        """Drop the turn: the seller has answered by hand."""
        self._pending.clear()
        self._waiting.cancel()

    async def run(self) -> None:
        """Answer until nothing is left to answer."""
        while self._pending:
            with trio.CancelScope() as self._waiting:
                if quiet := self.patience().debounce:
                    quiet_until = trio.current_time() + quiet
                    await trio.sleep_until(min(quiet_until, self._answer_by))
                await self._answer(self._turn())

    async def _answer(self, turn: Turn) -> None:
        try:
            await self.answering.answer(turn)
        except StoreUnavailable:
            # Nothing was stored, so nothing is lost: the turn stays, and is tried again.
            await trio.sleep(_STORE_AGAIN)
            return
        except Exception as exc:
            # A chat is a failure domain: what breaks one answer stops no other chat.
            log.exception("chat.failed", account=self.account, chat=self.id)
            await self.answering.give_up(turn, f"{type(exc).__name__}: {exc}")
        # Lines that came during the last transaction are the next turn.
        self._pending = [each for each in self._pending if each not in turn.messages]
        self._answer_by = trio.current_time() + self.patience().debounce_max

    def _turn(self) -> Turn:
        return Turn(account=self.account, chat=self.id, messages=tuple(self._pending))


@attrs.define(eq=False)
class Chats:
    """The chats of one account that have something to answer."""

    account: AccountId
    patience: Callable[[], Patience]
    answering: Answering
    _nursery: trio.Nursery
    paused: dict[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller answers by hand, and until when (ms)."""
    _open: dict[ChatId, Chat] = attrs.field(factory=dict, init=False)

    def stand_down(self, chat: ChatId, until: int) -> None:
        """Keep out of a chat until then (ms); what was in preparation there is dropped."""
        self.paused[chat] = until
        if chat in self._open:
            self._open[chat].stand_down()

    def put(self, message: Message) -> None:
        """Hand a line to its chat, starting the chat if need be; never waits."""
        if chat := self._open.get(message.chat):
            chat.put(message)
            return
        chat = Chat(self.account, message.chat, self.patience, self.answering)
        self._open[message.chat] = chat
        chat.put(message)
        self._nursery.start_soon(self._run, chat, name=f"chat {chat.id}")

    async def _run(self, chat: Chat) -> None:
        try:
            await chat.run()
        finally:
            del self._open[chat.id]
