"""Times of day in which a rule holds: `22:00-08:00`, by the seller's clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

import attrs

from xybot.config.problems import Misfit

_SPAN = re.compile(r"\s*([0-9]{1,2})[:：]([0-9]{2})\s*[-－–—~～]\s*([0-9]{1,2})[:：]([0-9]{2})\s*")
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR


@attrs.frozen
class Hours:
    """From a minute of the day until before another, over midnight if it begins later."""

    begin: int
    end: int
    """1440 is the end of the day."""

    def include(self, minute: int) -> bool:
        """Tell whether a minute of the day, from 0, is within."""
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse(written: str) -> Hours:
    """Read `HH:MM-HH:MM`.

    Raises:
      Misfit: it is no span of a day, or an empty one.
    """
    found = _SPAN.fullmatch(written)
    if found is None or not all(int(minutes) < _HOUR for minutes in (found[2], found[4])):
        raise Misfit(f'应为 "22:00-08:00" 的样子：{written!r} (want "22:00-08:00")')
    begin, end = int(found[1]) * _HOUR + int(found[2]), int(found[3]) * _HOUR + int(found[4])
    if begin >= _DAY or end > _DAY:
        raise Misfit(f"一天只到 24:00：{written!r} (a day ends at 24:00)")
    if begin == end:
        raise Misfit(f"开始和结束一样：{written!r} (it ends where it begins)")
    return Hours(begin, end)


def local_time(now_ms: int, zone: tzinfo | None = None) -> datetime:
    """Return what the clock on the wall shows; without a zone, on a wall beside this machine."""
    return datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(zone)


def minute_of(time: datetime) -> int:
    """Return the minute of the day, from 0."""
    return time.hour * _HOUR + time.minute
