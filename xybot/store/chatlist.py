"""The list of chats: who is on the other side, what it is about, what was not looked at yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, ItemId, Outgoing, UserId
from xybot.store.codec import Kept, content_of
from xybot.store.database import Database
from xybot.store.deliveries import SOURCE
from xybot.store.inbox import Arrival
from xybot.store.prepared import Prepared
from xybot.store.schema import DRAFTS, chats, inbox, outbox, pauses

SPOKEN: Final = ("text", "image", "voice", "video", "expression")
"""The kinds of `wire.pushes.Spoken`: what somebody else said."""
_SHOWN: Final = frozenset({*SPOKEN, "own", "card", "tip"})
"""The kinds that move a chat to the top of the list."""

Show: TypeAlias = Literal["all", "unread", "taken_over", "drafts"]


@attrs.frozen(kw_only=True)
class Listed:
    """A chat in the list."""

    account: AccountId
    chat: ChatId
    peer: UserId | None
    name: str | None
    item: ItemId | None
    last_at: int
    """When somebody last said something (ms)."""
    unread: int
    """Buyer's lines since the seller last looked."""
    paused_until: int | None
    """Until when the bot keeps out of it (ms), None when it does not."""
    drafts: int
    """Replies that wait for approval."""


@attrs.frozen(kw_only=True)
class Asked:
    """Which chats, and from where in the list."""

    account: AccountId | None = None
    show: Show = "all"
    words: str = ""
    """Part of a name, or a whole id of a chat, a buyer or an item."""
    before: tuple[int, AccountId, ChatId] | None = None
    """The last chat of the page before: its time, account and id."""
    most: int = 30
    now: int = 0
    """Milliseconds; pauses that end before then are over."""


_NEW: Final = insert(chats).values(
    account=sa.bindparam("of"),
    chat=sa.bindparam("in"),
    peer=sa.bindparam("who"),
    name=sa.bindparam("called"),
    item=sa.bindparam("about"),
    last_at=sa.bindparam("at"),
    unread=sa.bindparam("new"),
)
_LATER: Final = {
    "last_at": sa.case(
        (_NEW.excluded.last_at > chats.c.last_at, _NEW.excluded.last_at), else_=chats.c.last_at
    )
}


def _newer(name: str) -> sa.ColumnElement[str]:
    """What the later line says of a chat; a line may come late."""
    new, old = _NEW.excluded[name], chats.c[name]
    is_later = _NEW.excluded.last_at >= chats.c.last_at
    return sa.case((is_later, sa.func.coalesce(new, old)), else_=sa.func.coalesce(old, new))


_CAME: Final = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=["account", "chat"],
        set_=_LATER
        | {
            "peer": sa.func.coalesce(_NEW.excluded.peer, chats.c.peer),
            "name": _newer("name"),
            "item": _newer("item"),
            "unread": chats.c.unread + _NEW.excluded.unread,
        },
    )
)
#: What the platform told of a chat is not changed by what somebody wants to say in it.
_WRITTEN: Final = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=["account", "chat"],
        set_=_LATER
        | {
            "peer": sa.func.coalesce(chats.c.peer, _NEW.excluded.peer),
            "item": sa.func.coalesce(chats.c.item, _NEW.excluded.item),
        },
    )
)
_MINE: Final = (chats.c.account == sa.bindparam("of"), chats.c.chat == sa.bindparam("in"))
_SINCE: Final = (
    sa.select(sa.func.count())
    .where(
        inbox.c.account == chats.c.account,
        inbox.c.chat == chats.c.chat,
        inbox.c.kind.in_(SPOKEN),
        sa.func.coalesce(inbox.c.sent_at, inbox.c.received_at) > sa.bindparam("at"),
    )
    .scalar_subquery()
)
_LOOKED: Final = (
    sa.update(chats)
    .where(*_MINE, chats.c.unread != 0)
    .values(unread=sa.func.min(chats.c.unread, _SINCE))
)
_SEEN: Final = Prepared(sa.update(chats).where(*_MINE, chats.c.unread != 0).values(unread=0))


def came(db: Database, account: AccountId, arrivals: Collection[Arrival], *, now: int) -> None:
    """Note new arrivals in the list."""
    for each in arrivals:
        if each.chat is None or each.kind not in _SHOWN:
            continue
        theirs = each.kind in SPOKEN
        row = {
            "of": account,
            "in": each.chat,
            "who": each.sender if theirs else None,
            "called": (each.sender_name or None) if theirs else None,
            "about": each.item,
            "at": each.sent_at or now,
            "new": int(theirs),
        }
        _CAME.run(db, row)


def written(
    db: Database, account: AccountId, outgoing: Outgoing, item: ItemId | None, *, now: int
) -> None:
    """Note in the list that something is to be said in a chat, which may be new."""
    row = {"of": account, "in": outgoing.chat, "who": outgoing.to, "called": None}
    _WRITTEN.run(db, row | {"about": item, "at": now, "new": 0})


