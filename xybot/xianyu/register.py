"""Being let in: `/reg`, and what a refusal of it means (protocol.md §1.2)."""

from __future__ import annotations

from typing import Final

from xybot.errors import Cause, ConnectionLost, LoginRequired, SessionTaken, TokenRefused
from xybot.model import UserId
from xybot.wire import requests
from xybot.wire.fields import bare, number_at, text_at
from xybot.wire.frames import OK, Frame
from xybot.xianyu.connection import Connection
from xybot.xianyu.session import Token

_TAKEN: Final = ("connect limit", "session remove", "too many")
_TOKEN: Final = ("invalid token", "not auth", "device id", "token")

_UNAUTHORIZED: Final = 401


async def register(
    connection: Connection, token: Token, device: str, user: UserId, *, within: float
) -> int | None:
    """Register a fresh connection and return the platform's clock (ms), if it tells.

    Raises:
      TokenRefused: fetch another token and dial again.
      SessionTaken: another login holds this account.
      LoginRequired: the token belongs to another account.
      ConnectionLost: no answer, or one that nobody documented.
    """
    request = requests.register(token.text.reveal(), device)
    answer = await connection.request(request, within=within)
    if answer.code != OK:
        _refused(answer)
    registered = bare(text_at(answer.headers, "reg-uid"))
    if registered is not None and registered != user:
        raise LoginRequired("cookie 与登录的账号不一致 (the cookie and the login differ)")
    return number_at(answer.body, "timestamp")


def _refused(answer: Frame) -> None:
    said = f"{text_at(answer.body, 'reason')} {text_at(answer.body, 'developerMessage')}".lower()
    if any(words in said for words in _TAKEN):
        raise SessionTaken(f"别处登录了本账号 (another session holds this account): {said}")
    if answer.code == _UNAUTHORIZED or any(words in said for words in _TOKEN):
        raise TokenRefused(f"平台不认令牌，将换新令牌 (the token was refused): {said}")
    words = f"平台拒绝了注册 (registration refused): {answer.code} {said}"
    raise ConnectionLost(words, cause=Cause.REGISTRATION)
