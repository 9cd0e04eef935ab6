"""What the websocket side promises."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, HandshakeError

from tests.simulator.client import DEVICE, Client, meanings, on_line
from tests.simulator.conftest import now_ms
from xybot.model import Text
from xybot.simulator import Platform, Settings
from xybot.simulator.world import SimAccount
from xybot.wire import chatlines, payload, requests
from xybot.wire.pushes import Arouse, Own, ReadReceipt, Spoken, Undecodable
from xybot.wire.requests import Request


async def test_a_granted_token_lets_in_and_vulcan_makes_ready(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.chat(account, "小王")
    async with platform.dial() as ws:
        client = Client(ws, account)
        answer = await client.register(platform.world.grant(account, DEVICE))
        assert answer.code == 200
        assert answer.headers["reg-uid"] == f"{account.user_id}@goofish"
        assert isinstance(answer.body["timestamp"], int)
        early = await client.ask(requests.conversations())
        assert (early.code, early.body) == (400, None)
        (aroused,) = await client.meant("/s/vulcan")
        assert isinstance(aroused, Arouse)
        assert (aroused.facts.chat, aroused.facts.item) == (chat.id, chat.item.id)
        assert aroused.role == "seller"
        assert (await client.ask(requests.conversations())).code == 200
        assert (await client.ask(requests.heartbeat())).code == 200


async def test_tokens_that_are_unknown_or_of_another_device_are_401(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with platform.dial() as ws:
        client = Client(ws, account)
        answer = await client.register("no such token")
        assert answer.code == 401
        assert answer.body == {"reason": "token is not found", "code": "4000001", "scope": "reg"}
        token = platform.world.grant(account, DEVICE)
        answer = await client.register(token, "another device")
        assert answer.code == 401
        assert answer.body["reason"] == "device id or appkey is not equal"
        assert (await client.register(token)).code == 200
        await trio.sleep(86_400)
        assert (await client.ask(requests.conversations())).code == 401


async def test_a_push_is_kept_until_acknowledged(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    said = platform.buyer_says(account, "小王", "在吗")
    assert [entry.about for entry in platform.unacknowledged(account)] == [said.id]
    async with on_line(platform, account) as client:
        (heard,) = await client.meant()
        assert isinstance(heard, Spoken)
        assert heard.content == Text("在吗")
        assert heard.facts.message == said.id
        await trio.sleep(1)
        assert platform.unacknowledged(account) == ()
        assert await client.quiet(60)


async def test_an_unacknowledged_push_comes_again_on_the_line_and_on_the_next(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account, acks=False) as client:
        for n in range(40):
            platform.buyer_says(account, "小王", str(n))
        first, second = await client.push(), await client.push()
        assert (len(payload.entries(first)), len(payload.entries(second))) == (32, 8)
        before = trio.current_time()
        assert await client.push() == first
        assert trio.current_time() - before == pytest.approx(10)
    async with on_line(platform, account) as client:
        words = [push.facts.text for _ in range(2) for push in await client.meant()]
        assert words == [str(n) for n in range(40)]
        assert await client.quiet(60)


async def test_a_send_is_said_once_and_comes_back_as_an_echo(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.buyer_says(account, "小王", "在吗").chat
    said = requests.send("-1790000001", chat.id, chat.buyer.id, account.user_id, Text("在的"))
    async with on_line(platform, account) as client:
        await client.push()
        answer = await client.ask(said)
        again = await client.ask(said)
        assert answer.code == again.code == 200
        assert answer.body == again.body
        assert answer.body["receiverCount"] == 2
        assert [words for _, _, words in platform.heard(account)] == ["在的"]
        (echo,) = await client.meant()
        assert isinstance(echo, Own)
        assert echo.facts.message == answer.body["messageId"]
        assert echo.facts.sent_at == answer.body["createAt"]
        assert await client.quiet(60)


async def test_a_send_to_the_wrong_people_is_refused(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.chat(account, "小王")
    stranger = platform.world.add_user("路人")
    async with on_line(platform, account) as client:
        wrong = requests.send("-1", chat.id, stranger.id, account.user_id, Text("在的"))
        assert (await client.ask(wrong)).code == 400
        assert (await client.ask(Request("/r/MessageSend/sendByReceiverScope", [{}]))).code == 400
        assert (await client.ask(Request("/r/No/such"))).code == 404
        assert platform.heard(account) == []


async def test_history_and_conversations_are_read_page_by_page(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    for n in range(5):
        platform.buyer_says(account, "小王", str(n))
    chat = platform.chat(account, "小王")
    await trio.sleep(5)
    other = platform.buyer_says(account, "阿杰", "包邮吗").chat
    async with on_line(platform, account) as client:
        page = (await client.ask(requests.history(chat.id, limit=3))).body
        rest = (await client.ask(requests.history(chat.id, page["nextCursor"], 3))).body
        assert (page["hasMore"], rest["hasMore"]) == (1, 0)
        models = page["userMessageModels"] + rest["userMessageModels"]
        lines = [chatlines.read(chatlines.from_history(m), account.user_id) for m in models]
        assert [line.facts.text for line in lines] == ["4", "3", "2", "1", "0"]
        assert [line.facts.message for line in lines] == [m.id for m in reversed(chat.messages)]
        first = (await client.ask(requests.conversations(limit=1))).body
        second = (await client.ask(requests.conversations(first["nextCursor"], 1))).body
        assert (first["hasMore"], second["hasMore"]) == (1, 0)
        listed = [
            each["singleChatUserConversation"]["singleChatConversation"]["cid"]
            for each in first["userConvs"] + second["userConvs"]
        ]
        assert listed == [other.address, chat.address]
        assert first["userConvs"][0]["singleChatUserConversation"]["redPoint"] == 1
        last = chat.messages[-1].id
        assert (await client.ask(Request("/r/MessageStatus/read", [[last]]))).code == 200
        assert chat.unread(account.user_id) == 0


async def test_a_conversation_can_be_created_twice(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    item = next(iter(platform.world.items.values()))
    buyer = platform.world.add_user("小王")
    wanted = {
        "pairFirst": f"{buyer.id}@goofish",
        "pairSecond": f"{account.user_id}@goofish",
        "bizType": "1",
        "extension": {"itemId": item.id},
        "ctx": {"appVersion": "1.0", "platform": "web"},
    }
    create = Request("/r/SingleChatConversation/create", [wanted])
    async with on_line(platform, account) as client:
        one, two = await client.ask(create), await client.ask(create)
    assert one.body["cid"] == two.body["cid"] == platform.chat(account, "小王").address


async def test_a_token_that_dies_is_answered_401_on_a_line_that_stays(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        platform.faults(account).expire_token()
        platform.buyer_says(account, "小王", "在吗")
        for request in (requests.heartbeat(), requests.conversations()):
            answer = await client.ask(request)
            assert answer.code == 401
            assert answer.body["code"] == "4000001"
        assert await client.quiet(100)
    async with on_line(platform, account) as client:
        (heard,) = await client.meant()
        assert heard.facts.text == "在吗"


async def test_a_newer_registration_kicks_the_older_line_out(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as older, on_line(platform, account) as newer:
        await older.push("/push/kickout")
        with pytest.raises(ConnectionClosed) as closed:
            await older.push()
        assert closed.value.reason.code == 1000
        platform.buyer_says(account, "小王", "在吗")
        assert len(await newer.meant()) == 1
    assert len(platform.connects(account)) == 2
    assert not platform.on_line(account)


async def test_cut_and_close_and_refused(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.cut()
        with pytest.raises(ConnectionClosed) as closed:
            await client.push()
        assert closed.value.reason.code == 1006
    async with on_line(platform, account) as client:
        faults.close(1001)
        with pytest.raises(ConnectionClosed) as closed:
            await client.push()
        assert closed.value.reason.code == 1001
    async with on_line(platform, account) as client:
        faults.remove_session()
        await client.push("/s/session/remove")
    faults.refuse_dial()
    with pytest.raises(HandshakeError) as refused:
        async with platform.dial():
            pass
    assert isinstance(refused.value.__cause__, OSError)
    async with on_line(platform, account):
        assert platform.on_line(account)


async def test_a_muted_line_says_nothing_until_unmuted(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.mute()
        platform.buyer_says(account, "小王", "在吗")
        with trio.move_on_after(60) as scope:
            await client.ask(requests.heartbeat())
        assert scope.cancelled_caught
        faults.unmute()
        assert len(await client.meant()) == 1
        assert (await client.ask(requests.heartbeat())).code == 200


async def test_what_gets_lost_and_what_comes_twice(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    async with on_line(platform, account) as client:
        faults.lose_pushes()
        platform.buyer_says(account, "小王", "1")
        started = trio.current_time()
        await client.push()
        assert trio.current_time() - started == pytest.approx(10)
        faults.duplicate()
        platform.buyer_says(account, "小王", "2")
        assert await client.push() == await client.push()
        faults.drop_acks()
        platform.buyer_says(account, "小王", "3")
        assert await client.push() == await client.push()
        assert await client.quiet(30)


async def test_sends_that_go_wrong(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.chat(account, "小王")
    faults = platform.faults(account)
    said = requests.send("-1", chat.id, chat.buyer.id, account.user_id, Text("在的"))
    async with on_line(platform, account) as client:
        faults.busy()
        faults.refuse_sends()
        assert (await client.ask(said)).body["code"] == "400600001"
        refused = await client.ask(said)
        assert (refused.code, refused.body["reason"]) == (200, "CSI_FORBID")
        assert platform.heard(account) == []
        faults.lose_answers()
        with trio.move_on_after(10) as scope:
            await client.ask(said)
        assert scope.cancelled_caught
        assert len(platform.heard(account)) == 1
        assert (await client.ask(said)).body["messageId"] == chat.messages[-1].id
        assert len(platform.heard(account)) == 1


async def test_garbage_damage_slowness_and_no_vulcan(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    faults = platform.faults(account)
    faults.no_vulcan()
    async with platform.dial() as ws:
        client = Client(ws, account)
        await client.register(platform.world.grant(account, DEVICE))
        await trio.sleep(1)
        assert (await client.ask(requests.conversations())).code == 200
        assert client.pushes == []
        faults.garbage("<html>")
        assert await ws.get_message() == "<html>"
        faults.damaged_entry()
        (damaged,) = await client.meant()
        assert isinstance(damaged, Undecodable)
        faults.slow(3)
        before = trio.current_time()
        await client.ask(requests.heartbeat())
        assert trio.current_time() - before >= 3
        await ws.send_message("not a frame")
        await ws.send_message("[]")
        assert (await client.ask(requests.heartbeat())).code == 200


async def test_an_echo_may_come_before_the_answer_and_a_receipt_after(
    autojump_clock: MockClock,
) -> None:
    settings = Settings(echo="before", reads=True, same_uuid_once=False)
    platform = Platform(now_ms=now_ms, rng=random.Random(1), settings=settings)
    account = platform.add_account("shop-a")
    chat = platform.chat(account, "小王")
    said = requests.send("-1", chat.id, chat.buyer.id, account.user_id, Text("在的"))
    async with on_line(platform, account) as client:
        answer = await client.ask(said)
        (frame,) = client.pushes
        echo, read = meanings(frame, account.user_id)
        assert isinstance(echo, Own)
        assert isinstance(read, ReadReceipt)
        assert echo.facts.message == answer.body["messageId"] == read.messages[0]
        await client.ask(said)
        assert len(platform.heard(account)) == 2
