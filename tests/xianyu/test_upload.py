"""What the answers to an upload mean, and what goes out with one."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import attrs
import pytest
import trio

from tests.pictures import png
from xybot.egress import Answer, Client, File
from xybot.errors import (
    AttentionRequired,
    Busy,
    LoginRequired,
    TransientError,
    VerificationRequired,
)
from xybot.model import Image
from xybot.secret import Secret
from xybot.simulator.platform import Platform, open_platform
from xybot.wire.pictures import look
from xybot.xianyu import api
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.session import Session, new_session
from xybot.xianyu.upload import NotTaken, Uploaded

CONTENT = png(640, 480)
PAGE = "<html>登录</html>"
ASLEEP = '{"ret": ["FAIL_SYS_SESSION_EXPIRED::Session过期"]}'
AWAKE = '{"ret": ["SUCCESS::调用成功"], "data": {}}'


def said(body: object, status: int = 200, *cookies: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status=status, set_cookies=cookies, body=text.encode())


@attrs.define(eq=False)
class Taker:
    """Takes files with one answer after the other, the last one for ever."""

    answers: Sequence[Answer]
    login: str = ASLEEP
    asked: list[dict] = attrs.Factory(list)
    keep_alives: int = 0

    async def post_form(self, url: str, **_form: object) -> Answer:
        await trio.lowlevel.checkpoint()
        self.keep_alives += 1
        return said(self.login)

    async def post_file(self, url: str, *, query: dict, file: File, headers: dict) -> Answer:
        await trio.lowlevel.checkpoint()
        self.asked.append({"url": url, "query": query, "file": file, "headers": headers})
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


async def upload(taker: Taker) -> tuple[Uploaded, Session]:
    async def save(_: Session) -> None:
        await trio.lowlevel.checkpoint()

    mtop = Mtop(
        gateway="http://gateway.test",
        http=taker,
        session=new_session(Secret("unb=2201; cookie2=cccc; nick=小王"), random.Random(1)),
        save=save,
        now_ms=lambda: 0,
    )
    picture = look(CONTENT)
    assert picture is not None
    return await api.upload(mtop, "http://upload.test/", picture, CONTENT), mtop.session


async def test_a_picture_goes_out_with_the_cookies_and_without_its_name() -> None:
    taker = Taker([said({"object": {"url": "http://x/1.png", "pix": "1280x960"}})])
    found, _ = await upload(taker)
    assert found == Image("http://x/1.png", 1280, 960)  # The platform's word counts.
    (asked,) = taker.asked
    assert asked["url"] == "http://upload.test/api/upload.api"
    assert asked["query"]["floderId"] == "0"
    assert asked["headers"]["Cookie"] == "unb=2201; cookie2=cccc; nick=小王"
    assert asked["file"] == File(name="image.png", media_type="image/png", content=CONTENT)
    assert "PNG" not in repr(asked["file"].content[:0]) + repr(asked["file"])


@pytest.mark.parametrize("pix", [None, "", "x", "0x0", "wide", 7, "640x480x3"])
async def test_an_answer_without_a_size_leaves_that_of_the_file(pix: object) -> None:
    taker = Taker([said({"success": True, "object": {"url": "//x/1.png", "pix": pix}})])
    found, _ = await upload(taker)
    assert found == Image("https://x/1.png", 640, 480)


async def test_a_picture_arrives_whole_over_a_real_connection() -> None:
    platform = Platform(now_ms=lambda: 0, rng=random.Random(1))
    account = platform.add_account("shop-a")
    content = png(640, 480, random.Random(2).randbytes(300_000))
    files = {"query": {}, "headers": {"Cookie": account.cookie_text}}
    async with open_platform(platform) as ports:
        address = f"{ports.gateway}/api/upload.api"
        file = File(name="image.png", media_type="image/png", content=content)
        answer = await Client().post_file(address, file=file, **files)
    assert answer.status == 200
    assert [each.content for each in account.uploads] == [content]


async def test_cookies_of_an_answer_are_kept() -> None:
    taker = Taker([said({"object": {"url": "http://x/1.png"}}, 200, "tfstk=new; Path=/")])
    _, session = await upload(taker)
    assert session.cookies["tfstk"] == "new"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said({"success": False, "errorMsg": "文件格式不支持"}), "文件格式不支持"),
        (said({"success": False, "message": "x" * 900}), "x" * 200),
        (said([]), "HTTP 200"),
        (said({"object": {"url": ""}}, 400), "HTTP 400"),
        (said("<html>413 Request Entity Too Large</html>", 413), "HTTP 413"),
    ],
)
async def test_a_picture_that_is_not_wanted_says_why(answer: Answer, words: str) -> None:
    found, _ = await upload(Taker([answer]))
    assert isinstance(found, NotTaken)
    assert found.reason.endswith(words)
    assert len(found.reason) <= 200


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said("<html>502 Bad Gateway</html>", 502), TransientError),
        (said("oops"), TransientError),
        (said("", 429), Busy),
        (said({"data": {"url": "https://a.b/_____tmd_____/punish?x=1"}}), VerificationRequired),
        (said("<a href='/_____tmd_____/punish?a=1&amp;b=2'>"), VerificationRequired),
    ],
)
async def test_other_answers_are_sorted_by_what_to_do_next(
    answer: Answer, kind: type[Exception]
) -> None:
    taker = Taker([answer])
    with pytest.raises(kind) as caught:
        await upload(taker)
    assert isinstance(caught.value, AttentionRequired) == (kind is VerificationRequired)
    assert (len(taker.asked), taker.keep_alives) == (1, 0)


async def test_a_page_means_the_login_is_gone_unless_a_keep_alive_wakes_it() -> None:
    dead = Taker([said(PAGE)])
    with pytest.raises(LoginRequired):
        await upload(dead)
    assert (len(dead.asked), dead.keep_alives) == (1, 1)
    dozing = Taker([said(PAGE), said({"object": {"url": "http://x/1.png"}})], login=AWAKE)
    assert (await upload(dozing))[0] == Image("http://x/1.png", 640, 480)
