"""Pictures that somebody gives us to send: kept in files, until the platform has them."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Final

import trio

from xybot.model import Photo
from xybot.web.problems import misfit
from xybot.wire.pictures import look

LARGEST: Final = 20 * 1024 * 1024
"""Bytes."""
FOLDER: Final = "pictures"
"""In the folder of everything that the program keeps."""


async def keep(content: bytes, data: Path) -> Photo:
    """Keep a picture, and return it as something to say.

    Raises:
      Problem: it is no picture that the platform takes.
    """
    picture = look(content)
    if picture is None:
        raise misfit("body", "不是 PNG、JPEG、GIF 或 WebP 图片 (no picture)")
    path = data / FOLDER / f"{hashlib.sha256(content).hexdigest()}.{picture.suffix}"
    await trio.to_thread.run_sync(partial(_write, path, content))
    return Photo(str(path.absolute()))


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_suffix(f"{path.suffix}.new")
    new.write_bytes(content)
    new.replace(path)
