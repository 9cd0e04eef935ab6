"""Messages on their way out: queued → sending → sent | refused.

A row in `sending` is one whose outcome is not known: it is never sent again before the
conversation was read back.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, Content, MessageId, Outgoing, Sayable
from xybot.store.codec import content_json, content_of, converter
from xybot.store.database import Database
from xybot.store.prepared import Prepared, Row, parameters
from xybot.store.schema import UNSETTLED, outbox


@attrs.frozen
class Sent:
    """The platform has it; `message` is its id there, None when it gave none."""

    message: MessageId | None


@attrs.frozen
class Refused:
    """The platform will not deliver it, and says why."""

    reason: str


@attrs.frozen
class NotSent:
    """It did not arrive: it is due again, under the same uuid."""


Settlement: TypeAlias = Sent | Refused | NotSent

_MINE: Final = outbox.c.account == sa.bindparam("of")
_INSERT: Final = Prepared(
    sa.insert(outbox).values(
        parameters(outbox, "seq", "reason", "message", "sending_at", "settled_at")
    )
)
_DUE: Final = Prepared(
    sa.select(outbox)
    .where(
        _MINE,
        UNSETTLED,
        outbox.c.state == "queued",
        sa.text("chat NOT IN (SELECT value FROM json_each(:busy))"),
    )
    .order_by(outbox.c.urgent.desc(), outbox.c.seq)
    .limit(sa.bindparam("most"))
)
_WAITING: Final = Prepared(
    sa.select(outbox.c.seq).where(_MINE, UNSETTLED, outbox.c.state == "queued").limit(1)
)
_TAKE: Final = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("row"))
    .values(state="sending", sending_at=sa.bindparam("now"))
)
_UNCERTAIN: Final = (
    sa.select(outbox).where(_MINE, UNSETTLED, outbox.c.state == "sending").order_by(outbox.c.seq)
)
_SETTLE: Final = Prepared(
    sa.update(outbox)
    .where(_MINE, outbox.c.uuid == sa.bindparam("id"), outbox.c.state == "sending")
    .values(
        state=sa.bindparam("is"),
        reason=sa.bindparam("why"),
        message=sa.bindparam("as"),
        settled_at=sa.bindparam("now"),
    )
)
_SAID_BY: Final = Prepared(
    sa.select(outbox.c.seq).where(
        _MINE,
        outbox.c.chat == sa.bindparam("in"),
        outbox.c.source == sa.bindparam("by"),
        outbox.c.state != "refused",
    )
)
_OURS: Final = Prepared(
    sa.select(outbox.c.seq).where(
        _MINE,
        outbox.c.chat == sa.bindparam("in"),
        sa.or_(
            outbox.c.message == sa.bindparam("id"),
            # Its answer is not there yet, or did not name it: then the words tell.
            sa.and_(
                outbox.c.message.is_(None),
                sa.text("state IN ('sending', 'sent')"),
                outbox.c.content_json == sa.bindparam("said"),
            ),
        ),
    )
)
_TOLD: Final = sa.select(outbox.c.message).where(
    _MINE, outbox.c.chat == sa.bindparam("in"), outbox.c.message.is_not(None)
)


def put(
    db: Database, account: AccountId, messages: Sequence[Outgoing], *, turn: int, now: int
) -> None:
    """Queue messages; a uuid is queued only once."""
    rows = [
        {
            "account": account,
            "uuid": outgoing.uuid,
            "chat": outgoing.chat,
            "peer": outgoing.to,
            "content_json": content_json(outgoing.content),
            "source": outgoing.source,
            "because": outgoing.because,
            "urgent": False,
            "state": "queued",
            "turn": turn,
            "queued_at": now,
        }
        for outgoing in messages
    ]
    _INSERT.many(db, rows)


def take_due(
    db: Database, account: AccountId, busy: Set[ChatId], *, most: int, now: int
) -> tuple[Outgoing, ...]:
    """Mark the next messages as being sent, and return them: urgent ones first, then by age.

    One for each chat at the most, and none for a `busy` one: within a chat the order of
    messages is the order of their arrival.
    """
    rows: dict[ChatId, Row] = {}
    while (room := most - len(rows)) > 0:
        skipped = converter.dumps([*busy, *rows]).decode()
        found = _DUE.rows(db, {"of": account, "busy": skipped, "most": room})
        for row in found:
            rows.setdefault(row.chat, row)
        if len(found) < room:
            break
    _TAKE.many(db, [{"row": row.seq, "now": now} for row in rows.values()])
    return tuple(_outgoing(row) for row in rows.values())


def uncertain(db: Database, account: AccountId) -> tuple[Outgoing, ...]:
    """Return the messages that were being sent when the line, or we, went down."""
    return tuple(_outgoing(row) for row in db.execute(_UNCERTAIN, {"of": account}))


def settle(
    db: Database, account: AccountId, uuid: str, settlement: Settlement, *, now: int
) -> bool:
    """Record what became of a message that was being sent; tell whether others are queued."""
    values: dict[str, object] = {"of": account, "id": uuid, "now": now, "why": None, "as": None}
    match settlement:
        case Sent(message):
            values |= {"is": "sent", "as": message}
        case Refused(reason):
            values |= {"is": "refused", "why": reason}
        case NotSent():
            values |= {"is": "queued"}
    _SETTLE.run(db, values)
    return _WAITING.exists(db, {"of": account})


def has_said(db: Database, account: AccountId, chat: ChatId, source: str) -> bool:
    """Tell whether a source has answered in a chat before, or is about to."""
    return _SAID_BY.exists(db, {"of": account, "in": chat, "by": source})


def is_ours(
    db: Database, account: AccountId, chat: ChatId, message: MessageId, content: Content
) -> bool:
    """Tell whether a message of our account was said by us, or by the seller's own hand."""
    asked = {"of": account, "in": chat, "id": message, "said": content_json(content)}
    return _OURS.exists(db, asked)


def told(db: Database, account: AccountId, chat: ChatId) -> frozenset[MessageId]:
    """Return the platform's ids of all that is known to be said in a chat."""
    return frozenset(db.execute(_TOLD, {"of": account, "in": chat}).scalars())


def _outgoing(row: Row | sa.Row[tuple[object, ...]]) -> Outgoing:
    content = content_of(row.content_json)
    assert isinstance(content, Sayable)
    return Outgoing(
        uuid=row.uuid,
        chat=row.chat,
        to=row.peer,
        content=content,
        source=row.source,
        because=row.because,
        sending_since=row.sending_at,
    )
