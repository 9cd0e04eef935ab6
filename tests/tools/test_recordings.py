"""Files of recordings: lines of frames, and samples as people publish them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.wire import samples
from tests.wire.samples import CHAT, ME, PNM
from xybot.tools.recordings import UnreadableFile, read_frames
from xybot.wire import frames, payload, reading
from xybot.wire.pushes import Push

TEXT = samples.push(samples.item(samples.message(), 40000))


def as_json(value: object) -> Any:
    """Turn number keys into text, as a published payload has them."""
    return json.loads(samples.dumps(value))


def write(folder: Path, raw_type: str, raw: object) -> Path:
    file = folder / "sample.json"
    sample = {"kind": "x", "provenance": "made up", "raw_type": raw_type, "raw": raw}
    file.write_text(json.dumps(sample | {"decoded": {}}, indent=1, ensure_ascii=False), "utf-8")
    return file


def pushes(file: Path) -> list[Push]:
    decoded = [frames.decode(each.text) for each in read_frames(file)]
    assert {frame.lwp for frame in decoded} == {"/s/sync"}
    return [reading.read(entry, ME) for frame in decoded for entry in payload.entries(frame)]


def test_lines_are_frames_and_blank_ones_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + f"{TEXT}\r\n\n  \n{TEXT}\n".encode())
    found = [(each.name, each.text) for each in read_frames(file)]
    assert found == [(f"{file}:1", TEXT), (f"{file}:4", TEXT)]


def test_an_empty_file_has_no_frames(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert list(read_frames(tmp_path / "empty")) == []


def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_text(f"{TEXT}\n" * 20_000, "utf-8")
    tracemalloc.start()
    count = sum(1 for _ in read_frames(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, file.stat().st_size > 10_000_000, peak < 1_000_000) == (20_000, True, True)


def test_a_recorded_frame_is_given_as_it_is(tmp_path: Path) -> None:
    file = write(tmp_path, "lwp_frame_json_text", TEXT)
    assert [(each.name, each.text) for each in read_frames(file)] == [(f"{file}:1", TEXT)]


@pytest.mark.parametrize(
    ("raw_type", "raw"),
    [
        ("syncPushPackage.data[] item, data is base64+msgpack", samples.item(samples.message())),
        ("base64+msgpack", samples.packed(samples.message())),
        ("decoded payload", as_json(samples.message())),
        ("userMessageModel", samples.model(samples.TEXT)),
        ("listUserMessages body", {"userMessageModels": [samples.model(samples.TEXT)]}),
        ("userMessageModels", [samples.model(samples.TEXT)]),
    ],
)
def test_a_message_reads_the_same_in_every_form(tmp_path: Path, raw_type: str, raw: object) -> None:
    assert pushes(write(tmp_path, raw_type, raw)) == [samples.read(samples.message())]


@pytest.mark.parametrize("name", samples.EVERY_KIND)
def test_a_decoded_payload_of_every_kind_is_packed_again(tmp_path: Path, name: str) -> None:
    _, value, _ = samples.EVERY_KIND[name]
    file = write(tmp_path, "decoded payload", as_json(value))
    assert pushes(file) == [samples.read(value)]
    (entry,) = payload.entries(frames.decode(next(read_frames(file)).text))
    assert entry.raw == samples.packed(value)


def test_a_list_gives_an_entry_for_each_of_its_messages(tmp_path: Path) -> None:
    models = [samples.model(samples.TEXT, messageId=f"{n}.PNM") for n in (3, 1, 2)]
    file = write(tmp_path, "listUserMessages body", {"userMessageModels": models})
    assert [each.facts.message for each in pushes(file)] == ["3.PNM", "1.PNM", "2.PNM"]


def test_contents_alone_are_read_without_a_chat(tmp_path: Path) -> None:
    contents = [samples.IMAGE, samples.trade_card(samples.order_url())]
    image, card = pushes(write(tmp_path, "content JSON shapes", contents))
    assert (image.kind, image.facts.chat, image.facts.message) == ("image", None, None)
    assert (card.kind, card.facts.trade) == ("card", None)


def test_an_answer_stays_an_answer(tmp_path: Path) -> None:
    (found,) = read_frames(write(tmp_path, "lwp response", {"code": 401, "body": {"code": "4"}}))
    assert (frames.decode(found.text).code, frames.decode(found.text).lwp) == (401, None)


def test_a_sample_of_an_unknown_sort_is_not_lost(tmp_path: Path) -> None:
    (found,) = read_frames(write(tmp_path, "something new", {"words": ["好"]}))
    assert json.loads(found.text) == {"words": ["好"]}


@pytest.mark.parametrize("raw_type", ["mtop response", "passport response", "ret strings"])
def test_what_never_went_over_the_websocket_is_left_out(tmp_path: Path, raw_type: str) -> None:
    assert list(read_frames(write(tmp_path, raw_type, {"ret": ["SUCCESS::好"]}))) == []


def test_a_payload_that_messagepack_cannot_hold_goes_plain(tmp_path: Path) -> None:
    value = as_json(samples.message()) | {"9": 2**70}
    (found,) = pushes(write(tmp_path, "decoded payload", value))
    assert (found.facts.chat, found.facts.message) == (CHAT, PNM)


def test_samples_may_stand_among_frames_and_on_one_line(tmp_path: Path) -> None:
    sample = {"raw_type": "base64+msgpack", "raw": samples.packed(samples.message())}
    file = tmp_path / "mixed"
    pretty = json.dumps(sample, indent=2)
    file.write_text(f"{TEXT}\n{json.dumps(sample)}\n{pretty}\n{TEXT}\n", "utf-8")
    assert pushes(file) == [samples.read(samples.message())] * 4
    assert [each.name for each in read_frames(file)] == [f"{file}:{n}" for n in (1, 2, 3, 7)]


def test_a_pretty_printed_frame_is_one_frame(tmp_path: Path) -> None:
    file = tmp_path / "pretty"
    file.write_text(json.dumps(json.loads(TEXT), indent=4), "utf-8")
    assert pushes(file) == [samples.read(samples.message())]


def test_an_opening_brace_that_never_closes_hides_no_frame(tmp_path: Path) -> None:
    file = tmp_path / "damaged"
    file.write_text(f"{{\n{TEXT}\n{TEXT}\n", "utf-8")
    assert [each.text for each in read_frames(file)] == ["{", TEXT, TEXT]


def test_words_that_mention_a_raw_type_are_still_a_frame(tmp_path: Path) -> None:
    content = {"contentType": 1, "text": {"text": '"raw_type"'}}
    frame = frames.Frame(
        lwp="/s/sync", headers={"raw_type": "x"}, body={"syncPushPackage": {"data": [content]}}
    )
    file = tmp_path / "frames"
    file.write_text(frames.encode(frame), "utf-8")
    assert [each.text for each in read_frames(file)] == [frames.encode(frame)]


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        list(read_frames(tmp_path / name))
    assert isinstance(caught.value, OSError)
    assert caught.value.filename == str(tmp_path / name)
    assert caught.value.strerror
