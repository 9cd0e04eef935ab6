"""Long texts in several messages, cut where a reader would pause, and not in a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: Where to cut, the best place first: after a sentence, after a part of one, at a blank.
_PAUSES: Final = tuple(
    re.compile(pattern) for pattern in (r"[。！？!?…\n]+[”’」』）)]*", r"[；;，,、：:]", r"\s")
)
_JOINERS: Final = "\u200d\ufe0f\u20e3"
"""What makes one sign of several: never cut before or after."""


def split(text: str, longest: int) -> Iterator[str]:
    """Yield the pieces of a text, none longer than `longest` and none without words.

    Nothing but white space around a piece is lost.
    """
    rest = text.strip()
    while len(rest) > longest:
        at = _where(rest, longest)
        if piece := rest[:at].strip():
            yield piece
        rest = rest[at:].strip()
    if rest:
        yield rest


def _where(text: str, longest: int) -> int:
    """Return how much of a text is the next piece: at the last good pause, if one is near."""
    for pause in _PAUSES:
        found = (found.end() for found in pause.finditer(text, 0, longest))
        ends = [at for at in found if not _is_inside(text, at)]
        # Not for the sake of a short sentence at the very beginning.
        if ends and ends[-1] * 3 >= longest:
            return ends[-1]
    at = longest
    while at > 1 and _is_inside(text, at):
        at -= 1
    return at if at > 1 else longest


def _is_inside(text: str, at: int) -> bool:
    """Tell whether a cut would break a sign, a link or a code."""
    here, before = text[at], text[at - 1]
    if here in _JOINERS or before in _JOINERS:
        return True
    return "!" <= here <= "~" and "!" <= before <= "~"
