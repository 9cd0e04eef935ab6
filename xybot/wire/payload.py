"""From a push frame to its entries: base64, then JSON or MessagePack (protocol.md §2.1).

`entries` returns all entries, in order, each with its raw bytes; nobody can take only the
first by habit.  A damaged entry says what is wrong with it and spoils no other.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import attrs
import msgspec

from xybot.errors import WireError
from xybot.wire import jsontext
from xybot.wire.fields import Fields, dig, number_at
from xybot.wire.frames import Frame


@attrs.frozen(kw_only=True)
class Entry:
    """One element of `syncPushPackage.data`."""

    raw: str
    """`data` as it came (base64, or JSON text); never thrown away."""
    object_type: int | None = None
    fields: Fields | None = None
    """The decoded payload, or None when it is damaged."""
    damage: str | None = None
    """What is wrong with a damaged payload."""


def entries(frame: Frame) -> tuple[Entry, ...]:
    """Return every entry of a push, in order; a frame without entries has none.

    `data` that is no list is taken for the one entry it may be, so that it is not lost.
    """
    data = dig(frame.body, "syncPushPackage", "data")
    if data is None:
        return ()
    return tuple(entry(item) for item in (data if isinstance(data, list) else [data]))


def entry(item: object) -> Entry:
    """Read one element of `data`; never raises."""
    data = dig(item, "data")
    raw = data if isinstance(data, str) else _rendered(item if data is None else data)
    number = number_at(item, "objectType")
    try:
        return Entry(raw=raw, object_type=number, fields=_fields(data))
    except WireError as exc:
        return Entry(raw=raw, object_type=number, damage=str(exc))


def _rendered(value: object) -> str:
    try:
        return jsontext.dumps(value)
    except (RecursionError, TypeError, ValueError, msgspec.MsgspecError) as exc:
        return f"<{type(value).__name__}: {type(exc).__name__}>"


def _fields(data: object) -> Fields:
    if isinstance(data, str):
        data = _parsed(data)
    if not isinstance(data, dict):
        raise WireError(f"the payload is no map, but {type(data).__name__}")
    try:
        fields: Fields = _with_text_keys(data)
    except RecursionError as exc:
        raise WireError("the payload is nested too deep") from exc
    return fields


def _parsed(data: str) -> object:
    text = data.strip()
    if text.startswith(("{", "[")):  # A few clients met plain JSON here.
        return jsontext.loads(text)
    raw = _unbase64(text)
    if raw.lstrip()[:1] in (b"{", b"["):
        return jsontext.loads(raw)
    return _messagepack(raw)


def _unbase64(text: str) -> bytes:
    compact = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise WireError(f"not base64: {exc}") from exc


def _messagepack(raw: bytes) -> object:
    try:
        return msgspec.msgpack.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError, TypeError) as exc:
        raise WireError(f"neither JSON nor MessagePack: {exc}") from exc


def _with_text_keys(value: Any) -> Any:
    # `dict`, not Mapping: what is decoded is one, and asking an ABC costs more than the rest.
    if isinstance(value, dict):
        return {
            key if type(key) is str else _key(key): inner
            if type(inner) is str
            else _with_text_keys(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_text_keys(inner) for inner in value]
    return value


def _key(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
