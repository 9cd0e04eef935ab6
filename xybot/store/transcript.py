"""A conversation as somebody reads it, page by page: all lines of all sides, each with its why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, MessageId, Text
from xybot.store.chatlist import SPOKEN
from xybot.store.codec import Kept
from xybot.store.database import Database
from xybot.store.deliveries import SOURCE, UNSEEN
from xybot.store.outbox import BY_HAND
from xybot.store.schema import inbox, outbox, turns
from xybot.store.stories import Line, Said, Verdict, line_of, said_of, verdict_of

Speaker: TypeAlias = Literal["buyer", "bot", "seller", "platform"]
Cursor: TypeAlias = tuple[int, int, int]
"""Where a page ends: a time (ms), which table, which row."""

_IN, _OUT = 0, 1
_SHOWN: Final = (*SPOKEN, "own", "card", "tip", "recall")
_SPEAKERS: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(SPOKEN, "buyer"),
    "own": "seller",
    "card": "platform",
    "tip": "platform",
    "recall": "platform",
}


@attrs.frozen(kw_only=True)
class Entry:
    """One line of a conversation."""

    place: Cursor
    who: Speaker
    heard: Line | None = None
    """What came in; of what we said there is `said` instead."""
    said: Said | None = None
    verdict: Verdict | None = None
    """What was decided on the turn that it is of."""

    @property
    def at(self) -> int:
        """When it was said, or queued (ms)."""
        return self.place[0]

    @property
    def content(self) -> Kept | None:
        """What it says; None where nobody kept that."""
        if self.said is not None:
            return self.said.content
        return self.heard.content if self.heard else None

    @property
    def message(self) -> MessageId | None:
        """The platform's id."""
        if self.said is not None:
            return self.said.message
        return self.heard.message if self.heard else None


_HEARD_AT: Final = sa.func.coalesce(inbox.c.sent_at, inbox.c.received_at)
_SAID_AT: Final = sa.func.coalesce(outbox.c.sending_at, outbox.c.queued_at)
_OURS: Final = sa.exists().where(
    outbox.c.account == inbox.c.account,
    outbox.c.chat == inbox.c.chat,
    outbox.c.message == inbox.c.message,
)
_BEFORE: Final = sa.tuple_(sa.bindparam("at"), sa.bindparam("table"), sa.bindparam("row"))
_HEARD: Final = (
    sa.select(inbox, _HEARD_AT.label("at"))
    .where(
        inbox.c.account == sa.bindparam("of"),
        inbox.c.chat == sa.bindparam("in"),
        inbox.c.kind.in_(_SHOWN),
        sa.or_(inbox.c.kind != "own", ~_OURS),
        sa.tuple_(_HEARD_AT, sa.literal(_IN), inbox.c.seq) < _BEFORE,
    )
    .order_by(_HEARD_AT.desc(), inbox.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_SAID: Final = (
    sa.select(outbox, _SAID_AT.label("at"))
    .where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.chat == sa.bindparam("in"),
        sa.tuple_(_SAID_AT, sa.literal(_OUT), outbox.c.seq) < _BEFORE,
    )
    .order_by(_SAID_AT.desc(), outbox.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_IDS: Final[sa.BindParameter[object]] = sa.bindparam("ids", expanding=True)
_VERDICTS: Final = sa.select(turns).where(turns.c.id.in_(_IDS))
_END_OF_TIME: Final[Cursor] = (2**62, 0, 0)


def page(
    db: Database, account: AccountId, chat: ChatId, *, before: Cursor | None = None, most: int = 50
) -> tuple[Entry, ...]:
    """Return the last lines of a chat, or the last ones before a cursor; the oldest first."""
    at, table, row = before or _END_OF_TIME
    asked = {"of": account, "in": chat, "at": at, "table": table, "row": row, "most": most}
    found = [
        *((row.at, _IN, row.seq, row) for row in db.execute(_HEARD, asked)),
        *((row.at, _OUT, row.seq, row) for row in db.execute(_SAID, asked)),
    ]
    found.sort(key=lambda each: each[:3])
    found = found[-most:]
    ids = {"ids": [row.turn for *_, row in found if row.turn is not None]}
    verdicts = {row.id: verdict_of(row) for row in db.execute(_VERDICTS, ids)}
    return tuple(_entry((at, table, seq), row, verdicts) for at, table, seq, row in found)


def veiled(found: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return lines without the goods that we sent, for somebody who may not see codes."""
    return tuple(
        attrs.evolve(each, said=attrs.evolve(each.said, content=Text(UNSEEN)))
        if each.said is not None and each.said.source == SOURCE
        else each
        for each in found
    )


def _entry(place: Cursor, row: sa.Row[Any], verdicts: Mapping[int, Verdict]) -> Entry:
    verdict = verdicts.get(row.turn)
    if place[1] == _IN:
        who = _SPEAKERS[row.kind]
        return Entry(place=place, who=who, heard=line_of(row, frozenset()), verdict=verdict)
    by_hand = row.source == BY_HAND
    who = "seller" if by_hand else "bot"
    return Entry(place=place, who=who, said=said_of(row), verdict=verdict)
