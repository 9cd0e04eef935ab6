"""Pictures in files of the seller's: uploaded before they are sent, once for each account."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, assert_never

import attrs
import trio

from xybot.accounts.past import PAUSES
from xybot.accounts.shared import Shared
from xybot.errors import StoreUnavailable, TransientError
from xybot.model import Deliverable, Image, Outgoing, Photo
from xybot.store import uploads
from xybot.store.database import Runner, in_thread
from xybot.store.outbox import Refused
from xybot.wire.pictures import Picture, look
from xybot.xianyu import api
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.upload import NotTaken

_LARGEST: Final = 20 * 1024 * 1024
"""Bytes of a file; what is larger is hardly meant, and would be long under way."""


@attrs.frozen(kw_only=True)
class Album:
    """Where pictures come from, and where they go."""

    folder: Path
    """Where relative paths start."""
    address: Callable[[], str]
    """Where uploads go, without a path: `[platform] upload` of the moment."""
    run: Runner = in_thread
    """Where files are read."""


@attrs.define(eq=False)
class Pictures:
    """The pictures of one account."""

    shared: Shared
    mtop: Mtop
    album: Album
    # One at a time: the same file for many chats goes up once, and the way up is narrow.
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def ready(self, outgoing: Outgoing) -> Deliverable | Refused:
        """Return what the platform takes for a message, stored as what the message says.

        Raises:
          AttentionRequired: the account needs its seller.
        """
        if not isinstance(outgoing.content, Photo):
            return outgoing.content
        read = await self.album.run(partial(_read, self.album.folder / outgoing.content.path))
        match read:
            case _File():
                return await self._uploaded(read, outgoing.uuid)
            case Refused():
                return read
            case _:
                assert_never(read)

    async def _uploaded(self, file: _File, uuid: str) -> Image | Refused:
        """Have the platform hold a file, with some patience."""
        why = ""
        for pause in (0.0, *PAUSES):
            await trio.sleep(pause)
            if (known := await self._known(file, uuid)) is not None:
                return known
            try:
                async with self._turn:
                    return await self._known(file, uuid) or await self._upload(file, uuid)
            except StoreUnavailable:
                raise
            except TransientError as exc:
                why = str(exc)
        return _refused(f"图片上传失败 (tried {len(PAUSES) + 1} times to upload)", why)

    async def _known(self, file: _File, uuid: str) -> Image | None:
        """Return the picture of a file that the platform has; it becomes what `uuid` says."""
        mine = self.shared.account
        return await self.shared.store.transact(uploads.take, mine, file.digest, uuid)

    async def _upload(self, file: _File, uuid: str) -> Image | Refused:
        given = await api.upload(self.mtop, self.album.address(), file.picture, file.content)
        if isinstance(given, NotTaken):
            return _refused("平台不收这张图片 (the platform does not take it)", given.reason)
        mine, now = self.shared.account, self.shared.now_ms()
        await self.shared.store.transact(uploads.keep, mine, file.digest, given, now=now)
        return await self._known(file, uuid) or given


@attrs.frozen
class _File:
    picture: Picture
    content: bytes = attrs.field(repr=False)
    digest: str


def _read(path: Path) -> _File | Refused:
    """Read a picture; what is none stays here, whatever a rule says."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return _refused("找不到图片 (no such file)", str(path))
    except (OSError, ValueError) as exc:
        return _refused("读不了图片 (cannot be read)", f"{path}: {exc}")
    if len(content) > _LARGEST:
        return _refused(f"图片超过 {_LARGEST >> 20} MB (too large)", str(path))
    picture = look(content)
    if picture is None:
        return _refused("不是 PNG、JPEG、GIF 或 WebP 图片 (no picture)", str(path))
    return _File(picture, content, hashlib.sha256(content).hexdigest())


def _refused(what: str, more: str) -> Refused:
    return Refused(f"{what}: {more}" if more else what)
