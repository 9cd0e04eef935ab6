"""Whatever arrives is read or reported; a damaged entry spoils no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire import samples
from tests.wire.samples import CHAT, ME, PNM
from xybot.errors import WireError
from xybot.wire import frames, jsontext, payload, reading

URL_SAFE = str.maketrans("+/", "-_")
DEEP = "[" * 5000 + "]" * 5000
HEALTHY = samples.item(samples.message(), 40000)
#: Every way in which an element of `data` can be no payload at all.
DAMAGED = {
    "null": None,
    "a string": "words",
    "a number": 7,
    "a list": [1, 2],
    "an empty map": {},
    "data missing": {"bizType": 40, "objectType": 40000},
    "data null": {"objectType": 40000, "data": None},
    "data empty": {"data": ""},
    "data a number": {"data": 7},
    "data a list": {"data": [1]},
    "not base64": {"data": "***"},
    "not ascii": {"data": "数据"},
    "cut off": {"data": HEALTHY["data"][:-40]},
    "more after the end": {"data": samples.packed([1])[:-1] + "BB"},
    "a list inside": {"data": samples.packed([1, 2])},
    "a number inside": {"data": samples.packed(7)},
    "damaged json": {"data": '{"operation":'},
    "deep json": {"data": DEEP},
    "deep json in a map": {"data": f'{{"1":{DEEP}}}'},
    "deep messagepack": {"data": "gQGR" + "kZGR" * 5000 + "wMDA"},
    "text that is not utf-8": {"data": "gQGh/w=="},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_entry_leaves_its_neighbours_whole(name: str) -> None:
    found = samples.entries(HEALTHY, DAMAGED[name], HEALTHY)
    kinds = [reading.read(each, ME).kind for each in found]
    assert kinds == ["text", "undecodable", "text"]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_entry_keeps_its_bytes_and_says_why(name: str) -> None:
    (entry,) = samples.entries(DAMAGED[name])
    element = DAMAGED[name]
    data = element.get("data") if isinstance(element, dict) else None
    assert entry.damage
    assert entry.raw == (data if isinstance(data, str) else jsontext.dumps(data or element))


def test_a_damaged_entry_keeps_its_number() -> None:
    (entry,) = samples.entries(DAMAGED["data missing"])
    assert entry.object_type == 40000


def test_base64_is_read_in_every_spelling() -> None:
    data = samples.packed(samples.message(summary="？？？>>>"))
    spellings = (data, data.rstrip("="), f" {data[:20]}\n{data[20:]}", data.translate(URL_SAFE))
    assert {"+", "/"} <= set(data)
    assert [payload.entry({"data": each}).damage for each in spellings] == [None] * 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "7",
        "[]",
        "{}",
        '"lwp"',
        '{"headers":{}}',
        '{"lwp":7}',
        '{"code":"abc"}',
        '{"code":[]}',
        '{"code":true}',
        '{"lwp":"/s/sync"',
        DEEP,
        f'{{"lwp":"/s/sync","body":{DEEP}}}',
        '{"lwp":NaN}',
        b"\xff\xfe",
        b"\x00",
    ],
)
def test_what_is_no_frame_is_a_wire_error(text: str | bytes) -> None:
    with pytest.raises(WireError):
        frames.decode(text)


@pytest.mark.parametrize("depth", range(900, 1100, 7))
@pytest.mark.parametrize("inner", ['"code":%s', '"headers":{"mid":%s}', '"body":%s'])
def test_nesting_near_the_limit_of_the_reader_is_no_accident(inner: str, depth: int) -> None:
    text = '{"lwp":"/s/sync",' + inner % ("[" * depth + "]" * depth) + "}"
    try:
        frame = frames.decode(text)
    except WireError:
        return
    assert (frame.mid, frame.code) == (None, None)
    assert frames.decode(frames.encode(frames.acknowledgement(frame))).code == frames.OK


@pytest.mark.parametrize("body", ["null", "7", "[]", '"x"', '{"syncPushPackage":null}'])
def test_a_push_without_a_package_has_no_entries(body: str) -> None:
    assert payload.entries(frames.decode(f'{{"lwp":"/s/sync","body":{body}}}')) == ()


@pytest.mark.parametrize(("data", "kind"), [(HEALTHY, "text"), ("words", "undecodable")])
def test_data_that_is_no_list_is_not_lost(data: object, kind: str) -> None:
    frame = frames.Frame(lwp="/s/sync", body={"syncPushPackage": {"data": data}})
    assert [reading.read(each, ME).kind for each in payload.entries(frame)] == [kind]


def said(words: str, *, escaped: bool = False) -> Any:
    content = json.dumps({"contentType": 1, "text": {"text": words}}, ensure_ascii=escaped)
    inner = {2: "…", 4: 1, 5: content}
    return samples.read(samples.with_said(samples.message(), _6={1: 101, 3: inner})).facts.text


@pytest.mark.parametrize("words", ["👍🏽👨‍👩‍👧", "a\x00b", "\u2028\r\n\t", '\\"', "字" * 100_000])
def test_words_of_every_sort_arrive_as_they_were_typed(words: str) -> None:
    assert (said(words), said(words, escaped=True)) == (words, words)


def test_half_an_emoji_becomes_a_question_mark_and_nothing_else_is_lost() -> None:
    assert said("好\ud83d的", escaped=True) == "好?的"
    frame = frames.decode('{"lwp":"/s/sync","headers":{"mid":"\\ud83d 0","sid":"好"}}')
    assert frame.headers == {"mid": "? 0", "sid": "好"}


def test_half_an_emoji_of_ours_can_be_sent() -> None:
    text = frames.encode(frames.Frame(lwp="/r", headers={"a": "\ud83d"}, body=["好"]))
    assert frames.decode(text) == frames.Frame(lwp="/r", headers={"a": "?"}, body=["好"])


def test_a_frame_of_ten_megabytes_is_read() -> None:
    words = "x" * 10_000_000
    text = samples.push(samples.item(samples.message(summary=words)))
    (entry,) = payload.entries(frames.decode(text))
    assert len(text) > 10_000_000
    assert reading.read(entry, ME).facts.text == "还在吗"


def test_a_frame_of_many_entries_keeps_their_order() -> None:
    items = [samples.item(samples.with_said(samples.message(), _3=f"{n}.PNM")) for n in range(500)]
    found = [reading.read(each, ME).facts.message for each in samples.entries(*items)]
    assert found == [f"{n}.PNM" for n in range(500)]


@pytest.mark.parametrize("field", ["_1", "_2", "_3", "_5", "_6", "_7", "_10"])
@pytest.mark.parametrize("value", [None, "", 0, [], {}, "text", [[]], {1: []}, True, -1.5])
def test_no_field_of_a_message_can_break_its_reading(field: str, value: object) -> None:
    found = samples.read(samples.with_said(samples.message(), **{field: value}), 40000)
    assert found.kind in {"text", "other"}
    assert found.facts.chat in {CHAT, None, "text", "0"}
    assert found.facts.message in {PNM, None}


def test_a_card_of_endless_words_is_read_at_once() -> None:
    words = "a" * 100_000 + "href='" * 20_000 + "href" + " " * 100_000
    content = samples.trade_card(url=words, title=words) | {"textCard": {"content": words}}
    assert samples.read(samples.card(content)).facts.order is None
