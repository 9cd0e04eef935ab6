"""One live connection: requests, answers, pushes, and every way in which it ends."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import msgspec
import pytest
import trio
from trio.testing import memory_stream_pair
from trio_websocket import WebSocketConnection, wrap_client_stream, wrap_server_stream

from tests.xianyu.conftest import now_ms
from xybot.errors import (
    Cause,
    ConnectionLost,
    KickedOut,
    LoginRequired,
    SessionTaken,
    TokenExpired,
    TokenRefused,
    XybotError,
)
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount
from xybot.wire import frames, requests
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids
from xybot.wire.requests import Request
from xybot.xianyu.connection import Connection, Garbage, open_connection
from xybot.xianyu.register import register
from xybot.xianyu.session import Token, new_token

DEVICE = "a" * 36 + "-device"
Serve: TypeAlias = Callable[[WebSocketConnection], Awaitable[None]]


def ids() -> Ids:
    return Ids(now_ms, random.Random(1))


def only(
    error: type[XybotError], match: str | None = None, cause: Cause | None = None
) -> pytest.RaisesGroup[XybotError]:
    """Expect one error of this kind and cause, however deep in groups."""
    wanted = pytest.RaisesExc(
        error,
        match=match,
        check=lambda exc: type(exc) is error and exc.cause is (cause or error.cause),
    )
    return pytest.RaisesGroup(wanted, allow_unwrapped=True, flatten_subgroups=True)


# Between us and the simulator.


def token_for(platform: Platform, account: SimAccount, device: str = DEVICE) -> Token:
    return new_token(platform.world.grant(account, device), None, platform.now_ms())


@asynccontextmanager
async def dialled(platform: Platform, account: SimAccount) -> AsyncIterator[Connection]:
    async with open_connection(lambda: platform.dial(account=account), ids()) as line:
        yield line


@asynccontextmanager
async def on_line(platform: Platform, account: SimAccount) -> AsyncIterator[Connection]:
    async with dialled(platform, account) as line:
        token = token_for(platform, account)
        await register(line, token, DEVICE, account.user_id, within=10)
        await line.wait_ready()
        yield line


async def pushed(line: Connection, lwp: str = "/s/sync") -> Frame:
    """Return the next push of this path."""
    while True:
        push = await line.pushes.receive()
        if isinstance(push, Frame) and push.lwp == lwp:
            return push


async def test_a_request_gets_its_answer_and_a_push_arrives(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    async with on_line(platform, account) as line:
        platform.buyer_says(account, "小王", "在吗")
        push = await pushed(line)
        assert (await line.request(requests.conversations())).code == 200
        await line.send(frames.acknowledgement(push))
        await trio.sleep(1)
        assert platform.unacknowledged(account) == ()


async def test_registering_tells_the_platforms_clock(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    async with dialled(platform, account) as line:
        token = token_for(platform, account)
        at = await register(line, token, DEVICE, account.user_id, within=10)
        assert at == platform.now_ms()


async def test_requests_may_be_sent_once_vulcan_came(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    async with on_line(platform, account) as line:
        assert trio.current_time() == pytest.approx(0.05)
        assert (await line.request(requests.conversations())).code == 200


async def test_requests_may_be_sent_after_three_seconds_without_vulcan(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).no_vulcan()
    async with on_line(platform, account) as line:
        assert trio.current_time() == pytest.approx(3)
        assert (await line.request(requests.conversations())).code == 200


async def test_an_unknown_token_is_refused(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(TokenRefused, "token is not found"):
        async with dialled(platform, account) as line:
            token = new_token("oauth_k1:unknown", None, platform.now_ms())
            await register(line, token, DEVICE, account.user_id, within=10)


async def test_the_token_of_another_device_is_refused(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(TokenRefused):
        async with dialled(platform, account) as line:
            token = token_for(platform, account, "another device")
            await register(line, token, DEVICE, account.user_id, within=10)


async def test_the_token_of_another_account_needs_a_login(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    other = platform.add_account("shop-b")
    with only(LoginRequired):
        async with dialled(platform, account) as line:
            token = token_for(platform, other)
            await register(line, token, DEVICE, account.user_id, within=10)


async def test_a_platform_that_does_not_answer_is_lost(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).mute()
    with only(ConnectionLost, "no answer to /reg within 7 s", Cause.SILENT):
        async with dialled(platform, account) as line:
            token = token_for(platform, account)
            await register(line, token, DEVICE, account.user_id, within=7)
    # The line that stays deaf gets two seconds for its goodbye.
    assert 7 <= trio.current_time() <= 9


async def test_a_line_that_falls_silent_is_lost(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(ConnectionLost, "no answer to /! within 10 s", Cause.SILENT):
        async with on_line(platform, account) as line:
            platform.faults(account).mute()
            await line.request(requests.heartbeat())


async def test_a_token_that_dies_on_the_line_is_expired(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(TokenExpired, "token is not found"):
        async with on_line(platform, account) as line:
            platform.faults(account).expire_token()
            await line.request(requests.heartbeat())


async def test_a_kickout_is_told_from_a_removed_session(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(KickedOut):
        async with on_line(platform, account):
            platform.faults(account).kick_out()
            await trio.sleep_forever()
    with only(SessionTaken):
        async with on_line(platform, account):
            platform.faults(account).remove_session()
            await trio.sleep_forever()


async def test_a_close_and_a_cut_are_losses_with_a_reason(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    with only(ConnectionLost, "1001 GOING_AWAY", Cause.CLOSED):
        async with on_line(platform, account):
            platform.faults(account).close(1001)
            await trio.sleep_forever()
    with only(ConnectionLost, "1006 ABNORMAL_CLOSURE", Cause.ABORTED):
        async with on_line(platform, account):
            platform.faults(account).cut()
            await trio.sleep_forever()


async def test_a_refused_dial_is_a_loss(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).refuse_dial()
    with only(ConnectionLost, "refused by a fault", Cause.UNREACHABLE):
        async with dialled(platform, account):
            raise AssertionError("it was let in")
    async with on_line(platform, account):
        pass


async def test_garbage_arrives_as_garbage_and_life_goes_on(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    async with on_line(platform, account) as line:
        await pushed(line, "/s/vulcan")
        platform.faults(account).garbage("<html>502</html>")
        assert await line.pushes.receive() == Garbage("<html>502</html>")
        platform.faults(account).garbage('{"neither": "push nor answer"}')
        assert await line.pushes.receive() == Garbage('{"neither": "push nor answer"}')
        assert (await line.request(requests.heartbeat())).code == 200
        platform.buyer_says(account, "小王", "在吗")
        assert (await pushed(line)).lwp == "/s/sync"


async def test_a_line_that_we_leave_ends_the_pushes(
    platform: Platform, account: SimAccount, autojump_clock
) -> None:
    async with on_line(platform, account) as line:
        await pushed(line, "/s/vulcan")
    with pytest.raises(trio.EndOfChannel):
        line.pushes.receive_nowait()
    with pytest.raises(ConnectionLost):
        await line.send(Frame(lwp="/!"))


# Between us and a peer that does what we say.


@asynccontextmanager
async def line_to(serve: Serve) -> AsyncIterator[Connection]:
    """Open a line to a peer in memory that does only what `serve` says."""

    @asynccontextmanager
    async def dial() -> AsyncIterator[WebSocketConnection]:
        near, far = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept, far)
            stream = cast("trio.SocketStream", near)
            yield await wrap_client_stream(nursery, stream, "peer", "/")
            nursery.cancel_scope.cancel()

    async def accept(stream: trio.abc.Stream) -> None:
        async with trio.open_nursery() as nursery:
            ws = await (await wrap_server_stream(nursery, stream)).accept()
            await serve(ws)

    async with open_connection(dial, ids()) as line:
        yield line


async def heard(ws: WebSocketConnection) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.json.decode(await ws.get_message()))


async def answer(ws: WebSocketConnection, asked: dict[str, Any], **fields: Any) -> None:
    headers = {"mid": asked["headers"]["mid"]}
    told = {"headers": headers, "code": 200, **fields}
    await ws.send_message(msgspec.json.encode(told).decode())


def answers(**fields: Any) -> Serve:
    """Make a peer that gives every request the same answer."""

    async def serve(ws: WebSocketConnection) -> None:
        while True:
            await answer(ws, await heard(ws), **fields)

    return serve


async def test_answers_find_their_requests_in_any_order(autojump_clock) -> None:
    async def serve(ws: WebSocketConnection) -> None:
        asked = [await heard(ws) for _ in range(20)]
        stranger = {"headers": {"mid": "1234 0"}}
        await answer(ws, stranger, body="nobody asked")
        for each in reversed(asked):
            await answer(ws, each, body=each["body"])
            await answer(ws, each, body="once more")
        await trio.sleep_forever()

    told: dict[int, Any] = {}

    async def ask(line: Connection, n: int) -> None:
        told[n] = (await line.request(Request("/r/x", n))).body

    async with line_to(serve) as line:
        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(ask, line, n)
        assert told == {n: n for n in range(20)}


async def test_an_answer_that_comes_too_late_is_nobodys(autojump_clock) -> None:
    async def serve(ws: WebSocketConnection) -> None:
        first = await heard(ws)
        second = await heard(ws)
        await answer(ws, first, body="late")
        await answer(ws, second, body="in time")
        await trio.sleep_forever()

    async with line_to(serve) as line:
        with pytest.raises(ConnectionLost, match="no answer to /r/x within 2 s"):
            await line.request(Request("/r/x"), within=2)
        assert trio.current_time() == pytest.approx(2)
        assert (await line.request(Request("/r/y"))).body == "in time"


@pytest.mark.parametrize(
    "fields",
    [
        {"code": 401},
        {"code": 401, "body": {"reason": "device id or appkey is not equal"}},
        {"code": 400, "body": {"reason": "token is not found"}},
        {"code": 400, "body": {"code": "4000001"}},
    ],
)
async def test_any_answer_that_knows_no_token_ends_the_line(
    autojump_clock, fields: dict[str, Any]
) -> None:
    with only(TokenExpired):
        async with line_to(answers(**fields)) as line:
            await line.request(Request("/r/x"))


async def test_any_other_answer_is_the_callers_to_read(autojump_clock) -> None:
    async with line_to(answers(code=400, body={"reason": "flow control"})) as line:
        assert (await line.request(Request("/r/x"))).code == 400


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"reason": "connect limit"}, SessionTaken),
        ({"reason": "Too Many connections"}, SessionTaken),
        ({"reason": "x", "developerMessage": "session remove"}, SessionTaken),
        ({"reason": "invalid token"}, TokenRefused),
        ({"reason": "not auth"}, TokenRefused),
        ({"reason": "device id or appkey is not equal"}, TokenRefused),
        ({"reason": "whatever"}, ConnectionLost),
        (None, ConnectionLost),
        ("text", ConnectionLost),
        ({"reason": {"nested": 1}}, ConnectionLost),
    ],
)
async def test_each_refused_registration_says_what_is_to_be_done(
    autojump_clock, body: Any, error: type[XybotError]
) -> None:
    cause = Cause.REGISTRATION if error is ConnectionLost else None
    with only(error, cause=cause):
        async with line_to(answers(code=400, body=body)) as line:
            token = new_token("oauth_k1:secret", None, now_ms())
            await register(line, token, DEVICE, cast("Any", "2201"), within=5)


@pytest.mark.parametrize(
    ("body", "error"), [(None, TokenRefused), ({"reason": "too many"}, SessionTaken)]
)
async def test_a_registration_that_is_answered_401_is_read_for_its_words_first(
    autojump_clock, body: Any, error: type[XybotError]
) -> None:
    with only(error):
        async with line_to(answers(code=401, body=body)) as line:
            token = new_token("oauth_k1:secret", None, now_ms())
            await register(line, token, DEVICE, cast("Any", "2201"), within=5)


async def test_a_registration_that_names_nobody_is_taken(autojump_clock) -> None:
    async with line_to(answers()) as line:
        token = new_token("oauth_k1:secret", None, now_ms())
        user = cast("Any", "2201")
        assert await register(line, token, DEVICE, user, within=5) is None


async def test_a_flood_of_pushes_waits_for_us_and_arrives_whole(autojump_clock) -> None:
    async def serve(ws: WebSocketConnection) -> None:
        for n in range(1000):
            await ws.send_message(f'{{"lwp": "/s/sync", "headers": {{"mid": "{n}"}}}}')
        await trio.sleep_forever()

    async with line_to(serve) as line:
        await trio.sleep(5)
        assert line.pushes.statistics().current_buffer_used == 256
        mids = [cast("Frame", await line.pushes.receive()).mid for _ in range(1000)]
        assert mids == [str(n) for n in range(1000)]


async def test_pushes_that_came_before_the_end_can_still_be_stored(autojump_clock) -> None:
    async def serve(ws: WebSocketConnection) -> None:
        await ws.send_message('{"lwp": "/s/sync", "headers": {"mid": "1"}}')
        await ws.aclose()

    with only(ConnectionLost, cause=Cause.CLOSED):
        async with line_to(serve) as line:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                assert cast("Frame", line.pushes.receive_nowait()).mid == "1"
            await trio.sleep_forever()


async def test_binary_messages_are_read_like_text(autojump_clock) -> None:
    async def serve(ws: WebSocketConnection) -> None:
        await ws.send_message(b'{"lwp": "/s/sync", "headers": {"mid": "1"}}')
        await ws.send_message(b"\xff\x00")
        await trio.sleep_forever()

    async with line_to(serve) as line:
        assert cast("Frame", await line.pushes.receive()).mid == "1"
        assert await line.pushes.receive() == Garbage("\ufffd\x00")
