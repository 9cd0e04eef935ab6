"""Words of others, made harmless to a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

_LONGEST: Final = 120
"""Characters of a buyer's words, or ours, in one line."""


def short(text: object, longest: int = _LONGEST) -> str:
    """Return words on one line, harmless to a terminal, and cut if they are long."""
    words = "".join(" ⏎ " if each == "\n" else _harmless(each) for each in str(text)[: longest + 1])
    return words if len(str(text)) <= longest else f"{words[:longest]}…"


def _harmless(char: str) -> str:
    return char if is_harmless(char) else "\ufffd"


def is_harmless(char: str) -> bool:
    """Tell whether a character can do nothing to a terminal, or to a reader of lines."""
    # C: control, format (text direction), surrogate, private use. Joiners make emoji.
    # Zl, Zp: line and paragraph separators, at which some readers split.
    category = unicodedata.category(char)
    return char == "\u200d" or (category[0] != "C" and category not in ("Zl", "Zp"))


def harmless_lines(text: str) -> str:
    """Return lines, each harmless to a terminal."""
    return "\n".join("".join(map(_harmless, line)) for line in text.split("\n"))
