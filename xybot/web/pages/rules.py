"""Rules: what is in force, a line to try on them, and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from xybot.web.api import rules as api
from xybot.web.api.rules import NewRule, RuleShown, Tried, TriedReply
from xybot.web.pages import words
from xybot.web.pages.visit import Visit, action, page, to, values_of
from xybot.web.problems import Problem
from xybot.web.reading import structured

_MOST: Final = 500
"""Rules on the page; a shop with more looks for them by a word."""


@page("/rules")
async def rules(visit: Visit) -> Response:
    """Show every rule."""
    return await _shown(visit)


@action("/rules/try", "read")
async def try_text(visit: Visit) -> Response:
    """Show what would be said to a line."""
    text = visit.field("try").strip()
    if not text:
        return to("/rules")
    asked = Tried(
        text=text[:5000],
        account=visit.field("account"),
        item=visit.field("item").strip(),
        outside=bool(visit.field("outside")),
    )
    try:
        decision = await api.rehearse(visit.house, asked)
    except Problem as exc:
        return await _shown(visit, wrong_try=str(exc), status=exc.status)
    return await _shown(visit, tried=api.tried(decision))


@action("/rules/add", "admin")
async def add(visit: Visit) -> Response:
    """Add a rule to those of the console."""
    body = {
        "keywords": _lines(visit.field("keywords")),
        "mode": visit.field("mode") or "contains",
        "reply": _replies(visit.field("reply")),
        "accounts": _words(visit.field("accounts")),
        "items": _words(visit.field("items")),
        "hours": _words(visit.field("hours")),
        "hand_over": bool(visit.field("hand_over")),
    }
    try:
        await api.add(visit.house, structured(body, NewRule))
    except Problem as exc:
        return await _shown(visit, wrong_rule=exc.words, status=exc.status)
    return to("/rules", notice="rule_added")


@action("/rules/{rule}/remove", "admin")
async def remove(visit: Visit) -> Response:
    """Remove a rule of the console."""
    await api.remove(visit.house, visit.path("rule"))
    return to("/rules", notice="rule_removed")


async def _shown(  # what the page may have to say
    visit: Visit,
    *,
    tried: TriedReply | None = None,
    wrong_try: str = "",
    wrong_rule: Sequence[str] = (),
    status: int = 200,
) -> Response:
    every = await api.shown(visit.house)
    word = visit.request.query_params.get("words", "").strip()
    found = [each for each in every if not word or _has(each, word)]
    return await visit.page(
        "rules.html",
        status,
        rules=found[:_MOST],
        left_out=max(0, len(found) - _MOST),
        total=len(every),
        word=word,
        tried=tried,
        wrong_try=wrong_try,
        wrong_rule=wrong_rule,
        form=values_of(visit.form),
        accounts=[each.id for each in visit.house.loaded().config.accounts],
        words=words,
    )


def _has(rule: RuleShown, word: str) -> bool:
    texts = (*rule.keywords, *rule.reply, *rule.items, *rule.titles, rule.where)
    return any(word.casefold() in text.casefold() for text in texts)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _replies(text: str) -> list[str]:
    """Return the messages of a reply: an empty line stands between them."""
    parts = "\n".join(text.splitlines()).split("\n\n")
    return [part.strip() for part in parts if part.strip()]


def _words(text: str) -> list[str]:
    return text.replace("，", " ").replace(",", " ").split()


PAGES: Final = (rules, try_text, add, remove)
