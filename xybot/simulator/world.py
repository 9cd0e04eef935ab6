"""What the small Xianyu knows: accounts, buyers, items, chats, messages, orders; no I/O.

Assumptions about the platform:

* a message has a `.PNM` id and a hex id, both stable; `.PNM` numbers do not follow time
  (protocol.md §2.3, captures 57 and 60);
* a chat is one buyer and one item of one seller (protocol.md §3, `SingleChatConversation`:
  asking twice for the same pair gives the same chat; that the item tells two chats of a
  pair apart: unknown);
* no two messages of one chat share a millisecond (unknown; so a page of the history can be
  cut by `createAt` without a loss);
* a login is known by `cookie2`, whoever it is by `unb` (unknown; protocol.md §5 names neither).

Ids of people, items and chats follow from their names, so that a simulator that starts anew
still knows the cookies that it gave out before.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from xybot.model import AccountId, ChatId, ItemId, MessageId, OrderId, UserId

Json: TypeAlias = Any
"""Decoded JSON: anything at all until it was looked at."""
#: The lifetimes that the platform gives out, in milliseconds.
H5_LIFE: Final = 40 * 60 * 1000
TOKEN_LIFE: Final = 86_400_000
#: A chat keeps this many messages: a load test must not grow without bound.
HISTORY: Final = 1000


def made_digits(text: str, first: str, length: int) -> str:
    """Return `length` digits that begin with `first` and follow from `text`."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return first + str(number).zfill(20)[-(length - len(first)) :]


def made_hex(text: str) -> str:
    """Return 32 hex characters that follow from `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@attrs.define(eq=False, kw_only=True)
class SimUser:
    """A person on the platform."""

    id: UserId
    nick: str


@attrs.frozen(kw_only=True)
class SimSku:
    """A variant of a thing for sale."""

    id: str
    properties: Mapping[str, str]
    price: int
    """Fen."""
    quantity: int


@attrs.define(eq=False, kw_only=True)
class SimItem:
    """A thing for sale; the price is text, in yuan, as the platform writes it."""

    id: ItemId
    title: str
    price: str
    seller: UserId
    description: str = ""
    quantity: int = 1
    on_sale: bool = True
    skus: tuple[SimSku, ...] = ()


@attrs.frozen(kw_only=True)
class SimUpload:
    """A picture that an account uploaded."""

    url: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Grant:
    """An IM token: whose it is, and which device it is bound to."""

    token: str
    account: SimAccount
    device: str
    until_ms: int


@attrs.define(eq=False, kw_only=True)
class SimAccount:
    """An account of a seller who lets a bot work for them."""

    id: AccountId
    user: SimUser
    logins: int = 1
    """How often the seller logged in: each login makes the cookies of the last one worthless."""
    h5: dict[str, int] = attrs.Factory(dict)
    """The signing tokens that are good -> when they cease to be (ms)."""
    calls: Counter[str] = attrs.Factory(Counter)
    """How often each api was called, refused calls included."""
    heard: list[tuple[float, ChatId, str]] = attrs.Factory(list)
    """What the account said: (trio time, chat, words)."""
    connects: list[float] = attrs.Factory(list)
    """When the account registered, by trio's clock."""
    uuids: dict[str, SimMessage] = attrs.Factory(dict)
    """What was sent under which uuid."""
    uploads: list[SimUpload] = attrs.Factory(list)
    """The pictures that were uploaded."""
    has_shop: bool = True
    """Whether it may list what it sold."""

    @property
    def user_id(self) -> UserId:
        """The `unb` of the cookies."""
        return self.user.id

    @property
    def session(self) -> str:
        """The `cookie2` that is good now."""
        return made_hex(f"session {self.id} {self.logins}")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies a browser holds after the newest login, with a signing token if any is."""
        newest = max(self.h5.items(), key=lambda each: each[1], default=("0" * 32, 0))
        return {
            "unb": self.user.id,
            "tracknick": self.user.nick,
            "cookie2": self.session,
            "sgcookie": f"E100{made_hex(self.id)}",
            "_tb_token_": made_hex(f"tb {self.id}")[:13],
            "t": made_hex(f"t {self.id}"),
            "cna": made_hex(f"cna {self.id}")[:24],
            "_m_h5_tk": f"{newest[0]}_{newest[1]}",
            "_m_h5_tk_enc": made_hex(f"enc {newest[0]}"),
        }

    @property
    def cookie_text(self) -> str:
        """The cookies as a seller pastes them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@attrs.define(eq=False, kw_only=True)
