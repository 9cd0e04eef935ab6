"""What the platform pushed: stored once each, and open until it is dealt with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, Content, ItemId, Message, MessageId, Text, UserId
from xybot.store.codec import content_json, content_of, converter
from xybot.store.database import Database
from xybot.store.gaps import Gap
from xybot.store.prepared import Prepared, parameters
from xybot.store.schema import OPEN, inbox
from xybot.trade import Trade

_YEAR_10000: Final = 253_402_300_800_000


def _date(ms: int | None) -> int | None:
    """Return a date as it is, None for one that no clock, and no column, can hold."""
    return ms if ms is not None and 0 <= ms < _YEAR_10000 else None


@attrs.frozen(kw_only=True)
class Arrival:
    """An entry of a push on its way into the inbox."""

    key: MessageId
    """What tells a redelivery: the `.PNM` id, or a fingerprint of the bytes."""
    kind: str
    raw: str
    outcome: str | None
    """Why no answer is due, or None: it stays open until a turn closes it."""
    chat: ChatId | None = None
    sender: UserId | None = None
    sender_name: str | None = None
    content: Content | None = None
    """What was said, by a person or by us."""
    item: ItemId | None = None
    sent_at: int | None = attrs.field(default=None, converter=_date)
    trade: Trade | None = None
    """What it tells of an order; no part of the row, for the order's own rows keep it."""
    read: tuple[MessageId, ...] = ()
    """Messages of ours that it tells were read."""

    @property
    def text(self) -> str | None:
        """The words of a line that has some."""
        return self.content.text if isinstance(self.content, Text) else None


_INSERT: Final = Prepared(
    insert(inbox)
    .values(parameters(inbox, "seq", "turn"))
    .on_conflict_do_nothing(index_elements=["account", "message"])
    .returning(inbox.c.message)
)
_MINE: Final = inbox.c.account == sa.bindparam("of")
#: The chats that have waited longest; of each of them everything that waits.
_WAITING_CHATS: Final = (
    sa.select(inbox.c.chat)
    .where(_MINE, OPEN, sa.text("chat NOT IN (SELECT value FROM json_each(:busy))"))
    .group_by(inbox.c.chat)
    .order_by(sa.func.min(inbox.c.seq))
    .limit(sa.bindparam("most"))
)
_OPEN: Final = (
    sa.select(inbox).where(_MINE, OPEN, inbox.c.chat.in_(_WAITING_CHATS)).order_by(inbox.c.seq)
)
_VEIL: Final = Prepared(
    sa.update(inbox)
    .where(_MINE, inbox.c.message == sa.bindparam("key"))
    .values(content_json=sa.bindparam("said"))
)
_CLOSE: Final = Prepared(
    sa.update(inbox)
    .where(_MINE, inbox.c.message == sa.bindparam("key"), OPEN)
    .values(outcome=sa.bindparam("now"), turn=sa.bindparam("by"))
)
_IS_OPEN: Final = Prepared(
    sa.select(inbox.c.seq).where(_MINE, inbox.c.message == sa.bindparam("key"), OPEN)
)
_CLOSE_CHAT: Final = (
    sa.update(inbox)
    .where(
        _MINE,
        inbox.c.chat == sa.bindparam("in"),
        OPEN,
        sa.func.coalesce(inbox.c.sent_at, inbox.c.received_at) <= sa.bindparam("until"),
    )
    .values(outcome=sa.bindparam("now"))
    .returning(inbox.c.message)
)


def insert_new(
    db: Database,
    account: AccountId,
    arrivals: Sequence[Arrival],
    *,
    now: int,
    gap: Gap | None = None,
) -> frozenset[MessageId]:
    """Store arrivals and return the keys of those not seen before.

    Args:
      db: the database.
      account: whose they are.
      arrivals: what came, in its order.
      now: milliseconds.
      gap: the time before this connection; buyers' lines that were said then are its own.
    """
    rows = (_row(account, arrival, now, gap) for arrival in arrivals)
    return frozenset(found.message for row in rows for found in _INSERT.rows(db, row))


def veil(db: Database, account: AccountId, key: MessageId, words: str) -> None:
    """Keep other words for a line than those that were said; the raw push has them still."""
    _VEIL.run(db, {"of": account, "key": key, "said": content_json(Text(words))})


def _row(account: AccountId, arrival: Arrival, now: int, gap: Gap | None) -> dict[str, object]:
    missed = gap and arrival.outcome is None and (arrival.sent_at or now) < gap.ended_at
    return {
        "gap": gap.id if gap and missed else None,
        "account": account,
        "message": arrival.key,
        "kind": arrival.kind,
        "chat": arrival.chat,
        "sender": arrival.sender,
        "sender_name": arrival.sender_name,
        "content_json": content_json(arrival.content) if arrival.content else None,
        "item": arrival.item,
        "sent_at": arrival.sent_at,
        "received_at": now,
        "raw": arrival.raw,
        "outcome": arrival.outcome,
    }


def message(arrival: Arrival, now: int) -> Message:
    """Return an arrival that is open as the line it is; the same as `still_open` would."""
    assert arrival.chat is not None
    assert arrival.sender is not None
    assert arrival.content is not None
    return Message(
        id=arrival.key,
        chat=arrival.chat,
        sender=arrival.sender,
        sender_name=arrival.sender_name or "",
        content=arrival.content,
        item=arrival.item,
        sent_at=arrival.sent_at or now,
    )


def still_open(
    db: Database, account: AccountId, busy: Set[ChatId] = frozenset(), *, most: int = 1000
) -> tuple[Message, ...]:
    """Return the people's lines that nobody has dealt with, in the order of their arrival.

    Args:
      db: the database.
      account: whose they are.
      busy: chats to leave out.
      most: of so many chats at the most, those that have waited longest; of each all lines.
    """
    asked = {"of": account, "busy": converter.dumps([*busy]).decode(), "most": most}
    return tuple(_message(row) for row in db.execute(_OPEN, asked))


def _message(row: sa.Row[tuple[object, ...]]) -> Message:
    content = content_of(row.content_json)
    assert isinstance(content, Content)
    return Message(
        id=row.message,
        chat=row.chat,
        sender=row.sender,
        sender_name=row.sender_name or "",
        content=content,
        item=row.item,
        sent_at=row.sent_at or row.received_at,
    )


def closed(db: Database, account: AccountId, keys: Iterable[MessageId]) -> frozenset[MessageId]:
    """Return those of the messages that need nobody to deal with them any more."""
    gone = (key for key in keys if not _IS_OPEN.exists(db, {"of": account, "key": key}))
    return frozenset(gone)


def close(
    db: Database, account: AccountId, keys: Iterable[MessageId], outcome: str, turn: int
) -> None:
    """Note what became of those messages that are open; part of the transaction that does it."""
    _CLOSE.many(db, [{"of": account, "key": key, "now": outcome, "by": turn} for key in keys])


def close_chat(
    db: Database, account: AccountId, chat: ChatId, outcome: str, *, until: int
) -> frozenset[MessageId]:
    """Close, and return, what is open in a chat and was said no later than `until` (ms)."""
    asked = {"of": account, "in": chat, "now": outcome, "until": until}
    return frozenset(db.execute(_CLOSE_CHAT, asked).scalars())
