"""The books of what is sold: each code is somewhere, and once given it is one order's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.store import codes as stocks
from xybot.store import receipts as chain
from xybot.store.database import Database
from xybot.store.schema import codes, deliveries, orders, receipts

_IMPORTED: Final = (
    sa.select(codes.c.batch, sa.func.count())
    .join(receipts, receipts.c.code == codes.c.id)
    .where(receipts.c.what == "imported")
    .group_by(codes.c.batch)
)
#: What is missing of an order that has codes.
_NO_ORDER: Final = orders.c.order.is_(None)
_NO_DELIVERY: Final = deliveries.c.uuid.is_(None)
_LOST: Final = (
    sa.select(codes.c.id, codes.c.batch, codes.c.order, _NO_ORDER.label("unknown"))
    .outerjoin(
        orders,
        sa.and_(orders.c.account == codes.c.account, orders.c.order == codes.c.order),
    )
    .outerjoin(
        deliveries,
        sa.and_(
            deliveries.c.account == codes.c.account,
            deliveries.c.order == codes.c.order,
            deliveries.c.line == codes.c.line,
        ),
    )
    .where(codes.c.state.in_(("reserved", "sent")), sa.or_(_NO_ORDER, _NO_DELIVERY))
    .order_by(codes.c.id)
)


@attrs.frozen
class Audit:
    """What was looked at, and what does not fit."""

    receipts: int
    codes: int
    wrong: tuple[str, ...]
    """In sentences for the seller."""


def audit(db: Database) -> Audit:
    """Go through all codes and receipts, which takes seconds for a million of them."""
    return Audit(
        receipts=db.scalar(sa.select(sa.func.count()).select_from(receipts)) or 0,
        codes=db.scalar(sa.select(sa.func.count()).select_from(codes)) or 0,
        wrong=(*chain.verify(db), *chain.few(_unbalanced(db)), *chain.few(_lost(db))),
    )


def _unbalanced(db: Database) -> Iterator[str]:
    imported: dict[str, int] = {row.batch: row[1] for row in db.execute(_IMPORTED)}
    for batch in stocks.stock(db, now=0):
        if batch.imported != imported.get(batch.batch, 0):
            yield (
                f"批次 {batch.batch}: 导入了 {imported.get(batch.batch, 0)} 条，现在却有"
                f" {batch.unused} 未用 + {batch.reserved} 已留 + {batch.sent} 已发"
                f" + {batch.quarantined} 隔离"
                " (imported is not unused + reserved + sent + quarantined)"
            )


def _lost(db: Database) -> Iterator[str]:
    for row in db.execute(_LOST, execution_options={"yield_per": 1000}):
        if row.unknown:
            yield (
                f"卡密 {row.id}（{row.batch}）给了订单 {row.order}，却没有这个订单"
                " (a code of an order that is not there)"
            )
        else:
            yield (
                f"卡密 {row.id}（{row.batch}）给了订单 {row.order}，却没有发货记录"
                " (a code without its delivery)"
            )
