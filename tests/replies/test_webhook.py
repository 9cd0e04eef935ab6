"""The seller's own service answers; what it cannot answer, others may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC

import attrs
import httpx
import pytest
import trio

from tests.replies.samples import SHOP, means, turn
from xybot.config import FromEnv, FromText, Webhook
from xybot.egress import Outside
from xybot.errors import ConfigError, ReplyError
from xybot.model import Image, Pass, Reply, Text
from xybot.replies.webhook import WebhookReply, webhook
from xybot.secret import Secret
from xybot.store.database import Store, inline, open_store

URL = "http://127.0.0.1:9000/xianyu/reply"
GOOD = {"code": 200, "data": {"send_msg": "在的，亲"}}


@attrs.define
class Service:
    """A seller's service on no network."""

    answer: Callable[[], httpx.Response]
    asked: list[httpx.Request] = attrs.Factory(list)
    delay: float = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        await trio.sleep(self.delay)
        return self.answer()

    def source(self, **setting) -> WebhookReply:
        outside = Outside(httpx.MockTransport(self.handle))
        settings = Webhook(**({"url": URL} | setting))
        token = settings.token.resolve() if settings.token else None
        return WebhookReply(setting=settings, token=token, outside=outside, zone=UTC)


def saying(value: object, status: int = 200) -> Service:
    return Service(lambda: httpx.Response(status, json=value))


async def test_the_reply_is_what_the_service_says(autojump_clock) -> None:
    answer = await saying(GOOD).source().answer(turn("在吗"))
    assert isinstance(answer, Reply)
    assert answer.contents == (Text("在的，亲"),)
    assert answer.source == "webhook"


async def test_the_service_is_asked_with_the_eight_fields(autojump_clock) -> None:
    service = saying(GOOD)
    await service.source().answer(turn("在吗", "包邮吗"))
    (request,) = service.asked
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"].startswith("application/json")
    assert json.loads(request.content) == {
        "cookie_id": SHOP,
        "msg_time": "2026-09-21 14:13:20",
        "user_url": "https://www.goofish.com/personal?userId=2201",
        "send_user_id": "2201",
        "send_user_name": "小王",
        "item_id": "81",
        "send_message": "在吗\n包邮吗",
        "chat_id": "c1",
    }


async def test_a_chat_without_an_item_has_an_empty_one(autojump_clock) -> None:
    service = saying(GOOD)
    await service.source().answer(turn("在吗", item=None))
    assert json.loads(service.asked[0].content)["item_id"] == ""


async def test_no_cookie_ever_leaves(autojump_clock) -> None:
    def answer() -> httpx.Response:
        return httpx.Response(200, json=GOOD, headers={"set-cookie": "spy=1"})

    service = Service(answer)
    source = service.source(token=FromText(Secret("t0ken")))
    for _ in range(2):
        await source.answer(turn("在吗"))
    for request in service.asked:
        assert sorted(name.lower() for name in request.headers) == [
            "accept",
            "accept-encoding",
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ]
        assert request.headers["authorization"] == "Bearer t0ken"
        sent = repr(request.headers.raw).encode() + request.content
        assert b"spy" not in sent
        assert b"unb" not in sent
        assert b"cookie2" not in sent
        assert list(json.loads(request.content)) == list(FIELDS)
    assert "t0ken" not in repr(source)


FIELDS = (
    "cookie_id",
    "msg_time",
    "user_url",
    "send_user_id",
    "send_user_name",
    "item_id",
    "send_message",
    "chat_id",
)


async def test_without_a_token_there_is_no_authorization(autojump_clock) -> None:
    service = saying(GOOD)
    await service.source().answer(turn("在吗"))
    assert "authorization" not in service.asked[0].headers


async def test_a_service_that_has_no_reply_passes(autojump_clock) -> None:
    for service in (
        saying({"detail": "未找到匹配的回复规则且未设置默认回复"}, 404),
        saying({"code": 200, "data": {"send_msg": ""}}),
        saying({"code": 200, "data": {"send_msg": " \n"}}),
    ):
        answer = await service.source().answer(turn("在吗"))
        assert isinstance(answer, Pass)
        assert answer.reason


async def test_it_is_not_asked_about_what_has_no_words(autojump_clock) -> None:
    service = saying(GOOD)
    assert isinstance(await service.source().answer(turn(Image("https://x/1.jpg"))), Pass)
    assert service.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"<html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"code": 500, "data": {"send_msg": "x"}}',
        b'{"code": "200", "data": {"send_msg": "x"}}',
        b'{"code": 200}',
        b'{"code": 200, "data": "x"}',
        b'{"code": 200, "data": {"send_msg": null}}',
        b'{"code": 200, "data": {"send_msg": ["x"]}}',
    ],
)
async def test_what_is_no_answer_is_not_said(autojump_clock, body: bytes) -> None:
    service = Service(lambda: httpx.Response(200, content=body))
    with pytest.raises(ReplyError):
        await service.source().answer(turn("在吗"))


@pytest.mark.parametrize("status", [204, 302, 401, 422, 500, 503])
async def test_any_other_status_is_not_said(autojump_clock, status: int) -> None:
    with pytest.raises(ReplyError, match=str(status)):
        await saying(GOOD, status).source().answer(turn("在吗"))


async def test_a_service_that_does_not_answer_is_waited_for_so_long(autojump_clock) -> None:
    service, began = saying(GOOD), trio.current_time()
    service.delay = 3600
    with pytest.raises(ReplyError):
        await service.source(timeout=7).answer(turn("在吗"))
    assert trio.current_time() - began == pytest.approx(7)


async def test_a_service_that_is_not_there_is_told_without_its_address(autojump_clock) -> None:
    def refuse() -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ReplyError) as caught:
        await Service(refuse).source(url=f"{URL}?key=s3cret").answer(turn("在吗"))
    assert "s3cret" not in str(caught.value)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


async def test_a_token_that_is_not_there_is_told_before_anything_runs(store: Store) -> None:
    setting = Webhook(url=URL, token=FromEnv("XYBOT_TEST_NO_SUCH_TOKEN"))
    with pytest.raises(ConfigError, match="XYBOT_TEST_NO_SUCH_TOKEN"):
        webhook(setting, means(store))
