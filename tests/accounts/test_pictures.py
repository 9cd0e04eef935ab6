"""Pictures in files: uploaded once for each account, sent with their size, never in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.conftest import SHOP, Shop, new_platform, open_shop
from tests.pictures import jpeg, png
from xybot.errors import Cause
from xybot.events import ChatPaused, ReplySent, SendRefused
from xybot.model import AccountState, Decision, Photo, Reply, Text, Turn
from xybot.simulator.upload import API
from xybot.store import accounts

PICTURE = png(640, 480)


async def with_photo(turn: Turn, _now: int) -> Decision:
    """Show the picture whose file the buyer names, and say a word."""
    contents = (Photo(turn.text.split("\n")[-1]), Text("请看"))
    reply = Reply(contents=contents, source="rules", because="a test")
    return Decision(reply=reply, passed=())


@asynccontextmanager
async def showing(folder: Path, **settings) -> AsyncIterator[Shop]:
    """A shop under its supervisor that answers with pictures of a folder."""
    (folder / "a.png").write_bytes(PICTURE)
    platform = new_platform(**settings)
    async with (
        open_shop(platform=platform, decide=with_photo, pictures=folder) as shop,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(shop.supervisor().run)
        await trio.sleep(5)
        yield shop
        nursery.cancel_scope.cancel()


def shown(shop: Shop) -> list[tuple[str, int, int]]:
    """The pictures that buyers see: address, width, height."""
    said = (each for chat in shop.platform.world.chats.values() for each in chat.messages)
    pictures = [each.content["image"]["pics"][0] for each in said if each.kind == 2]
    return [(each["url"], each["width"], each["height"]) for each in pictures]


def refused(shop: Shop) -> list[str]:
    return [event.reason for event in shop.events if isinstance(event, SendRefused)]


async def test_a_picture_is_uploaded_once_and_shown_with_its_size(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path) as shop:
        (tmp_path / "same.png").write_bytes(PICTURE)
        for n in range(20):
            shop.says("a.png" if n % 2 else "same.png", f"buyer {n}")
        await trio.sleep(60)
        (upload,) = shop.sim.uploads
        assert upload.content == PICTURE
        assert shown(shop) == 20 * [(upload.url, 640, 480)]
        assert sorted(shop.heard) == sorted(20 * ["[图片]", "请看"])


async def test_a_file_that_changed_is_another_picture(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path) as shop:
        shop.says("a.png")
        await trio.sleep(30)
        (tmp_path / "a.png").write_bytes(jpeg(30, 40))
        shop.says("a.png")
        await trio.sleep(30)
        sizes = [(width, height) for _, width, height in shown(shop)]
        assert sizes == [(640, 480), (30, 40)]


async def test_a_chat_reads_picture_and_words_in_their_order(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.fail_calls(2)
        shop.says("a.png")
        await trio.sleep(60)
        assert shop.heard == ["[图片]", "请看"]
        assert shop.sim.calls[API] == 3
        assert refused(shop) == []


async def test_other_chats_do_not_wait_for_a_picture(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.fail_calls(3)
        shop.says("a.png")
        shop.says("no such file.png", "小李")
        await trio.sleep(8)
        assert shop.heard == ["请看"]
        assert len(refused(shop)) == 1


async def test_what_cannot_be_shown_is_refused_with_the_reason(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path) as shop:
        (tmp_path / "secret.toml").write_text("token = 'x'")
        (tmp_path / "folder.png").mkdir()
        (tmp_path / "huge.png").write_bytes(png(1, 1, bytes(20 << 20)))
        for name in ("no.png", "secret.toml", "folder.png", "huge.png", "a\0.png"):
            shop.says(name, f"buyer of {name}")
        await trio.sleep(60)
        assert shop.sim.uploads == []
        assert shop.heard == 5 * ["请看"]
        words = ("找不到图片", "不是 PNG", "读不了图片", "超过 20 MB", "读不了图片")
        assert all(any(word in reason for reason in refused(shop)) for word in words)
        assert len(refused(shop)) == 5


async def test_uploads_that_fail_for_minutes_are_refused(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.fail_calls(100)
        shop.says("a.png")
        await trio.sleep(300)
        (reason,) = refused(shop)
        assert reason.startswith("图片上传失败 (tried 7 times to upload)")
        assert shop.heard == ["请看"]


async def test_a_line_that_dies_during_an_upload_says_it_once(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.slow(2)
        shop.says("a.png")
        await trio.sleep(2 + 3 + 1)  # It was pushed, it fell silent, and the picture is on its way.
        assert shop.sim.calls[API] == 1
        shop.faults.cut()
        shop.faults.slow(0)
        await trio.sleep(120)
        assert shop.heard == ["[图片]", "请看"]
        assert shown(shop)[0][0] == shop.sim.uploads[-1].url


async def test_an_answer_that_is_lost_is_found_by_the_picture_itself(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path, echo="never") as shop:
        shop.faults.lose_answers(1)
        shop.says("a.png")
        await trio.sleep(120)
        assert shop.heard == ["[图片]", "请看"]
        sent = [event.text for event in shop.events if isinstance(event, ReplySent)]
        assert sent == ["[图片]", "请看"]


async def test_our_own_picture_is_not_taken_for_the_sellers(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path, echo="before") as shop:
        shop.says("a.png")
        await trio.sleep(60)
        assert shop.heard == ["[图片]", "请看"]
        assert not [event for event in shop.events if isinstance(event, ChatPaused)]


async def test_a_login_that_dozes_is_woken_by_an_upload(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.doze()
        shop.says("a.png")
        await trio.sleep(60)
        assert shop.heard == ["[图片]", "请看"]


async def test_a_dead_cookie_parks_the_account(tmp_path: Path, autojump_clock) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.expire_cookie()
        shop.says("a.png")
        await trio.sleep(60)
        assert shop.status.cause is Cause.LOGIN_REQUIRED
        assert shop.heard == []
        calls = shop.sim.calls.total()
        await trio.sleep(3600)
        assert shop.sim.calls.total() == calls


async def test_a_check_for_people_parks_the_account_and_the_picture_is_said_afterwards(
    tmp_path: Path, autojump_clock
) -> None:
    async with showing(tmp_path) as shop:
        shop.faults.demand_verification()
        shop.says("a.png")
        await trio.sleep(60)
        assert shop.status.state is AccountState.FAILED
        assert shop.status.cause is Cause.VERIFICATION_REQUIRED
        assert shop.sim.calls[API] == 1
        shop.faults.lift_verification()
        await shop.store.transact(accounts.resume, SHOP)
        await trio.sleep(60)
        assert shop.heard == ["[图片]", "请看"]
