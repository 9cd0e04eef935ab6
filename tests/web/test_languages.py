"""Chinese first, English for who wants it; and the catalog is what the pages show."""

from __future__ import annotations

import gettext
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web import catalog
from xybot.web.languages import preferred, translator

HOW = "bring it up to date: python -m tests.web.catalog"
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HOLE = re.compile(r"%\(\w+\)s")


def test_the_catalog_has_what_is_shown_and_nothing_else() -> None:
    ids = {message.id for message in catalog.translated() if message.id}
    assert ids == {text for text, _ in catalog.shown()}, HOW


def test_every_text_has_its_english_with_the_same_holes() -> None:
    for message in catalog.translated():
        if message.id:
            assert message.string, f"{message.id}: no English; write it into {catalog.PO}"
            assert not _HAN.search(message.string), message.id
            assert sorted(_HOLE.findall(message.id)) == sorted(_HOLE.findall(message.string))
            assert not message.fuzzy


def test_what_is_shipped_is_made_of_the_catalog() -> None:
    shipped = gettext.GNUTranslations(io.BytesIO(catalog.MO.read_bytes()))
    for message in catalog.translated():
        if message.id:
            assert shipped.gettext(message.id) == message.string, HOW


def test_a_text_is_found_in_both_languages() -> None:
    assert translator("zh")("概览") == "概览"
    assert translator("en")("概览") == "Overview"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.4, zh;q=0.5", "zh"),
        ("fr, de;q=0.9", "zh"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0, zh;q=0", "zh"),
        ("*", "zh"),
        ("en;q=x,,;", "en"),
    ],
)
def test_the_browser_says_which_language(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@given(st.text())
def test_whatever_a_browser_says_there_is_a_language(accepted: str) -> None:
    assert preferred(accepted) in ("zh", "en")
