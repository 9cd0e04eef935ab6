"""A supplier's goods: asked for with one key however often, and never taken for granted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import httpx
import pytest
import trio

from tests.orders.samples import CARD, OTHER, sale
from xybot.config import FromText, Supplier
from xybot.egress import Outside
from xybot.orders.supplier import Doubt, Outcome, Refused, Supplied, ask, idempotency_key
from xybot.secret import Secret

URL = "https://erp.example/orders?key=s3cr3t"
KEY = Secret("s3cr3t-key")
CODE = "GOODS-1234"
GOOD = {"code": 0, "data": {"code": CODE}}


@attrs.define(eq=False)
class Erp:
    """A supplier on no network: answers one after the other, and the last one for ever."""

    answers: list[Callable[[], httpx.Response]]
    asked: list[httpx.Request] = attrs.Factory(list)
    at: list[float] = attrs.Factory(list)
    delay: float = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        self.at.append(trio.current_time())
        await trio.sleep(self.delay)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()

    async def give(self, key: Secret | None = KEY, quantity: int = 1, **setting) -> Outcome:
        supplier = Supplier(**({"url": URL, "answer": "data.code"} | setting))
        outside = Outside(httpx.MockTransport(self.handle))
        outcome = await ask(outside, supplier, sale(quantity=quantity), key)
        assert not leaks(outcome)
        return outcome

    @property
    def keys(self) -> set[str]:
        return {request.headers["idempotency-key"] for request in self.asked}


def leaks(outcome: Outcome) -> bool:
    """Tell whether a key, an address or the goods can be seen where an outcome is printed."""
    shown = repr(outcome)
    return any(secret in shown for secret in (CODE, KEY.reveal(), "s3cr3t"))


def says(value: object, status: int = 200, **headers: str) -> Callable[[], httpx.Response]:
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    return lambda: httpx.Response(status, json=value, headers=named)


def raises(error: type[httpx.TransportError]) -> Callable[[], httpx.Response]:
    def fail() -> httpx.Response:
        raise error(f"{URL} {CODE}")

    return fail


# What is asked.


async def test_a_supplier_is_told_of_the_order_and_of_nothing_else(autojump_clock) -> None:
    erp = Erp([says(GOOD, set_cookie="spy=1")])
    for _ in range(2):
        assert await erp.give(quantity=1) == Supplied((CODE,))
    for request in erp.asked:
        assert request.method == "POST"
        assert json.loads(request.content) == {
            "order_id": "4400111222333",
            "item_id": CARD,
            "item_title": "会员月卡",
            "spec": "时长:月卡",
            "quantity": 1,
            "send_user_name": "小王",
        }
        assert sorted(request.headers) == [
            "accept",
            "accept-encoding",
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "host",
            "idempotency-key",
            "user-agent",
        ]
        assert request.headers["content-type"] == "application/json"
        assert request.headers["authorization"] == f"Bearer {KEY.reveal()}"


async def test_without_a_key_nothing_is_told_of_one(autojump_clock) -> None:
    erp = Erp([says(GOOD)])
    await erp.give(key=None, url="https://erp.example/")
    assert "authorization" not in erp.asked[0].headers


def test_a_key_is_the_same_for_an_order_and_another_for_every_other() -> None:
    assert idempotency_key(sale()) == idempotency_key(sale(quantity=9, send_user_name="x"))
    pairs = [("a", "b"), ("a,", "b"), ("a", ",b"), ('a","b', ""), (OTHER, "4400111222333")]
    keys = {idempotency_key(sale(account=account, order_id=order)) for account, order in pairs}
    assert len(keys | {idempotency_key(sale())}) == len(pairs) + 1
    assert all(len(key) == 40 and key.isalnum() and key.isascii() for key in keys)


# What is taken for goods.


@pytest.mark.parametrize("status", [200, 201, 202, 203, 299])
async def test_any_success_gives_the_goods(autojump_clock, status: int) -> None:
    erp = Erp([says(GOOD, status)])
    assert await erp.give() == Supplied((CODE,))
    assert len(erp.asked) == 1


@pytest.mark.parametrize(
    ("answer", "path", "codes"),
    [
        ({"code": "A"}, "code", ("A",)),
        ({"货": {"卡密": "A\nB"}}, "货.卡密", ("A\nB",)),
        ({"data": {"code": ["A", '{B},"C"']}}, "data.code", ("A", '{B},"C"')),
        ({"data": {"code": [" A "]}}, "data.code", (" A ",)),
    ],
)
async def test_the_goods_are_a_text_or_several_where_the_settings_say(
    autojump_clock, answer: object, path: str, codes: tuple[str, ...]
) -> None:
    assert await Erp([says(answer)]).give(answer=path, quantity=len(codes)) == Supplied(codes)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        CODE.encode(),
        b"<html>" + CODE.encode(),
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'"GOODS-1234"',
        b'{"code": "GOODS-1234"}',
        b'{"data": "GOODS-1234"}',
        b'{"data": ["GOODS-1234"]}',
        b'{"data": {"code": null}}',
        b'{"data": {"code": 12345678}}',
        b'{"data": {"code": true}}',
        b'{"data": {"code": " \\n"}}',
        b'{"data": {"code": []}}',
        b'{"data": {"code": ["GOODS-1234", ""]}}',
        b'{"data": {"code": ["GOODS-1234", 5]}}',
        b'{"data": {"code": {"x": "GOODS-1234"}}}',
        b'{"data": {"code": "\\ud800GOODS-1234"}}',
        b'{"data": {"code": "GOODS-1234"',
        b'{"data": {"code": "%s"}}' % (b"GOODS-1234 " * 2000),
    ],
)
async def test_a_success_without_goods_is_a_doubt_and_is_not_asked_again(
    autojump_clock, body: bytes
) -> None:
    erp = Erp([lambda: httpx.Response(200, content=body)])
    outcome = await erp.give()
    assert isinstance(outcome, Doubt)
    assert outcome.reason
    assert len(erp.asked) == 1


async def test_less_than_was_ordered_is_a_doubt(autojump_clock) -> None:
    erp = Erp([says({"data": {"code": [CODE, CODE]}})])
    outcome = await erp.give(quantity=3)
    assert outcome == Doubt("要 3 份，只给了 2 份 (2 given for 3)")
    assert await Erp([says(GOOD)]).give(quantity=3) == Supplied((CODE,))


# What is asked again.


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
async def test_a_refusal_is_taken_as_one_at_once(autojump_clock, status: int) -> None:
    erp = Erp([says({"error": CODE}, status)])
    assert await erp.give() == Refused(f"HTTP {status}")
    assert len(erp.asked) == 1


@pytest.mark.parametrize("status", [300, 302, 304, 307])
async def test_nobody_is_sent_elsewhere_with_the_key(autojump_clock, status: int) -> None:
    erp = Erp([says({}, status, location="https://other.example/")])
    outcome = await erp.give()
    assert isinstance(outcome, Doubt)
    assert str(status) in outcome.reason
    assert [request.url.host for request in erp.asked] == ["erp.example"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_a_bad_moment_is_waited_out_with_the_same_key(autojump_clock, status: int) -> None:
    erp = Erp([says({}, status), says({}, status), says(GOOD, 201)])
    assert await erp.give() == Supplied((CODE,))
    assert erp.at == pytest.approx([0, 1, 3])
    assert len(erp.keys) == 1


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError]
)
async def test_a_doubt_of_the_network_is_asked_again_with_the_same_key(
    autojump_clock, error: type[httpx.TransportError]
) -> None:
    erp = Erp([raises(error), says(GOOD)])
    assert await erp.give() == Supplied((CODE,))
    erp = Erp([raises(error)])
    outcome = await erp.give(retries=2)
    assert isinstance(outcome, Doubt)
    assert "试了 3 次" in outcome.reason
    assert "erp.example" in outcome.reason
    assert len(erp.asked) == 3
    assert len(erp.keys) == 1


async def test_a_supplier_that_falls_silent_is_waited_for_so_long_and_no_longer(
    autojump_clock,
) -> None:
    erp = Erp([says(GOOD)], delay=3600)
    outcome = await erp.give(timeout=7, retries=2)
    assert isinstance(outcome, Doubt)
    assert erp.at == pytest.approx([0, 8, 17])
    assert trio.current_time() == pytest.approx(24)
    assert len(erp.keys) == 1


async def test_without_retries_it_is_asked_once(autojump_clock) -> None:
    erp = Erp([says({}, 503)])
    assert await erp.give(retries=0) == Doubt("试了 1 次 (tries): HTTP 503")
    assert len(erp.asked) == 1


@pytest.mark.parametrize(
    ("wanted", "pause"),
    [("7", 7), ("0", 1), ("9" * 400, 30), ("-5", 1), ("soon", 1), ("", 1), ("²", 1)],
)
async def test_it_is_asked_again_when_it_says_but_soon(
    autojump_clock, wanted: str, pause: float
) -> None:
    headers = {"retry-after": wanted.encode()}
    erp = Erp([lambda: httpx.Response(429, headers=headers), says(GOOD)])
    assert await erp.give() == Supplied((CODE,))
    assert erp.at == pytest.approx([0, pause])


# Over a real network.


@asynccontextmanager
async def open_server(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve one answer to each connection, b"" cuts it once the whole request was read."""
    heard: list[bytes] = []
    left = list(answers)

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request or not request.endswith(b"}"):
                request += await stream.receive_some()
            heard.append(request)
            if answer := left.pop(0):
                await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}/orders", heard
        nursery.cancel_scope.cancel()


def http(body: bytes, status: str = "201 Created") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


async def test_an_answer_that_is_lost_on_the_way_is_asked_for_again_and_comes_once() -> None:
    answer = http(json.dumps(GOOD).encode())
    async with open_server(b"", answer[:30], answer) as (url, heard):
        supplier = Supplier(url=url, answer="data.code", key=FromText(KEY))
        outcome = await ask(Outside(), supplier, sale(), KEY)
    assert outcome == Supplied((CODE,))
    assert len(heard) == 3
    lines = {line for each in heard for line in each.split(b"\r\n") if b"dempotency-" in line}
    assert lines == {b"Idempotency-Key: " + idempotency_key(sale()).encode()}
    assert not any(b"ookie" in each for each in heard)


async def test_nobody_at_the_address_is_a_doubt_that_names_neither_address_nor_key() -> None:
    async with open_server() as (url, _):
        pass
    supplier = Supplier(url=f"{url}?key=s3cr3t", answer="code", retries=0)
    outcome = await ask(Outside(), supplier, sale(), KEY)
    assert isinstance(outcome, Doubt)
    assert "127.0.0.1" in outcome.reason
    assert not leaks(outcome)
