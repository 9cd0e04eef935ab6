"""Orders as CSV (RFC 4180), for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from xybot.store.sales import Order

BOM: Final = "\ufeff"
"""What a file begins with, or a spreadsheet takes its Chinese for another encoding."""
HEAD: Final = (
    "账号 (account)",
    "订单号 (order)",
    "状态 (state)",
    "原因 (why)",
    "货品 (goods)",
    "商品编号 (item)",
    "标题 (title)",
    "规格 (spec)",
    "数量 (quantity)",
    "金额元 (amount, yuan)",
    "买家 (buyer)",
    "昵称 (name)",
    "身份 (role)",
    "会话 (chat)",
    "下单 (created)",
    "付款 (paid)",
    "变动 (changed)",
)
#: A spreadsheet executes what begins like a formula; some strip the blanks before it, and those
#: of the far east read a full-width sign as the plain one.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BLANKS: Final = ("\t", "\r", "\n")


def as_csv(found: Iterable[Order]) -> str:
    """Return orders as CSV with a head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(map(_row, found))
    return text.getvalue()


def _row(order: Order) -> tuple[str, ...]:
    cells = (
        order.account,
        order.order,
        order.state.value,
        order.why,
        order.goods,
        order.item,
        order.title,
        order.spec,
        order.quantity,
        None if order.amount is None else yuan(order.amount),
        order.buyer,
        order.name,
        order.role,
        order.chat,
        _moment(order.created_at),
        _moment(order.paid_at),
        _moment(order.changed_at),
    )
    return tuple(map(_cell, cells))


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    formula = text.lstrip().startswith(_FORMULA) or text.startswith(_BLANKS)
    return f"'{text}" if formula else text


def yuan(fen: int) -> str:
    """Return an amount as it is written: `1299.00`."""
    sign, fen = "-" * (fen < 0), abs(fen)
    return f"{sign}{fen // 100}.{fen % 100:02}"


def _moment(at: int | None) -> str:
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone() if at is not None else None
    except (ValueError, OverflowError, OSError):  # No date of this calendar.
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