class SimMessage:
    """One message: of a person, or a card or tip of the platform."""

    id: MessageId
    hex_id: str
    chat: SimChat
    sender: SimUser
    kind: int
    """The contentType (protocol.md §2.4)."""
    content: Mapping[str, Any]
    summary: str
    sent_at: int
    platform: str | None = None
    """`ios`, `android`, `web`; None for what the platform wrote."""
    extension: Mapping[str, str] = attrs.Factory(dict)
    """What this message has in its extension beyond the usual."""
    ext_json: Mapping[str, Any] = attrs.Factory(dict)
    """What a card or tip has in its `extJson` beyond the usual."""
    task: str | None = None
    read: bool = False
    recalled: bool = False

    @property
    def by_person(self) -> bool:
        """Tell what a person said from what the platform wrote."""
        return self.platform is not None


@attrs.define(eq=False, kw_only=True)
class SimChat:
    """A conversation of a buyer with the seller of an item."""

    id: ChatId
    item: SimItem
    seller: SimUser
    buyer: SimUser
    created_at: int
    changed_at: int
    messages: deque[SimMessage] = attrs.Factory(lambda: deque(maxlen=HISTORY))
    red_reminder: tuple[str, str] | None = None
    """(words, style) of the red line in the list of chats."""

    @property
    def address(self) -> str:
        """The id as the wire writes it."""
        return f"{self.id}@goofish"

    def peer(self, user: UserId) -> SimUser:
        """Return the other side."""
        return self.seller if user == self.buyer.id else self.buyer

    def unread(self, user: UserId) -> int:
        """Return how many messages this side has not read."""
        return sum(1 for each in self.messages if not each.read and each.sender.id != user)


@attrs.frozen(kw_only=True)
class Shipment:
    """That an order was said to be shipped."""

    at: int
    """Milliseconds since 1970."""
    by_hand: bool
    after: tuple[str, ...]
    """What the seller's side had said in the chat until then."""


@attrs.define(eq=False, kw_only=True)
class SimOrder:
    """An order, and the way it went."""

    id: OrderId
    chat: SimChat
    quantity: int
    created_at: int
    amount: int
    """What all of it costs, in fen."""
    sku: SimSku | None = None
    knife: bool = False
    """小刀: once it is paid, it waits for the seller to skip the others who would join."""
    paid_at: int | None = None
    shipment: Shipment | None = None
    card: SimMessage | None = None
    """The card in the chat that is edited when the order goes on."""
    steps: list[tuple[int, str]] = attrs.Factory(list)
    """When it became what."""

    @property
    def status(self) -> str:
        """One of 待付款, 待刀成, 待发货, 已发货, 交易成功, 交易关闭, 退款中, 退款成功."""
        return self.steps[-1][1] if self.steps else "待付款"

    def status_at(self, ms: int) -> str:
        """Return what it was at a time."""
        return next((status for at, status in reversed(self.steps) if at <= ms), "待付款")


