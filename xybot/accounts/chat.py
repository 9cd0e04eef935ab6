"""One conversation: wait until the buyer falls silent, then answer once.

The quiet period and the search for a reply run under one cancel scope.  A new line
cancels it, and the chat starts over with one line more in its turn.  Storing the answer is
the point of no return: a transaction, once begun, is not cancellable, and leaves the scope
with nothing left to cancel.  So an answer is never half given, and never given twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from typing import Protocol

import attrs
import structlog
import trio

from xybot.errors import AttentionRequired, StoreUnavailable
from xybot.model import AccountId, ChatId, Message, MessageId, Turn

log = structlog.get_logger()


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
    toggle_word: str = ""
    """What the seller writes to switch the bot off and on in a chat; empty: nothing does."""
    message_expiry: float = 300
    """After so long a line, or a reply that could not be said, is left to the seller."""
    catch_up_every: float = 120
    send_pace: float = 0
    """From one message of the account to its next."""
    thinking: int = 32
    """How many chats look for a reply at the same time."""
    max_failures: int = 5
    """Bad ends in a row after which the seller is told."""


class Answering(Protocol):
    """What a chat does with a turn; both store its outcome before they return."""

    async def answer(self, turn: Turn) -> Set[MessageId]:
        """Answer a turn, or decide not to; return the lines that need no answer any more.

        Not all of them, when somebody else dealt with some meanwhile: the others are a turn of
        their own.
        """

    async def give_up(self, turn: Turn, reason: str) -> None:
        """Close a turn whose answer broke."""


@attrs.define(eq=False)
class Chat:
    """Lives while there is something to answer; `Chats` starts and forgets it."""

    account: AccountId
    id: ChatId
    patience: Callable[[], Patience]
    answering: Answering
    thinking: trio.CapacityLimiter
    _pending: dict[MessageId, Message] = attrs.field(factory=dict, init=False)
    _answer_by: float = attrs.field(default=0, init=False)
    _waiting: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    def put(self, message: Message) -> None:
        """Add a buyer's line to the turn, once, and restart the quiet period."""
        if message.id in self._pending:
            return
        if not self._pending:
            self._answer_by = trio.current_time() + self.patience().debounce_max
        self._pending[message.id] = message
        if trio.current_time() < self._answer_by:
            self._waiting.cancel()

    def drop(self, lines: Set[MessageId]) -> None:
        """Take lines out of the turn: they need no answer any more."""
        self._forget(lines)
        self._waiting.cancel()

    async def run(self) -> None:
        """Answer until nothing is left to answer."""
        while self._pending:
            with trio.CancelScope() as self._waiting:
                if quiet := self.patience().debounce:
                    quiet_until = trio.current_time() + quiet
                    await trio.sleep_until(min(quiet_until, self._answer_by))
                async with self.thinking:
                    await self._answer(self._turn())

    async def _answer(self, turn: Turn) -> None:
        done: Set[MessageId] = {message.id for message in turn.messages}
        try:
            done = await self.answering.answer(turn)
        except StoreUnavailable:
            raise  # The store is closed, and so are we; the turn is in the inbox.
        except AttentionRequired:
            raise  # The whole account needs its seller; the turn waits in the inbox.
        except Exception as exc:
            # A chat is a failure domain: what breaks one answer stops no other chat.
            log.exception("chat.failed", account=self.account, chat=self.id)
            await self.answering.give_up(turn, f"{type(exc).__name__}: {exc}")
        # Lines that came during the last transaction are the next turn.
        self._forget(done)
        self._answer_by = trio.current_time() + self.patience().debounce_max

    def _turn(self) -> Turn:
        return Turn(account=self.account, chat=self.id, messages=tuple(self._pending.values()))

    def _forget(self, lines: Iterable[MessageId]) -> None:
        for id_ in lines:
            self._pending.pop(id_, None)
