"""Giving a picture to the platform, which then has it under an address of its own.

protocol.md §5, end: a multipart form, answered `object{url, pix: "WxH"}`; an HTML answer
means that the cookies are no longer good.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import attrs

from xybot.egress import Answer, File
from xybot.errors import (
    Busy,
    Cause,
    TransientError,
    VerificationRequired,
    WireError,
)
from xybot.model import Image
from xybot.wire import jsontext
from xybot.wire.fields import dig, text_at
from xybot.wire.pictures import Picture
from xybot.xianyu.mtop import Mtop, SessionExpired, check_address

_PATH: Final = "/api/upload.api"
_QUERY: Final = {
    "floderId": "0",  # the server's own spelling
    "appkey": "xy_chat",
    "_input_charset": "utf-8",
}
_PIX: Final = re.compile(r"([0-9]{1,5})[xX*]([0-9]{1,5})")
_LONGEST_REASON: Final = 200


@attrs.frozen
class NotTaken:
    """The platform does not want the picture; it would not want it the next time either."""

    reason: str


Uploaded: TypeAlias = Image | NotTaken


async def once(mtop: Mtop, address: str, picture: Picture, content: bytes) -> Uploaded:
    """Make one upload; see `api.upload`.

    Args:
      mtop: the account's way to the platform.
      address: where uploads go, without a path.
      picture: what it is; its size is used where the answer tells none.
      content: the file.

    Raises:
      TransientError: the network or the platform had a bad moment.
      SessionExpired: the cookies are no longer good, or the login dozes.
      VerificationRequired: the platform wants a person.
    """
    url = f"{address.rstrip('/')}{_PATH}"
    file = File(
        # Its own name is the seller's business.
        name=f"image.{picture.suffix}",
        media_type=picture.media_type,
        content=content,
    )
    answer = await mtop.http.post_file(url, query=_QUERY, file=file, headers=mtop.headers())
    await mtop.keep_cookies(answer)
    return _read(answer, url, picture)


def _read(answer: Answer, asked: str, picture: Picture) -> Uploaded:
    said = f"upload.api: HTTP {answer.status}"
    if (check := check_address(answer, asked)) is not None:
        raise VerificationRequired(said, url=check)
    if answer.status == 429:  # too many requests
        raise Busy(f"平台要求稍候 (the platform asks for patience): {said}")
    if answer.status >= 500:  # the server's fault
        raise _failed(said)
    try:
        told = jsontext.loads(answer.body)
    except WireError as exc:
        if not answer.body.lstrip().startswith(b"<"):
            raise _failed(f"{said}, no JSON") from exc
        # An error page is no login page: one file that is too large must not park an account.
        if answer.status in (200, 401, 403):
            raise SessionExpired(f"{said}, HTML") from exc
        return NotTaken(said)
    url = text_at(told, "object", "url")
    if url is None:
        return NotTaken(_why(told) or said)
    size = _PIX.fullmatch(text_at(told, "object", "pix") or "")
    width, height = (int(size[1]), int(size[2])) if size else (0, 0)
    return Image(_whole(url), width or picture.width, height or picture.height)


def _whole(url: str) -> str:
    return f"https:{url}" if url.startswith("//") else url


def _why(told: Any) -> str:
    """Return what the answer says of itself, under any of the names that it may have."""
    names = ("errorMsg", "errorMessage", "message", "msg", "errorCode", "ret")
    found = next((str(value) for name in names if (value := dig(told, name))), "")
    return found[:_LONGEST_REASON]


def _failed(said: str) -> TransientError:
    return TransientError(f"平台接口出错 (the gateway failed): {said}", cause=Cause.GATEWAY)
