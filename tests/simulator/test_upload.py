"""What the side that takes pictures promises."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import trio
from trio.testing import MockClock

from tests.pictures import jpeg, png
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount

QUERY = {"floderId": "0", "appkey": "xy_chat", "_input_charset": "utf-8"}


async def post(
    platform: Platform, account: SimAccount, files: Mapping[str, object], cookie: str = ""
) -> httpx.Response:
    headers = {"Cookie": cookie or account.cookie_text}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(platform.http_app)) as http:
        return await http.post(
            "http://sim/api/upload.api", params=QUERY, files=files, headers=headers
        )


async def test_a_picture_gets_an_address_and_its_size(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    for content in (png(640, 480), jpeg(30, 40)):
        answer = await post(platform, account, {"file": ("a.png", content, "image/png")})
        told = answer.json()["object"]
        assert account.uploads[-1].url == told["url"]
        assert account.uploads[-1].content == content
        assert told["size"] == str(len(content))
    assert told["pix"] == "30x40"
    assert account.calls["upload.api"] == 2


async def test_what_is_no_picture_and_what_is_no_file_are_refused(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    for name, content in (("file", b"hello"), ("picture", png(3, 4))):
        answer = await post(platform, account, {name: ("a.png", content, "image/png")})
        assert answer.json() == {"success": False, "errorMsg": "文件格式不支持"}
    assert account.uploads == []


async def test_a_login_that_is_dead_gets_a_page_and_no_address(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    cookie = account.cookie_text
    platform.faults(account).expire_cookie()
    answer = await post(platform, account, {"file": ("a.png", png(3, 4), "image/png")}, cookie)
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_uploads_are_slow_and_fail_as_calls_do(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    platform.faults(account).slow(3)
    platform.faults(account).fail_calls(1)
    file = {"file": ("a.png", png(3, 4), "image/png")}
    assert (await post(platform, account, file)).status_code == 502
    assert (await post(platform, account, file)).status_code == 200
    assert trio.current_time() == 6
