"""One account, kept on line: connect, serve, back off, connect again.

Connection, heartbeat, receive and send hang on one cancel scope.  Any end of any of them
is the end of all, and is followed by a pause, a clean close included; so there is no way
for an account to stand there with half of its tasks alive.  Chats hang on the account: what
they think out while the line is down goes to the outbox, and is said when it is back.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs
import trio

from xybot.accounts.answer import Answerer, Decide
from xybot.accounts.backoff import Backoff
from xybot.accounts.chat import Chats, Patience
from xybot.accounts.clock import PlatformClock
from xybot.accounts.doorbell import Doorbell
from xybot.accounts.echoes import Echoes
from xybot.accounts.receive import Receiver
from xybot.accounts.send import Sender
from xybot.accounts.status import Status
from xybot.errors import TokenExpired, TransientError, first_error
from xybot.events import EventFeed
from xybot.model import AccountId, AccountState, ChatId
from xybot.store import chats as taken
from xybot.store import inbox
from xybot.store.database import Store
from xybot.wire import requests
from xybot.wire.ids import Ids
from xybot.xianyu import api
from xybot.xianyu.connection import Connection, Dial, open_connection
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.register import register


@attrs.define(eq=False, kw_only=True)
class Account:
    """What the tasks of one account share."""

    id: AccountId
    store: Store
    feed: EventFeed
    status: Status
    mtop: Mtop
    dial: Dial
    ids: Ids
    decide: Decide
    patience: Callable[[], Patience]
    now_ms: Callable[[], int]
    rng: random.Random
    _clock: PlatformClock = attrs.field(init=False)
    _backoff: Backoff = attrs.field(init=False)
    _bell: Doorbell = attrs.field(factory=Doorbell, init=False)
    _connected: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _receiver: Receiver = attrs.field(init=False)
    _sender: Sender = attrs.field(init=False)
    _answerer: Answerer = attrs.field(init=False)
    _paused: dict[ChatId, int] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        user, echoes = self.mtop.session.user, Echoes()
        self._clock = PlatformClock(self.now_ms)
        self._receiver = Receiver(
            account=self.id,
            user=user,
            store=self.store,
            feed=self.feed,
            patience=self.patience,
            echoes=echoes,
            now_ms=self.now_ms,
        )
        self._sender = Sender(
            account=self.id,
            user=user,
            store=self.store,
            feed=self.feed,
            bell=self._bell,
            echoes=echoes,
            platform_ms=self._clock.now_ms,
            now_ms=self.now_ms,
        )
        self._backoff = Backoff(self.rng, patience=self.patience().max_failures)
        self._answerer = Answerer(
            store=self.store,
            feed=self.feed,
            ids=self.ids,
            decide=self.decide,
            bell=self._bell,
            platform_ms=self._clock.now_ms,
            now_ms=self.now_ms,
            paused=self._paused,
        )

    async def run(self) -> None:
        """Stay on line until cancelled.

        Raises:
          AttentionRequired: the account needs its seller; perhaps within an exception group.
        """
        self.status.change(AccountState.CONNECTING, "启动 (starting)")
        async with trio.open_nursery() as nursery:
            chats = Chats(self.id, self.patience, self._answerer, nursery, self._paused)
            self._paused |= await self.store.transact(taken.paused, self.id, now=self.now_ms())
            for message in await self.store.transact(inbox.still_open, self.id):
                chats.put(message)
            while True:
                await self._one_connection(chats)

    async def _one_connection(self, chats: Chats) -> None:
        """Connect, serve until the end, and pause; a planned end needs no pause."""
        ended = "连接正常结束 (closed)"
        with trio.CancelScope() as self._connected:
            try:
                await self._connect_and_serve(chats)
            except* TokenExpired as group:
                ended = str(first_error(group))
                await api.forget_token(self.mtop)
            except* TransientError as group:
                ended = str(first_error(group))
        if self._connected.cancelled_caught:
            self.status.change(AccountState.RECONNECTING, "更换令牌 (renewing the token)")
        else:
            await self._pause(ended)

    async def _pause(self, ended: str) -> None:
        delay, failures = next(self._backoff), self._backoff.failures
        if self.status.state is not AccountState.FAILED:  # Its seller is told once.
            if failures >= self.patience().max_failures:
                needed = f"连续失败 {failures} 次，请检查网络 (failing, still trying): {ended}"
                self.status.change(AccountState.FAILED, needed, next_try=delay)
            else:
                self.status.change(AccountState.RECONNECTING, ended, next_try=delay)
        await trio.sleep(delay)

    async def _connect_and_serve(self, chats: Chats) -> None:
        token = await api.im_token(self.mtop)
        session, within = self.mtop.session, self.patience().heartbeat_timeout
        async with open_connection(self.dial, self.ids) as line, trio.open_nursery() as nursery:
            at = await register(line, token, session.device, session.user, within=within)
            self._clock.set(at)
            # A token is good for so long; a fresh one needs a fresh connection.
            left = (token.good_until - self.now_ms()) / 1000
            self._connected.deadline = trio.current_time() + max(left, 1)
            nursery.start_soon(
                self._receiver.serve, line, chats, self._backoff.reset, name="receive"
            )
            await line.wait_ready()
            self.status.change(AccountState.CONNECTED, "")
            nursery.start_soon(self._heartbeat, line, name="heartbeat")
            nursery.start_soon(self._sender.serve, line, self._backoff.reset, name="send")

    async def _heartbeat(self, line: Connection) -> None:
        while True:
            patience = self.patience()
            await trio.sleep(patience.heartbeat_interval)
            await line.request(requests.heartbeat(), within=patience.heartbeat_timeout)
            self._backoff.reset()
