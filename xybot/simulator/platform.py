"""The small Xianyu as a whole: in memory for tests, on loopback for a demo.

In memory::

    platform = Platform(now_ms=clock, rng=random.Random(1))
    account = platform.add_account("shop-a")
    platform.buyer_says(account, "小王", "在吗")
    async with platform.dial() as ws: ...
    httpx.AsyncClient(transport=httpx.ASGITransport(platform.http_app))
"""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property

import attrs
import trio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_http
from starlette.applications import Starlette
from trio_websocket import WebSocketConnection

from xybot.model import ChatId
from xybot.simulator import payloads, trade
from xybot.simulator.answers import Answers
from xybot.simulator.desk import Desks, Settings
from xybot.simulator.faults import Faults
from xybot.simulator.gate import Gate
from xybot.simulator.mtop import Gateway
from xybot.simulator.payloads import Entry
from xybot.simulator.trade import Wish
from xybot.simulator.world import Json, SimAccount, SimChat, SimMessage, SimOrder, World


@attrs.frozen
class Endpoints:
    """Where a simulator listens."""

    websocket: str
    gateway: str


@attrs.define(eq=False, slots=False)
class Platform:
    """Everything in one; `world` may be read and changed at will, but tells nobody."""

    now_ms: Callable[[], int]
    rng: random.Random
    settings: Settings = attrs.Factory(Settings)
    world: World = attrs.field(init=False)
    desks: Desks = attrs.field(init=False)
    gate: Gate = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Put the parts together."""
        self.world = World(self.now_ms, self.rng)
        self.desks = Desks(self.settings)
        self.gate = Gate(Answers(self.world, self.desks))

    @cached_property
    def http_app(self) -> Starlette:
        """The gateway as an ASGI application."""
        return Gateway(self.world, self.desks).app()

    def add_account(self, id_: str, *, item: str = "九成新蓝牙耳机") -> SimAccount:
        """Open an account with one thing for sale."""
        account = self.world.add_account(id_)
        self.desks.add(account)
        self.world.add_item(account.user, item)
        return account

    def faults(self, account: SimAccount) -> Faults:
        """Return the switches of an account."""
        return Faults(self.world, self.desks.of(account))

    def dial(
        self,
        headers: Sequence[tuple[bytes, bytes]] = (),
        *,
        account: SimAccount | None = None,
        resource: str = "/",
    ) -> AbstractAsyncContextManager[WebSocketConnection]:
        """Open a websocket in memory; see `Gate.dial`."""
        return self.gate.dial(headers, account=account, resource=resource)

    def chat(self, account: SimAccount, buyer: str) -> SimChat:
        """Return the chat of that id, or the chat of the buyer of that name, new or known."""
        known = self.world.chats.get(ChatId(buyer))
        if known is not None:
            return known
        first = self.world.items_of[account.user_id][0]
        return self.world.open_chat(first, self.world.add_user(buyer))

    # What buyers do.  `chat` is a chat, its id, or the name of a buyer.

    def buyer_says(
        self, account: SimAccount, chat: SimChat | str, text: str, *, platform: str = "ios"
    ) -> SimMessage:
        """Let a buyer write; the account hears of it as soon as it is on line."""
        where = self._chat(account, chat)
        said = self.world.say(where, where.peer(account.user_id), text, platform)
        self.desks.tell(self.world, said)
        return said

    def buyer_shows(self, account: SimAccount, chat: SimChat | str, url: str) -> SimMessage:
        """Let a buyer send a picture."""
        where = self._chat(account, chat)
        said = self.world.show(where, where.peer(account.user_id), url)
        self.desks.tell(self.world, said)
        return said

    def seller_says(self, account: SimAccount, chat: SimChat | str, text: str) -> SimMessage:
        """Let the seller answer by hand, on the phone."""
        said = self.world.say(self._chat(account, chat), account.user, text, "ios")
        self.desks.tell(self.world, said)
        return said

    def buyer_types(self, account: SimAccount, chat: SimChat | str, *, started: bool) -> None:
        """Show that a buyer types; lost when the account is off line."""
        entry = payloads.typing(self._chat(account, chat), account.user_id, started=started)
        self.desks.of(account).mention(entry)

    def buyer_reads(self, account: SimAccount, chat: SimChat | str) -> None:
        """Let a buyer read all that was said to them: receipts come, one or a batch."""
        where = self._chat(account, chat)
        unread = [m for m in where.messages if m.sender is account.user and not m.read]
        for each in unread:
            each.read = True
        now = self.now_ms()
        if len(unread) == 1:
            self._push(account, payloads.receipt(unread[0], now))
        elif unread:
            self._push(account, payloads.receipts(unread, now))

    def buyer_recalls(self, account: SimAccount, said: SimMessage) -> None:
        """Let a buyer take a message back."""
        said.recalled = True
        self._push(account, payloads.recall(said, self.now_ms()))

    # Orders.  In a chat in which the account is the buyer they are what it buys itself.

    def buyer_orders(
        self, account: SimAccount, chat: SimChat | str, quantity: int = 1, **more: Json
    ) -> SimOrder:
        """Let a buyer order without paying yet; `more` are further fields of `trade.Wish`."""
        wish = Wish(quantity=quantity, **more)
        order, told = trade.place(self.world, self._chat(account, chat), wish)
        self._push(account, *told)
        return order

    def buyer_pays(self, account: SimAccount, order: SimOrder) -> None:
        """Let a buyer pay; a 小刀 then waits for the seller to skip those who would join."""
        self._push(account, *trade.pay(self.world, order))

    def buyer_closes(self, account: SimAccount, order: SimOrder) -> None:
        """Let a buyer give an order up before it is paid."""
        self._push(account, *trade.close(self.world, order))

    def seller_closes(self, account: SimAccount, order: SimOrder) -> None:
        """Let the seller close a paid order by hand: the money goes back."""
        self._push(account, *trade.close(self.world, order))

    def seller_ships(self, account: SimAccount, order: SimOrder) -> None:
        """Let the seller ship by hand, on the phone."""
        self._push(account, *trade.ship(self.world, order, by_hand=True))

    def buyer_confirms(self, account: SimAccount, order: SimOrder) -> None:
        """Let a buyer confirm that the goods came: the trade is complete."""
        self._push(account, *trade.confirm(self.world, order))

    def buyer_asks_refund(self, account: SimAccount, order: SimOrder) -> None:
        """Let a buyer want the money back."""
        self._push(account, *trade.ask_refund(self.world, order))

    def refund_agreed(self, account: SimAccount, order: SimOrder) -> None:
        """Let the seller agree: the money goes back."""
        self._push(account, *trade.refund(self.world, order))

    def tip(self, account: SimAccount, chat: SimChat | str, words: str) -> SimMessage:
        """Let the platform write a grey line, which looks as if the buyer sent it."""
        said = trade.tip(self.world, self._chat(account, chat), words)
        self._push(account, payloads.message(said, account.user_id))
        return said

    def point(self, account: SimAccount, said: SimMessage) -> None:
        """Tell of a message without its body."""
        self._push(account, payloads.pointer(said))

    def _push(self, account: SimAccount, *entries: Entry) -> None:
        self.desks.of(account).push(*entries)

    def _chat(self, account: SimAccount, chat: SimChat | str) -> SimChat:
        return self.chat(account, chat) if isinstance(chat, str) else chat

    # What tests ask.

    def heard(self, account: SimAccount) -> list[tuple[float, ChatId, str]]:
        """Return what the account said: (trio time, chat, words)."""
        return account.heard

    def connects(self, account: SimAccount) -> list[float]:
        """Return when the account registered, by trio's clock."""
        return account.connects

    def unacknowledged(self, account: SimAccount) -> tuple[Entry, ...]:
        """Return the entries that the account has not confirmed."""
        return self.desks.of(account).unacknowledged

    def on_line(self, account: SimAccount) -> bool:
        """Tell whether a connection of the account is registered."""
        return self.desks.of(account).line is not None


