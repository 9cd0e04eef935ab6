"""Typed calls: what we want of the platform over HTTP."""

from __future__ import annotations

from typing import Final

import attrs

from xybot.errors import TransientError
from xybot.wire.fields import number_at, text_at
from xybot.wire.requests import IM_APP_KEY
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.session import Token, new_token

_TOKEN: Final = "mtop.taobao.idlemessage.pc.login.token"  # noqa: S105  # the name of a call


async def im_token(mtop: Mtop) -> Token:
    """Return a usable IM token: the kept one while it lasts, else a fresh one, kept.

    It is the most guarded call of all (protocol.md §1.1): never one per reconnect.

    Raises:
      TransientError, LoginRequired, VerificationRequired: see `Mtop.call`.
    """
    token = mtop.session.token
    if token is not None and mtop.now_ms() < token.good_until:
        return token
    data = await mtop.call(_TOKEN, {"appKey": IM_APP_KEY, "deviceId": mtop.session.device})
    text = text_at(data, "accessToken")
    if text is None:
        raise TransientError(f"{_TOKEN}: no accessToken in the answer")
    token = new_token(text, number_at(data, "accessTokenExpiredTime"), mtop.now_ms())
    await mtop.keep(attrs.evolve(mtop.session, token=token))
    return token


async def forget_token(mtop: Mtop) -> None:
    """Drop a token that the platform does not know any more."""
    await mtop.keep(attrs.evolve(mtop.session, token=None))
