"""What an entry of a push can mean: a closed union, one class for each kind.

`xybot.wire.reading.read` makes them.  To add a kind: write its class here, name it in
`Push`, and give `reading` the shape to know it by; the type checker then points at
every `match` that has to say what to do with it.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import attrs

from xybot.model import (
    ChatId,
    Content,
    Image,
    ItemId,
    Media,
    MessageId,
    OrderId,
    Role,
    Text,
    UserId,
)
from xybot.trade import Trade


@attrs.frozen(kw_only=True)
class Facts:
    """What every kind of push may tell; None is unknown."""

    message: MessageId | None = None
    """The `.PNM` id."""
    chat: ChatId | None = None
    sender: UserId | None = None
    sender_name: str | None = None
    text: str | None = None
    """The words; for a card, a tip or a picture what the app shows in their stead."""
    content_type: int | None = None
    item: ItemId | None = None
    trade: Trade | None = None
    """What the platform tells of an order; never made of what a person sent."""
    sent_at: int | None = None
    """Milliseconds since 1970."""
    from_human: bool = False
    """A person typed it, and not this account (protocol.md §2.3)."""

    @property
    def order(self) -> OrderId | None:
        """The order it tells of."""
        return self.trade.order if self.trade else None


@attrs.frozen(kw_only=True)
class _Push:
    facts: Facts = attrs.Factory(Facts)


@attrs.frozen(kw_only=True)
class Spoken(_Push):
    """Somebody else said something, in words or otherwise."""

    content: Content

    @property
    def kind(self) -> str:
        """`text`, `image`, `voice`, `video` or `expression`."""
        match self.content:
            case Text():
                return "text"
            case Image():
                return "image"
            case Media(kind=kind):
                return kind


@attrs.frozen(kw_only=True)
class Own(_Push):
    """This account said something: our own echo, or the seller's hand."""

    kind: ClassVar[str] = "own"
    content: Content


@attrs.frozen(kw_only=True)
class Card(_Push):
    """A card of the platform: trade, item, text."""

    kind: ClassVar[str] = "card"


@attrs.frozen(kw_only=True)
class Tip(_Push):
    """A grey line of the platform between the bubbles."""

    kind: ClassVar[str] = "tip"


@attrs.frozen(kw_only=True)
class Typing(_Push):
    """The other side began, or ceased, to type."""

    kind: ClassVar[str] = "typing"
    started: bool


@attrs.frozen(kw_only=True)
class ReadReceipt(_Push):
    """Messages of ours were read."""

    kind: ClassVar[str] = "read_receipt"
    messages: tuple[MessageId, ...]


@attrs.frozen(kw_only=True)
class MessageUpdate(_Push):
    """A message was edited in place: a card whose order went on, mostly."""

    kind: ClassVar[str] = "message_update"


@attrs.frozen(kw_only=True)
class ConversationUpdate(_Push):
    """A conversation changed: its red reminder, its tags, its place in the list."""

    kind: ClassVar[str] = "conversation_update"


@attrs.frozen(kw_only=True)
class MessagePointer(_Push):
    """There is a new message, without its body; fetch it from the history."""

    kind: ClassVar[str] = "message_pointer"


@attrs.frozen(kw_only=True)
class Arouse(_Push):
    """Suggested quick phrases; tells which item a chat is about, never a message."""

    kind: ClassVar[str] = "arouse"
    role: Role | None = None
    """What our account is in this chat."""


@attrs.frozen(kw_only=True)
class Recall(_Push):
    """A message was taken back."""

    kind: ClassVar[str] = "recall"


@attrs.frozen(kw_only=True)
class Undecodable(_Push):
    """A payload that cannot be read; kept raw, for a later version to try."""

    kind: ClassVar[str] = "undecodable"
    damage: str


@attrs.frozen(kw_only=True)
class Other(_Push):
    """A payload that can be read, of no kind that we know."""

    kind: ClassVar[str] = "other"


Push: TypeAlias = (
    Spoken
    | Own
    | Card
    | Tip
    | Typing
    | ReadReceipt
    | MessageUpdate
    | ConversationUpdate
    | MessagePointer
    | Arouse
    | Recall
    | Undecodable
    | Other
)