@asynccontextmanager
async def open_platform(
    platform: Platform, *, ws_host: str = "127.0.0.1", ws_port: int = 0, http_port: int = 0
) -> AsyncIterator[Endpoints]:
    """Listen on real ports for as long as the block runs; both do when it begins.

    Raises:
      OSError: a port is taken.
    """
    gateway = _bound(ws_host, http_port)
    try:
        listeners = await trio.open_tcp_listeners(ws_port, host=ws_host)
    except OSError:
        gateway.close()
        raise
    host, port = gateway.getsockname()[:2]
    websocket = listeners[0].socket.getsockname()[1]
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, platform.gate.serve, listeners)
            await nursery.start(serve_http, platform.http_app, _config(gateway))
            yield Endpoints(f"ws://{ws_host}:{websocket}/", f"http://{host}:{port}")
            nursery.cancel_scope.cancel()
    except ExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None  # noqa: ASYNC123  # the group says nothing more
        raise


def _bound(host: str, port: int) -> socket.socket:
    """Bind here rather than in Hypercorn, where a taken port would be an exception group."""
    gateway = socket.socket()
    try:
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        gateway.bind((host, port))
    except OSError:
        gateway.close()
        raise
    return gateway


def _config(gateway: socket.socket) -> Config:
    """Configure Hypercorn to take the socket over."""
    config = Config()
    config.bind = [f"fd://{gateway.detach()}"]
    config.graceful_timeout = 0.5
    config.backlog = 2048  # A thousand accounts fetch their tokens at once.
    config.errorlog = config.accesslog = None
    return config
