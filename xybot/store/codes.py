"""Codes that are sold: unused → reserved → sent; reserved → unused; unused → quarantined.

A code is an order's from its reservation on: it comes back only while it was not sent, and
once it was sent it is that order's for ever.  What happens to a code has its receipt
(`xybot.store.receipts`) in the same transaction.

A reserved code cannot be quarantined: it stands in a message that may be said any moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import attrs
import msgspec
import sqlalchemy as sa

from xybot.model import AccountId, OrderId
from xybot.store import receipts
from xybot.store.database import Database
from xybot.store.prepared import Prepared, parameters
from xybot.store.receipts import What
from xybot.store.schema import GIVEN, codes
from xybot.store.schema import receipts as receipts_table

_WEEK: Final = 7 * 86_400_000
"""Milliseconds by which it is measured how fast codes are sold."""


@attrs.frozen
class Code:
    """One code; its text is worth money and shows nowhere by itself."""

    id: int
    code: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Found:
    """Where a code is and what became of it."""

    id: int
    batch: str
    state: str
    account: AccountId | None
    order: OrderId | None
    why: str | None


@attrs.frozen
class Repeat:
    """A code that cannot be imported, by its place among those that were to be."""

    index: int
    first: int | None
    """Where it stood before; None: in the batch already."""


@attrs.frozen(kw_only=True)
class Stock:
    """How many codes of a batch there are."""

    batch: str
    unused: int
    reserved: int
    sent: int
    quarantined: int
    sent_lately: int
    """In the last seven days."""

    @property
    def imported(self) -> int:
        """All that ever were."""
        return self.unused + self.reserved + self.sent + self.quarantined

    @property
    def days_left(self) -> int | None:
        """For how many days they last if they sell as lately; None: none were sold."""
        return self.unused * 7 // self.sent_lately if self.sent_lately else None


_UNUSED: Final = (codes.c.batch == sa.bindparam("in"), codes.c.state == "unused")
_OF_ORDER: Final = (
    codes.c.account == sa.bindparam("of"),
    codes.c.order == sa.bindparam("for"),
    GIVEN,
)
_ON_LINES: Final = sa.text("(:lines IS NULL OR line IN (SELECT value FROM json_each(:lines)))")

_INSERT: Final = Prepared(
    sa.insert(codes).values(parameters(codes, "account", "order", "line", "why"))
)
_OLDEST: Final = Prepared(
    sa.select(codes.c.id, codes.c.code)
    .where(*_UNUSED)
    .order_by(codes.c.id)
    .limit(sa.bindparam("most"))
)
_LEFT: Final = sa.select(sa.func.count()).select_from(
    sa.select(codes.c.id).where(*_UNUSED).limit(sa.bindparam("most")).subquery()
)
_RESERVE: Final = Prepared(
    sa.update(codes)
    .where(codes.c.id == sa.bindparam("row"))
    .values(state="reserved", account=sa.bindparam("of"), order=sa.bindparam("for"))
)
_ASSIGN: Final = Prepared(
    sa.update(codes)
    .where(codes.c.id == sa.bindparam("row"), codes.c.state == "reserved")
    .values(line=sa.bindparam("on"))
)
_GIVE_BACK: Final = Prepared(
    sa.update(codes)
    .where(*_OF_ORDER, codes.c.state == "reserved", _ON_LINES)
    .values(state="unused", account=None, order=None, line=None)
    .returning(codes.c.id)
)
_SENT: Final = Prepared(
    sa.update(codes)
    .where(*_OF_ORDER, codes.c.state == "reserved", _ON_LINES)
    .values(state="sent")
    .returning(codes.c.id)
)
_UNTOLD: Final = Prepared(
    sa.select(codes.c.id).where(
        *_OF_ORDER,
        codes.c.state == "sent",
        _ON_LINES,
        ~sa.exists().where(
            receipts_table.c.code == codes.c.id, receipts_table.c.what == sa.bindparam("what")
        ),
    )
)
_QUARANTINE: Final = (
    sa.update(codes)
    .where(codes.c.id == sa.bindparam("row"), codes.c.state == "unused")
    .values(state="quarantined", why=sa.bindparam("because"))
)
_COUNTED: Final = (
    sa.select(codes.c.batch, codes.c.state, sa.func.count())
    .group_by(codes.c.batch, codes.c.state)
    .order_by(codes.c.batch)
)
#: Receipts come in the order of time: those of the week are the last ones.
_LATELY: Final = (
    sa.select(codes.c.batch, sa.func.count())
    .join(receipts_table, receipts_table.c.code == codes.c.id)
    .where(
        receipts_table.c.what == "sent",
        receipts_table.c.id
        > sa.func.coalesce(
            sa.select(receipts_table.c.id)
            .where(receipts_table.c.at < sa.bindparam("since"))
            .order_by(receipts_table.c.id.desc())
            .limit(1)
            .scalar_subquery(),
            0,
        ),
    )
    .group_by(codes.c.batch)
)


def repeats(db: Database, batch: str, texts: Sequence[str]) -> tuple[Repeat, ...]:
    """Return which of some codes the batch has already, or would have twice."""
    seen: dict[str, int | None]
    seen = dict.fromkeys(db.scalars(sa.select(codes.c.code).where(codes.c.batch == batch)))
    found = []
    for index, text in enumerate(texts):
        if text in seen:
            found.append(Repeat(index, seen[text]))
        else:
            seen[text] = index
    return tuple(found)


def elsewhere(db: Database, batch: str, texts: Iterable[str]) -> int:
    """Return how many of some codes other batches have: one text could be sold twice."""
    others = db.scalars(sa.select(codes.c.code).where(codes.c.batch != batch))
    return len(set(texts).intersection(others))


def import_(db: Database, batch: str, texts: Sequence[str], *, now: int) -> int:
    """Add codes to a batch, which may be a new one; none of them may be one of its `repeats`."""
    first = (db.scalar(sa.select(sa.func.max(codes.c.id))) or 0) + 1
    row = {"batch": batch, "state": "unused", "imported_at": now}
    _INSERT.many(db, [row | {"id": id_, "code": text} for id_, text in enumerate(texts, first)])
    receipts.add(db, range(first, first + len(texts)), "imported", at=now)
    return len(texts)


def reserve(  # noqa: PLR0913  # an order and what it wants
    db: Database, batch: str, n: int, *, account: AccountId, order: OrderId, now: int
) -> tuple[Code, ...] | None:
    """Give the `n` oldest unused codes to an order, or None when there are not so many."""
    if n < 1:
        raise ValueError(f"{n} codes were asked for")
    free = _OLDEST.rows(db, {"in": batch, "most": n})
    if len(free) < n:
        return None
    _RESERVE.many(db, [{"row": row.id, "of": account, "for": order} for row in free])
    ids = [row.id for row in free]
    receipts.add(db, ids, "reserved", at=now, account=account, order=order)
    return tuple(Code(row.id, row.code) for row in free)


def assign(db: Database, line_of: Mapping[int, int]) -> None:
    """Write down in which message of its order each reserved code (by its id) stands."""
    _ASSIGN.many(db, [{"row": id_, "on": line} for id_, line in line_of.items()])


def give_back(
    db: Database, account: AccountId, order: OrderId, lines: Collection[int], *, now: int
) -> int:
    """Free the codes of messages that were not sent and never will be; the sent ones stay."""
    return _move(db, _GIVE_BACK, "returned", _Which(account, order, lines), now=now)


def sent(
    db: Database,
    account: AccountId,
    order: OrderId,
    *,
    now: int,
    lines: Collection[int] | None = None,
) -> int:
    """Write down that the platform has the messages with an order's codes.

    Args:
      db: the database.
      account: that sells.
      order: whose they are.
      now: milliseconds.
      lines: these messages; None: all of them.
    """
    return _move(db, _SENT, "sent", _Which(account, order, lines), now=now)


def seen(db: Database, account: AccountId, order: OrderId, line: int, *, now: int) -> int:
    """Write down, once, that the buyer has read a message with codes."""
    return _tell(db, "seen", _Which(account, order, (line,)), now=now)


def confirmed(db: Database, account: AccountId, order: OrderId, *, now: int) -> int:
    """Write down, once, that the platform knows the order of sent codes as shipped."""
    return _tell(db, "confirmed", _Which(account, order, None), now=now)


def quarantine(db: Database, code: int, why: str, *, now: int) -> str | None:
    """Take an unused code out of sale, for good; or return, for the seller, why not."""
    if db.execute(_QUARANTINE, {"row": code, "because": why}).rowcount:
        receipts.add(db, (code,), "quarantined", at=now)
        return None
    row = db.execute(sa.select(codes).where(codes.c.id == code)).first()
    if row is None:
        return "没有这条卡密 (no such code)"
    if row.state == "quarantined":
        return "已经隔离了 (it is quarantined already)"
    if row.state == "sent":
        return f"已发给订单 {row.order} (it was sent to this order)"
    return f"正要发给订单 {row.order} (it is about to be sent to this order)"


def stock(db: Database, *, now: int) -> tuple[Stock, ...]:
    """Return what there is of each batch, by name."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for batch, state, n in db.execute(_COUNTED):
        counts[batch][state] = n
    lately = Counter[str]()
    for batch, n in db.execute(_LATELY, {"since": now - _WEEK}):
        lately[batch] = n
    return tuple(
        Stock(
            batch=batch,
            unused=n["unused"],
            reserved=n["reserved"],
            sent=n["sent"],
            quarantined=n["quarantined"],
            sent_lately=lately[batch],
        )
        for batch, n in counts.items()
    )


