"""The little language of `mode = "expression"`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.config.problems import Misfit
from xybot.replies.expressions import DEEPEST, AllOf, AnyOf, Not, Word, holds, needs, parse, words


def true_of(written: str, text: str) -> bool:
    expression = parse(written)
    low = text.casefold()
    return holds(expression, {word for word in words(expression) if word in low})


@pytest.mark.parametrize(
    ("written", "text", "true"),
    [
        ("在吗", "请问在吗", True),
        ("(在吗 | 有货) & !二手", "有货吗", True),
        ("(在吗 | 有货) & !二手", "二手的有货吗", False),
        ("(在吗 | 有货) & !二手", "你好", False),
        ("（在吗｜有货）＆！二手", "在吗", True),
        ("a|b&c", "a", True),
        ("a|b&c", "b", False),
        ("a | b & c", "cb", True),
        ("!a&b", "b", True),
        ("!a&b", "ab", False),
        ("!(a&b)", "a", True),
        ("!!a", "a", True),
        ("!a", "", True),
        ('"还 有" | x', "还 有吗", True),
        ("“a&b”", "a&b", True),
        ("“a&b”", "a b", False),
        ('" a "', "a", True),
        ("HELLO", "hello", True),
        ("straße", "STRASSE", True),
        ("\t在吗\n|\u3000有货 ", "有货", True),
    ],
)
def test_what_an_expression_means(written: str, text: str, true: bool) -> None:
    assert true_of(written, text) == true


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Word(each) for each in "abc")
    assert parse("!a & b | c") == AnyOf((AllOf((Not(a), b)), c))
    assert parse("a & (b | c)") == AllOf((a, AnyOf((b, c))))


@pytest.mark.parametrize(
    ("written", "at", "wanted"),
    [
        ("", 1, "want a word"),
        ("  ", 3, "want a word"),
        ("在吗 有货", 4, "want & or |, or quotes"),
        ("在吗 | ", 6, "want a word"),
        ("| 在吗", 1, "want a word"),
        ("a || b", 4, "want a word"),
        ("(a | b", 1, "never closed"),
        ("a | b)", 6, "too many"),
        ("(a b)", 4, "want &, | or )"),
        ("()", 2, "want a word"),
        ("!", 2, "want a word"),
        ("a!b", 2, "want & or |"),
        ('"在吗', 1, "no end"),
        ('a & ""', 5, "nothing stands between"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), DEEPEST + 1, "deeper than"),
        ("!" * (DEEPEST + 1) + "a", DEEPEST + 1, "deeper than"),
    ],
)
def test_a_mistake_is_told_with_its_position_and_what_was_expected(
    written: str, at: int, wanted: str
) -> None:
    with pytest.raises(Misfit) as caught:
        parse(written)
    said = str(caught.value)
    assert said.startswith(f"第 {at} 个字符：")
    assert f"at character {at}: " in said
    assert wanted in said


def test_as_deep_as_allowed_and_very_long_is_fine() -> None:
    assert true_of("(" * DEEPEST + "a" + ")" * DEEPEST, "a")
    assert true_of("|".join(f"w{n}" for n in range(10_000)), "w9999")


@given(st.text(alphabet='ab()|&!（）｜＆！"“” \n') | st.text())
def test_any_text_is_an_expression_or_a_mistake_with_a_position(written: str) -> None:
    try:
        expression = parse(written)
    except Misfit as exc:
        assert str(exc).startswith("第 ")  # noqa: PT017  # either is right
    else:
        assert words(expression)


LEAVES = st.sampled_from(["a", "b", "c", "ab"])
WRITTEN = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({}|{})".format, inner, inner)
        | st.builds("({}&{})".format, inner, inner)
        | st.builds("!{}".format, inner)
    ),
)


@given(WRITTEN, st.sets(LEAVES))
def test_an_expression_never_holds_without_what_it_needs(written: str, found: set[str]) -> None:
    expression = parse(written)
    needed = needs(expression)
    if needed is not None and not needed & found:
        assert not holds(expression, found)
    if needed is None:
        assert "!" in written
