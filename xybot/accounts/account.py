"""One account, kept on line: connect, serve, back off, connect again.

Connection, heartbeat, receive and send hang on one cancel scope.  Any end of any of them
is the end of all, and is followed by a pause, a clean close included; so there is no way
for an account to stand there with half of its tasks alive.  Chats hang on the account: what
they think out while the line is down goes to the outbox, and is said when it is back.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Set
from typing import Final, NoReturn, TypeAlias

import attrs
import trio

from xybot.accounts.answer import Answerer, Decide
from xybot.accounts.backoff import Backoff
from xybot.accounts.catchup import CatchUp
from xybot.accounts.chat import Patience
from xybot.accounts.chats import Chats
from xybot.accounts.clock import PlatformClock
from xybot.accounts.past import Past
from xybot.accounts.pictures import Album, Pictures
from xybot.accounts.receive import Receiver
from xybot.accounts.send import Sender
from xybot.accounts.shared import Shared
from xybot.accounts.status import Status
from xybot.accounts.wishes import Wishes
from xybot.chronicle import Chronicle
from xybot.doorbell import Doorbell
from xybot.errors import Cause, TokenExpired, TransientError, cause_of, first_error
from xybot.model import AccountId, AccountState, ChatId, Message
from xybot.store import gaps, inbox
from xybot.store.database import Store
from xybot.store.gaps import Ended
from xybot.wire import requests
from xybot.wire.ids import Ids
from xybot.xianyu import api
from xybot.xianyu.connection import Connection, Dial, open_connection
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.register import register

_RENEWAL: Final = (Cause.RENEWAL, "更换令牌 (renewing the token)")
_REDIAL: Final = (Cause.REDIAL, "您要求重新连接 (as you asked: connecting anew)")


Deliver: TypeAlias = Callable[[Doorbell, Doorbell], Awaitable[NoReturn]]
"""Delivers what was paid for: the first is rung when an order has changed, the second by it when
there is something to say."""
Reconcile: TypeAlias = Callable[[Doorbell, Doorbell], Awaitable[NoReturn]]
"""Compares the platform's orders with ours: the first is rung when the line is back, the second
by it when an order has changed."""


@attrs.define(eq=False, kw_only=True)
class Account:
    """What the tasks of one account share."""

    id: AccountId
    chronicle: Chronicle
    status: Status
    mtop: Mtop
    album: Album
    dial: Dial
    ids: Ids
    decide: Decide
    deliver: Deliver
    reconcile: Reconcile
    patience: Callable[[], Patience]
    now_ms: Callable[[], int]
    clock: PlatformClock
    """What time it is for the platform; kept over runs of the account."""
    rng: random.Random
    summons: Doorbell = attrs.Factory(Doorbell)
    """Rung by whoever changed what the store says of this account."""
    _backoff: Backoff = attrs.field(init=False)
    _bell: Doorbell = attrs.field(factory=Doorbell, init=False)
    _back: Doorbell = attrs.field(factory=Doorbell, init=False)
    """Rung when what was said in a gap has been read back."""
    _connected: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _shared: Shared = attrs.field(init=False)
    _receiver: Receiver = attrs.field(init=False)
    _catch_up: CatchUp = attrs.field(init=False)
    _sender: Sender = attrs.field(init=False)
    _answerer: Answerer = attrs.field(init=False)
    _wishes: Wishes = attrs.field(init=False)
    _paused: dict[ChatId, int] = attrs.field(factory=dict, init=False)
    _ended: Ended = attrs.field(init=False)
    """How the last line ended; a gap began with it."""
    _planned: tuple[Cause, str] = attrs.field(default=_RENEWAL, init=False)
    """What it means when the scope of the connection is cancelled."""
    _good_at: int | None = attrs.field(default=None, init=False)
    """When the present line was last known to work, by the platform's clock (ms)."""

    def __attrs_post_init__(self) -> None:
        shared = self._shared = Shared(
            account=self.id,
            user=self.mtop.session.user,
            store=self.store,
            chronicle=self.chronicle,
            patience=self.patience,
            now_ms=self.clock.now_ms,
        )
        self._receiver = Receiver(shared)
        self._catch_up = CatchUp(shared, self._receiver)
        pictures = Pictures(shared, self.mtop, self.album)
        self._sender = Sender(shared, self._receiver, self._bell, pictures)
        self._backoff = Backoff(self.rng, patience=self.patience().max_failures)
        self._answerer = Answerer(
            chronicle=self.chronicle,
            ids=self.ids,
            decide=self.decide,
            bell=self._bell,
            now_ms=self.clock.now_ms,
            paused=self._paused,
        )
        self._wishes = Wishes(
            shared=shared, bell=self.summons, sender=self._bell, reconnect=self._redial
        )

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.chronicle.store

    async def run(self) -> None:
        """Stay on line until cancelled.

        Raises:
          AttentionRequired: the account needs its seller; perhaps within an exception group.
        """
        # What ended an earlier run of it: it was parked, or switched off, or crashed.
        before = self.status.cause or Cause.STARTED
        self._ended = Ended(
            at=None, cause=before.value, because=self.status.reason or "程序启动 (started)"
        )
        self.status.change(AccountState.CONNECTING, "启动 (starting)", cause=Cause.STARTED)
        async with trio.open_nursery() as nursery:
            chats = Chats(self.id, self.patience, self._answerer, nursery, self._paused)
            begun = await self._wishes.standing()
            self._paused |= begun.paused
            nursery.start_soon(self._wishes.follow, begun, chats, name="wishes")
            nursery.start_soon(chats.feed, self._load, name="inbox")
            nursery.start_soon(self.deliver, self._shared.trades, self._bell, name="goods")
            nursery.start_soon(self.reconcile, self._back, self._shared.trades, name="orders")
            while True:
                await self._one_connection(chats)

    async def _load(self, busy: Set[ChatId], most: int) -> tuple[Message, ...]:
        return await self.store.insist(inbox.still_open, self.id, busy, most=most)

    async def _one_connection(self, chats: Chats) -> None:
        """Connect, serve until the end, and pause; a planned end needs no pause."""
        self._planned = _RENEWAL
        cause, words = self._planned
        with trio.CancelScope() as self._connected:
            try:
                await self._connect_and_serve(chats)
            except* TokenExpired as group:
                cause, words = cause_of(group), str(first_error(group))
                await api.forget_token(self.mtop)
            except* TransientError as group:
                cause, words = cause_of(group), str(first_error(group))
        if self._connected.cancelled_caught:
            cause, words = self._planned
        if self._good_at is not None:
            self._ended = Ended(at=self._good_at, cause=cause.value, because=words)
            self._good_at = None
        if self._connected.cancelled_caught:
            self.status.change(AccountState.RECONNECTING, words, cause=cause)
        else:
            await self._pause(cause, words)

    async def _pause(self, cause: Cause, words: str) -> None:
        delay, failures = next(self._backoff), self._backoff.failures
        if self.status.state is not AccountState.FAILED:  # Its seller is told once.
            state = AccountState.RECONNECTING
            if failures >= self.patience().max_failures:
                state = AccountState.FAILED
                words = f"连续失败 {failures} 次，请检查网络 (failing, still trying): {words}"
            self.status.change(state, words, cause=cause, next_try=delay)
        with trio.CancelScope() as self._connected:
            await trio.sleep(delay)

    def _redial(self) -> None:
        """Connect anew, at once."""
        self._planned = _REDIAL
        self._connected.cancel()

    async def _connect_and_serve(self, chats: Chats) -> None:
        # Who cannot store must not ask for messages, nor spend a token call.
        await self.store.transact(gaps.dialling, self.id, now=self.now_ms())
        token = await api.im_token(self.mtop)
        session, within = self.mtop.session, self.patience().heartbeat_timeout
        async with open_connection(self.dial, self.ids) as line, trio.open_nursery() as nursery:
            at = await register(line, token, session.device, session.user, within=within)
            self.clock.set(at)
            # A token is good for so long; a fresh one needs a fresh connection.
            left = (token.good_until - self.now_ms()) / 1000
            self._connected.deadline = trio.current_time() + max(left, 1)
            now = self.clock.now_ms()
            self._receiver.gap = await self.store.transact(
                gaps.close_gap, self.id, self._ended, now=now
            )
            self._good_at = now
            nursery.start_soon(self._receiver.serve, line, chats, self._proven, name="receive")
            await line.wait_ready()
            self.status.change(AccountState.CONNECTED, "")
            nursery.start_soon(self._heartbeat, line, name="heartbeat")
            # First what was said while we were away: it may be that nothing is left to say.
            past = Past(line, session.user)
            await self._catch_up.run_once(past, chats)
            if self._receiver.gap is not None:
                self._back.ring()
            nursery.start_soon(self._catch_up.report, name="outage report")
            nursery.start_soon(self._catch_up.serve, past, chats, name="catch up")
            nursery.start_soon(self._sender.serve, line, past, chats, self._proven, name="send")

    def _proven(self) -> None:
        """Note that the line works."""
        self._backoff.reset()
        self._good_at = self.clock.now_ms()

    async def _heartbeat(self, line: Connection) -> None:
        while True:
            patience = self.patience()
            await trio.sleep(patience.heartbeat_interval)
            await line.request(requests.heartbeat(), within=patience.heartbeat_timeout)
            self._proven()
