"""Which of thousands of rules a text may concern, found in a single look at it.

What the buyer wrote decides the time, and nothing else does: plain words cost one pass over
the text, patterns are run by RE2, whose time is linear in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, assert_never

import attrs
import trio

from xybot.config import Mode
from xybot.config.patterns import Pattern, folded, pattern
from xybot.config.problems import Misfit
from xybot.replies import expressions
from xybot.replies.expressions import Expression

_AT_ONCE: Final = 32
"""So many patterns are asked as one whether any of them matches."""
_BLOCKS_IN_A_ROW: Final = 16


@attrs.frozen
class Contains:
    """The text holds this word."""

    folded: str


@attrs.frozen
class Exact:
    """A line of the text is this word."""

    folded: str


@attrs.frozen
class Regex:
    """The pattern is found in the text."""

    written: str
    pattern: Pattern


@attrs.frozen
class Logic:
    """The expression is true of the text."""

    expression: Expression


Keyword: TypeAlias = Contains | Exact | Regex | Logic


def keyword(written: str, mode: Mode) -> Keyword:
    """Make a keyword of bot.toml ready.

    Raises:
      Misfit: it is no regular expression, or no expression of ours.
    """
    match mode:
        case "contains":
            return Contains(folded(written))
        case "exact":
            return Exact(folded(written))
        case "regex":
            return Regex(written, pattern(written))
        case "expression":
            return Logic(expressions.parse(written))
        case _:
            assert_never(mode)


@attrs.frozen
class Heard:
    """A text, looked at once for all keywords."""

    words: Collection[str]
    """Which of the known words it holds."""
    lines: Collection[str]
    raw: bytes

    def matches(self, keyword: Keyword) -> bool:
        """Tell whether one of the indexed keywords matches."""
        match keyword:
            case Contains(word):
                return word in self.words
            case Exact(word):
                return word in self.lines
            case Regex(pattern=pattern):
                return pattern.search(self.raw) is not None
            case Logic(expression):
                return expressions.holds(expression, self.words)
            case _:
                assert_never(keyword)


@attrs.frozen
class Vocabulary:
    """Words, found in a text by their first characters and lengths."""

    _words: Collection[str]
    _lengths: Mapping[str, Sequence[int]]
    """First character -> how long the words are that begin with it."""

    @classmethod
    def of(cls, words: Iterable[str]) -> Vocabulary:
        """Learn the words, which are folded and not empty."""
        known = frozenset(words)
        lengths: dict[str, set[int]] = {}
        for word in known:
            lengths.setdefault(word[0], set()).add(len(word))
        return cls(known, {first: sorted(each) for first, each in lengths.items()})

    def within(self, text: str) -> set[str]:
        """Return the words that stand in a folded text."""
        words, lengths, found = self._words, self._lengths, set()
        for at, first in enumerate(text):
            for length in lengths.get(first, ()):
                if (word := text[at : at + length]) in words:
                    found.add(word)
        return found


@attrs.frozen
class _Block:
    """Several patterns as one."""

    any_of: Pattern | None
    """None: they cannot be asked together."""
    rules: frozenset[int]

    def may_match(self, raw: bytes) -> bool:
        """Tell whether one of the patterns is found, or none of them can be ruled out."""
        return self.any_of is None or self.any_of.search(raw) is not None


@attrs.frozen
class _Shelf:
    """The keywords of the rules of one scope."""

    words: dict[str, list[int]] = attrs.field(factory=dict)
    lines: dict[str, list[int]] = attrs.field(factory=dict)
    always: list[int] = attrs.field(factory=list)
    """Rules whose expressions may be true of a text without any known word."""
    patterns: list[tuple[int, Regex]] = attrs.field(factory=list)
    blocks: list[_Block] = attrs.field(factory=list)

    def add(self, rule: int, keyword: Keyword) -> None:
        match keyword:
            case Contains(word):
                self.words.setdefault(word, []).append(rule)
            case Exact(word):
                self.lines.setdefault(word, []).append(rule)
            case Regex():
                self.patterns.append((rule, keyword))
            case Logic(expression):
                needed = expressions.needs(expression)
                if needed is None:
                    self.always.append(rule)
                for word in needed or ():
                    self.words.setdefault(word, []).append(rule)
            case _:
                assert_never(keyword)

    async def candidates(self, heard: Heard) -> set[int]:
        found = set(self.always)
        for word in heard.words:
            found.update(self.words.get(word, ()))
        for line in heard.lines:
            found.update(self.lines.get(line, ()))
        for n, block in enumerate(self.blocks, 1):
            if n % _BLOCKS_IN_A_ROW == 0:
                await trio.lowlevel.checkpoint()  # Others may run while a long text is searched.
            if block.may_match(heard.raw):
                found |= block.rules
        return found


@attrs.frozen
class Index:
    """The keywords of many rules; a rule is its number here, a scope is what it is bound to."""

    _vocabulary: Vocabulary
    _shelves: Mapping[str | None, _Shelf]

    def hear(self, text: str) -> Heard:
        """Look at a text, with all its lines."""
        low = text.casefold()
        return Heard(
            words=self._vocabulary.within(low),
            lines={line.strip() for line in low.split("\n")},
            # A lone surrogate, which JSON can carry, must not break the search.
            raw=text.encode("utf-8", "replace"),
        )

    async def candidates(self, heard: Heard, scope: str | None) -> list[int]:
        """Return every rule of a scope, or of none, that may match, and few others, in order."""
        found: set[int] = set()
        for each in {None, scope}:
            if shelf := self._shelves.get(each):
                found |= await shelf.candidates(heard)
        return sorted(found)


def index(rules: Sequence[tuple[Collection[str], Sequence[Keyword]]]) -> Index:
    """Index rules by their places in the sequence.

    Args:
      rules: (scopes, keywords) of each; without a scope it concerns everything.
    """
    shelves: dict[str | None, _Shelf] = {}
    for n, (scopes, keywords) in enumerate(rules):
        for scope in scopes or (None,):
            shelf = shelves.setdefault(scope, _Shelf())
            for each in keywords:
                shelf.add(n, each)
    for shelf in shelves.values():
        shelf.blocks.extend(_blocks(shelf.patterns))
    words = (word for _, keywords in rules for each in keywords for word in _words(each))
    return Index(Vocabulary.of(words), shelves)


def _words(keyword: Keyword) -> Collection[str]:
    """Return the words that a keyword looks for anywhere in a text."""
    match keyword:
        case Contains(word):
            return (word,)
        case Logic(expression):
            return expressions.words(expression)
        case Exact() | Regex():
            return ()
        case _:
            assert_never(keyword)


def _blocks(patterns: Sequence[tuple[int, Regex]]) -> Iterator[_Block]:
    for first in range(0, len(patterns), _AT_ONCE):
        block = patterns[first : first + _AT_ONCE]
        yield _Block(_any_of([each for _, each in block]), frozenset(n for n, _ in block))


def _any_of(patterns: Sequence[Regex]) -> Pattern | None:
    # \Q quotes to the end, and would swallow the bracket that ends its pattern.
    if len(patterns) == 1 or any(r"\Q" in each.written for each in patterns):
        return None
    try:
        return pattern("|".join(f"(?:{each.written})" for each in patterns))
    except Misfit:
        return None  # Too large together, or the names of groups clash.
