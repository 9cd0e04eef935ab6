"""What the signed gateway promises."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from tests.simulator.client import TOKEN, call
from xybot.model import Sku
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount, SimSku
from xybot.wire import items, sign

DETAIL = "mtop.taobao.idle.pc.detail"
KEEP_ALIVE = "mtop.taobao.idlemessage.pc.loginuser.get"


async def test_a_signed_call_gets_a_token_bound_to_the_device(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    answer, after = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]
    token = answer["data"]["accessToken"]
    assert platform.world.tokens[token].device == "d1"
    assert answer["data"]["accessTokenExpiredTime"] == "86400000"
    assert after["sgcookie"] != jar["sgcookie"]
    assert account.calls[TOKEN] == 1


async def test_stale_wrong_and_missing_signing_tokens_are_renewed(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar, token="wrong")
    assert answer["ret"] == ["FAIL_SYS_TOKEN_EXOIRED::令牌过期"]
    await trio.sleep(41 * 60)
    answer, fresh = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["FAIL_SYS_TOKEN_EXOIRED::令牌过期"]
    assert fresh["_m_h5_tk"] != jar["_m_h5_tk"]
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, fresh)
    assert answer["ret"] == ["SUCCESS::调用成功"]
    platform.faults(account).expire_h5()
    answer, fresh = await call(platform, TOKEN, {"deviceId": "d1"}, fresh)
    assert answer["ret"] == ["FAIL_SYS_TOKEN_EXOIRED::令牌过期"]
    del fresh["_m_h5_tk"]
    answer, fresh = await call(platform, TOKEN, {"deviceId": "d1"}, fresh)
    assert answer["ret"] == ["FAIL_SYS_TOKEN_EMPTY::令牌为空"]
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, fresh)
    assert answer["ret"] == ["SUCCESS::调用成功"]
    assert account.calls[TOKEN] == 6


async def test_a_dead_login_needs_a_new_one(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    platform.faults(account).expire_cookie()
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["FAIL_SYS_SESSION_EXPIRED::Session过期"]
    jar = sign.parse_cookies(account.cookie_text)
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, {"unb": "1"})
    assert answer["ret"] == ["FAIL_SYS_SESSION_EXPIRED::Session过期"]


async def test_verification_is_demanded_and_lifted(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    platform.faults(account).demand_verification()
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"][0] == "FAIL_SYS_USER_VALIDATE"
    assert "action=captcha" in answer["data"]["url"]
    platform.faults(account).lift_verification()
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]


async def test_a_session_that_dozes_is_woken_by_asking_who_is_logged_in(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar, faults = sign.parse_cookies(account.cookie_text), platform.faults(account)
    dead, good = ["FAIL_SYS_SESSION_EXPIRED::Session过期"], ["SUCCESS::调用成功"]
    faults.doze()
    for _ in range(2):
        answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
        assert answer["ret"] == dead
    faults.demand_verification()
    answer, _ = await call(platform, KEEP_ALIVE, {}, jar)
    assert answer["ret"][0] == "FAIL_SYS_USER_VALIDATE"
    faults.lift_verification()
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == dead
    for api, data in ((KEEP_ALIVE, {}), (TOKEN, {"deviceId": "d1"})):
        answer, _ = await call(platform, api, data, jar)
        assert answer["ret"] == good


async def test_a_login_that_ended_is_not_woken_but_a_new_one_is_awake(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar, faults = sign.parse_cookies(account.cookie_text), platform.faults(account)
    faults.doze()
    faults.expire_cookie()
    answer, _ = await call(platform, KEEP_ALIVE, {}, jar)
    assert answer["ret"] == ["FAIL_SYS_SESSION_EXPIRED::Session过期"]
    jar = sign.parse_cookies(account.cookie_text)
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]


async def test_items_users_and_unknown_apis(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    item = platform.world.add_item(account.user, "苹果15", "720", "保修30天")
    answer, _ = await call(platform, DETAIL, {"itemId": item.id}, jar)
    facts = answer["data"]["itemDO"]
    assert (facts["itemId"], facts["title"]) == (int(item.id), "苹果15")
    assert (facts["soldPrice"], facts["desc"]) == ("720", "保修30天")
    assert answer["data"]["sellerDO"]["sellerId"] == int(account.user_id)
    answer, _ = await call(platform, DETAIL, {"itemId": "1"}, jar)
    assert answer["ret"][0].startswith("FAIL_BIZ_ITEM_DEL_NOT_FOUND")
    answer, _ = await call(platform, KEEP_ALIVE, {}, jar)
    assert answer["data"]["userId"] == account.user_id
    answer, _ = await call(platform, "mtop.no.such", {}, jar)
    assert answer["ret"] == ["FAIL_SYS_API_NOT_FOUNDED::请求API不存在"]


async def test_an_item_may_have_variants_and_be_off_the_shelf(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    (item,) = platform.world.items.values()
    item.skus = (SimSku(id="1", properties={"颜色": "白"}, price=9950, quantity=3),)
    item.on_sale = False
    jar = sign.parse_cookies(account.cookie_text)
    answer, _ = await call(platform, DETAIL, {"itemId": item.id}, jar)
    found = items.read(answer["data"])
    assert found is not None
    assert (found.id, found.seller, found.price) == (item.id, account.user_id, 8800)
    assert found.status == "已下架"
    assert found.skus == (Sku(id="1", name="颜色:白", price=9950, stock=3),)


async def test_a_simulator_that_starts_anew_knows_the_cookies_of_the_last(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    again = Platform(now_ms=platform.now_ms, rng=platform.rng)
    jar = sign.parse_cookies(account.cookie_text)
    again.add_account("shop-a")
    answer, jar = await call(again, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["FAIL_SYS_TOKEN_EXOIRED::令牌过期"]
    answer, _ = await call(again, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]


async def test_a_call_can_fail_as_http_does(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    jar = sign.parse_cookies(account.cookie_text)
    platform.faults(account).fail_calls()
    with pytest.raises(ValueError, match="Expecting value"):
        await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar)
    assert answer["ret"] == ["SUCCESS::调用成功"]
