"""Every HTTP client that we open; the only module that imports httpx.

Clients are made for one call and closed after it: hundreds of idle accounts keep no
sockets.  They share one TLS context, since making one takes 20 ms and half a megabyte.
"""

from __future__ import annotations

import functools
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeAlias

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
    retry_after: str = ""
    """When to ask again, in the server's own form: seconds or a date."""


@attrs.frozen(kw_only=True)
class File:
    """A file to be posted as the field `file` of a form."""

    name: str
    media_type: str
    content: bytes = attrs.field(repr=False)


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

    async def post_file(
        self, url: str, *, query: Mapping[str, str], file: File, headers: Mapping[str, str]
    ) -> Answer:
        """Post a file and return the answer.

        Raises:
          TransientError: there was none; `cause` tells why.
        """


@functools.cache
def tls() -> ssl.SSLContext:
    """Return the TLS settings of every connection we make."""
    return httpx.create_ssl_context()


@attrs.frozen(kw_only=True)
class _Body:
    """What a call carries, as httpx takes it."""

    query: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None


@attrs.frozen
class Client:
    """The real one; tests give it the simulator as transport."""

    transport: httpx.AsyncBaseTransport | None = None
    timeout: float = 20
    """Seconds for the whole call: a server that drips must not hold it for ever."""
    file_timeout: float = 90
    """The same for a call that carries a file: the way up may be narrow."""

    async def post_form(
        self,
        url: str,
        *,
        query: Mapping[str, str],
        form: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Answer:
        """Post a form; see `Http`."""
        body = _Body(query=query, headers=headers, form=form)
        return await self._post(url, body, self.timeout)

    async def post_file(
        self, url: str, *, query: Mapping[str, str], file: File, headers: Mapping[str, str]
    ) -> Answer:
        """Post a file; see `Http`."""
        files = {"file": (file.name, file.content, file.media_type)}
        body = _Body(query=query, headers=headers, files=files)
        return await self._post(url, body, self.file_timeout)

    async def _post(self, url: str, body: _Body, within: float) -> Answer:
        # trust_env: a proxy or a .netrc of the machine must not decide where cookies go.
        client = httpx.AsyncClient(
            transport=self.transport, timeout=within, verify=tls(), trust_env=False
        )
        # As bytes: httpx would refuse a cookie with a nickname that is not ASCII.
        encoded = {name.encode(): value.encode() for name, value in body.headers.items()}
        host = httpx.URL(url).host
        try:
            with trio.fail_after(within):
                async with client:
                    response = await client.post(
                        url, params=body.query, data=body.form, files=body.files, headers=encoded
                    )
        except (httpx.HTTPError, trio.TooSlowError) as exc:
            raise _unanswered(host, exc, within) from exc
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


Take: TypeAlias = Callable[[bytes], bool]
"""Is handed each piece of an answer; says whether it wants more."""

LARGEST: Final = 1024 * 1024
"""Bytes of an answer that are kept; nobody outside has so much to say to us."""


@attrs.frozen
class Outside:
    """The world outside of the platform: models, webhooks.  No cookie is known here.

    Nothing of a request but the name of its host stands in an error: addresses and headers
    of these services hold keys.
    """

    transport: httpx.AsyncBaseTransport | None = None

    async def post_json(
        self,
        url: str,
        body: object,
        *,
        headers: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109  # of the whole call; who is late is told as an error
    ) -> Answer:
        """Post JSON and return the answer, whatever its status.

        Raises:
          TransientError: there was none within `timeout` seconds, or one of more than `LARGEST`
            bytes; `cause` tells which.
        """
        pieces = _Pieces()
        asked = Asked(url=url, body=body, headers=headers, timeout=timeout)
        answer = await self.stream_json(asked, pieces.take)
        return attrs.evolve(answer, body=pieces.all())

    async def stream_json(self, asked: Asked, take: Take) -> Answer:
        """Post JSON and hand over the answer as it comes; the `Answer` has no body of its own.

        The connection is closed as soon as `take` wants no more, or the caller is cancelled.

        Raises:
          TransientError: there was no whole answer within the time; `cause` tells why.
        """
        try:
            url = httpx.URL(asked.url)
        except httpx.InvalidURL:
            raise TransientError("网址有误 (not an address)", cause=Cause.OTHER) from None
        try:
            with trio.fail_after(asked.timeout):
                return await self._stream(url, asked, take)
        except (httpx.HTTPError, trio.TooSlowError) as exc:
            # Not `from exc`: a library quotes what it could not send, a key perhaps.
            raise _no_answer(url.host, exc, asked.timeout) from None

    async def _stream(self, url: httpx.URL, asked: Asked, take: Take) -> Answer:
        encoded = {name.encode(): value.encode() for name, value in asked.headers.items()}
        plain = {b"content-type": b"application/json", b"accept-encoding": b"identity"}
        content = asked.body
        if not isinstance(content, bytes):
            content = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        client = httpx.AsyncClient(
            transport=self.transport, timeout=asked.timeout, verify=tls(), trust_env=False
        )
        async with (
            client,
            client.stream("POST", url, content=content, headers=plain | encoded) as response,
        ):
            # By cancelling, since an iterator that is left half-way would be cleaned up too late.
            with trio.CancelScope() as reading:
                async for piece in response.aiter_bytes():
                    if not take(piece):
                        reading.cancel()
        return Answer(
            status=response.status_code,
            set_cookies=(),
            body=b"",
            retry_after=response.headers.get("retry-after", ""),
        )


@attrs.frozen(kw_only=True)
class Asked:
    """A question to a service outside."""

    url: str = attrs.field(repr=False)
    body: object
    """What JSON can hold; or JSON itself, as bytes that are not to be changed."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout: float
    """Seconds for the whole answer."""


@attrs.define
class _Pieces:
    """Keeps an answer that is not too large."""

    _body: bytearray = attrs.field(factory=bytearray, init=False)

    def take(self, piece: bytes) -> bool:
        self._body += piece
        return len(self._body) <= LARGEST

    def all(self) -> bytes:
        if len(self._body) > LARGEST:
            raise TransientError(f"回答太大 (an answer of more than {LARGEST} bytes)")
        return bytes(self._body)


def _no_answer(host: str, exc: Exception, within: float) -> TransientError:
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
        cause = why_unreachable(exc) or Cause.UNREACHABLE
        return TransientError(f"{host}: 连接不上 (cannot connect, {cause.value})", cause=cause)
    if isinstance(exc, trio.TooSlowError):
        words = f"{host}: {within:g} 秒内没有答完 (no whole answer within {within:g} s)"
        return TransientError(words, cause=Cause.SILENT)
    words = f"{host}: 连接中断 (connection lost, {type(exc).__name__})"
    return TransientError(words, cause=Cause.ABORTED)
