"""Promises of reply templates."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.template import (
    CODES,
    TEMPLATE_VARIABLES,
    around,
    names_item,
    render,
    unknown_variables,
    variables,
)

VALUES = {name: f"<{name}>" for name in TEMPLATE_VARIABLES}


@pytest.mark.parametrize("name", TEMPLATE_VARIABLES)
def test_every_known_variable_is_filled_in(name: str) -> None:
    assert render(f"a {{{name}}} b", VALUES) == f"a <{name}> b"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{item_id}}", "{item_id}"),
        ("{{{item_id}}}", "{<item_id>}"),
        ("100% {", "100% {"),
        ("} {", "} {"),
        ("{}", "{}"),
        ("{ item_id }", "{ item_id }"),
        ("{a-b}", "{a-b}"),
        ("(^_^)}}{{", "(^_^)}{"),
    ],
)
def test_double_and_lone_braces_are_braces(template: str, said: str) -> None:
    assert render(template, VALUES) == said
    assert unknown_variables(template) == ()


def test_unknown_variables_come_once_each_in_their_order() -> None:
    template = "{price} {item_id} {昵称} {price} {{fine}}"
    assert unknown_variables(template) == ("price", "昵称")


@pytest.mark.parametrize(
    ("templates", "named"),
    [
        (("在的", "{item_price} 元"), True),
        (("{item_stock}",), True),
        (("{item_id} {send_user_name} {date}", "{{item_title}}", "item_title"), False),
        ((), False),
    ],
)
def test_only_templates_that_name_facts_of_the_item_want_them(
    templates: tuple[str, ...], named: bool
) -> None:
    assert names_item(templates) == named


def test_a_variable_without_a_value_is_a_bug_and_not_an_empty_word() -> None:
    with pytest.raises(KeyError):
        render("{item_id}", {})


@given(st.text())
def test_braces_in_a_buyers_text_are_never_expanded(said: str) -> None:
    values = VALUES | {"send_message": said}
    assert render("[{send_message}]", values) == f"[{said}]"


@given(st.text(alphabet="{} ab_"))
def test_known_templates_always_render(template: str) -> None:
    values = VALUES | dict.fromkeys(unknown_variables(template), "?")
    assert isinstance(render(template, values), str)


@given(st.text())
def test_doubling_the_braces_says_any_text_as_it_is(said: str) -> None:
    template = said.replace("{", "{{").replace("}", "}}")
    assert unknown_variables(template) == ()
    assert render(template, {}) == said


@given(st.text(alphabet=string.ascii_letters + "{}"), st.text(alphabet="{}x"))
def test_values_do_not_change_what_is_around_them(around: str, value: str) -> None:
    plain = around.replace("{", "").replace("}", "")
    assert render(f"{plain}{{item_id}}{plain}", {"item_id": value}) == plain + value + plain


@given(st.text(alphabet="{}x "), st.text())
def test_a_template_is_cut_around_a_variable_as_it_would_be_filled_in(
    after: str, value: str
) -> None:
    template = f"{{{{ {{{CODES}}}{after}"
    values = dict.fromkeys(variables(template), value)
    before, behind = around(template, CODES)
    assert render(before, values) + value + render(behind, values) == render(template, values)
