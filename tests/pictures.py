"""Pictures as files, from their first bytes to their last that matter; nobody looks at them."""

from __future__ import annotations

import struct


def png(width: int, height: int, rest: bytes = b"") -> bytes:
    header = struct.pack(">II", width, height) + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + b"\0\0\0\0" + rest


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def jpeg(width: int, height: int, frame: int = 0xC0) -> bytes:
    """With what cameras put before the frame: an APP1, a lone marker and a marker filled up."""
    app1 = b"\xff\xe1" + struct.pack(">H", 20) + b"Exif\0\0 \xff\xc0\0\x11\x08\0\x01\0"
    table = b"\xff\xff\xdb" + struct.pack(">H", 5) + b"\0\1\2"
    size = struct.pack(">BHH", 8, height, width)
    return b"\xff\xd8" + app1 + b"\xff\x01" + table + bytes([0xFF, frame, 0, 17]) + size + b"\3"


def webp(width: int, height: int, kind: bytes) -> bytes:
    if kind == b"VP8X":
        body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + (width - 1 | (height - 1) << 14).to_bytes(4, "little") + bytes(5)
    else:
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + kind + struct.pack("<I", 10) + body
