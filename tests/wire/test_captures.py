"""Recorded traffic, where there is some: `XYBOT_CAPTURES` names the folder.

What each sample must give is derived from the `decoded` that its publisher wrote down; only
which kind it is stands here.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xybot.errors import WireError
from xybot.tools.decode import decode
from xybot.tools.recordings import read_frames
from xybot.wire import frames

FOLDER = Path(os.environ.get("XYBOT_CAPTURES") or "nowhere")
FILES = sorted(FOLDER.glob("*.json"))
ME = "2753634884"
"""The account of the byte-exact recordings."""
ORDER_KEY = re.compile(r'"updateKey": ?"(\d+):(\d+):')
ORDER_URL = re.compile(r"order_detail\?id=(\d+)&role=(\w+)")

pytestmark = pytest.mark.skipif(not FILES, reason="XYBOT_CAPTURES names no folder of samples")

#: A part of a sample's `kind` -> the kinds that its entries are read as; the first that fits.
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sync_frame_receipt_plus_text", ("read_receipt", "text")),
    ("self", ("own",)),
    ("arouse", ("arouse",)),
    ("vulcan_frame", ("arouse",)),
    ("malformed", ("undecodable",)),
    ("read_receipt", ("read_receipt",)),
    ("typing", ("typing",)),
    ("card_update", ("message_update",)),
    ("payload_conversation_red_reminder", ("conversation_update",)),
    ("new_message_reference", ("message_pointer",)),
    ("content_expression_and_item_card", ("expression", "card")),
    ("history_page_20", ("text", "own", "tip")),
    ("tip", ("tip",)),
    ("card", ("card",)),
    ("image", ("image",)),
    ("video", ("video",)),
    ("audio", ("voice",)),
    ("text", ("text",)),
    ("service_review", ("text",)),
    ("history_model", ("text",)),
)
#: `raw_type` of what is no push: answers have no entries, web answers are no frames.
ANSWERS = ("lwp response", "order of frames")
NO_FRAMES = ("mtop", "passport", "ret strings", "listNewestPagination")


def sample_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def decoded(path: Path) -> tuple[list[dict[str, Any]], str]:
    out, err = io.StringIO(), io.StringIO()
    assert decode([path], self_id=ME, out=out, err=err, stdin=io.StringIO()) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def is_answer(sample: dict[str, Any]) -> bool:
    if any(word in sample["raw_type"] for word in ANSWERS):
        return True
    return (
        isinstance(sample["decoded"], dict)
        and "code" in sample["decoded"].keys() - {"lwp"}
        and ("lwp" not in sample["decoded"])
    )


def truths(sample: dict[str, Any]) -> Iterator[Any]:
    """Yield the decoded payload of each entry, by the publisher's word."""
    found = sample["decoded"]
    if isinstance(found, dict) and "body" in found:
        for item in found["body"]["syncPushPackage"]["data"]:
            yield item["data"]["value"]
    elif isinstance(found, dict) and "userMessageModels" in found:
        yield from found["userMessageModels"]
    else:
        yield from found if isinstance(found, list) else [found]


def at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def plain(address: Any) -> str | None:
    return str(address).removesuffix("@goofish") or None if address else None


def number(value: Any) -> int | None:
    return None if value is None else int(value)


def message_truth(truth: Any) -> dict[str, Any] | None:
    """Read a message from what was decoded, in either form; None for anything else."""
    if (said := at(truth, "message")) and "messageId" in said:
        custom, ext = at(said, "content", "custom"), said["extension"]
        ids = said["messageId"], said["cid"], at(said, "sender", "uid"), said["createAt"]
        content, summary, kind = at(custom, "data"), at(custom, "summary"), at(custom, "type")
    elif isinstance(said := at(truth, "1"), dict):
        ext = at(said, "10")
        ids = at(said, "3"), at(said, "2"), at(said, "1", "1"), at(said, "5")
        inner = at(said, "6", "3")
        content, summary, kind = at(inner, "5"), at(inner, "2"), at(inner, "4")
    else:
        return None
    content = json.loads(content) if isinstance(content, str) else content
    kind = number(kind or at(content, "contentType") or at_json(ext, "contentType"))
    id_, chat, sender, at_ms = ids
    found = {
        "message_id": None if id_ == ".PNM" else id_,
        "chat_id": plain(chat),
        "sender_id": plain(sender) or plain(at(ext, "senderUserId")),
        "sent_at": number(at_ms),
        "text": at(content, "text", "text") or summary or at(ext, "reminderContent"),
    }
    return found if kind is None else found | {"content_type": kind}


def at_json(extension: Any, name: str) -> Any:
    found = at(extension, "extJson")
    return at(json.loads(found) if isinstance(found, str) else found, name)


