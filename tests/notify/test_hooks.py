"""Events posted to the seller's services: in order, signed, again until they are taken."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx
import pytest
import structlog
import trio

from tests.conftest import SHOP, Shop, open_shop
from xybot.config import Hook
from xybot.config.secrets import FromEnv, FromText
from xybot.egress import Outside
from xybot.errors import ConfigError
from xybot.events import ChatResumed
from xybot.model import AccountId, ChatId
from xybot.notify.hooks import Hooks, ready
from xybot.secret import Secret
from xybot.store import hooks

SECRET = "s3cr3t-0123456789"
URL = "https://user:pa55@example.com/hook?key=k3y"


def hook(**more) -> Hook:
    return Hook(**({"url": URL, "secret": FromText(Secret(SECRET))} | more))


@attrs.define(eq=False)
class Service:
    """A service of the seller's: takes posts, or does with them what a test wants."""

    answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(204)
    got: list[tuple[float, httpx.Request]] = attrs.Factory(list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append((trio.current_time(), request))
        return self.answer(request)

    @property
    def ids(self) -> list[int]:
        return [int(request.headers["x-xybot-id"]) for _, request in self.got]

    @property
    def types(self) -> list[str]:
        return [json.loads(request.content)["type"] for _, request in self.got]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.got]


