"""Every HTTP client that we open; the only module that imports httpx.

Clients are made for one call and closed after it: hundreds of idle accounts keep no
sockets.  They share one TLS context, since making one takes 20 ms and half a megabyte.
"""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Mapping
from typing import Final, Protocol

import attrs
import httpx
import trio

from xybot.errors import Cause, TransientError

UNREACHABLE: Final = {
    Cause.DNS: "域名解析失败，请检查网络和 DNS (no address for the name)",
    Cause.TLS: "加密连接失败，请检查电脑时间和证书 (cannot connect, TLS)",
    Cause.UNREACHABLE: "连不上平台，请检查网络 (cannot connect)",
}
"""What the seller reads of each answer of `why_unreachable`."""


@attrs.frozen(kw_only=True)
class Answer:
    """What came back: any status, any body."""

    status: int
    set_cookies: tuple[str, ...]
    body: bytes


class Http(Protocol):
    """How a room asks the world over HTTP."""

    async def post_form(
        self,
        url: str,
        *,
        query: Mapping[str, str],
        form: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Answer:
        """Post a form and return the answer.

        Raises:
          TransientError: there was none; `cause` tells why.
        """


@functools.cache
def tls() -> ssl.SSLContext:
    """Return the TLS settings of every connection we make."""
    return httpx.create_ssl_context()


@attrs.frozen
class Client:
    """The real one; tests give it the simulator as transport."""

    transport: httpx.AsyncBaseTransport | None = None
    timeout: float = 20
    """Seconds for the whole call: a server that drips must not hold it for ever."""

    async def post_form(
        self,
        url: str,
        *,
        query: Mapping[str, str],
        form: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Answer:
        """Post a form; see `Http`."""
        # trust_env: a proxy or a .netrc of the machine must not decide where cookies go.
        client = httpx.AsyncClient(
            transport=self.transport, timeout=self.timeout, verify=tls(), trust_env=False
        )
        # As bytes: httpx would refuse a cookie with a nickname that is not ASCII.
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        host = httpx.URL(url).host
        try:
            with trio.fail_after(self.timeout):
                async with client:
                    response = await client.post(url, params=query, data=form, headers=encoded)
        except (httpx.HTTPError, trio.TooSlowError) as exc:
            raise _unanswered(host, exc, self.timeout) from exc
        cookies = tuple(response.headers.get_list("set-cookie"))
        return Answer(status=response.status_code, set_cookies=cookies, body=response.content)


def why_unreachable(exc: BaseException) -> Cause | None:
    """Return what kept a connection from being opened; None when it was not the network.

    The error itself, and all that led to it, are looked at.
    """
    said: BaseException | None = exc
    while said is not None:
        match said:
            case socket.gaierror():
                return Cause.DNS
            case ssl.SSLError():
                return Cause.TLS
            case OSError():
                return Cause.UNREACHABLE
        said = said.__cause__ or said.__context__
    return None


def _unanswered(host: str, exc: Exception, within: float) -> TransientError:
    said = f"{host}: {type(exc).__name__}: {exc}"
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
        cause = why_unreachable(exc) or Cause.UNREACHABLE
        return TransientError(f"{UNREACHABLE[cause]}: {said}", cause=cause)
    if isinstance(exc, httpx.TimeoutException | trio.TooSlowError):
        words = f"平台接口没有回应 (silent): {host}: no answer within {within:g} s"
        return TransientError(words, cause=Cause.SILENT)
    words = f"与平台接口的连接断开 (connection lost): {said}"
    return TransientError(words, cause=Cause.ABORTED)