@attrs.define(eq=False)
class World:
    """Everything there is, and the ways in which it changes; nobody is told of a change here."""

    now_ms: Callable[[], int]
    rng: random.Random
    accounts: dict[AccountId, SimAccount] = attrs.field(factory=dict, init=False)
    by_user: dict[UserId, SimAccount] = attrs.field(factory=dict, init=False)
    users: dict[UserId, SimUser] = attrs.field(factory=dict, init=False)
    items: dict[ItemId, SimItem] = attrs.field(factory=dict, init=False)
    items_of: dict[UserId, list[SimItem]] = attrs.field(factory=dict, init=False)
    chats: dict[ChatId, SimChat] = attrs.field(factory=dict, init=False)
    chats_of: dict[UserId, list[SimChat]] = attrs.field(factory=dict, init=False)
    orders: dict[OrderId, SimOrder] = attrs.field(factory=dict, init=False)
    tokens: dict[str, Grant] = attrs.field(factory=dict, init=False)
    _count: int = attrs.field(default=0, init=False)

    def add_account(self, id_: str, nick: str | None = None) -> SimAccount:
        """Open an account for a seller, with nothing for sale yet."""
        account = SimAccount(id=AccountId(id_), user=self.add_user(f"seller {id_}", nick or id_))
        self.accounts[account.id] = account
        self.by_user[account.user.id] = account
        self.renew_h5(account)
        return account

    def add_user(self, name: str, nick: str | None = None) -> SimUser:
        """Return the person of this name, new or known."""
        user = SimUser(id=UserId(made_digits(f"user {name}", "22", 13)), nick=nick or name)
        return self.users.setdefault(user.id, user)

    def add_item(
        self, seller: SimUser, title: str, price: str = "88.00", description: str = ""
    ) -> SimItem:
        """Put something up for sale; the same title of the same seller is the same item."""
        id_ = ItemId(made_digits(f"item {seller.id} {title}", "8", 12))
        item = SimItem(
            id=id_, title=title, price=price, seller=seller.id, description=description or title
        )
        if id_ in self.items:
            return self.items[id_]
        self.items[id_] = item
        self.items_of.setdefault(seller.id, []).append(item)
        return item

    def open_chat(self, item: SimItem, buyer: SimUser) -> SimChat:
        """Return the chat of a buyer about an item, new or known."""
        number = int(made_digits(f"chat {item.id} {buyer.id}", "5", 11))
        while (found := self.chats.get(ChatId(str(number)))) is not None:
            if found.item is item and found.buyer is buyer:
                return found
            number += 1
        seller, now = self.users[item.seller], self.now_ms()
        chat = SimChat(
            id=ChatId(str(number)),
            item=item,
            seller=seller,
            buyer=buyer,
            created_at=now,
            changed_at=now,
        )
        self.chats[chat.id] = chat
        self.chats_of.setdefault(seller.id, []).append(chat)
        self.chats_of.setdefault(buyer.id, []).append(chat)
        return chat

    def say(self, chat: SimChat, sender: SimUser, text: str, platform: str = "ios") -> SimMessage:
        """Write words into a chat."""
        content: dict[str, Any] = {"contentType": 1, "text": {"text": text}}
        if platform != "web":
            content = {"atUsers": [], **content}
        return self.write(chat, sender, kind=1, content=content, summary=text, platform=platform)

    def show(
        self, chat: SimChat, sender: SimUser, url: str, width: int = 1080, height: int = 1920
    ) -> SimMessage:
        """Put a picture into a chat."""
        picture = {"height": height, "type": 0, "url": url, "width": width}
        content = {"atUsers": [], "contentType": 2, "image": {"pics": [picture]}}
        return self.write(
            chat, sender, kind=2, content=content, summary="[图片]", platform="android"
        )

    def write(
        self,
        chat: SimChat,
        sender: SimUser,
        *,
        kind: int,
        content: Mapping[str, Any],
        summary: str,
        **more: Json,
    ) -> SimMessage:
        """Add any message to a chat; `more` are further fields of `SimMessage`."""
        last = chat.messages[-1].sent_at if chat.messages else 0
        number = self.number()
        message = SimMessage(
            id=MessageId(f"{number}.PNM"),
            hex_id=f"{self.rng.getrandbits(96):024x}{number & 0xFFFFFFFF:08x}",
            chat=chat,
            sender=sender,
            kind=kind,
            content=content,
            summary=summary,
            sent_at=max(self.now_ms(), last + 1),
            **more,
        )
        chat.messages.append(message)
        chat.changed_at = message.sent_at
        return message

    def number(self) -> int:
        """Return a number that never comes twice, not even after a restart, in no order."""
        self._count = max(self._count + 1, self.now_ms() * 1000)
        # Reversing the low bits of a count keeps it unique and mixes up its order.
        return self._count ^ 0x3FFFFFF

    def renew_h5(self, account: SimAccount) -> str:
        """Give out a new signing token; return the value of `_m_h5_tk`."""
        now = self.now_ms()
        account.h5 = {token: until for token, until in account.h5.items() if until > now}
        token = f"{self.rng.getrandbits(128):032x}"
        account.h5[token] = now + H5_LIFE
        return f"{token}_{now + H5_LIFE}"

    def grant(self, account: SimAccount, device: str) -> str:
        """Give out an IM token for a device."""
        token = f"oauth_k1:{self.rng.getrandbits(256):064x}=="
        until = self.now_ms() + TOKEN_LIFE
        self.tokens[token] = Grant(token=token, account=account, device=device, until_ms=until)
        return token

    def granted(self, token: str | None) -> Grant | None:
        """Return what a token stands for, None when it is unknown or expired."""
        found = self.tokens.get(token or "")
        return found if found is not None and found.until_ms > self.now_ms() else None

    def revoke(self, account: SimAccount) -> None:
        """Make every IM token of an account worthless."""
        mine = [token for token, grant in self.tokens.items() if grant.account is account]
        for token in mine:
            del self.tokens[token]
