"""What we encode we decode; any noise is a value or a `WireError`, never another exception."""

from __future__ import annotations

import base64
import contextlib
import json
import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, ME
from xybot.errors import WireError
from xybot.model import ChatId, Image, Sayable, Text, UserId
from xybot.wire import chatlines, frames, payload, reading, requests
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids
from xybot.wire.pushes import Own, Undecodable
from xybot.wire.sign import merged, parse_cookies

#: Machines that run the tests are slow at times; the whole file stays under some ten seconds.
unhurried = settings(deadline=None, max_examples=2500)

small = st.integers(-(2**63), 2**64 - 1)
#: Keys and values that the readers look for, so that noise gets past the first step.
words = st.sampled_from(
    [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "10",
        "message",
        "content",
        "custom",
        "extension",
        "operation",
        "sessionArouse",
        "sessionInfo",
        "extJson",
        "bizTag",
        "updateKey",
        "tip",
        "dxCard",
        "item",
        "main",
        "targetUrl",
        "image",
        "pics",
        "text",
        "audio",
        "expression",
        "contentType",
        "reminderUrl",
        "dynamicOperation",
        "changeContent",
        "textCard",
    ]
)
known = st.sampled_from(
    (
        *(samples.CID, samples.PNM, samples.order_url(), f"{CHAT}:{samples.ORDER}:1", "http://["),
        *(".PNM", "@goofish", "101", "26", "S:1", "u", "{", "[1]", '{"1":2}', "x://?itemId=%"),
    )
)
scalar = st.none() | st.booleans() | small | st.floats() | st.text(max_size=8) | known
structure: st.SearchStrategy[Any] = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner),
    max_leaves=25,
)
keyed = st.dictionaries(st.integers(1, 12) | st.text(max_size=4) | words, structure, max_size=8)
maybe_me = st.sampled_from([None, ME])


def read_all(frame: Frame, self_id: UserId | None = ME) -> list[str]:
    return [reading.read(entry, self_id).kind for entry in payload.entries(frame)]


@unhurried
@given(st.text(min_size=1), st.dictionaries(st.text(), st.text()), st.integers() | st.none())
def test_what_we_encode_we_decode(lwp: str, headers: dict[str, str], code: int | None) -> None:
    frame = Frame(lwp=lwp, headers=headers, code=code, body=[lwp, headers])
    assert frames.decode(frames.encode(frame)) == frame


sayable = st.builds(Text, st.text(min_size=1)) | st.builds(
    Image, st.text(min_size=1), st.integers(0, 9999), st.integers(0, 9999)
)


@unhurried
@given(sayable)
def test_what_we_send_we_read_back_as_our_own(content: Sayable) -> None:
    ids = Ids(lambda: samples.NOW, random.Random(1))
    request = requests.send(ids.uuid(), ChatId(CHAT), UserId(BUYER), ME, content)
    sent: Any = frames.decode(frames.encode(Frame(lwp=request.lwp, body=request.body))).body[0]
    custom = sent["content"]["custom"]
    said = {
        1: {1: f"{ME}@goofish"},
        2: sent["cid"],
        3: samples.PNM,
        6: {1: sent["content"]["contentType"], 3: {1: custom["data"], 4: custom["type"]}},
        10: samples.by_person(ME),
    }
    found = samples.read({1: said})
    assert isinstance(found, Own)
    assert (found.content, found.facts.chat) == (content, CHAT)


@unhurried
@given(st.text() | st.binary())
def test_noise_is_a_wire_error_or_a_frame(noise: str | bytes) -> None:
    with contextlib.suppress(WireError):
        assert isinstance(frames.decode(noise), Frame)


@unhurried
@given(structure, structure, structure)
def test_any_json_is_a_wire_error_or_a_frame(lwp: object, headers: object, body: object) -> None:
    noise = json.dumps({"lwp": lwp, "code": lwp, "headers": headers, "body": body})
    with contextlib.suppress(WireError):
        frame = frames.decode(noise)
        ours = frames.decode(frames.encode(frames.acknowledgement(frame)))
        assert (ours.code, ours.lwp) == (frames.OK, None)
        assert isinstance(read_all(frame), list)


@unhurried
@given(st.lists(structure, max_size=4))
def test_any_body_of_a_push_gives_one_push_for_each_entry(data: list[object]) -> None:
    text = samples.push(*data)
    with contextlib.suppress(WireError):
        assert len(read_all(frames.decode(text))) == len(data)


@unhurried
@given(keyed, st.none() | st.integers(40000, 40110) | structure, maybe_me)
def test_any_messagepack_payload_is_read(
    value: dict[Any, Any], number: object, self_id: UserId | None
) -> None:
    raw = msgspec.msgpack.encode(value)
    entry = payload.entry({"data": base64.b64encode(raw).decode(), "objectType": number})
    assert reading.read(entry, self_id).kind


@unhurried
@given(keyed, structure, structure, maybe_me)
def test_any_message_is_read(
    said: dict[Any, Any], inner: object, extension: object, self_id: UserId | None
) -> None:
    wrapper = {"3": {"4": 26, "5": samples.dumps(inner)}}
    value = {"1": {str(key): each for key, each in said.items()} | {"10": extension, "6": wrapper}}
    found = reading.read(payload.entry({"data": value}), self_id)
    assert found.facts.order is None or found.facts.order.isdecimal()


@unhurried
@given(keyed, structure)
def test_any_card_update_is_read(extension: dict[Any, Any], content: object) -> None:
    operation = {"dynamicOperation": {"changeContent": content}}
    value = {"1": samples.PNM, "2": samples.CID, "4": {**extension, **operation}}
    assert reading.read(payload.entry({"data": value}), ME).kind == "message_update"


@unhurried
@given(structure, maybe_me)
def test_any_quick_phrase_is_read(operation: object, self_id: UserId | None) -> None:
    found = reading.read(payload.entry({"data": {"operation": operation}}), self_id)
    assert found.kind in {"arouse", "other", "text", "own"}


@unhurried
@given(st.binary())
def test_any_bytes_of_a_payload_are_read_or_undecodable(raw: bytes) -> None:
    entry = payload.entry({"data": base64.b64encode(raw).decode()})
    assert isinstance(reading.read(entry, ME), Undecodable) == (entry.fields is None)


@unhurried
@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_altered_byte_is_read_or_undecodable(place: int, byte: int) -> None:
    raw = bytearray(msgspec.msgpack.encode(samples.card(samples.trade_card(samples.order_url()))))
    raw[place % len(raw)] = byte
    assert reading.read(payload.entry({"data": base64.b64encode(raw).decode()}), ME).kind


@unhurried
@given(structure)
def test_any_model_of_the_history_is_read(model: object) -> None:
    fields = model if isinstance(model, dict) else {"message": model}
    assert chatlines.read(chatlines.from_history(fields), ME).kind


@unhurried
@given(st.text(), st.lists(st.text()))
def test_any_cookies_are_read(pasted: str, answers: list[str]) -> None:
    jar = merged(parse_cookies(pasted), answers)
    assert all(jar)
