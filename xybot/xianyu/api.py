"""Typed calls: what we want of the platform over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from xybot.errors import Cause, TransientError
from xybot.wire.fields import number_at, text_at
from xybot.wire.requests import IM_APP_KEY
from xybot.xianyu.mtop import Mtop, SessionExpired
from xybot.xianyu.session import Token, new_token

_TOKEN: Final = "mtop.taobao.idlemessage.pc.login.token"  # noqa: S105  # the name of a call
_KEEP_ALIVE: Final = "mtop.taobao.idlemessage.pc.loginuser.get"


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
    data = await _woken_once(mtop, _TOKEN, {"appKey": IM_APP_KEY, "deviceId": mtop.session.device})
    text = text_at(data, "accessToken")
    if text is None:
        said = f"{_TOKEN}: no accessToken in the answer"
        raise TransientError(f"平台接口出错 (the gateway failed): {said}", cause=Cause.GATEWAY)
    token = new_token(text, number_at(data, "accessTokenExpiredTime"), mtop.now_ms())
    await mtop.keep(attrs.evolve(mtop.session, token=token))
    return token


async def _woken_once(mtop: Mtop, api: str, data: Mapping[str, Any]) -> Any:
    try:
        return await mtop.call(api, data)
    except SessionExpired as expired:
        try:
            await mtop.call(_KEEP_ALIVE, {})
        except TransientError as exc:
            # Whatever the gateway answers is no yes, and it must not be asked for ever; a
            # network that gave no answer is no verdict.
            if exc.cause in (Cause.GATEWAY, Cause.BUSY):
                raise expired from exc
            raise
    return await mtop.call(api, data)


async def forget_token(mtop: Mtop) -> None:
    """Drop a token that the platform does not know any more."""
    await mtop.keep(attrs.evolve(mtop.session, token=None))
