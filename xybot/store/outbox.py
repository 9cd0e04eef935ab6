"""Messages on their way out: queued → sending → sent | refused | held; queued → dropped.

What a seller wants to see first waits as a draft (`xybot.store.drafts`), and what a dry run
would have said stays a `dry_run`: neither is on its way, and neither was said.

A row in `sending` is one whose outcome is not known: it is never sent again before the
conversation was read back.  One that cannot be settled even then is held, for its seller to
look at; it is never sent again, but may still turn out to be sent.

All times are the platform's: they are compared with those of its history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final, TypeAlias, assert_never

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, MessageId, Outgoing, ReplyMode, Sayable
from xybot.store.codec import content_json, content_of, converter
from xybot.store.database import Database
from xybot.store.inbox import Arrival
from xybot.store.prepared import Prepared, Row, parameters
from xybot.store.schema import DELAYED, UNSETTLED, outbox

EARLIEST_BEFORE: Final = 120_000
"""Milliseconds by which a message may seem older than the attempt to send it."""


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


@attrs.frozen
class Held:
    """Nobody can tell whether it arrived: its seller has to look."""

    reason: str


Settlement: TypeAlias = Sent | Refused | NotSent | Held


@attrs.frozen
class Settled:
    """What settling did."""

    changed: bool
    """False when somebody else had settled it before: an echo, mostly."""
    more: bool
    """Whether others are queued."""


_MINE: Final = outbox.c.account == sa.bindparam("of")
_INSERT: Final = Prepared(
    sa.insert(outbox).values(parameters(outbox, "seq", "message", "sending_at", "settled_at"))
)
_DUE: Final = Prepared(
    sa.select(outbox)
    .where(
        _MINE,
        UNSETTLED,
        outbox.c.state == "queued",
        sa.text("(urgent OR due_at IS NULL OR due_at <= :now)"),
        sa.text("chat NOT IN (SELECT value FROM json_each(:busy))"),
    )
    .order_by(outbox.c.urgent.desc(), outbox.c.seq)
    .limit(sa.bindparam("most"))
)
_WAITING: Final = Prepared(
    sa.select(outbox.c.seq).where(_MINE, UNSETTLED, outbox.c.state == "queued").limit(1)
)
_LAST_DUE: Final = Prepared(
    sa.select(sa.func.max(outbox.c.due_at).label("at")).where(
        _MINE, outbox.c.chat == sa.bindparam("in"), DELAYED
    )
)
_NEXT_DUE: Final = Prepared(
    sa.select(sa.func.min(outbox.c.due_at).label("at")).where(
        _MINE, DELAYED, outbox.c.due_at > sa.bindparam("now")
    )
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
        sa.text("(:reason IS NULL OR because = :reason)"),
        sa.text("state NOT IN ('refused', 'dropped', 'draft', 'dry_run')"),
    )
)
_KNOWN: Final = Prepared(
    sa.select(outbox.c.seq).where(
        _MINE, outbox.c.chat == sa.bindparam("in"), outbox.c.message == sa.bindparam("id")
    )
)
_TOLD: Final = Prepared(
    sa.select(outbox.c.message).where(
        _MINE, outbox.c.chat == sa.bindparam("in"), outbox.c.message.is_not(None)
    )
)
#: Its answer is not there yet, or did not name it, or was lost: then the words tell.
_UNNAMED: Final = Prepared(
    sa.select(outbox)
    .where(
        _MINE,
        outbox.c.chat == sa.bindparam("in"),
        outbox.c.message.is_(None),
        sa.text("state IN ('sending', 'held', 'sent')"),
        outbox.c.content_json == sa.bindparam("said"),
        outbox.c.sending_at <= sa.bindparam("by"),
    )
    # Goods in doubt may be sent again in the same words: their order waits for those then.
    .order_by(sa.text("source = 'goods' AND state = 'held'"), outbox.c.seq)
    .limit(1)
)
_NAME: Final = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("row"))
    .values(state="sent", message=sa.bindparam("id"), settled_at=sa.bindparam("now"))
)
BY_HAND: Final = "by_hand"
"""The source of what the seller writes, in the console or over the API."""

_DROP_ANY: Final = (
    sa.update(outbox)
    .where(_MINE, outbox.c.urgent.is_(False), outbox.c.queued_at <= sa.bindparam("until"))
    .values(state="dropped", reason=sa.bindparam("why"), settled_at=sa.bindparam("now"))
    .returning(*outbox.c)
)
_DROP: Final = _DROP_ANY.where(UNSETTLED, outbox.c.state == "queued")
#: Drafts too: what they were to answer has been answered.  But not what the seller wrote.
_DROP_IN_CHAT: Final = _DROP_ANY.where(
    outbox.c.chat == sa.bindparam("in"),
    outbox.c.source != BY_HAND,
    sa.text("state IN ('queued', 'draft')"),
)
#: What becomes of a reply -> the state in which its messages begin.
_BEGINS: Final[Mapping[ReplyMode, str]] = {
    "send": "queued",
    "draft": "draft",
    "dry_run": "dry_run",
}


@attrs.frozen(kw_only=True)
class Origin:
    """Where messages come from, and what is to become of them."""

    turn: int | None
    """None: no turn asked for them; the seller, or a program of theirs, did."""
    now: int
    """When they were decided on (ms)."""
    mode: ReplyMode = "send"
    held: str = ""
    """Why they are not sent, for a `mode` other than send."""
    key: str | None = None
    """What tells a repeated wish to say something; no two messages have one."""
    wish: str | None = None
    """A fingerprint of what was wished with the key."""
    urgent: bool = False
    """Said before all others, and whatever the seller does: it is paid for."""


def put(
    db: Database, account: AccountId, messages: Sequence[Outgoing], *, turn: int, now: int
) -> None:
    """Queue messages; a uuid is queued only once."""
    put_as(db, account, messages, Origin(turn=turn, now=now))


def put_as(db: Database, account: AccountId, messages: Sequence[Outgoing], origin: Origin) -> None:
    """Store messages to be said, to be approved, or only to be read; a uuid only once.

    None is due before those that wait in its chat: a buyer reads them in their order.
    """
    last = {chat: _last_due(db, account, chat) for chat in {each.chat for each in messages}}
    rows = [
        {
            "account": account,
            "uuid": outgoing.uuid,
            "chat": outgoing.chat,
            "peer": outgoing.to,
            "content_json": content_json(outgoing.content),
            "source": outgoing.source,
            "because": outgoing.because,
            "urgent": origin.urgent,
            "state": _BEGINS[origin.mode],
            "reason": origin.held or None,
            "turn": origin.turn,
            "queued_at": origin.now,
            "due_at": max(outgoing.due_at or 0, last[outgoing.chat]) or None,
            "item": outgoing.item,
            "key": origin.key,
            "wish": origin.wish,
        }
        for outgoing in messages
    ]
    _INSERT.many(db, rows)


def _last_due(db: Database, account: AccountId, chat: ChatId) -> int:
    (row,) = _LAST_DUE.rows(db, {"of": account, "in": chat})
    return row.at or 0


def take_due(
    db: Database, account: AccountId, busy: Set[ChatId], *, most: int, now: int
) -> tuple[Outgoing, ...]:
    """Mark the next messages that are due as being sent: urgent ones first, then by age.

    One for each chat at the most, and none for a `busy` one: within a chat the order of
    messages is the order of their arrival.
    """
    rows: dict[ChatId, Row] = {}
    while (room := most - len(rows)) > 0:
        skipped = converter.dumps([*busy, *rows]).decode()
        found = _DUE.rows(db, {"of": account, "busy": skipped, "most": room, "now": now})
        for row in found:
            rows.setdefault(row.chat, row)
        if len(found) < room:
            break
    _TAKE.many(db, [{"row": row.seq, "now": now} for row in rows.values()])
    return tuple(outgoing_of(row) for row in rows.values())


@attrs.frozen
class Taken:
    """What may be said now, and when to look again."""

    messages: tuple[Outgoing, ...]
    next_due: int | None
    """When the next of those that wait is due (ms); None when none waits for a time."""


def take(db: Database, account: AccountId, busy: Set[ChatId], *, most: int, now: int) -> Taken:
    """Take what is due, as `take_due` does, and tell when the next will be."""
    messages = take_due(db, account, busy, most=most, now=now)
    (row,) = _NEXT_DUE.rows(db, {"of": account, "now": now})
    return Taken(messages, row.at)


def uncertain(db: Database, account: AccountId) -> tuple[Outgoing, ...]:
    """Return the messages that were being sent when the line, or we, went down."""
    return tuple(outgoing_of(row) for row in db.execute(_UNCERTAIN, {"of": account}))


def settle(
    db: Database, account: AccountId, uuid: str, settlement: Settlement, *, now: int
) -> Settled:
    """Record what became of a message that was being sent."""
    values: dict[str, object] = {"of": account, "id": uuid, "now": now, "why": None, "as": None}
    match settlement:
        case Sent(message):
            values |= {"is": "sent", "as": message}
        case Refused(reason):
            values |= {"is": "refused", "why": reason}
        case Held(reason):
            values |= {"is": "held", "why": reason}
        case NotSent():
            values |= {"is": "queued"}
        case _:
            assert_never(settlement)
    changed = _SETTLE.many(db, [values]) > 0
    return Settled(changed, _WAITING.exists(db, {"of": account}))


def has_said(
    db: Database, account: AccountId, chat: ChatId, source: str, because: str | None = None
) -> bool:
    """Tell whether a source has answered in a chat before, or is about to.

    Args:
      db: the database.
      account: whose chat it is.
      chat: where.
      source: who answered.
      because: for this reason; None is any.
    """
    return _SAID_BY.exists(db, {"of": account, "in": chat, "by": source, "reason": because})


@attrs.frozen
class Ours:
    """A message of our account that we said, not its seller."""

    settled: Outgoing | None
    """The message whose fate it tells; None when that was known."""


def recognise(db: Database, account: AccountId, own: Arrival, *, now: int) -> Ours | None:
    """Tell whether we said what our account said; a message in doubt is settled thereby.

    Returns:
      None when the seller said it by hand.
    """
    asked = {"of": account, "in": own.chat, "id": own.key}
    if _KNOWN.exists(db, asked):
        return Ours(None)
    if own.content is None:
        return None
    # It cannot have been said before we tried to say it.
    by = (own.sent_at or now) + EARLIEST_BEFORE
    found = _UNNAMED.rows(db, asked | {"said": content_json(own.content), "by": by})
    if not found:
        return None
    _NAME.run(db, {"row": found[0].seq, "id": own.key, "now": now})
    return Ours(None if found[0].state == "sent" else outgoing_of(found[0]))


def told(db: Database, account: AccountId, chat: ChatId) -> frozenset[MessageId]:
    """Return the platform's ids of all that we are known to have said in a chat."""
    return frozenset(row.message for row in _TOLD.rows(db, {"of": account, "in": chat}))


@attrs.frozen(kw_only=True)
class Which:
    """Which of the queued messages: those of a chat, or all; never an urgent one."""

    until: int
    """Queued no later than this (ms)."""
    chat: ChatId | None = None


def drop(
    db: Database, account: AccountId, which: Which, reason: str, *, now: int
) -> tuple[Outgoing, ...]:
    """Take back what was to be said; urgent messages stay: what was paid for is owed."""
    asked = {"of": account, "in": which.chat, "why": reason, "until": which.until, "now": now}
    rows = db.execute(_DROP if which.chat is None else _DROP_IN_CHAT, asked)
    return tuple(outgoing_of(row) for row in rows)


def outgoing_of(row: Row | sa.Row[tuple[object, ...]]) -> Outgoing:
    """Return the message of a row of the outbox."""
    content = content_of(row.content_json)
    assert isinstance(content, Sayable)
    return Outgoing(
        uuid=row.uuid,
        chat=row.chat,
        to=row.peer,
        content=content,
        source=row.source,
        because=row.because,
        item=row.item,
        due_at=row.due_at,
        sending_since=row.sending_at,
    )
