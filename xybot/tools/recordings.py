"""Recorded traffic in files: frames as JSON lines, or samples as people publish them.

A sample is one JSON object with `raw_type` and `raw`.  Where its `raw` is less than a frame
(an entry, a payload, a content, a model of the history), it is put into a `/s/sync` frame
of our own making, so that it goes the same way as live traffic.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import msgspec

from xybot.wire import chatlines, frames, jsontext
from xybot.wire.fields import dig, fields_at, parsed
from xybot.wire.frames import Frame

_SYNC: Final = "/s/sync"
_WRAPPED: Final = 101
#: A pretty-printed sample is read as a whole; a lone `{` in damaged lines must not grow on.
_LONGEST_SAMPLE: Final = 64 * 2**20


@attrs.frozen
class Recorded:
    """The text of one websocket message, and where it was recorded: file and line."""

    name: str
    text: str


class UnreadableFile(OSError):
    """A file of recordings cannot be opened or read; the cause says why."""


def read_frames(path: Path) -> Iterator[Recorded]:
    """Yield the frames of a file, in order, reading it as it goes.

    What is no frame is yielded as it stands: to judge it is the codec's job.  Samples of
    other traffic than the websocket's are left out.

    Raises:
      UnreadableFile: the file is not there, or cannot be read (to the end).
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            yield from frames_of(lines, str(path))
    except OSError as exc:
        raise UnreadableFile(exc.errno, exc.strerror or str(exc), str(path)) from exc


def frames_of(lines: Iterable[str], name: str) -> Iterator[Recorded]:
    """Yield the frames of lines that come from anywhere; blank ones are skipped."""
    numbered = ((n, line.lstrip("\ufeff").rstrip()) for n, line in enumerate(lines, 1))
    for n, line in _joined((n, line) for n, line in numbered if line):
        for text in _texts(line):
            yield Recorded(f"{name}:{n}", text)


def _joined(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join a pretty-printed object, from `{` to `}` alone on their lines, into one line."""
    for n, line in lines:
        if line == "{":
            yield from _whole(n, lines)
        else:
            yield n, line


def _whole(start: int, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    taken = [(start, "{")]
    size = 0
    for n, line in lines:
        taken.append((n, line))
        size += len(line)
        if line == "}" or size > _LONGEST_SAMPLE:
            break
    text = "\n".join(line for _, line in taken)
    yield from [(start, text)] if parsed(text) is not None else taken


def _texts(line: str) -> Iterable[str]:
    """Return the frames of a line: those of a sample, else the line itself."""
    sample = parsed(line) if '"raw_type"' in line else None
    if not isinstance(sample, dict) or not {"raw_type", "raw"} <= sample.keys():
        return (line,)
    frames_in = next((read for word, read in _SAMPLES if word in str(sample["raw_type"])), _each)
    return frames_in(sample["raw"])


def _each(raw: object) -> Iterable[str]:
    """Take a frame, or a list of frames, as it is."""
    return [each if isinstance(each, str) else jsontext.dumps(each) for each in _listed(raw)]


def _history(raw: object) -> Iterable[str]:
    models = dig(raw, "userMessageModels")
    # A frame each: a page has the newest first, and only what stands alone has its own time.
    lines = (_entry(chatlines.from_history(fields_at(each))) for each in _listed(models or raw))
    return [frame for line in lines for frame in _sync([line])]


def _contents(raw: object) -> Iterable[str]:
    return _sync(_entry(_message(each)) for each in _listed(raw))


def _payloads(raw: object) -> Iterable[str]:
    return _sync({"data": each} if isinstance(each, str) else _entry(each) for each in _listed(raw))


def _items(raw: object) -> Iterable[str]:
    return _sync(_listed(raw))


def _elsewhere(_: object) -> Iterable[str]:
    """Take nothing: this went over the web, or is a list of chats, and never was a push."""
    return ()


#: A word of `raw_type` -> how to make frames of such a sample; the first that fits.
_SAMPLES: Final[tuple[tuple[str, Callable[[object], Iterable[str]]], ...]] = (
    ("mtop", _elsewhere),
    ("passport", _elsewhere),
    ("ret strings", _elsewhere),
    ("listNewestPagination", _elsewhere),
    ("data[]", _items),
    ("userMessageModel", _history),
    ("listUserMessages", _history),
    ("content JSON", _contents),
    ("payload", _payloads),
    ("base64", _payloads),
)


def _listed(raw: object) -> list[object]:
    return raw if isinstance(raw, list) else [raw]


def _sync(entries: Iterable[object]) -> Iterable[str]:
    body = {"syncPushPackage": {"data": list(entries)}}
    return (frames.encode(Frame(lwp=_SYNC, body=body)),)


def _message(content: object) -> Mapping[str, object]:
    """Return the least message that can hold a content."""
    inner = {"4": dig(content, "contentType"), "5": jsontext.dumps(content)}
    return {"1": {"6": {"1": _WRAPPED, "3": inner}}}


def _entry(payload: object) -> Mapping[str, object]:
    """Render a payload as the platform does; one that MessagePack cannot hold goes plain."""
    try:
        packed = msgspec.msgpack.encode(_with_number_keys(payload))
    except (OverflowError, RecursionError, TypeError, ValueError):
        return {"data": payload}
    return {"data": base64.b64encode(packed).decode()}


def _with_number_keys(value: object) -> object:
    if isinstance(value, dict):
        return {_key(key): _with_number_keys(inner) for key, inner in value.items()}
    return [_with_number_keys(inner) for inner in value] if isinstance(value, list) else value


def _key(key: str) -> str | int:
    return int(key) if re.fullmatch(r"0|[1-9][0-9]{0,8}", key) else key
