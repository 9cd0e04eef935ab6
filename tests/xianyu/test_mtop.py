"""Signed calls, and what each kind of answer makes of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx
import pytest
import trio
from starlette.requests import Request
from starlette.responses import Response

from xybot.egress import Client
from xybot.errors import (
    Busy,
    Cause,
    LoginRequired,
    StoreUnavailable,
    TransientError,
    VerificationRequired,
    XybotError,
)
from xybot.secret import Secret
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount
from xybot.wire import sign
from xybot.xianyu import api
from xybot.xianyu.mtop import Mtop, SessionExpired
from xybot.xianyu.session import Session, new_session

TOKEN = "mtop.taobao.idlemessage.pc.login.token"
KEEP_ALIVE = "mtop.taobao.idlemessage.pc.loginuser.get"
NOW = 1_790_000_000_000
COOKIE = "unb=2201; _m_h5_tk=aaaa_1790000000000; _m_h5_tk_enc=bbbb; cookie2=cccc"
OK = '{"ret": ["SUCCESS::调用成功"], "data": {"n": 1}}'


@attrs.define(eq=False)
class Said:
    """An answer of a gateway."""

    body: str | bytes = OK
    status: int = 200
    cookies: Sequence[str] = ()


@attrs.define(eq=False)
class Script:
    """A gateway that gives its answers one after the other, the last one for ever."""

    answers: Sequence[Said]
    asked: list[Request] = attrs.Factory(list)
    forms: list[dict[str, list[str]]] = attrs.Factory(list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        said = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(request)
        self.forms.append(parse_qs((await request.body()).decode()))
        response = Response(said.body, said.status, media_type="application/json")
        for cookie in said.cookies:
            response.raw_headers.append((b"set-cookie", cookie.encode()))
        await response(scope, receive, send)


@attrs.define(eq=False)
class Desk:
    """An Mtop, and the sessions that it saved."""

    mtop: Mtop
    saved: list[Session]


def desk(
    app: Any, cookie: str = COOKIE, now_ms: Callable[[], int] = lambda: NOW, **more: Any
) -> Desk:
    saved: list[Session] = []

    async def save(session: Session) -> None:
        await trio.lowlevel.checkpoint()
        saved.append(session)

    mtop = Mtop(
        gateway="http://gateway.test",
        http=Client(transport=httpx.ASGITransport(app)) if app else Client(**more),
        session=new_session(Secret(cookie), random.Random(1)),
        save=save,
        now_ms=now_ms,
    )
    return Desk(mtop, saved)


@pytest.fixture
async def sim(platform: Platform, account: SimAccount) -> Desk:
    return desk(platform.http_app, account.cookie_text, platform.now_ms)


async def raised(script: Script, cookie: str = COOKIE) -> XybotError:
    with pytest.raises(XybotError) as caught:
        await desk(script, cookie).mtop.call("mtop.x", {})
    return caught.value


# On the simulator.


async def test_a_token_is_fetched_with_our_device_and_all_cookies_are_kept(
    sim: Desk, platform: Platform, account: SimAccount, autojump_clock
) -> None:
    before = sim.mtop.session
    token = await api.im_token(sim.mtop)
    grant = platform.world.tokens[token.text.reveal()]
    assert (grant.account, grant.device) == (account, before.device)
    after = sim.mtop.session
    assert after.token == token
    assert after.cookies["sgcookie"] != before.cookies["sgcookie"]
    assert "tfstk" in after.cookies
    assert after.cookies.items() >= {"unb": account.user_id, "cookie2": account.session}.items()
    assert sim.saved[-1] == after


async def test_a_kept_token_costs_no_call_while_it_lasts(
    sim: Desk, account: SimAccount, autojump_clock
) -> None:
    token = await api.im_token(sim.mtop)
    await trio.sleep(6 * 3600 - 1)
    assert await api.im_token(sim.mtop) == token
    assert account.calls[TOKEN] == 1
    await trio.sleep(1)
    another = await api.im_token(sim.mtop)
    assert another.text != token.text
    # The signing token had become stale meanwhile.
    assert account.calls[TOKEN] == 3


async def test_a_forgotten_token_is_fetched_anew(
    sim: Desk, account: SimAccount, autojump_clock
) -> None:
    token = await api.im_token(sim.mtop)
    await api.forget_token(sim.mtop)
    assert sim.saved[-1].token is None
    assert (await api.im_token(sim.mtop)).text != token.text
    assert account.calls[TOKEN] == 2


async def test_a_stale_signature_is_renewed_with_exactly_one_more_call(
    sim: Desk, platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).expire_h5()
    await api.im_token(sim.mtop)
    assert account.calls[TOKEN] == 2
    assert sign.h5_token(sim.mtop.session.cookies) in account.h5


async def test_a_dead_login_needs_another(
    sim: Desk, platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).expire_cookie()
    with pytest.raises(LoginRequired, match="SESSION_EXPIRED"):
        await api.im_token(sim.mtop)
    assert account.calls == {TOKEN: 1, KEEP_ALIVE: 1}
    assert sim.mtop.session.token is None


async def test_a_login_that_dozed_is_woken_by_one_keep_alive(
    sim: Desk, platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).doze()
    token = await api.im_token(sim.mtop)
    assert account.calls == {TOKEN: 2, KEEP_ALIVE: 1}
    assert sim.mtop.session.token == token


async def test_a_demand_for_a_person_is_handed_on_and_never_repeated(
    sim: Desk, platform: Platform, account: SimAccount, autojump_clock
) -> None:
    platform.faults(account).demand_verification()
    with pytest.raises(VerificationRequired) as caught:
        await api.im_token(sim.mtop)
    assert caught.value.url is not None
    assert "action=captcha" in caught.value.url
    assert account.calls[TOKEN] == 1


# Answers that the simulator does not give.

EXPIRED = '{"ret": ["FAIL_SYS_SESSION_EXPIRED::Session过期"]}'
VERIFY = '{"ret": ["FAIL_SYS_USER_VALIDATE"], "data": {"url": "https://x.test/punish?a=1"}}'


def asked(script: Script) -> list[str]:
    """Return the calls that were made, without what is the same in all."""
    return [each.url.path.split("/")[2].rpartition(".")[2] for each in script.asked]


async def test_a_login_that_expires_again_after_the_keep_alive_is_asked_for_no_more(
    autojump_clock,
) -> None:
    script = Script([Said(EXPIRED), Said(), Said(EXPIRED)])
    with pytest.raises(LoginRequired):
        await api.im_token(desk(script).mtop)
    assert asked(script) == ["token", "get", "token"]


@pytest.mark.parametrize(
    "answer", [EXPIRED, '{"ret": ["FAIL_SYS_ILLEGAL_ACCESS::x"]}', "<html>502</html>"]
)
async def test_a_keep_alive_that_is_not_answered_with_a_yes_ends_in_a_login(
    autojump_clock, answer: str
) -> None:
    script = Script([Said(EXPIRED), Said(answer)])
    with pytest.raises(LoginRequired):
        await api.im_token(desk(script).mtop)
    assert asked(script) == ["token", "get"]


async def test_a_keep_alive_that_meets_a_check_for_people_ends_everything(autojump_clock) -> None:
    script = Script([Said(EXPIRED), Said(VERIFY)])
    with pytest.raises(VerificationRequired) as caught:
        await api.im_token(desk(script).mtop)
    assert caught.value.url == "https://x.test/punish?a=1"
    assert asked(script) == ["token", "get"]


async def test_a_login_page_is_no_expired_session_and_gets_no_keep_alive(autojump_clock) -> None:
    script = Script([Said(f'{{"ret": ["RGV587_ERROR::SM"], "data": {{"url": "{URL}"}}}}')])
    with pytest.raises(LoginRequired):
        await api.im_token(desk(script).mtop)
    assert asked(script) == ["token"]


async def test_a_network_that_fails_the_keep_alive_is_no_verdict(autojump_clock) -> None:
    script = Script([Said(EXPIRED)])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if script.asked:
            raise httpx.ConnectError("no route")
        await script(scope, receive, send)

    with pytest.raises(TransientError) as caught:
        await api.im_token(desk(app).mtop)
    assert caught.value.cause is Cause.UNREACHABLE
    assert asked(script) == ["token"]


async def test_the_new_signature_is_made_of_the_new_cookie(autojump_clock) -> None:
    fresh = ["_m_h5_tk=dddd_1790000009999;Path=/;Secure", "_m_h5_tk_enc=eeee;Path=/"]
    stale = Said('{"ret": ["FAIL_SYS_TOKEN_EXOIRED::令牌过期"], "data": {}}', cookies=fresh)
    script = Script([stale, Said()])
    made = desk(script)
    assert await made.mtop.call("mtop.x", {"a": "宝贝&=+"}, version="2.0") == {"n": 1}
    first, second = script.asked
    assert second.url.path == "/h5/mtop.x/2.0/"
    data = script.forms[1]["data"][0]
    assert data == '{"a":"宝贝&=+"}'
    assert first.query_params["sign"] == sign.signature("aaaa", NOW, data)
    assert second.query_params["sign"] == sign.signature("dddd", NOW, data)
    assert "_m_h5_tk=dddd_1790000009999; _m_h5_tk_enc=eeee" in second.headers["cookie"]
    assert [each.cookies["_m_h5_tk_enc"] for each in made.saved] == ["eeee"]


@pytest.mark.parametrize("code", ["TOKEN_EXOIRED", "TOKEN_EXPIRED", "TOKEN_EMPTY", "TOKEN_ILLEGAL"])
async def test_a_signature_that_stays_stale_is_tried_twice_and_not_more(
    autojump_clock, code: str
) -> None:
    script = Script([Said(f'{{"ret": ["FAIL_SYS_{code}::令牌"]}}')])
    assert isinstance(await raised(script), TransientError)
    assert len(script.asked) == 2


URL = "https://passport.goofish.com/mini_login.htm?x=1"
PUNISH = b"<html><script>location='/h5/mtop.x/1.0/_____tmd_____/punish?x5secdata=1'</script></html>"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said('{"ret": ["FAIL_SYS_SESSION_EXPIRED::Session过期"]}'), SessionExpired),
        (
            Said(f'{{"ret": ["FAIL_SYS_USER_VALIDATE"], "data": {{"url": "{URL}"}}}}'),
            LoginRequired,
        ),
        (Said('{"ret": ["FAIL_SYS_USER_VALIDATE"], "data": {}}'), VerificationRequired),
        (Said('{"ret": ["X", "RGV587_ERROR::SM::被挤爆啦"]}', 419), VerificationRequired),
        (Said(PUNISH), VerificationRequired),
        (Said(PUNISH, 405), VerificationRequired),
        (Said('{"ret": ["FAIL_SYS_TRAFFIC_LIMIT::限流"]}'), Busy),
        (Said('{"ret": ["FAIL_SYS_ILLEGAL_ACCESS::非法请求"]}'), Busy),
        (Said('{"ret": ["FAIL_BIZ_WHATEVER::x"]}'), TransientError),
        (Said("Internal Server Error", 500), TransientError),
        (Said("<html>login</html>"), TransientError),
        (Said('{"ret": ["SUCC'), TransientError),
        (Said(b"\xff\xfe\x00"), TransientError),
        (Said(""), TransientError),
        (Said("", 302), TransientError),
        (Said("[]"), TransientError),
        (Said("null"), TransientError),
        (Said("{}"), TransientError),
        (Said('{"ret": "SUCCES"}'), TransientError),
        (Said('{"ret": []}'), TransientError),
        (Said('{"ret": [null, {"a": 1}], "data": "x"}'), TransientError),
        (Said("[" * 100_000), TransientError),
    ],
)
async def test_each_refusal_says_what_is_to_be_done(
    autojump_clock, said: Said, error: type[XybotError]
) -> None:
    script = Script([said])
    found = await raised(script)
    assert type(found) is error
    assert "mtop.x" in str(found)
    assert len(script.asked) == 1


PATH = "/h5/mtop.x/1.0/_____tmd_____/punish?x5secdata=a%3D1&action=captcha"
WHOLE = f"https://h5api.m.goofish.com:443/{PATH}"
RISK = '"ret": ["FAIL_SYS_USER_VALIDATE", "RGV587_ERROR::SM::被挤爆啦"]'


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (f'{{{RISK}, "data": {{"url": "{WHOLE}"}}}}', WHOLE),
        (f'{{{RISK}, "data": {{"url": "https://x.test/?verify"}}}}', "https://x.test/?verify"),
        (f'{{{RISK}, "data": {{"url": "{URL}", "dialog": [{{"at": "{WHOLE}"}}]}}}}', WHOLE),
        (f'{{{RISK}, "url": "{WHOLE}"}}', WHOLE),
        (f'{{"ret": ["FAIL_SYS_X::请访问{WHOLE}，谢谢"]}}', WHOLE),
        (f'{{"ret": ["FAIL_SYS_X"], "data": "{PATH}"}}', f"http://gateway.test{PATH}"),
        (f"<script>location.href='{PATH}'</script>", f"http://gateway.test{PATH}"),
        (f'<a href="{PATH.replace("&", "&amp;")}">', f"http://gateway.test{PATH}"),
        (f"{{{RISK}}}", None),
    ],
)
async def test_the_address_of_a_verification_comes_along_wherever_it_stands(
    autojump_clock, body: str, url: str | None
) -> None:
    found = await raised(Script([Said(body)]))
    assert isinstance(found, VerificationRequired)
    assert found.url == url


async def test_an_answer_without_a_token_is_transient(autojump_clock) -> None:
    made = desk(Script([Said()]))
    with pytest.raises(TransientError, match="accessToken"):
        await api.im_token(made.mtop)
    assert made.saved == []


async def test_every_cookie_of_an_answer_counts_and_our_own_id_stays(autojump_clock) -> None:
    cookies = [
        "cookie2=new;Path=/",
        "x5sec=7b22;Path=/;Expires=Thu, 01 Jan 2099 00:00:00 GMT",
        "_m_h5_tk_enc=gone;Max-Age=0",
        "unb=;Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "broken",
    ]
    made = desk(Script([Said(cookies=cookies), Said()]))
    await made.mtop.call("mtop.x", {})
    assert made.mtop.session.cookies == {
        "unb": "2201",
        "_m_h5_tk": "aaaa_1790000000000",
        "cookie2": "new",
        "x5sec": "7b22",
    }
    assert made.mtop.session.user == "2201"
    assert len(made.saved) == 1
    await made.mtop.call("mtop.x", {})
    assert len(made.saved) == 1


async def test_cookies_of_a_refusal_are_kept_too(autojump_clock) -> None:
    made = desk(Script([Said("oops", 500, ["cookie2=new"])]))
    with pytest.raises(TransientError):
        await made.mtop.call("mtop.x", {})
    assert made.saved[-1].cookies["cookie2"] == "new"


async def test_a_nickname_in_a_cookie_is_sent_as_it_is(autojump_clock) -> None:
    script = Script([Said(cookies=["lgc=小李"]), Said()])
    made = desk(script, f"{COOKIE}; tracknick=小王")
    await made.mtop.call("mtop.x", {})
    await made.mtop.call("mtop.x", {})
    header = dict(script.asked[1].scope["headers"])[b"cookie"].decode()
    assert "tracknick=小王" in header
    assert "lgc=小李" in header


async def test_an_error_never_tells_a_secret(autojump_clock) -> None:
    for said in (Said("oops", 500), Said('{"ret": ["FAIL_X::y"]}'), Said(PUNISH)):
        found = await raised(Script([said]))
        assert not any(secret in repr(found) for secret in ("aaaa", "bbbb", "cccc"))


async def test_a_session_that_cannot_be_saved_is_transient(autojump_clock) -> None:
    async def save(_: Session) -> None:
        raise StoreUnavailable("locked")

    made = desk(Script([Said(cookies=["cookie2=new"])]))
    made.mtop.save = save
    with pytest.raises(TransientError, match="locked"):
        await made.mtop.call("mtop.x", {})
    assert made.mtop.session.cookies["cookie2"] == "new"


# On real sockets.


async def test_a_gateway_without_an_address_is_told_as_such() -> None:
    for scheme in ("http", "https"):
        made = desk(None)
        made.mtop.gateway = f"{scheme}://nowhere.invalid"
        with trio.fail_after(5), pytest.raises(TransientError, match="DNS") as caught:
            await made.mtop.call("mtop.x", {})
        assert caught.value.cause is Cause.DNS


async def test_nobody_at_the_door_is_transient() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    made = desk(None)
    made.mtop.gateway = f"http://127.0.0.1:{port}"
    with trio.fail_after(5), pytest.raises(TransientError, match="ConnectError") as caught:
        await made.mtop.call("mtop.x", {})
    assert caught.value.cause is Cause.UNREACHABLE


async def _silent(stream: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def _hangs_up(stream: trio.SocketStream) -> None:
    await stream.receive_some()


async def _babbles(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"SSH-2.0-OpenSSH_9\r\n\r\n")


async def _half(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize(
    ("serve", "scheme", "cause"),
    [
        (_silent, "http", Cause.SILENT),
        (_hangs_up, "http", Cause.ABORTED),
        (_babbles, "http", Cause.ABORTED),
        (_half, "http", Cause.ABORTED),
        (_babbles, "https", Cause.TLS),
    ],
)
async def test_an_answer_that_does_not_come_is_transient(
    serve: Any, scheme: str, cause: Cause
) -> None:
    async with trio.open_nursery() as nursery:
        listen = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners = await nursery.start(listen)
        made = desk(None, timeout=0.2)
        made.mtop.gateway = f"{scheme}://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        with trio.fail_after(5), pytest.raises(TransientError) as caught:
            await made.mtop.call("mtop.x", {})
        assert caught.value.cause is cause
        nursery.cancel_scope.cancel()
