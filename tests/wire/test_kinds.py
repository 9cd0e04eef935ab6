"""Each kind of push is told apart, and nothing but its shape is needed for it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, EVERY_KIND, ITEM, ME, NOW, PNM
from xybot.model import Image, Media, Text
from xybot.wire import chatlines, payload, reading
from xybot.wire.pushes import Arouse, Own, ReadReceipt, Spoken, Typing


@pytest.mark.parametrize("name", EVERY_KIND)
def test_every_kind_is_known_with_its_number(name: str) -> None:
    number, value, kind = EVERY_KIND[name]
    assert samples.read(value, number).kind == kind


@pytest.mark.parametrize("name", EVERY_KIND)
def test_every_kind_is_known_by_its_shape_where_the_number_is_missing(name: str) -> None:
    _, value, kind = EVERY_KIND[name]
    assert samples.read(value).kind == kind


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_kind_reads_the_same_from_plain_json_and_from_base64_json(name: str) -> None:
    number, value, _ = EVERY_KIND[name]
    text = json.dumps(value)
    forms = (text, base64.b64encode(text.encode()).decode(), json.loads(text))
    found = [payload.entry({"objectType": number, "data": form}) for form in forms]
    assert [reading.read(each, ME) for each in found] == [samples.read(value, number)] * 3


def drifted(value: Any) -> Any:
    """Turn numbers into text, and text that is a number into a number."""
    match value:
        case dict():
            return {key: drifted(each) for key, each in value.items()}
        case list():
            return [drifted(each) for each in value]
        case int():
            return str(value)
        case str() if value.isdecimal():
            return int(value)
    return value


@pytest.mark.parametrize("name", EVERY_KIND)
def test_numbers_as_text_and_text_as_numbers_change_nothing(name: str) -> None:
    number, value, _ = EVERY_KIND[name]
    entry = payload.entry(
        {"objectType": str(number), "data": drifted(json.loads(samples.dumps(value)))}
    )
    assert reading.read(entry, ME) == samples.read(value, number)


@pytest.mark.parametrize(("number", "kind"), samples.BY_NUMBER_ALONE.items())
def test_the_number_decides_where_no_shape_was_ever_recorded(number: int, kind: str) -> None:
    found = samples.read({1: samples.CID, 2: 1, 7: PNM}, number)
    assert (found.kind, found.facts.chat, found.facts.message) == (kind, CHAT, PNM)


def test_a_recall_that_looks_like_a_receipt_is_a_recall() -> None:
    _, value, _ = EVERY_KIND["receipt"]
    assert samples.read(value, 40104).kind == "recall"


def test_a_text_tells_all_its_facts() -> None:
    assert samples.facts(samples.read(samples.message())) == {
        "message": PNM,
        "chat": CHAT,
        "sender": BUYER,
        "sender_name": "路人甲",
        "text": "还在吗",
        "content_type": 1,
        "item": ITEM,
        "trade": None,
        "sent_at": NOW,
        "from_human": True,
    }


CONTENTS = (
    (samples.TEXT, Text("还在吗")),
    (samples.IMAGE, Image("https://example.test/a.jpg", 10, 20)),
    (samples.VOICE, Media("voice", "https://example.test/a.amr")),
    (samples.EXPRESSION, Media("expression", "https://example.test/e")),
    (samples.VIDEO, Media("video", "https://example.test/a.mp4")),
)


@pytest.mark.parametrize(("content", "said"), CONTENTS)
def test_what_was_said_comes_as_a_value(content: dict[str, Any], said: object) -> None:
    found = samples.read(samples.message(content))
    assert isinstance(found, Spoken)
    assert found.content == said


@pytest.mark.parametrize(("content", "said"), CONTENTS)
def test_the_content_alone_tells_its_type(content: dict[str, Any], said: object) -> None:
    nameless = {key: each for key, each in content.items() if key != "contentType"}
    found = samples.read(samples.message(nameless, number=""))
    assert isinstance(found, Spoken)
    assert found.content == said


def test_a_content_in_base64_is_read_where_the_text_is_missing() -> None:
    inner = {1: base64.b64encode(samples.dumps(samples.IMAGE).encode()).decode(), 2: "[图片]", 4: 2}
    found = samples.read(samples.with_said(samples.message(), _6={1: 101, 3: inner}))
    assert isinstance(found, Spoken)
    assert found.content == Image("https://example.test/a.jpg", 10, 20)


def test_the_summary_stands_in_for_a_content_that_cannot_be_read() -> None:
    inner = {2: "在吗", 4: 1, 5: "{damaged"}
    found = samples.read(samples.with_said(samples.message(), _6={1: 101, 3: inner}))
    assert (found.kind, found.facts.text) == ("text", "在吗")


def test_our_own_line_is_own_and_no_person_wrote_it() -> None:
    found = samples.read(samples.message(sender=ME))
    assert isinstance(found, Own)
    assert (found.facts.from_human, found.content) == (False, Text("还在吗"))


def test_typing_begins_and_ceases() -> None:
    def typing(state: object) -> object:
        return samples.read({1: [{1: samples.CID, 2: 1, 3: state, 4: f"{ME}@goofish"}]})

    begun, ceased = typing(1), typing(0)
    assert isinstance(begun, Typing)
    assert isinstance(ceased, Typing)
    assert (begun.started, ceased.started, begun.facts.chat) == (True, False, CHAT)


def test_a_batch_receipt_names_every_message() -> None:
    found = samples.read({1: ["1.PNM", "2.PNM"], 2: 2, 3: samples.CID, 4: 1, 5: str(NOW)})
    assert isinstance(found, ReadReceipt)
    assert (found.messages, found.facts.message) == (("1.PNM", "2.PNM"), None)
    assert (found.facts.chat, found.facts.sent_at) == (CHAT, NOW)


def test_the_red_reminder_names_the_chat_not_a_person() -> None:
    facts = samples.read(EVERY_KIND["red reminder"][1]).facts
    assert (facts.chat, facts.sender, facts.text) == (CHAT, None, "交易成功")


def test_an_arouse_tells_the_item_and_our_role() -> None:
    found, unknown = samples.read(samples.arouse()), samples.read(samples.arouse(), self_id=None)
    assert isinstance(found, Arouse)
    assert isinstance(unknown, Arouse)
    assert (found.facts.chat, found.facts.item, found.facts.from_human) == (CHAT, ITEM, False)
    assert (found.role, unknown.role) == ("seller", None)


def test_an_update_of_a_card_tells_what_the_card_shows_now() -> None:
    found = samples.read(EVERY_KIND["card update"][1])
    assert found.facts.text == "[我已付款，等待你发货]"
    assert (found.facts.message, found.facts.chat, found.facts.item) == (PNM, CHAT, ITEM)


def test_a_model_of_the_history_reads_like_the_push() -> None:
    from_history = chatlines.read(chatlines.from_history(samples.model(samples.TEXT)), ME)
    assert from_history == samples.read(samples.message())


def test_a_model_without_a_content_shows_its_reminder() -> None:
    bodiless = samples.model(samples.TEXT, content=None)
    found = chatlines.read(chatlines.from_history(bodiless), ME)
    assert (found.kind, found.facts.text) == ("text", "还在吗")


def test_a_blanked_id_is_unknown_rather_than_empty() -> None:
    blanked = samples.with_said(samples.message(), _1={1: "@goofish"}, _2="@goofish", _3=".PNM")
    facts = samples.read(samples.with_said(blanked, _10=samples.by_person(""))).facts
    assert (facts.message, facts.chat, facts.sender) == (None, None, None)
