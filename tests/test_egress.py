"""The world outside: deadlines, sizes, errors that tell no secret, and nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio

from xybot.egress import LARGEST, Asked, Outside
from xybot.errors import Cause, TransientError

URL = "http://outside/path?key=s3cr3t"
HEADERS = {"Authorization": "Bearer s3cr3t"}


def outside(answer: Callable[[httpx.Request], Any]) -> Outside:
    return Outside(transport=httpx.MockTransport(answer))


async def post(world: Outside, body: object = None, **more: Any) -> Any:
    return await world.post_json(
        more.get("url", URL), body, headers=more.get("headers", HEADERS), timeout=5
    )


async def test_json_goes_out_and_any_answer_comes_back(autojump_clock) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(418, content=b"short", headers={"retry-after": "7"})

    found = await post(outside(answer), {"words": "在吗\ud83d"})
    assert (found.status, found.body, found.retry_after) == (418, b"short", "7")
    (request,) = seen
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer s3cr3t"
    assert json.loads(request.content) == {"words": "在吗?"}
    assert "cookie" not in request.headers


async def test_a_redirect_is_an_answer_and_not_followed(autojump_clock) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "http://elsewhere/"})

    assert (await post(outside(answer))).status == 302


async def test_who_does_not_answer_in_time_is_given_up(autojump_clock) -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await trio.sleep(60)
        return httpx.Response(200)

    before = trio.current_time()
    with pytest.raises(TransientError, match="5 s") as caught:
        await post(outside(answer))
    assert caught.value.cause is Cause.SILENT
    assert trio.current_time() - before == pytest.approx(5, abs=0.1)


async def test_an_answer_without_end_is_not_kept(autojump_clock) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * (LARGEST + 1))

    with pytest.raises(TransientError, match="more than"):
        await post(outside(answer))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (httpx.ConnectError("s3cr3t"), Cause.UNREACHABLE),
        (httpx.ReadError("s3cr3t"), Cause.ABORTED),
        (httpx.LocalProtocolError("Illegal header value b'Bearer s3cr3t'"), Cause.ABORTED),
        (httpx.UnsupportedProtocol("s3cr3t"), Cause.ABORTED),
    ],
)
async def test_no_error_tells_more_of_a_request_than_its_host(
    autojump_clock, error: httpx.HTTPError, cause: Cause
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TransientError, match="outside") as caught:
        await post(outside(answer))
    assert caught.value.cause is cause
    assert "s3cr3t" not in str(caught.value)
    asked = Asked(url=URL, body=None, headers=HEADERS, timeout=1)
    assert "s3cr3t" not in repr(asked)


async def test_an_address_that_is_none_is_an_error_of_the_call(autojump_clock) -> None:
    with pytest.raises(TransientError, match="not an address"):
        await post(Outside(), url="http://a\x00b/")


async def test_nobody_listening_is_told_as_such() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    with pytest.raises(TransientError, match="cannot connect") as caught:
        await post(Outside(), url=f"http://127.0.0.1:{port}/")
    assert caught.value.cause is Cause.UNREACHABLE