@asynccontextmanager
async def hooked(shop: Shop, service: Service, *settings: Hook) -> AsyncIterator[Hooks]:
    """Have a shop's events posted for as long as the block runs."""
    outside = Outside(transport=httpx.MockTransport(service))
    told = Hooks(
        chronicle=shop.chronicle,
        outside=outside,
        now_ms=shop.now_ms,
        ready=ready(settings or (hook(),)),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(told.serve)
        await trio.sleep(0.1)
        yield told
        nursery.cancel_scope.cancel()


def happens(shop: Shop, n: int, account: str = SHOP) -> None:
    shop.chronicle.note(ChatResumed(account=AccountId(account), chat=ChatId(str(n))))


def chats(service: Service) -> list[str]:
    return [json.loads(request.content)["data"]["chat"] for _, request in service.got]


async def test_what_happens_in_a_shop_is_posted_in_its_order(
    autojump_clock, open_for_business: Shop
) -> None:
    service = Service()
    async with hooked(open_for_business, service):
        open_for_business.says("在吗")
        await trio.sleep(10)
    assert service.types == ["message.received", "reply.sent"]
    assert service.ids == sorted(service.ids)
    body = json.loads(service.got[0][1].content)
    assert (body["account"], body["data"]["text"]) == ("shop-a", "在吗")


async def test_a_post_proves_whose_it_is_and_when_it_was_made(autojump_clock, shop: Shop) -> None:
    service = Service()
    async with hooked(shop, service):
        happens(shop, 1)
        await trio.sleep(1)
    ((_, request),) = service.got
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-xybot-event"] == "chat.resumed"
    at = request.headers["x-xybot-timestamp"]
    assert abs(int(at) - shop.now_ms() / 1000) < 5
    signed = hmac.new(SECRET.encode(), at.encode() + b"." + request.content, hashlib.sha256)
    assert request.headers["x-xybot-signature"] == f"sha256={signed.hexdigest()}"
    assert "cookie" not in request.headers


async def test_only_what_is_wanted_is_posted(autojump_clock, shop: Shop) -> None:
    service = Service()
    wanted = hook(events=("chat.*", "gap.closed"), accounts=("shop-b",))
    async with hooked(shop, service, wanted):
        happens(shop, 1)
        happens(shop, 2, "shop-b")
        await trio.sleep(1)
    assert chats(service) == ["2"]


async def test_what_is_not_taken_is_tried_again_later_and_later_and_nothing_overtakes_it(
    autojump_clock, shop: Shop
) -> None:
    service = Service()
    service.answer = lambda _: httpx.Response(503 if len(service.got) <= 4 else 200)
    async with hooked(shop, service):
        for n in range(3):
            happens(shop, n)
        await trio.sleep(60)
    assert chats(service) == ["0"] * 5 + ["1", "2"]
    pauses = [b - a for a, b in zip(service.times, service.times[1:], strict=False)][:4]
    assert pauses == pytest.approx([1, 2, 4, 8], abs=0.5)


async def test_a_service_that_cannot_be_reached_is_tried_for_a_day_and_then_given_up(
    autojump_clock, shop: Shop
) -> None:
    def refused(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    service = Service(refused)
    async with hooked(shop, service):
        happens(shop, 1)
        await trio.sleep(86_400 + 3600)
        assert set(chats(service)) == {"1"}
        service.answer = lambda _: httpx.Response(200)
        happens(shop, 2)
        await trio.sleep(400)
    assert chats(service)[-1] == "2"
    assert len(service.got) < 400  # Five minutes between two tries, in the end.


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_what_is_refused_as_wrong_is_given_up_soon(
    autojump_clock, shop: Shop, status: int
) -> None:
    service = Service()
    service.answer = lambda _: httpx.Response(status if len(service.got) <= 5 else 200)
    async with hooked(shop, service):
        happens(shop, 1)
        happens(shop, 2)
        await trio.sleep(120)
    assert chats(service) == ["1"] * 5 + ["2"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 302])
async def test_what_is_not_refused_for_good_is_not_given_up(
    autojump_clock, shop: Shop, status: int
) -> None:
    service = Service(lambda _: httpx.Response(status))
    async with hooked(shop, service):
        happens(shop, 1)
        happens(shop, 2)
        await trio.sleep(3600)
    assert set(chats(service)) == {"1"}
    assert len(service.got) > 8


async def test_a_restart_goes_on_where_it_was_and_loses_nothing(
    autojump_clock, tmp_path: Path
) -> None:
    service = Service()
    async with open_shop(tmp_path / "x.db") as shop, hooked(shop, service):
        happens(shop, 1)
        await trio.sleep(1)
        service.answer = lambda _: httpx.Response(500)
        happens(shop, 2)
        await trio.sleep(1)
    async with open_shop(tmp_path / "x.db") as shop:
        happens(shop, 3)  # Before anybody tells.
        await trio.sleep(1)
        service.answer = lambda _: httpx.Response(200)
        async with hooked(shop, service):
            await trio.sleep(30)
    assert list(dict.fromkeys(chats(service))) == ["1", "2", "3"]
    assert chats(service).count("1") == chats(service).count("3") == 1


async def test_a_new_hook_begins_with_what_is_new(autojump_clock, shop: Shop) -> None:
    happens(shop, 1)
    await trio.sleep(1)
    service = Service()
    async with hooked(shop, service):
        happens(shop, 2)
        await trio.sleep(1)
    assert chats(service) == ["2"]


async def test_one_service_in_trouble_does_not_delay_another(autojump_clock, shop: Shop) -> None:
    bad, service = "https://bad.example/", Service()
    service.answer = lambda request: httpx.Response(
        500 if request.url.host == "bad.example" else 200
    )
    async with hooked(shop, service, hook(url=bad), hook()):
        for n in range(5):
            happens(shop, n)
        await trio.sleep(5)
    good = [request for _, request in service.got if request.url.host != "bad.example"]
    assert [json.loads(each.content)["data"]["chat"] for each in good] == list("01234")


async def test_changed_settings_take_effect_at_once(autojump_clock, shop: Shop) -> None:
    service = Service()
    async with hooked(shop, service) as told:
        happens(shop, 1)
        await trio.sleep(1)
        told.take_over(ready([hook(accounts=("nobody",))]))
        await trio.sleep(1)
        happens(shop, 2)
        await trio.sleep(1)
        told.take_over(())
        await trio.sleep(1)
        happens(shop, 3)
        await trio.sleep(1)
    assert chats(service) == ["1"]


async def test_trouble_is_stored_for_people_to_see_and_told_once_without_a_secret(
    autojump_clock, shop: Shop
) -> None:
    service = Service(lambda _: httpx.Response(500))
    with structlog.testing.capture_logs() as log:
        async with hooked(shop, service):
            happens(shop, 1)
            await trio.sleep(120)
            (at,) = (await shop.store.read(hooks.all_of)).values()
            assert at.tries > 3
            assert at.trouble == "HTTP 500"
            assert at.next_at > shop.now_ms() - 1000
            service.answer = lambda _: httpx.Response(200)
            await trio.sleep(200)
    assert [each["event"] for each in log] == ["hook.failed", "hook.back"]
    for secret in (SECRET, "pa55", "k3y"):
        assert secret not in str(log)
    (at,) = (await shop.store.read(hooks.all_of)).values()
    assert (at.trouble, at.tries) == (None, 0)


def test_an_event_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"hooks\[1\]\.events.*reply\.snt.*reply\.sent"):
        ready([hook(), hook(events=("reply.snt",))])


def test_a_secret_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XYBOT_NO_SUCH", raising=False)
    with pytest.raises(ConfigError, match="XYBOT_NO_SUCH"):
        ready([hook(secret=FromEnv("XYBOT_NO_SUCH"))])


def test_a_hook_has_a_name_that_says_nothing_of_its_keys() -> None:
    assert hook().host == "example.com"
    assert hook().name == hook(secret=FromText(Secret("other"))).name
    assert hook().name != hook(events=("chat.*",)).name