def notice_truth(truth: Any) -> dict[str, Any]:
    """Read what is no message: receipts, pointers, typing, reminders, updates, arouses."""
    match truth:
        case {"operation": {"content": content}, "sessionId": chat}:
            found = {"chat_id": chat, "text": at(content, "text", "text")}
            return found | {"content_type": content["contentType"]}
        case {"1": str(id_), "4": dict(ext), "2": chat}:
            return {"message_id": id_, "chat_id": plain(chat), "text": ext["reminderContent"]}
        case {"1": str(id_), "4": chat, "6": at_ms}:
            return {"message_id": id_, "chat_id": plain(chat), "sent_at": number(at_ms)}
        case {"1": [{"1": chat}]}:
            return {"message_id": None, "chat_id": plain(chat), "sent_at": None}
        case {"1": [*_], "3": chat, "5": at_ms}:
            return {"message_id": None, "chat_id": plain(chat), "sent_at": number(at_ms)}
        case {"1": chat, "3": str(id_), "4": at_ms}:
            return {"message_id": id_, "chat_id": plain(chat), "sent_at": number(at_ms)}
        case {"1": chat, "3": dict(ext), "4": at_ms}:
            found = {"chat_id": plain(chat), "sent_at": number(at_ms)}
            return found | {"text": ext["redReminder"], "sender_id": None}
        case {"contentType": kind}:
            return {"content_type": kind, "message_id": None, "chat_id": None}
    return {}


def order_truth(truth: Any) -> dict[str, Any]:
    """Find the order by the platform's own words; a content without its chat tells of none."""
    if isinstance(truth, dict) and "contentType" in truth:
        return {"order_id": None, "role": None}
    text = json.dumps(truth, ensure_ascii=False).replace("\\", "")
    key, url = ORDER_KEY.search(text), ORDER_URL.search(text)
    found = {"order_id": key.group(2) if key else url.group(1) if url else None}
    return found | ({"role": url.group(2).lower()} if url else {})


def kinds_of(sample: dict[str, Any]) -> tuple[str, ...]:
    name = sample["kind"]
    known = (kinds for part, kinds in KINDS if part in name)
    return next(known, ("text", "own", "card", "tip", "other", "image"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_recorded_sample_reads_as_its_publisher_decoded_it(path: Path) -> None:
    sample = sample_of(path)
    found, err = decoded(path)
    if is_answer(sample):
        assert found == []
        assert all(frames.decode(each.text) for each in read_frames(path))
        return
    if any(word in sample["raw_type"] for word in NO_FRAMES) or "mtop" in sample["kind"]:
        assert list(read_frames(path)) == []
        assert found == []
        return
    expected = list(truths(sample))
    assert len(found) == len(expected)
    assert err == ""
    assert {each["kind"] for each in found} <= set(kinds_of(sample))
    for line, truth in zip(found, expected, strict=True):
        if line["kind"] == "undecodable":
            assert line["text"] is None
            continue
        known = (message_truth(truth) or notice_truth(truth)) | order_truth(truth)
        assert known
        assert {name: line[name] for name in known} == known


def marked(truth: Any) -> bool:
    """Tell a line with the marks of a person (§2.3)."""
    text = json.dumps(truth).replace("\\", "")
    return bool(re.search(r'"sourceId": ?"S:1"', text))


def test_only_marked_lines_of_others_are_from_people() -> None:
    for path in FILES:
        sample = sample_of(path)
        found, _ = decoded(path)
        if is_answer(sample) or len(found) != len(expected := list(truths(sample))):
            continue
        for line, truth in zip(found, expected, strict=True):
            if marked(truth) and line["kind"] != "own":
                assert line["from_human"], path.name
            if line["kind"] in {"own", "card", "tip", "arouse", "typing", "undecodable"}:
                assert not line["from_human"], path.name


def test_the_whole_folder_is_covered_and_nothing_in_it_raises() -> None:
    out, err = io.StringIO(), io.StringIO()
    assert decode(FILES, self_id=ME, out=out, err=err, stdin=io.StringIO()) == 0
    singly = [line for path in FILES for line in decoded(path)[0]]
    assert [json.loads(line) for line in out.getvalue().splitlines()] == singly
    assert len(singly) >= len(FILES) // 2


def payload_bytes(path: Path) -> bytes | None:
    raw = sample_of(path)["raw"]
    data = raw if isinstance(raw, str) else at(raw, "data")
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except ValueError:
        return None


def test_a_recording_cut_off_anywhere_is_read_or_undecodable() -> None:
    for raw in filter(None, map(payload_bytes, FILES)):
        for end in range(0, len(raw), 7):
            data = base64.b64encode(raw[:end]).decode()
            frame = frames.Frame(
                lwp="/s/sync", body={"syncPushPackage": {"data": [{"data": data}]}}
            )
            out = io.StringIO()
            lines = io.StringIO(frames.encode(frame))
            assert decode([], self_id=ME, out=out, err=io.StringIO(), stdin=lines) == 0
            assert json.loads(out.getvalue())["kind"] == "undecodable"


def test_recorded_frames_cut_off_anywhere_are_no_frames() -> None:
    texts = [sample_of(path)["raw"] for path in FILES]
    for text in (each for each in texts if isinstance(each, str) and each.startswith("{")):
        for end in range(0, len(text), 997):
            with pytest.raises(WireError):
                frames.decode(text[:end])
