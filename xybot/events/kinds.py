"""All events there are."""

from __future__ import annotations

from typing import Final, TypeAlias, get_args

import msgspec

from xybot.events.messages import (
    AccountStatus,
    ChatLimited,
    ChatPaused,
    ChatResumed,
    DraftApproved,
    GapClosed,
    MessageReceived,
    ModelAsked,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    ReplyRehearsed,
    ReplySent,
    ReplySkipped,
    SendHeld,
    SendRefused,
    WroteByHand,
)
from xybot.events.orders import DeliveryHeld, DeliverySent, OrderUpdated, StockLow

Event: TypeAlias = (
    AccountStatus
    | MessageReceived
    | WroteByHand
    | ReplySent
    | ReplySkipped
    | ReplyDrafted
    | DraftApproved
    | ReplyRehearsed
    | ChatLimited
    | SendRefused
    | SendHeld
    | ReplyDropped
    | ModelAsked
    | Quarantined
    | ChatPaused
    | ChatResumed
    | GapClosed
    | OrderUpdated
    | DeliveryHeld
    | DeliverySent
    | StockLow
)
KINDS: Final[tuple[type[Event], ...]] = get_args(Event)
"""Every class of event."""


def body(event: Event) -> str:
    """Render the fields of an event as a JSON object; its `name` is not among them."""
    return msgspec.json.encode(event).decode()
