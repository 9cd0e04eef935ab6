"""Rules: what is loaded from where, how often each answered, and trying a line on them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import attrs
from msgspec import Meta

from xybot.config import Rule, editing
from xybot.config.answering import texts
from xybot.errors import ConfigError
from xybot.model import (
    AccountId,
    ChatId,
    Decision,
    ItemId,
    Message,
    MessageId,
    Sayable,
    Text,
    Turn,
    UserId,
)
from xybot.store import overview
from xybot.telling import words
from xybot.web import cursors
from xybot.web.api.shapes import Passed
from xybot.web.cursors import Paging
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.problems import misfit, not_found
from xybot.web.reading import NOT_BLANK
from xybot.web.reply import LONGEST_TEXT
from xybot.web.sending import known

HITS_OF: Final = 7 * 86_400_000
"""Milliseconds for which hits are counted."""
NOBODY: Final = "0"
"""The id of a buyer who never was, and of the chat with them."""

_Texts = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=200, pattern=NOT_BLANK)], ...],
    Meta(max_length=100),
]
_Names = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\s/]+$")], ...],
    Meta(max_length=100),
]


@attrs.frozen(kw_only=True)
class RuleShown:
    """A rule that is in force."""

    id: str
    """A fingerprint: the same wherever the rule stands, another when it says something else."""
    where: str
    """`bot.toml: rules[0]（第 1 条）`"""
    line: int | None
    """Of its file."""
    mode: str
    keywords: tuple[str, ...]
    reply: tuple[str, ...]
    image: str
    accounts: tuple[str, ...]
    items: tuple[str, ...]
    titles: tuple[str, ...]
    hours: tuple[str, ...]
    priority: int
    hand_over: bool
    hits: int
    """How many turns it answered in the last seven days."""
    own: bool
    """Whether it was made in the console, and can be removed there."""


@attrs.frozen(kw_only=True)
class Rules:
    """A page of rules, in the order of the files."""

    items: tuple[RuleShown, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class NewRule:
    """A rule to be added; it goes to `bot.d/console.toml`."""

    keywords: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...],
        Meta(min_length=1, max_length=100),
    ]
    mode: Literal["contains", "exact", "regex", "expression"] = "contains"
    reply: Annotated[
        tuple[Annotated[str, Meta(max_length=LONGEST_TEXT)], ...],
        Meta(max_length=20, description="空着 = 匹配了但不回 (empty: matched, stay silent)"),
    ] = ()
    accounts: _Names = ()
    items: _Texts = ()
    titles: _Texts = ()
    hours: _Texts = ()
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    hand_over: bool = False


@attrs.frozen(kw_only=True)
class InRule:
    """A rule."""

    rule: Annotated[str, Meta(max_length=64, description="规则的 id (of a rule)")]


@attrs.frozen(kw_only=True)
class Tried:
    """A line of a buyer who never was."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
    account: Annotated[str, Meta(description="当作哪个账号；空着是第一个 (empty: the first)")] = ""
    item: Annotated[str, Meta(max_length=64)] = ""
    buyer: Annotated[str, Meta(max_length=100)] = "买家"
    outside: Annotated[
        bool, Meta(description="也真的去问 AI 和 webhook (really ask the model and the webhook)")
    ] = False


@attrs.frozen(kw_only=True)
class TriedReply:
    """What would be said, and why; nothing was sent or stored."""

    texts: tuple[str, ...]
    """Empty: nothing would be said."""
    source: str | None
    because: str | None
    mode: str
    held: str
    hand_over: bool
    passed: tuple[Passed, ...]


@endpoint("GET", "/api/v1/rules", "read")
async def list_rules(house: House, query: Paging) -> Rules:
    """正在使用的规则、来自哪个文件哪一行、七天里用了几次 (rules, from where, with their hits)."""
    items, more = cursors.part(await shown(house), query, lambda each: each.id)
    return Rules(items=items, next=more)


async def shown(house: House) -> tuple[RuleShown, ...]:
    """Return every rule that is in force."""
    loaded = house.loaded()
    hits = await house.store.read(overview.hits, since=house.clock() - HITS_OF)
    own = editing.own_rules(loaded)
    return tuple(
        _shown(rule, hits.get(rule.fingerprint, 0), own=n in own)
        for n, rule in enumerate(loaded.config.rules)
    )


