"""The nouns of the bot, shared by every room of the house."""

from __future__ import annotations

import enum
from typing import Literal, NewType, TypeAlias

import attrs

AccountId = NewType("AccountId", str)
"""The seller's own name for an account: `id` in bot.toml."""
ChatId = NewType("ChatId", str)
"""A conversation, without the `@goofish` of the wire."""
UserId = NewType("UserId", str)
"""A person on the platform (`unb` of their cookies), without `@goofish`."""
ItemId = NewType("ItemId", str)
OrderId = NewType("OrderId", str)
MessageId = NewType("MessageId", str)
"""The `.PNM` id, or a stand-in made from the bytes where the platform gave none."""

ReplyMode: TypeAlias = Literal["send", "draft", "dry_run"]
"""Say it; keep it until the seller approves; only write down that it would have been said."""
Role: TypeAlias = Literal["seller", "buyer"]


@attrs.frozen
class Text:
    """Words."""

    text: str


@attrs.frozen
class Image:
    """A picture that the platform already holds; pixels, 0 where unknown."""

    url: str
    width: int = 0
    height: int = 0


@attrs.frozen
class Media:
    """Something said that is neither words nor a picture."""

    kind: Literal["voice", "video", "expression"]
    url: str


@attrs.frozen
class Photo:
    """A picture in a file of the seller's; it is uploaded before it is sent, once."""

    path: str


Content: TypeAlias = Text | Image | Media
"""What a person can say to us."""
Deliverable: TypeAlias = Text | Image
"""What the platform takes from us."""
Sayable: TypeAlias = Deliverable | Photo
"""What a reply can be made of."""


@attrs.frozen(kw_only=True)
class Message:
    """One line that a person wrote to us."""

    id: MessageId
    chat: ChatId
    sender: UserId
    sender_name: str
    content: Content
    item: ItemId | None
    sent_at: int
    """Milliseconds since 1970, by the platform's clock."""


@attrs.frozen(kw_only=True)
class Sku:
    """One variant of an item."""

    id: str
    name: str
    """Its properties, such as `颜色:白 容量:64G`."""
    price: int | None
    """Fen."""
    stock: int | None


@attrs.frozen(kw_only=True)
class Item:
    """The facts of a thing for sale, as the platform tells them; None is unknown."""

    id: ItemId
    title: str
    price: int | None = None
    """Fen (a hundredth of a yuan)."""
    stock: int | None = None
    status: str = ""
    """In the platform's words: 在线, 已下架 …"""
    description: str = ""
    seller: UserId | None = None
    skus: tuple[Sku, ...] = ()
    pictures: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Turn:
    """All that a buyer said since our last answer; never empty."""

    account: AccountId
    chat: ChatId
    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """The words of all lines, in their order."""
        lines = (m.content.text for m in self.messages if isinstance(m.content, Text))
        return "\n".join(lines)

    @property
    def last(self) -> Message:
        """The newest line."""
        return self.messages[-1]

    @property
    def item(self) -> ItemId | None:
        """The item the chat is about, by the newest line that names one."""
        return next((m.item for m in reversed(self.messages) if m.item), None)


@attrs.frozen(kw_only=True)
class Offer:
    """One step of haggling, in fen: what the buyer asked for, and what we made of it."""

    item: ItemId
    asked: int | None
    """None: they want it cheaper, without a number."""
    made: int | None
    """The price we named; None: our last word."""

    @property
    def is_counter(self) -> bool:
        """Whether we named a price above what was asked for."""
        return self.made is not None and (self.asked is None or self.made > self.asked)

    @property
    def is_deal(self) -> bool:
        """Whether we took what was asked for."""
        return self.made is not None and not self.is_counter


@attrs.frozen(kw_only=True)
class Reply:
    """What to say, and which source said so; no contents means: matched, stay silent."""

    contents: tuple[Sayable, ...]
    source: str
    because: str
    """What made the source answer, in words for the seller (a rule, a keyword)."""
    hand_over: bool = False
    """Whether the chat is the seller's from here on."""
    rule: str | None = None
    """A fingerprint of the rule that answered, the same wherever the rule stands."""
    offer: Offer | None = None
    """The price it names, if it haggles; stored together with it."""


@attrs.frozen
class Pass:
    """A source, or a gate, has nothing to say, and why."""

    reason: str


@attrs.frozen(kw_only=True)
class Decision:
    """What we say to a turn, and all that led to it; stored for every turn."""

    reply: Reply | None
    passed: tuple[tuple[str, str], ...]
    """(source or gate, reason) of each that had nothing to say, in the order of asking."""
    late: bool = False
    """No reply because the turn is too old: it is the seller's to answer."""
    stale: tuple[MessageId, ...] = ()
    """Lines of the turn that were too old to be answered with the others; they are late."""
    mode: ReplyMode = "send"
    """What becomes of the reply."""
    held: str = ""
    """Why a reply is not sent at once, for a `mode` other than send."""
    delays: tuple[float, ...] = ()
    """Seconds that each message of the reply waits, as if typed; empty: none waits."""
    alarm: bool = False
    """Whether the seller is to be told that nobody is answered here for now."""

    @property
    def hands_over(self) -> bool:
        """Whether the chat is the seller's from here on; in a dry run nothing is done."""
        return self.reply is not None and self.reply.hand_over and self.mode != "dry_run"

    @property
    def why(self) -> str:
        """One line for the seller."""
        if self.reply is not None:
            return f"{self.reply.source}: {self.reply.because}"
        return "; ".join(f"{source}: {reason}" for source, reason in self.passed)


@attrs.frozen(kw_only=True)
class Outgoing:
    """A stored message on its way out; `uuid` is the same on every attempt."""

    uuid: str
    chat: ChatId
    to: UserId
    content: Sayable
    source: str
    because: str
    item: ItemId | None = None
    """What the chat is to be opened about; only where `chat` is empty."""
    due_at: int | None = None
    """Not to be said before (ms); None: at once."""
    sending_since: int | None = None
    """When the attempt began whose outcome is unknown (ms), or None."""


class AccountState(enum.Enum):
    """Where the connection of an account stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    FAILED = "failed"
    CLOSED = "closed"
