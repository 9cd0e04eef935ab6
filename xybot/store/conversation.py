"""What was said in a chat, by all sides, in the order of time."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, MessageId, Text
from xybot.store.codec import Kept, content_of
from xybot.store.database import Database
from xybot.store.deliveries import SOURCE, UNSEEN
from xybot.store.outbox import BY_HAND
from xybot.store.schema import inbox, outbox

Speaker: TypeAlias = Literal["buyer", "bot", "seller"]


@attrs.frozen(kw_only=True)
class Said:
    """One line of a conversation."""

    who: Speaker
    content: Kept
    at: int
    """Milliseconds, by the platform's clock."""
    message: MessageId | None
    """The platform's id; None for a reply of ours that it has not confirmed."""


_MINE: Final = sa.and_(
    inbox.c.account == sa.bindparam("of"),
    inbox.c.chat == sa.bindparam("in"),
    inbox.c.content_json.is_not(None),
    inbox.c.kind.not_in(("card", "tip")),
)
_HEARD_AT: Final = sa.func.coalesce(inbox.c.sent_at, inbox.c.received_at)
_OURS: Final = sa.and_(outbox.c.account == inbox.c.account, outbox.c.chat == inbox.c.chat)
#: What our account said comes back to us; of that only what no reply of ours is known to be
#: was said by the seller's own hand.
_HEARD: Final = (
    sa.select(inbox.c.kind, inbox.c.content_json, inbox.c.message, _HEARD_AT.label("at"))
    .where(
        _MINE,
        sa.or_(
            inbox.c.kind != "own",
            ~sa.exists().where(_OURS, outbox.c.message == inbox.c.message),
        ),
    )
    .order_by(inbox.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_SAID_AT: Final = sa.func.coalesce(outbox.c.sending_at, outbox.c.queued_at)
_SAID: Final = (
    sa.select(outbox.c.content_json, outbox.c.message, outbox.c.source, _SAID_AT.label("at"))
    .where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.chat == sa.bindparam("in"),
        outbox.c.state.in_(("queued", "sending", "sent", "held")),
    )
    .order_by(outbox.c.seq.desc())
    .limit(sa.bindparam("most"))
)


def recent(db: Database, account: AccountId, chat: ChatId, *, most: int) -> tuple[Said, ...]:
    """Return the newest lines of a chat, at most so many, the oldest of them first.

    Drafts, dry runs and what was refused or taken back are left out: nobody heard them.
    """
    asked = {"of": account, "in": chat, "most": most}
    heard = [
        Said(
            who="seller" if row.kind == "own" else "buyer",
            content=content_of(row.content_json),
            at=row.at,
            message=row.message,
        )
        for row in db.execute(_HEARD, asked)
    ]
    said = [
        Said(
            who=_writer(row.source),
            # A model is told that goods were sent; a code is none of its business.
            content=Text(UNSEEN) if row.source == SOURCE else content_of(row.content_json),
            at=row.at,
            message=row.message,
        )
        for row in db.execute(_SAID, asked)
    ]
    # Of one moment the buyer's line comes first: the other is the answer to it.
    lines = sorted((*heard[::-1], *said[::-1]), key=lambda each: each.at)
    return tuple(lines[max(0, len(lines) - most) :])


def _writer(source: str) -> Speaker:
    return "seller" if source == BY_HAND else "bot"
