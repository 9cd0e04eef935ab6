"""Amounts of money as people type them: 80 · 80.5 · 1百5 · 两千八 · 1.5k · 八块五."""

from __future__ import annotations

import re
from typing import Final

AMOUNT: Final = (
    r"(?:\d{1,7}(?:\.\d{1,2})?(?:[百千万kw](?:[0-9一二两三四五六七八九](?![个件套]))?)?(?!\d)"
    r"|[一二两三四五六七八九十][零〇一二两三四五六七八九十百千万]{0,12}"
    r"(?![零〇一二两三四五六七八九十百千万]))"
)
"""A pattern for all that `fen` can read, in small letters, and for more: ask `fen`."""

_PIECE: Final = re.compile(r"\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百千万kw]")
_DIGITS: Final = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "k": 1000}
_MYRIADS: Final = "万w"
_ZEROS: Final = "零〇"
_MYRIAD: Final = 10_000
_HUNDRED: Final = 100
_LARGEST: Final = 1_000_000_000
"""Fen: ten million yuan."""


def fen(text: str) -> int | None:
    """Return an amount of yuan in fen; None for what is no number, or no price of anything.

    A digit at the end counts by the unit before it, as it is spoken: `一百二` is 120.
    """
    reader = _Reader()
    for piece in _PIECE.findall(text):
        if not reader.take(piece):
            return None
    value = reader.value()
    return value if 0 < value <= _LARGEST else None


class _Reader:
    """Adds up digits and units from left to right, in fen."""

    def __init__(self) -> None:
        self._total = 0
        self._section = 0
        self._pending: int | None = None
        self._unit = 0
        """The unit before what is pending, in yuan; 0 at the start, 1 after a zero."""

    def take(self, piece: str) -> bool:
        """Read on; False when it makes no number."""
        if piece in _ZEROS:
            taken = self._pending is None and self._unit > 0
            self._unit = 1
            return taken
        if piece in _MYRIADS:
            return self._myriad()
        if unit := _UNITS.get(piece):
            return self._count(unit)
        if self._pending is not None:
            return False
        self._pending = _hundredths(piece)
        return True

    def _count(self, unit: int) -> bool:
        many = self._pending
        if many is None and unit == 10:  # 十五 is 15, but 百五 is nothing
            many = 100
        if many is None or (self._section and unit >= self._unit > 1):
            return False
        self._section += many * unit
        self._pending, self._unit = None, unit
        return True

    def _myriad(self) -> bool:
        section = self._section + (self._pending or 0)
        if not section or self._total:
            return False
        self._total, self._section = section * _MYRIAD, 0
        self._pending, self._unit = None, _MYRIAD
        return True

    def value(self) -> int:
        last = self._pending or 0
        # 一百二 is 120 and 一千二 is 1200, but 八十二 is 82, and 一百零二 is 102.
        if self._unit >= _HUNDRED and 0 < last < 10 * _HUNDRED:
            last = last * self._unit // 10
        return self._total + self._section + last


def _hundredths(piece: str) -> int:
    if piece in _DIGITS:
        return _DIGITS[piece] * 100
    whole, _, rest = piece.partition(".")
    return int(whole) * 100 + int(rest[:2].ljust(2, "0"))
