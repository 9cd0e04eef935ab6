"""Every HTTP client that we open; the only module that imports httpx.

Clients are made for one call and closed after it: hundreds of idle accounts keep no
sockets.  They share one TLS context, since making one takes 20 ms and half a megabyte.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Mapping
from typing import Protocol

import attrs
import httpx
import trio

from xybot.errors import TransientError


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
          TransientError: there was none.
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
        except httpx.HTTPError as exc:
            raise TransientError(f"{host}: {type(exc).__name__}: {exc}") from exc
        except trio.TooSlowError as exc:
            raise TransientError(f"{host}: no answer within {self.timeout:g} s") from exc
        cookies = tuple(response.headers.get_list("set-cookie"))
        return Answer(status=response.status_code, set_cookies=cookies, body=response.content)