def wrote(db: Database, account: AccountId, chat: ChatId, *, at: int) -> None:
    """Note that the seller wrote in a chat, so they had looked at what was there then (ms)."""
    db.execute(_LOOKED, {"of": account, "in": chat, "at": at})


def seen(db: Database, account: AccountId, chat: ChatId) -> bool:
    """Note that the seller has looked at a chat; False when there was nothing new in it."""
    return _SEEN.many(db, [{"of": account, "in": chat}]) > 0


_UNTIL: Final = sa.case((pauses.c.until > sa.bindparam("now"), pauses.c.until))
_DRAFTS: Final = (
    sa.select(outbox.c.account, outbox.c.chat, sa.func.count().label("drafts"))
    .where(DRAFTS)
    .group_by(outbox.c.account, outbox.c.chat)
    .cte("waiting")
)
_WAITING: Final = sa.func.coalesce(_DRAFTS.c.drafts, 0)
_LIST: Final = (
    sa.select(chats, _UNTIL.label("until"), _WAITING.label("drafts"))
    .outerjoin(pauses, sa.and_(pauses.c.account == chats.c.account, pauses.c.chat == chats.c.chat))
    .outerjoin(
        _DRAFTS, sa.and_(_DRAFTS.c.account == chats.c.account, _DRAFTS.c.chat == chats.c.chat)
    )
)
_SHOWING: Final = {
    "all": sa.true(),
    "unread": chats.c.unread > 0,
    "taken_over": _UNTIL.is_not(None),
    "drafts": _WAITING > 0,
}


def page(db: Database, asked: Asked) -> tuple[Listed, ...]:
    """Return a page of the list, the chat in which somebody spoke last first."""
    query = _LIST.where(_SHOWING[asked.show])
    if asked.account is not None:
        query = query.where(chats.c.account == asked.account)
    if asked.words.strip():
        query = query.where(_found(asked.words.strip()))
    if asked.before is not None:
        at, account, chat = asked.before
        here = sa.tuple_(-chats.c.last_at, chats.c.account, chats.c.chat)
        query = query.where(here > sa.tuple_(-at, account, chat))
    order = (chats.c.last_at.desc(), chats.c.account, chats.c.chat)
    rows = db.execute(query.order_by(*order).limit(asked.most), {"now": asked.now})
    return tuple(_listed(row) for row in rows)


def one(db: Database, account: AccountId, chat: ChatId, *, now: int) -> Listed | None:
    """Return a chat as it is in the list, None when nobody has said anything in it."""
    row = db.execute(_LIST.where(*_MINE), {"of": account, "in": chat, "now": now}).one_or_none()
    return None if row is None else _listed(row)


_GOODS: Final = sa.exists().where(
    outbox.c.account == inbox.c.account,
    outbox.c.chat == inbox.c.chat,
    outbox.c.source == SOURCE,
    outbox.c.message == inbox.c.message,
)
_LAST: Final = (
    sa.select(inbox.c.content_json)
    .where(
        inbox.c.account == sa.bindparam("of"),
        inbox.c.chat == sa.bindparam("in"),
        inbox.c.content_json.is_not(None),
        # A list is no place for codes: goods that we sent are left out.
        sa.or_(inbox.c.kind != "own", ~_GOODS),
    )
    .order_by(inbox.c.seq.desc())
    .limit(1)
)


def last_words(db: Database, listed: Collection[Listed]) -> Mapping[tuple[AccountId, ChatId], Kept]:
    """Return what came last in each of some chats; a chat without anything is left out."""
    found = {}
    for each in listed:
        told = db.scalar(_LAST, {"of": each.account, "in": each.chat})
        if told is not None:
            found[each.account, each.chat] = content_of(told)
    return found


def _found(words: str) -> sa.ColumnElement[bool]:
    """Match part of a name, part of what was said to us, or a whole id."""
    said = sa.exists().where(
        inbox.c.account == chats.c.account,
        inbox.c.chat == chats.c.chat,
        inbox.c.kind.in_(SPOKEN),
        sa.func.json_extract(inbox.c.content_json, "$.text").contains(words, autoescape=True),
    )
    ids = (column == words for column in (chats.c.chat, chats.c.peer, chats.c.item))
    return sa.or_(chats.c.name.contains(words, autoescape=True), *ids, said)


def _listed(row: sa.Row[tuple[object, ...]]) -> Listed:
    return Listed(
        account=row.account,
        chat=row.chat,
        peer=row.peer,
        name=row.name,
        item=row.item,
        last_at=row.last_at,
        unread=row.unread,
        paused_until=row.until,
        drafts=row.drafts,
    )
