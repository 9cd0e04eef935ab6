"""Where a page of a list ends, as a text that clients hand back unread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias, TypeVar

import attrs
import msgspec

from xybot.web.problems import misfit

S = TypeVar("S")
T = TypeVar("T")

Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number in a cursor; no larger than the store has any."""
CursorText: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=500, description="上一页的 next；空着从头开始 (`next` of the page before)"
    ),
]
Limit: TypeAlias = Annotated[
    int, msgspec.Meta(ge=1, le=200, description="一页最多几条 (how many at most)")
]


@attrs.frozen(kw_only=True)
class Paging:
    """Which part of a list."""

    cursor: CursorText = ""
    limit: Limit = 50


def part(
    items: Sequence[S], paging: Paging, name: Callable[[S], str]
) -> tuple[tuple[S, ...], str | None]:
    """Return a page of a list that is at hand, and the cursor of the next page.

    The cursor names the last one that was shown, so that nothing is left out when others
    come or go meanwhile.
    """
    first, last = 0, read(paging.cursor, tuple[Whole, str])
    if last is not None:
        first, named = last
        if not 0 < first <= len(items) or name(items[first - 1]) != named:
            # It stands elsewhere now; or it is gone, and those after it have moved up.
            places = (n for n, each in enumerate(items, 1) if name(each) == named)
            first = next(places, max(0, first - 1))
    end = first + paging.limit
    shown = tuple(items[first:end])
    return shown, write((end, name(shown[-1]))) if end < len(items) else None


def write(place: object) -> str:
    """Return a place in a list as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(cursor: str, kind: type[T]) -> T | None:
    """Return the place that a cursor stands for; None for an empty one.

    Raises:
      Problem: it is none of ours.
    """
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise misfit("query.cursor", "不是上一页给的 (none of ours)") from None
