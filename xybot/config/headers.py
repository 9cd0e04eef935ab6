"""On which line of a TOML file its tables begin; the parser of the language does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator


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
    starts = [found.start() for found in header.finditer(text)]
    if len(starts) > count:
        # Some stand inside of texts that go over lines, where no statement can end.
        starts = list(_at_statements(text, starts))
    if len(starts) != count:
        return ()
    return tuple(text.count("\n", 0, start) + 1 for start in starts)


def _at_statements(text: str, starts: list[int]) -> Iterator[int]:
    for start in starts:
        try:
            tomllib.loads(text[:start])
        except ValueError:
            continue
        yield start
