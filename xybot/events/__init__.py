"""What happened: frozen events, and the feed that hands them to whoever listens.

`publish` is sync and never waits: the log gets its line at once, every subscriber its
copy; a slow one loses the oldest and is told how many.  What has to reach somebody even
after a crash is read from the store, where `xybot.chronicle` puts it.
"""

from __future__ import annotations

from xybot.events.feed import EventFeed, Subscription
from xybot.events.kinds import KINDS, Event, body
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

__all__ = [
    "KINDS",
    "AccountStatus",
    "ChatLimited",
    "ChatPaused",
    "ChatResumed",
    "DeliveryHeld",
    "DeliverySent",
    "DraftApproved",
    "Event",
    "EventFeed",
    "GapClosed",
    "MessageReceived",
    "ModelAsked",
    "OrderUpdated",
    "Quarantined",
    "ReplyDrafted",
    "ReplyDropped",
    "ReplyRehearsed",
    "ReplySent",
    "ReplySkipped",
    "SendHeld",
    "SendRefused",
    "StockLow",
    "Subscription",
    "WroteByHand",
    "body",
]
