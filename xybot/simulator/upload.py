"""The side that takes pictures: `POST /api/upload.api`, one file in a multipart form.

Assumptions about the platform:

* an answer has the picture's address and its size as text, `pix: "WxH"` (protocol.md §5);
  the same file sent twice gets two addresses (unknown);
* a login that is dead, or dozes, is answered with the HTML of the login page and status 200
  (§5 says HTML; the status, and that dozing does the same: unknown);
* human verification is answered as by the gateway (unknown);
* what is no picture is refused in JSON (unknown in which words).
"""

from __future__ import annotations

from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final

import attrs
import msgspec
import trio
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from xybot.simulator.desk import Desks
from xybot.simulator.world import SimAccount, SimUpload, World
from xybot.wire.pictures import look
from xybot.wire.sign import parse_cookies

API: Final = "upload.api"
_PATH: Final = f"/api/{API}"
_LOGIN_PAGE: Final = "<!DOCTYPE html><html><head><title>登录</title></head></html>"
_PUNISH: Final = f"https://stream-upload.goofish.com{_PATH}/_____tmd_____/punish?x5secdata=s"


@attrs.define(eq=False)
class Uploads:
    """Takes pictures."""

    world: World
    desks: Desks

    def route(self) -> Route:
        """Return where it is."""
        return Route(_PATH, self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        """Take one picture over HTTP."""
        cookies = parse_cookies(request.headers.get("cookie", ""))
        account = next(
            (x for x in self.world.accounts.values() if x.session == cookies.get("cookie2")), None
        )
        if account is None:
            return HTMLResponse(_LOGIN_PAGE)
        account.calls[API] += 1
        switches = self.desks.of(account).switches
        await trio.sleep(switches.slow)
        if switches.happens("fail_calls"):
            return HTMLResponse("<html>502 Bad Gateway</html>", 502)
        if switches.dozing:
            return HTMLResponse(_LOGIN_PAGE)
        if switches.verification:
            return _json({"ret": ["FAIL_SYS_USER_VALIDATE"], "data": {"url": _PUNISH}})
        content = _file(request.headers.get("content-type", ""), await request.body())
        return _json(self._taken(account, content))

    def _taken(self, account: SimAccount, content: bytes) -> dict[str, Any]:
        picture = look(content)
        if picture is None:
            return {"success": False, "errorMsg": "文件格式不支持"}
        hex_ = f"{self.world.rng.getrandbits(64):016x}"
        url = f"https://img.alicdn.com/imgextra/i4/O1CN01{hex_}-0-xy_chat.{picture.suffix}"
        account.uploads.append(SimUpload(url=url, content=content))
        return {
            "success": True,
            "object": {
                "url": url,
                "pix": f"{picture.width}x{picture.height}",
                "size": str(len(content)),
            },
        }


def _file(content_type: str, body: bytes) -> bytes:
    """Return the field `file` of a multipart form, empty when there is none."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for part in message_from_bytes(head + body, policy=HTTP).iter_parts():
        if part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    return b""


def _json(told: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(told), media_type="application/json")
