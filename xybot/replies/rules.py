"""Keyword rules of bot.toml: the first that matches answers.

Patterns are run by RE2, whose time is linear in the text: no buyer can hang the bot with
a hostile line, and no seller with a hostile pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs
import re2

from xybot.config import Rule
from xybot.errors import ConfigError
from xybot.model import Pass, Reply, Text, Turn
from xybot.replies.source import Answer, variables
from xybot.template import render

_Matches: TypeAlias = Callable[[str], bool]


@attrs.frozen
class _Keyword:
    """One keyword of a rule, ready to look for itself in a text."""

    word: str
    matches: _Matches


@attrs.frozen
class _Ready:
    rule: Rule
    keywords: tuple[_Keyword, ...]

    def hit(self, turn: Turn) -> str | None:
        """Return the keyword that matches, if the rule is about this chat at all."""
        rule = self.rule
        if rule.accounts and turn.account not in rule.accounts:
            return None
        if rule.items and turn.item not in rule.items:
            return None
        text = turn.text
        return next((each.word for each in self.keywords if each.matches(text)), None)


@attrs.frozen(kw_only=True)
class Rules:
    """Rules in file order, one source for those bound to items and one for the others."""

    name: str
    _rules: tuple[_Ready, ...]

    async def answer(self, turn: Turn) -> Answer:
        """Answer by the first rule that matches any line of the turn."""
        if not turn.text:
            return Pass("没有文字 (no words)")
        for ready in self._rules:
            if (word := ready.hit(turn)) is not None:
                return self._reply(ready.rule, word, turn)
        return Pass("没有匹配的关键词 (no keyword matched)")

    def _reply(self, rule: Rule, word: str, turn: Turn) -> Reply:
        text = render(rule.reply, variables(turn))
        contents = (Text(text),) if text else ()
        return Reply(contents=contents, source=self.name, because=f"{rule.where} “{word}”")


def item_rules(rules: Iterable[Rule]) -> Rules:
    """Return the source of the rules that are bound to items.

    Raises:
      ConfigError: a pattern is no regular expression.
    """
    return Rules(name="item_rules", rules=tuple(_ready(rule) for rule in rules if rule.items))


def general_rules(rules: Iterable[Rule]) -> Rules:
    """Return the source of the rules for any item.

    Raises:
      ConfigError: a pattern is no regular expression.
    """
    return Rules(name="rules", rules=tuple(_ready(rule) for rule in rules if not rule.items))


def _ready(rule: Rule) -> _Ready:
    return _Ready(rule, tuple(_Keyword(word, _matcher(rule, word)) for word in rule.keywords))


def _matcher(rule: Rule, word: str) -> _Matches:
    folded = word.casefold().strip()
    match rule.mode:
        case "contains":
            return lambda text: folded in text.casefold()
        case "exact":
            return lambda text: folded in (line.strip() for line in text.casefold().split("\n"))
        case "regex":
            return _pattern(rule, word)


def _pattern(rule: Rule, word: str) -> _Matches:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        pattern = re2.compile(word, options=options)
    except re2.error as exc:
        said = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise ConfigError(
            f"{rule.where}.keywords: 正则表达式有误 (not a regular expression): {word!r}: {said}"
        ) from exc
    return lambda text: pattern.search(text) is not None
