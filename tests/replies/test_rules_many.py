"""Thousands of rules, and texts that mean harm: the same answers as one rule after the other."""

from __future__ import annotations

import attrs
import pytest
import re2
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.replies.rulebook import World, bound, general
from tests.replies.samples import rule, said, turn
from xybot.config import Rule
from xybot.model import Reply, Turn
from xybot.replies import expressions
from xybot.replies.expressions import AllOf, AnyOf, Expression, Not, Word

TITLES = {"81": "ab耳机", "82": "ba手机"}
WORDS = st.text(alphabet="abAß吗", min_size=1, max_size=3)
EXPRESSIONS = st.recursive(
    WORDS, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("|&"), inner)
    | st.builds("!{}".format, inner)
)  # fmt: skip
PATTERNS = st.sampled_from(
    ["a", "^b", "a.*b", "吗$", "[ab]+ß", "(?i)B|吗", "(?P<x>a)b", r"\Qa.b", "a|"]
)
KEYWORDS = {"contains": WORDS, "exact": WORDS, "regex": PATTERNS, "expression": EXPRESSIONS}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    mode = draw(st.sampled_from(sorted(KEYWORDS)))
    return Rule(
        keywords=tuple(draw(st.lists(KEYWORDS[mode], min_size=1, max_size=3))),
        mode=mode,  # type: ignore[arg-type]
        reply="x",
        priority=draw(st.integers(-1, 1)),
        accounts=draw(st.sampled_from([(), ("shop-a",), ("shop-b",)])),
        items=draw(st.sampled_from([(), ("81",), ("81", "82")])),
        titles=draw(st.sampled_from([(), ("a",), ("手机", "/^ab/")])),
        hours=draw(st.sampled_from([(), "00:00-12:00", "12:00-24:00"])),
    )


def naive(rules: list[Rule], asked: Turn, morning: bool) -> str | None:
    """Return what matches, tried one after the other, each on its own."""
    for each in sorted(rules, key=lambda one: -one.priority):
        if each.accounts and asked.account not in each.accounts:
            continue
        title = TITLES.get(asked.item or "")
        named = title is not None and (
            ("a" in each.titles)
            or ("手机" in each.titles and ("手机" in title or title[:2] == "ab"))
        )
        if (each.items or each.titles) and asked.item not in each.items and not named:
            continue
        if each.hours and (each.hours[0] == "00:00-12:00") != morning:
            continue
        for word in each.keywords:
            if matches(each.mode, word, asked.text):
                return f"{each.where} “{word}”"
    return None


def matches(mode: str, word: str, text: str) -> bool:
    low = text.casefold()
    match mode:
        case "contains":
            return word.casefold() in low
        case "exact":
            return word.casefold() in [line.strip() for line in low.split("\n")]
        case "regex":
            options = re2.Options()
            options.case_sensitive = False
            return re2.search(word, text, options=options) is not None
    return truth(expressions.parse(word), low)


def truth(expression: Expression, low: str) -> bool:
    match expression:
        case Word(word):
            return word in low
        case Not(part):
            return not truth(part, low)
        case AllOf(parts):
            return all(truth(part, low) for part in parts)
        case AnyOf(parts):
            return any(truth(part, low) for part in parts)


@given(
    book=st.lists(rules(), max_size=8),
    text=st.text(alphabet="abABß吗.\n ", min_size=1, max_size=12),
    item=st.sampled_from(["81", "82", "83", None]),
    morning=st.booleans(),
)
def test_the_rule_that_answers_is_the_one_that_a_plain_loop_finds(
    book: list[Rule], text: str, item: str | None, morning: bool
) -> None:
    # 03:00 or 15:00 in China.
    world = World(now=1_772_910_000_000 if morning else 1_772_953_200_000)
    for id_, title in TITLES.items():
        world.sells(id_, title)
    placed = [attrs.evolve(each, where=f"r{n}") for n, each in enumerate(book)]
    asked = turn(text, item=item)

    async def ask() -> None:
        for source, mine in (
            (world.bound(*placed), [x for x in placed if x.items or x.titles]),
            (world.general(*placed), [x for x in placed if not x.items and not x.titles]),
        ):
            answer = await source.answer(asked)
            because = answer.because if isinstance(answer, Reply) else None
            assert because == naive(mine, asked, morning)

    trio.run(ask)


@pytest.mark.parametrize("mode", ["contains", "exact", "regex", "expression"])
async def test_the_last_of_five_thousand_rules_is_found(mode: str) -> None:
    sources = general([rule(f"word{n}end", n=n, mode=mode) for n in range(5000)])
    assert await said(sources, turn("word4999end")) == "reply 4999"
    assert await said(sources, turn("nothing")) is None


async def test_five_thousand_items_may_have_a_rule_for_the_same_word() -> None:
    sources = bound([rule("多少钱", n=n, items=(str(n),)) for n in range(5000)])
    assert await said(sources, turn("多少钱", item="4321")) == "reply 4321"


async def test_patterns_that_cannot_be_asked_together_are_asked_alone() -> None:
    patterns = (r"(?P<n>\d)元", r"\Qa.b", "(?P<n>x)y", *(f"p{n}" for n in range(100)))
    sources = general([rule(each, n=n, mode="regex") for n, each in enumerate(patterns)])
    assert await said(sources, turn("3元")) == "reply 0"
    assert await said(sources, turn("a.b")) == "reply 1"
    assert await said(sources, turn("xy")) == "reply 2"
    assert await said(sources, turn("p99")) == "reply 12"


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        (("(?-i)a", "B"), "b"),
        ((r"\Qa.b", r"\Qc\E"), "a.b"),
        (("a|", "b"), "c"),
        (("a", "^b"), "ab"),
    ],
)
async def test_a_pattern_means_the_same_beside_others(patterns: tuple[str, ...], text: str) -> None:
    alone = [await said(general([rule(each, mode="regex")]), turn(text)) for each in patterns]
    together = await said(general([rule(*patterns, mode="regex")]), turn(text))
    assert (together is not None) == any(each is not None for each in alone)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "(" * 200_000,
        "a\n" * 100_000,
        "(a|b)&!" * 30_000,
        "\ud800" * 200_000,
        "\0" * 9,
    ],
)
async def test_a_text_that_means_harm_is_read_like_any_other(text: str) -> None:
    sources = general(
        [
            rule("(a+)+$b", "(x+x+)+y", n=0, mode="regex"),
            rule("a" * 100 + "b", n=1),
            rule("(a & b & c) | d", n=2, mode="expression"),
            rule("c", n=3, mode="exact"),
        ]
    )
    assert await said(sources, turn(text)) is None


async def test_others_run_while_a_text_is_held_against_thousands_of_patterns() -> None:
    sources = general([rule(f"(a|b)+{n}", n=n, mode="regex") for n in range(2000)])
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(beat)
        assert await said(sources, turn("ab" * 1000)) is None
        nursery.cancel_scope.cancel()
    assert beats > 1
