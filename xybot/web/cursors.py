"""Where a page of a list ends, as a text that clients hand back unread."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeAlias, TypeVar

import attrs
import msgspec

from xybot.web.problems import misfit

T = TypeVar("T")

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
