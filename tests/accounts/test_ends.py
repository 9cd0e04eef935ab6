"""Every way in which a connection ends: what is done next, and what the seller is told.

One story for each end.  Those that waiting cures are followed by another line, with a new
token only where the old one is dead; those that need the seller park the account.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from tests.conftest import SHOP, Shop, new_platform, open_shop
from xybot import egress
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountState
from xybot.secret import Secret
from xybot.simulator import Platform
from xybot.store import accounts
from xybot.store.accounts import Setting
from xybot.xianyu import session as sessions
from xybot.xianyu.dial import dialler

TOKEN = "mtop.taobao.idlemessage.pc.login.token"
KEEP_ALIVE = "mtop.taobao.idlemessage.pc.loginuser.get"
RESUME = "xybot resume shop-a"
CONNECTED, RECONNECTING = AccountState.CONNECTED, AccountState.RECONNECTING
FAILED, CLOSED = AccountState.FAILED, AccountState.CLOSED
HOUR = 3600


@pytest.fixture
async def running(shop: Shop, nursery: trio.Nursery) -> Shop:
    """A shop whose supervisor runs, and whose account is on line."""
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(5)
    assert shop.status.state is CONNECTED
    return shop


def token_calls(shop: Shop) -> int:
    return shop.sim.calls[TOKEN]


def told(shop: Shop, state: AccountState) -> list[AccountStatus]:
    """Return the events of a state, in order."""
    return [e for e in shop.events if isinstance(e, AccountStatus) and e.new is state]


def only_end(shop: Shop, cause: Cause, *words: str) -> AccountStatus:
    """Return the one event of the one end there was, which has this cause and these words."""
    (end,) = [e for e in shop.events if isinstance(e, AccountStatus) and e.old is CONNECTED]
    assert (end.new, end.cause) == (RECONNECTING, cause)
    assert all(each in end.reason for each in words), end.reason
    return end


def parked_for(shop: Shop, cause: Cause, *words: str) -> None:
    """Check that the account was parked, told once, with cause, words and what to do."""
    (event,) = told(shop, FAILED)
    assert (event.cause, event.next_try) == (cause, None)
    assert all(each in event.reason for each in (*words, RESUME)), event.reason
    assert (shop.status.state, shop.status.cause) == (FAILED, cause)
    assert not shop.platform.on_line(shop.sim)


async def is_answered(shop: Shop) -> None:
    """Check that the account is on line, by a buyer who gets one answer."""
    shop.says("还在吗")
    await trio.sleep(10)
    assert shop.status.state is CONNECTED
    assert shop.status.cause is None
    assert shop.heard == ["还在吗"]


# What waiting cures.


async def test_a_clean_close_is_followed_by_another_line_with_the_same_token(
    autojump_clock, running: Shop
) -> None:
    running.faults.close(1000)
    await trio.sleep(5)
    assert only_end(running, Cause.CLOSED, "连接被关闭", "1000").next_try is not None
    await is_answered(running)
    assert token_calls(running) == 1


async def test_an_abort_is_followed_by_another_line_with_the_same_token(
    autojump_clock, running: Shop
) -> None:
    running.faults.cut()
    await trio.sleep(5)
    assert only_end(running, Cause.ABORTED, "连接断开", "connection lost").next_try is not None
    await is_answered(running)
    assert token_calls(running) == 1


async def test_a_silent_peer_is_noticed_by_the_heartbeat_and_dialled_anew(
    autojump_clock, running: Shop
) -> None:
    running.faults.mute()
    await trio.sleep(15 + 10 + 1)
    only_end(running, Cause.SILENT, "平台没有回应", "no answer to /!")
    running.faults.unmute()
    await trio.sleep(30)
    await is_answered(running)
    assert token_calls(running) == 1


async def test_a_kick_out_brings_a_new_token_and_a_new_line(autojump_clock, running: Shop) -> None:
    running.faults.kick_out()
    await trio.sleep(5)
    only_end(running, Cause.KICKED_OUT, "被踢下线", "kicked out")
    await is_answered(running)
    assert token_calls(running) == 2


async def test_an_in_band_401_brings_a_new_token_and_a_new_line(
    autojump_clock, running: Shop
) -> None:
    running.faults.expire_token()
    await trio.sleep(20)
    only_end(running, Cause.TOKEN_EXPIRED, "令牌失效", "token is not found")
    await is_answered(running)
    assert token_calls(running) == 2


async def test_a_token_refused_at_registration_is_replaced_once(
    autojump_clock, running: Shop
) -> None:
    running.faults.refuse_dial()
    running.faults.cut()
    running.faults.expire_token()
    await trio.sleep(20)
    causes = [each.cause for each in told(running, RECONNECTING)]
    assert causes == [Cause.ABORTED, Cause.UNREACHABLE, Cause.TOKEN_REFUSED]
    assert "平台不认令牌" in told(running, RECONNECTING)[-1].reason
    await is_answered(running)
    assert token_calls(running) == 2


async def test_a_gateway_that_fails_is_asked_again_later(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.faults.fail_calls(2)
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(20)
    ends = told(shop, RECONNECTING)
    assert {each.cause for each in ends} == {Cause.GATEWAY}
    assert "平台接口出错" in ends[0].reason
    assert "502" in ends[0].reason
    await is_answered(shop)
    assert token_calls(shop) == 3


async def test_a_gateway_that_does_not_answer_is_told_as_silent(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.faults.slow(60)
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(21)
    (end,) = told(shop, RECONNECTING)
    assert end.cause is Cause.SILENT
    assert "平台接口没有回应" in end.reason


async def test_a_renewed_token_is_no_failure(autojump_clock, open_for_business: Shop) -> None:
    await trio.sleep(6 * HOUR)
    end = only_end(open_for_business, Cause.RENEWAL, "更换令牌")
    assert end.next_try is None
    await is_answered(open_for_business)


async def test_a_login_that_dozed_is_woken_and_nobody_is_bothered(
    autojump_clock, running: Shop
) -> None:
    running.faults.expire_token()
    running.faults.doze()
    await trio.sleep(20)
    only_end(running, Cause.TOKEN_EXPIRED)
    await is_answered(running)
    assert running.sim.calls == {TOKEN: 1 + 2, KEEP_ALIVE: 1}


# The network, on real sockets; here real time passes.


class Elsewhere(Platform):
    """A platform whose websocket is behind an address of ours."""

    url: str

    def dial(self, *_, **__):
        return dialler(self.url, egress.tls())()


@asynccontextmanager
async def nowhere(scheme: str) -> AsyncIterator[str]:
    yield f"{scheme}://nowhere.invalid/"


@asynccontextmanager
async def closed_port(scheme: str) -> AsyncIterator[str]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    yield f"{scheme}://127.0.0.1:{port}/"


@asynccontextmanager
async def forbidding(scheme: str) -> AsyncIterator[str]:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listen = functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners = await nursery.start(listen)
        yield f"{scheme}://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("way", "scheme", "cause", "words"),
    [
        (nowhere, "wss", Cause.DNS, "域名解析失败"),
        (closed_port, "ws", Cause.UNREACHABLE, "连不上平台"),
        (forbidding, "wss", Cause.TLS, "加密连接失败"),
        (forbidding, "ws", Cause.HANDSHAKE, "HTTP 403"),
    ],
)
async def test_how_far_a_dial_came_is_told_and_no_token_is_spent_on_it(
    way, scheme: str, cause: Cause, words: str
) -> None:
    base = new_platform()
    platform = Elsewhere(now_ms=base.now_ms, rng=base.world.rng)
    async with way(scheme) as platform.url, open_shop(platform=platform) as shop:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.supervisor().run)
            with trio.fail_after(10):
                while len(shop.states) < 2:
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        (end,) = told(shop, RECONNECTING)
        assert end.cause is cause
        assert words in end.reason
        assert end.next_try is not None
        assert token_calls(shop) == 1


# What needs the seller.


async def test_a_removed_session_is_not_fought_over(autojump_clock, running: Shop) -> None:
    running.faults.remove_session()
    await trio.sleep(HOUR)
    parked_for(running, Cause.SESSION_TAKEN, "账号在别处登录", "以免互踢")
    assert len(running.connects) == 1
    assert running.sim.calls == {TOKEN: 1}


async def test_a_dead_cookie_gets_one_keep_alive_and_then_asks_for_a_login(
    autojump_clock, running: Shop
) -> None:
    running.faults.expire_cookie()
    running.faults.expire_token()
    await trio.sleep(HOUR)
    parked_for(running, Cause.LOGIN_REQUIRED, "登录失效", "重新登录并粘贴新的 cookie")
    assert running.sim.calls == {TOKEN: 2, KEEP_ALIVE: 1}


async def test_a_check_for_people_is_handed_to_the_seller_and_nothing_is_called_until_told(
    autojump_clock, running: Shop
) -> None:
    running.faults.demand_verification()
    running.faults.expire_token()
    await trio.sleep(HOUR)
    parked_for(running, Cause.VERIFICATION_REQUIRED, "平台要求人工验证", "请在浏览器打开")
    (event,) = told(running, FAILED)
    assert event.reason.rpartition(" ")[2].startswith("https://h5api.m.goofish.com")
    assert "action=captcha" in event.reason
    assert running.sim.calls == {TOKEN: 2}


async def test_a_check_that_was_not_passed_costs_one_call_each_time_the_seller_says_so(
    autojump_clock, running: Shop
) -> None:
    running.faults.demand_verification()
    running.faults.expire_token()
    await trio.sleep(60)
    for times in (1, 2):
        await running.store.transact(accounts.resume, SHOP)
        await trio.sleep(600)
        assert running.status.cause is Cause.VERIFICATION_REQUIRED
        assert running.sim.calls == {TOKEN: 2 + times}
    running.faults.lift_verification()
    await running.store.transact(accounts.resume, SHOP)
    await trio.sleep(10)
    await is_answered(running)


async def expire_cookie(shop: Shop) -> None:
    shop.faults.expire_cookie()
    shop.faults.expire_token()


async def cookie_again(shop: Shop) -> None:
    """Paste the cookies of a new login."""
    shop.cookie = Secret(shop.sim.cookie_text)
    setting = Setting(version="2", pasted="2")
    await shop.store.transact(accounts.configure, {SHOP: setting})


async def demand_verification(shop: Shop) -> None:
    shop.faults.demand_verification()
    shop.faults.expire_token()


async def verify(shop: Shop) -> None:
    shop.faults.lift_verification()
    await shop.store.transact(accounts.resume, SHOP)


async def remove_session(shop: Shop) -> None:
    shop.faults.remove_session()


async def resume(shop: Shop) -> None:
    await shop.store.transact(accounts.resume, SHOP)


async def off_and_on(shop: Shop) -> None:
    await shop.store.transact(accounts.configure, {})
    await trio.sleep(10)
    assert shop.status.state is CLOSED
    assert shop.status.cause is Cause.STOPPED
    await shop.open()


@pytest.mark.parametrize(
    ("park", "go_on", "calls"),
    [
        (remove_session, resume, {TOKEN: 1}),
        (remove_session, off_and_on, {TOKEN: 1}),
        (demand_verification, verify, {TOKEN: 3}),
        (expire_cookie, cookie_again, {TOKEN: 3, KEEP_ALIVE: 1}),
    ],
)
@pytest.mark.parametrize("after", [0.5, 3.02])  # In the quiet period; as the reply goes out.
async def test_an_account_parked_in_the_middle_of_a_conversation_goes_on_where_it_stopped(
    autojump_clock,
    running: Shop,
    park: Callable[[Shop], Awaitable[None]],
    go_on: Callable[[Shop], Awaitable[None]],
    calls: dict[str, int],
    after: float,
) -> None:
    running.says("在吗")
    await trio.sleep(after)
    before = running.heard
    await park(running)
    await trio.sleep(60)  # Far within `message_expiry`: a reply that waits longer is dropped.
    assert running.status.state is FAILED
    assert running.heard == before
    running.says("还在吗", "小李")
    await trio.sleep(60)
    device = await device_id(running)
    await go_on(running)
    await trio.sleep(30)
    assert running.status.state is CONNECTED
    assert sorted(running.heard) == ["在吗", "还在吗"]
    assert running.sim.calls == calls
    if go_on is not cookie_again:  # A new login is a new session.
        assert await device_id(running) == device


async def device_id(shop: Shop) -> str:
    stored = await shop.store.transact(accounts.session, SHOP)
    assert stored is not None
    return sessions.loads(stored).device


async def test_a_parked_account_stays_parked_over_restarts_says_so_and_resumes_at_a_word(
    autojump_clock, tmp_path: Path
) -> None:
    platform = new_platform()
    async with a_run(tmp_path, platform) as shop:
        await trio.sleep(5)
        shop.says("在吗")
        await trio.sleep(1)
        shop.faults.remove_session()
        await trio.sleep(60)
        (parked,) = told(shop, FAILED)
    for _ in range(5):
        async with a_run(tmp_path, platform) as shop:
            await trio.sleep(600)
            (again,) = [each for each in shop.events if isinstance(each, AccountStatus)]
            same = attrs.evolve(again, since=parked.since, old=parked.old)
            assert same == parked
    assert len(platform.connects(shop.sim)) == 1
    async with a_run(tmp_path, platform) as shop:
        await trio.sleep(60)
        assert await shop.store.transact(accounts.resume, SHOP)
        await trio.sleep(3 + 10)
        assert shop.heard == ["在吗"]
    assert shop.sim.calls == {TOKEN: 1}


@asynccontextmanager
async def a_run(folder: Path, platform: Platform) -> AsyncIterator[Shop]:
    """Run the bot, on the same database and platform each time."""
    async with (
        open_shop(folder / "xybot.db", platform=platform) as shop,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(shop.supervisor().run)
        yield shop
        nursery.cancel_scope.cancel()