def low(db: Database, batch: str, below: int) -> int | None:
    """Return how many unused codes a batch has, if fewer than `below`; else None."""
    left: int = db.execute(_LEFT, {"in": batch, "most": max(below, 0)}).scalar_one()
    return left if left < below else None


def unused(db: Database, batch: str) -> tuple[Code, ...]:
    """Return the unused codes of a batch, oldest first."""
    rows = _OLDEST.rows(db, {"in": batch, "most": -1})
    return tuple(Code(row.id, row.code) for row in rows)


def find(db: Database, text: str, batch: str | None = None) -> tuple[Found, ...]:
    """Return where a code is: in one batch, or in any."""
    wanted = [codes.c.code == text] + ([codes.c.batch == batch] if batch is not None else [])
    rows = db.execute(sa.select(codes).where(*wanted).order_by(codes.c.id))
    return tuple(
        Found(
            id=row.id,
            batch=row.batch,
            state=row.state,
            account=row.account,
            order=row.order,
            why=row.why,
        )
        for row in rows
    )


@attrs.frozen
class _Which:
    """Which codes: of an order, in some of its messages, or in all."""

    account: AccountId
    order: OrderId
    lines: Collection[int] | None

    @property
    def values(self) -> Mapping[str, object]:
        lines = None if self.lines is None else msgspec.json.encode(list(self.lines)).decode()
        return {"of": self.account, "for": self.order, "lines": lines}


def _move(db: Database, statement: Prepared, what: What, which: _Which, *, now: int) -> int:
    ids = sorted(row.id for row in statement.rows(db, which.values))
    receipts.add(db, ids, what, at=now, account=which.account, order=which.order)
    return len(ids)


def _tell(db: Database, what: What, which: _Which, *, now: int) -> int:
    ids = sorted(row.id for row in _UNTOLD.rows(db, {**which.values, "what": what}))
    receipts.add(db, ids, what, at=now, account=which.account, order=which.order)
    return len(ids)
