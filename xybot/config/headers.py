"""On which line of a TOML file its tables begin; the parser of the language does not tell."""

from __future__ import annotations

import re
from typing import Final

_TEXT: Final = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|"(?:\\.|[^"\\\n])*"|#[^\n]*'''
    r"""|'{3}.*?'{3,5}|'[^'\n]*'""",
    re.DOTALL,
)
"""Texts of TOML, which may go over lines, and comments: nothing in them is a header."""


def lines_of(text: str, name: str, count: int) -> tuple[int, ...]:
    """Return the lines, counted from 1, at which the entries of an array of tables begin.

    Args:
      text: a whole file, which is TOML.
      name: of the array, a bare key: `rules` for `[[rules]]`.
      count: how many entries the parser found.

    Returns:
      One line for each entry, or nothing when they are not written as `[[…]]`.
    """
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{re.escape(name)}[ \t]*\]\]", re.MULTILINE)
    statements = _TEXT.sub(_blank, text)
    lines, line, end = [], 1, 0
    for found in header.finditer(statements):
        line += statements.count("\n", end, found.start())
        end = found.start()
        lines.append(line)
    return tuple(lines) if len(lines) == count else ()


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
