"""On which line a rule begins: as the parser of TOML would say, if it said so."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xybot.config.headers import lines_of

#: Pieces of a file; `{n}` is a number of its own.  Only those of HEADERS begin a rule.
HEADERS = ("[[rules]]", "  [[ rules ]]", "\t[[rules]]\t# [[rules]]")
OTHERS = (
    "",
    "# [[rules]]",
    "a{n} = '[[rules]]'",
    'a{n} = """\n[[rules]]\n"""',
    'a{n} = """\\"""\n\\"""\n [[rules]]\n\'\'\'"""  # x',
    "a{n} = '''\n[[rules]]\n[[rules]]\n\"\"\"\n'''",
    "a{n} = [\n  '[[rules]]', # [[rules]]\n  [[1]],\n]",
    "[t{n}]",
    "[[t{n}.rules]]",
    "[[rules{n}]]",
    "[t{n}]\nrules = '''\n[[rules]]'''",
)
pieces = st.lists(st.sampled_from(HEADERS) | st.sampled_from(OTHERS), max_size=9)


@settings(deadline=None)
@given(pieces, st.sampled_from(["\n", "\r\n"]))
def test_entries_begin_where_the_parser_finds_them_whatever_stands_between(
    parts: list[str], newline: str
) -> None:
    text, begins = "", []
    for n, part in enumerate(parts):
        if part in HEADERS:
            begins.append(text.count("\n") + 1)
        text += part.replace("{n}", str(n)).replace("\n", newline) + newline
    count = len(tomllib.loads(text).get("rules", []))
    assert count == len(begins)
    assert lines_of(text, "rules", count) == tuple(begins)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            'rules = [{ reply = "y" }]\n[default]\nreply = """\n[[rules]]\n"""\n',
            1,
        ),
        ('[["rules"]]\na = """\n[[rules]]\n"""\n', 1),
    ],
)
def test_where_rules_are_written_otherwise_no_line_is_better_than_a_wrong_one(
    text: str, count: int
) -> None:
    assert len(tomllib.loads(text)["rules"]) == count
    assert lines_of(text, "rules", count) == ()
