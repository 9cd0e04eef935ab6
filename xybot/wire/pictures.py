"""What the first bytes of a picture file tell: its kind, its width and its height."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers of JPEG that stand alone; all others are followed by their length."""
_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame, and so tell its size."""


@attrs.frozen
class Picture:
    """A picture as its file describes it; pixels, never 0."""

    suffix: str
    """`png`, `jpg`, `gif` or `webp`."""
    width: int
    height: int

    @property
    def media_type(self) -> str:
        """The name that HTTP has for its kind."""
        return "image/jpeg" if self.suffix == "jpg" else f"image/{self.suffix}"


def look(data: bytes) -> Picture | None:
    """Return what a file is a picture of; None when it is none of a kind that people send."""
    if data.startswith(_PNG) and data[12:16] == b"IHDR":
        return _picture("png", _big(data[16:20]), _big(data[20:24]))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _picture("gif", _little(data[6:8]), _little(data[8:10]))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(_JPEG):
        return next(_frames(data), None)
    return None


def _picture(suffix: str, width: int, height: int) -> Picture | None:
    return Picture(suffix, width, height) if width and height else None


def _webp(data: bytes) -> Picture | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:  # what the longest of the three headers takes
        return None
    if kind == b"VP8X":
        return _picture("webp", _little(body[4:7]) + 1, _little(body[7:10]) + 1)
    if kind == b"VP8L" and body[0] == 0x2F:  # its signature
        bits = _little(body[1:5])
        return _picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return _picture("webp", _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF)
    return None


def _frames(data: bytes) -> Iterator[Picture]:
    """Yield what the frames of a JPEG say of themselves."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # begins a marker
        marker = data[at + 1]
        if marker == 0xFF:  # a marker may be filled up with these
            at += 1
        elif marker in _NO_LENGTH:
            at += 2
        elif marker in _FRAME:
            found = _picture("jpg", _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7]))
            if found is not None:
                yield found
            return
        else:
            at += 2 + _big(data[at + 2 : at + 4])


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
