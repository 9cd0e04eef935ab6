"""Typed calls: what we want of the platform over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec, TypeVar

import attrs

from xybot.errors import Cause, TransientError
from xybot.model import Item, ItemId
from xybot.wire import items
from xybot.wire.fields import number_at, text_at
from xybot.wire.pictures import Picture
from xybot.wire.requests import IM_APP_KEY
from xybot.xianyu import upload as uploading
from xybot.xianyu.mtop import Mtop, NotFound, SessionExpired
from xybot.xianyu.session import Token, new_token
from xybot.xianyu.upload import Uploaded

P = ParamSpec("P")
T = TypeVar("T")

_TOKEN: Final = "mtop.taobao.idlemessage.pc.login.token"  # noqa: S105  # the name of a call
_KEEP_ALIVE: Final = "mtop.taobao.idlemessage.pc.loginuser.get"
_DETAIL: Final = "mtop.taobao.idle.pc.detail"


async def im_token(mtop: Mtop) -> Token:
    """Return a usable IM token: the kept one while it lasts, else a fresh one, kept.

    It is the most guarded call of all (protocol.md §1.1): never one per reconnect.  A login
    that has expired is woken once by a keep-alive (§5), and the call made once more.

    Raises:
      TransientError, LoginRequired, VerificationRequired: see `Mtop.call`.
    """
    token = mtop.session.token
    if token is not None and mtop.now_ms() < token.good_until:
        return token
    wanted = {"appKey": IM_APP_KEY, "deviceId": mtop.session.device}
    data = await woken_once(mtop, mtop.call, _TOKEN, wanted)
    text = text_at(data, "accessToken")
    if text is None:
        said = f"{_TOKEN}: no accessToken in the answer"
        raise TransientError(f"平台接口出错 (the gateway failed): {said}", cause=Cause.GATEWAY)
    token = new_token(text, number_at(data, "accessTokenExpiredTime"), mtop.now_ms())
    await mtop.keep(attrs.evolve(mtop.session, token=token))
    return token


async def item(mtop: Mtop, id_: ItemId) -> Item | None:
    """Return the facts of an item; None when the platform has no such item.

    Raises:
      TransientError, LoginRequired, VerificationRequired: see `Mtop.call`.
    """
    try:
        data = await woken_once(mtop, mtop.call, _DETAIL, {"itemId": id_})
    except NotFound:
        return None
    found = items.read(data)
    if found is None:
        said = f"{_DETAIL}: no item in the answer"
        raise TransientError(f"平台接口出错 (the gateway failed): {said}", cause=Cause.GATEWAY)
    return found


async def upload(mtop: Mtop, address: str, picture: Picture, content: bytes) -> Uploaded:
    """Give a picture to the platform, or be told that it does not want it.

    Args:
      mtop: the account's way to the platform.
      address: where uploads go, without a path.
      picture: what it is; its size is used where the answer tells none.
      content: the file.

    Raises:
      TransientError, LoginRequired, VerificationRequired: see `Mtop.call`.
    """
    return await woken_once(mtop, uploading.once, mtop, address, picture, content)


async def woken_once(
    mtop: Mtop, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Make a call; once more if a login that dozed was woken by a keep-alive."""
    try:
        return await call(*args, **kwargs)
    except SessionExpired as expired:
        try:
            await keep_alive(mtop)
        except TransientError as exc:
            # Whatever the gateway answers is no yes, and it must not be asked for ever; a
            # network that gave no answer is no verdict.
            if exc.cause in (Cause.GATEWAY, Cause.BUSY):
                raise expired from exc
            raise
    return await call(*args, **kwargs)


async def keep_alive(mtop: Mtop) -> None:
    """Ask who is logged in, which wakes a login that dozes.

    Raises:
      TransientError, LoginRequired, VerificationRequired: see `Mtop.call`.
    """
    await mtop.call(_KEEP_ALIVE, {})


async def forget_token(mtop: Mtop) -> None:
    """Drop a token that the platform does not know any more."""
    await mtop.keep(attrs.evolve(mtop.session, token=None))
