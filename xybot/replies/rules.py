"""Keyword rules of bot.toml: the first that matches answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Final, TypeVar

import attrs
import trio

from xybot.config import Rule, patterns
from xybot.config.patterns import Title
from xybot.config.problems import Misfit, Place
from xybot.errors import ConfigError
from xybot.model import AccountId, Image, Item, ItemId, Pass, Photo, Reply, Sayable, Text, Turn
from xybot.replies import hours, keywords
from xybot.replies.hours import Hours
from xybot.replies.keywords import Heard, Index, Keyword
from xybot.replies.source import Answer, Facts, Means, fill_in

_RULES_IN_A_ROW: Final = 100

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class _Ready:
    """A rule of bot.toml, ready to be asked."""

    rule: Rule
    accounts: frozenset[AccountId]
    items: frozenset[ItemId]
    titles: tuple[Title, ...]
    hours: tuple[Hours, ...]
    keywords: tuple[Keyword, ...]
    fingerprint: str

    def may_answer(self, turn: Turn, minute: int) -> bool:
        """Tell whether the rule is for this account at this time."""
        for_account = not self.accounts or turn.account in self.accounts
        return for_account and (not self.hours or any(x.include(minute) for x in self.hours))

    def matching(self, heard: Heard) -> str | None:
        """Return the first keyword that matches, as it was written."""
        pairs = zip(self.rule.keywords, self.keywords, strict=True)
        return next((written for written, each in pairs if heard.matches(each)), None)

    async def is_for_item(self, turn: Turn, facts: Facts) -> bool:
        """Tell whether the rule is for the item; its title is asked for only if it decides."""
        if not self.titles or turn.item in self.items:
            return True
        item = await facts(turn.account, turn.item) if turn.item else None
        return item is not None and any(each(item.title) for each in self.titles)


@attrs.frozen(kw_only=True)
class Rules:
    """Rules in their order, one source for those bound to items and one for the others."""

    name: str
    means: Means
    zone: tzinfo | None
    """The seller's; None is that of this machine."""
    _rules: Sequence[_Ready]
    _index: Index

    async def answer(self, turn: Turn) -> Answer:
        """Answer by the first rule that matches what was said in all lines of the turn."""
        if not turn.text:
            return Pass("没有文字 (no words)")
        means = attrs.evolve(self.means, facts=_Once(self.means.facts))
        minute = hours.minute_of(hours.local_time(self.means.now_ms(), self.zone))
        heard = self._index.hear(turn.text)
        for count, n in enumerate(await self._index.candidates(heard, turn.item), 1):
            if count % _RULES_IN_A_ROW == 0:
                await trio.lowlevel.checkpoint()  # Thousands must not delay a heartbeat.
            ready = self._rules[n]
            written = ready.matching(heard) if ready.may_answer(turn, minute) else None
            if written is not None and await ready.is_for_item(turn, means.facts):
                return await self._reply(ready, written, turn, means)
        return Pass("没有匹配的关键词 (no keyword matched)")

    async def _reply(self, ready: _Ready, written: str, turn: Turn, means: Means) -> Reply:
        rule = ready.rule
        said = await fill_in(rule.reply, turn, means, self.zone)
        words = tuple(Text(each) for each in said if each.strip())
        return Reply(
            contents=(*words, *_picture(rule)),
            source=self.name,
            because=f"{rule.where} “{written}”",
            hand_over=rule.hand_over,
            rule=ready.fingerprint,
        )


@attrs.frozen
class _Once:
    """Asks for the facts of an item once in a turn, however many rules want them."""

    _ask: Facts
    _known: dict[ItemId, Item | None] = attrs.field(factory=dict, init=False)

    async def __call__(self, account: AccountId, item: ItemId) -> Item | None:
        if item not in self._known:
            self._known[item] = await self._ask(account, item)
        return self._known[item]


def _picture(rule: Rule) -> tuple[Sayable, ...]:
    if not rule.image:
        return ()
    return (Image(rule.image) if "://" in rule.image else Photo(rule.image),)


def item_rules(rules: Iterable[Rule], means: Means, zone: tzinfo | None = None) -> Rules:
    """Return the source of the rules that are bound to items, by their ids or titles.

    Raises:
      ConfigError: keywords, titles or hours that cannot be used, all of them.
    """
    return _source("item_rules", (x for x in rules if x.items or x.titles), means, zone)


def general_rules(rules: Iterable[Rule], means: Means, zone: tzinfo | None = None) -> Rules:
    """Return the source of the rules for any item.

    Raises:
      ConfigError: keywords or hours that cannot be used, all of them.
    """
    return _source("rules", (x for x in rules if not x.items and not x.titles), means, zone)


def _source(name: str, rules: Iterable[Rule], means: Means, zone: tzinfo | None) -> Rules:
    problems: list[str] = []
    ordered = sorted(rules, key=lambda rule: -rule.priority)  # Equals stay in their order.
    ready = [_ready(rule, problems) for rule in ordered]
    if problems:
        raise ConfigError("; ".join(problems))
    # A title is only looked at when the keyword matches: such a rule is for any item until then.
    scopes = (() if each.titles else each.items for each in ready)
    index = keywords.index([(s, each.keywords) for s, each in zip(scopes, ready, strict=True)])
    return Rules(name=name, means=means, zone=zone, rules=ready, index=index)


def _ready(rule: Rule, problems: list[str]) -> _Ready:
    """Make a rule ready; what is wrong with it is added to the problems."""

    def each(key: str, read: Callable[[str], T]) -> Iterator[T]:
        for n, written in enumerate(getattr(rule, key)):
            try:
                yield read(written)
            except Misfit as exc:
                problems.append(Place(rule.place(f"{key}[{n}]")).problem(str(exc)))

    return _Ready(
        rule=rule,
        accounts=frozenset(rule.accounts),
        items=frozenset(rule.items),
        titles=tuple(each("titles", patterns.title)),
        hours=tuple(each("hours", hours.parse)),
        keywords=tuple(each("keywords", lambda word: keywords.keyword(word, rule.mode))),
        fingerprint=rule.fingerprint,
    )
