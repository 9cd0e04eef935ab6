"""The language of `mode = "expression"`: `(在吗 | 有货) & !二手`.

    either = both ("|" both)*
    both   = one ("&" one)*
    one    = "!" one | "(" either ")" | word | '"' words with blanks '"'

Full-width forms of the signs are the same signs: （）｜＆！“”.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, TypeAlias, assert_never

import attrs

from xybot.config.problems import Misfit

DEEPEST: Final = 50
"""How many `(` and `!` may stand inside each other."""

_SIGNS: Final = str.maketrans("（）｜＆！", "()|&!")
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[()|&!（）｜＆！])"
    r"|[\"“”＂](?P<quoted>[^\"“”＂]*)(?P<closed>[\"“”＂]?)"
    r"|(?P<word>[^\s()|&!（）｜＆！\"“”＂]+)"
    r"|(?P<end>\Z))"
)


@attrs.frozen
class Word:
    """The text holds this, whatever the case of its letters."""

    word: str
    """Folded."""


@attrs.frozen
class Not:
    """The part does not hold."""

    part: Expression


@attrs.frozen
class AllOf:
    """Each part holds; there are two or more."""

    parts: tuple[Expression, ...]


@attrs.frozen
class AnyOf:
    """One part holds, or several; there are two or more."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = Word | Not | AllOf | AnyOf


def parse(written: str) -> Expression:
    """Read an expression.

    Raises:
      Misfit: it is none; the text names the position, from 1, and what was expected there.
    """
    return _Parser(_tokens(written)).whole()


def words(expression: Expression) -> frozenset[str]:
    """Return all words that the expression looks for."""
    match expression:
        case Word(word):
            return frozenset((word,))
        case Not(part):
            return words(part)
        case AllOf(parts) | AnyOf(parts):
            return frozenset().union(*map(words, parts))
        case _:
            assert_never(expression)


def needs(expression: Expression) -> frozenset[str] | None:
    """Return words without any of which the expression cannot hold; None if there are none."""
    match expression:
        case Word(word):
            return frozenset((word,))
        case Not():
            return None
        case AllOf(parts):
            known = (found for part in parts if (found := needs(part)) is not None)
            return min(known, key=len, default=None)
        case AnyOf(parts):
            each = [needs(part) for part in parts]
            sure = [found for found in each if found is not None]
            return frozenset().union(*sure) if len(sure) == len(each) else None
        case _:
            assert_never(expression)


def holds(expression: Expression, found: Collection[str]) -> bool:
    """Tell whether the expression is true of a text.

    Args:
      expression: what is asked.
      found: those of its `words` that the folded text holds.
    """
    match expression:
        case Word(word):
            return word in found
        case Not(part):
            return not holds(part, found)
        case AllOf(parts):
            return all(holds(part, found) for part in parts)
        case AnyOf(parts):
            return any(holds(part, found) for part in parts)
        case _:
            assert_never(expression)


@attrs.frozen
class _Token:
    kind: str
    """A sign, `word`, or `end`."""
    at: int
    """Where it begins, from 1."""
    word: str = ""


def _tokens(written: str) -> Iterator[_Token]:
    """Yield the tokens; the last is the end, and all that follow it are the end too."""
    at = 0
    while True:
        found = _TOKEN.match(written, at)
        assert found is not None, "every character begins a token"
        at, begin = found.end(), found.end() - len(found[0].lstrip()) + 1
        match found.lastgroup:
            case "sign":
                yield _Token(found["sign"].translate(_SIGNS), begin)
            case "word":
                yield _Token("word", begin, found["word"])
            case "closed":
                if not found["closed"]:
                    raise _wrong(begin, "引号没有结束", "this quote has no end")
                yield _Token("word", begin, found["quoted"])
            case _:
                yield _Token("end", begin)


class _Parser:
    """Reads by descent, one token ahead."""

    def __init__(self, tokens: Iterator[_Token]) -> None:
        self._tokens = tokens
        self._next = next(tokens)
        self._depth = 0

    def whole(self) -> Expression:
        found = self._either()
        match self._next.kind:
            case "end":
                return found
            case ")":
                raise _wrong(self._next.at, "多了一个 )", "a ) too many")
        raise _wrong(self._next.at, "应为 & 或 |，带空格的词请加引号", "want & or |, or quotes")

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._next.kind == "|":
            self._take()
            parts.append(self._both())
        return AnyOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def _both(self) -> Expression:
        parts = [self._one()]
        while self._next.kind == "&":
            self._take()
            parts.append(self._one())
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Expression:
        token = self._take()
        match token.kind:
            case "word":
                return _word(token)
            case "!":
                self._deeper(token)
                found: Expression = Not(self._one())
            case "(":
                self._deeper(token)
                found = self._either()
                self._close(token)
            case _:
                raise _wrong(token.at, "应为关键词、! 或 (", "want a word, ! or (")
        self._depth -= 1
        return found

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _wrong(token.at, f"括号太深，最多 {DEEPEST} 层", f"deeper than {DEEPEST}")

    def _close(self, opened: _Token) -> None:
        if self._next.kind == "end":
            raise _wrong(opened.at, "这个 ( 没有对应的 )", "this ( is never closed")
        if self._next.kind != ")":
            raise _wrong(self._next.at, "应为 &、| 或 )，带空格的词请加引号", "want &, | or )")
        self._take()

    def _take(self) -> _Token:
        taken = self._next
        if taken.kind != "end":
            self._next = next(self._tokens)
        return taken


def _word(token: _Token) -> Word:
    folded = token.word.casefold().strip()
    if not folded:
        raise _wrong(token.at, "引号里要有字", "nothing stands between these quotes")
    return Word(folded)


def _wrong(at: int, chinese: str, english: str) -> Misfit:
    return Misfit(f"第 {at} 个字符：{chinese} (at character {at}: {english})")
