"""Words and regular expressions that the seller looks for, in what buyers say and in titles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import re2

from xybot.config.problems import Misfit

Title: TypeAlias = Callable[[str], bool]
"""Tells whether the title of an item is of a kind."""


class Pattern(Protocol):
    """A compiled regular expression."""

    def search(self, text: bytes) -> object | None:
        """Return what was found, if anything."""


def folded(written: str) -> str:
    """Return a word as it is looked for: blanks around it and letter case do not count."""
    return written.casefold().strip()


def pattern(written: str) -> Pattern:
    """Compile a regular expression.

    Raises:
      Misfit: it is none that RE2 knows.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        made: Pattern = re2.compile(written, options=options)
    except re2.error as exc:
        said = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise Misfit(f"正则表达式有误 (not a regular expression): {written!r}: {said}") from exc
    return made


def title(written: str) -> Title:
    """Read `words` or `/regular expression/`, which titles are to hold.

    Raises:
      Misfit: it is no regular expression.
    """
    word = folded(written)
    if len(word) > 1 and word.startswith("/") and word.endswith("/"):
        if word == "//":
            raise Misfit("两个 / 之间要有正则表达式 (nothing stands between the slashes)")
        compiled = pattern(written.strip()[1:-1])
        return lambda title: compiled.search(title.encode("utf-8", "replace")) is not None
    return lambda title: word in title.casefold()