@endpoint("POST", "/api/v1/rules", "admin", status=201)
async def add_rule(house: House, body: NewRule) -> RuleShown:
    """添加一条规则，写进 bot.d/console.toml，马上生效 (add a rule; takes effect at once)."""
    rule = await add(house, body)
    own = (each for each in await shown(house) if each.own and each.id == rule.fingerprint)
    return next(own)


@endpoint("DELETE", "/api/v1/rules/{rule}", "admin", status=204, refusals=(404,))
async def remove_rule(house: House, path: InRule) -> None:
    """删除一条在控制台里添加的规则 (remove a rule that was made in the console)."""
    await remove(house, path.rule)


@endpoint("POST", "/api/v1/rules/try", "read", refusals=(404,))
async def try_text(house: House, body: Tried) -> TriedReply:
    """试一句话：现在会怎么回、为什么；不发送也不保存 (what would be said now, and why)."""
    return tried(await rehearse(house, body))


async def add(house: House, new: NewRule) -> Rule:
    """Add a rule to the console's own.

    Raises:
      Problem: it cannot be used.
    """
    for n, account in enumerate(new.accounts):
        if house.account(account) is None:
            raise misfit(f"body.accounts[{n}]", f"没有账号 (no such account) {account}")
    try:
        rule = _rule(new)
        await house.change(lambda loaded: editing.with_rule(loaded, rule))
    except ConfigError as exc:
        raise misfit("body", str(exc)) from exc
    return rule


def _rule(new: NewRule) -> Rule:
    silent = not new.reply and not new.hand_over
    return Rule(
        keywords=new.keywords,
        mode=new.mode,
        reply=texts("") if silent else texts(new.reply),  # Matched, and silent: has to be said.
        accounts=tuple(map(AccountId, new.accounts)),
        items=tuple(map(ItemId, new.items)),
        titles=new.titles,
        hours=texts(new.hours),
        priority=new.priority,
        hand_over=new.hand_over,
    )


async def remove(house: House, fingerprint: str) -> None:
    """Remove a rule of the console's own.

    Raises:
      Problem: it has no such rule.
    """
    if not await house.change(lambda loaded: editing.without_rule(loaded, fingerprint)):
        raise not_found(f"控制台里的规则 {fingerprint}")


async def rehearse(house: House, asked: Tried) -> Decision:
    """Decide what would be said to a line.

    Raises:
      Problem: there is no such account.
    """
    accounts = house.loaded().config.accounts
    account = accounts[0].id if accounts else AccountId("shop")
    if asked.account:
        account = known(house, asked.account).id
    line = Message(
        id=MessageId("try"),
        chat=ChatId(NOBODY),
        sender=UserId(NOBODY),
        sender_name=asked.buyer,
        content=Text(asked.text),
        item=ItemId(asked.item) if asked.item else None,
        sent_at=house.now_ms(),
    )
    turn = Turn(account=account, chat=line.chat, messages=(line,))
    return await house.rehearse(turn, asked.outside)


def tried(decision: Decision) -> TriedReply:
    """Return what is shown of a decision that was only rehearsed."""
    reply = decision.reply
    contents: tuple[Sayable, ...] = reply.contents if reply else ()
    return TriedReply(
        texts=tuple(map(words, contents)),
        source=reply.source if reply else None,
        because=reply.because if reply else None,
        mode=decision.mode,
        held=decision.held,
        hand_over=decision.hands_over,
        passed=tuple(Passed(source=source, reason=why) for source, why in decision.passed),
    )


def _shown(rule: Rule, hits: int, *, own: bool) -> RuleShown:
    return RuleShown(
        id=rule.fingerprint,
        where=rule.where,
        line=rule.line,
        mode=rule.mode,
        keywords=rule.keywords,
        reply=rule.reply,
        image=rule.image,
        accounts=rule.accounts,
        items=rule.items,
        titles=rule.titles,
        hours=rule.hours,
        priority=rule.priority,
        hand_over=rule.hand_over,
        hits=hits,
        own=own,
    )


ENDPOINTS: Final = (list_rules, add_rule, try_text, remove_rule)
