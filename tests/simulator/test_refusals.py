"""Requests that are refused, and sends that are changed."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from tests.simulator.client import DEVICE, Client, on_line
from xybot.model import ChatId, Text
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount
from xybot.wire import requests
from xybot.wire.pushes import Own
from xybot.wire.requests import Request

STATE = Request("/r/SyncStatus/getState", [{"topic": "sync"}])


async def lines(client: Client, chat: ChatId) -> list[str]:
    """Return what the history says, newest first."""
    models = (await client.ask(requests.history(chat))).body["userMessageModels"]
    return [each["message"]["extension"]["reminderContent"] for each in models]


async def test_the_history_is_refused_without_a_reason(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.buyer_says(account, "小王", "在吗").chat
    platform.faults(account).refuse_history()
    async with on_line(platform, account) as client:
        assert (await client.ask(requests.conversations())).code == 200
        refused = await client.ask(requests.history(chat.id))
        assert (refused.code, refused.body) == (400, None)
        assert await lines(client, chat.id) == ["在吗"]


async def test_flow_control_meets_whatever_reads(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat = platform.buyer_says(account, "小王", "在吗").chat
    reads = (
        requests.history(chat.id),
        requests.conversations(),
        Request("/r/Conversation/listNewest", [0, 50]),
        Request("/r/Conversation/getByCids", [[chat.address]]),
        STATE,
    )
    said = requests.send("-1", chat.id, chat.buyer.id, account.user_id, Text("在的"))
    async with on_line(platform, account) as client:
        platform.faults(account).busy_reads(len(reads))
        assert (await client.ask(said)).code == 200
        for read in reads:
            refused = await client.ask(read)
            assert (refused.code, refused.body["code"]) == (400, "400600001")
        assert [(await client.ask(read)).code for read in reads] == [200] * 5


async def test_changed_words_are_shown_and_can_be_recognised_by_nothing(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    chat, faults = platform.chat(account, "小王"), platform.faults(account)
    async with on_line(platform, account) as client:
        faults.alter_sends()
        said = requests.send("-1", chat.id, chat.buyer.id, account.user_id, Text("加微信"))
        answer = await client.ask(said)
        assert answer.code == 200
        (echo,) = await client.meant()
        assert isinstance(echo, Own)
        assert echo.content == Text("加微信。")
        assert echo.facts.message == answer.body["messageId"]
        faults.alter_sends()
        faults.lose_answers()
        with trio.move_on_after(10) as unanswered:
            again = requests.send("-2", chat.id, chat.buyer.id, account.user_id, Text("好的"))
            await client.ask(again)
        assert unanswered.cancelled_caught
        assert await lines(client, chat.id) == ["好的。", "加微信。"]
        assert [shown for _, _, shown in platform.heard(account)] == ["加微信。", "好的。"]
        plain = requests.send("-3", chat.id, chat.buyer.id, account.user_id, Text("在"))
        assert (await client.ask(plain)).code == 200
        assert chat.messages[-1].summary == "在"


async def test_registration_is_refused_to_one_session_too_many(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    token = platform.world.grant(account, DEVICE)
    platform.faults(account).limit_connections(2)
    for _ in range(2):
        async with platform.dial() as ws:
            answer = await Client(ws, account).register(token)
            assert answer.code == 403
            assert answer.body["reason"] == "connect limit"
            assert not platform.on_line(account)
    async with platform.dial() as ws:
        assert (await Client(ws, account).register(token)).code == 200


async def test_a_good_token_is_refused_for_once(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    token = platform.world.grant(account, DEVICE)
    platform.faults(account).refuse_token()
    async with platform.dial() as ws:
        client = Client(ws, account)
        answer = await client.register(token)
        assert answer.code == 401
        assert answer.body["reason"] == "invalid token"
        assert platform.connects(account) == []
        assert (await client.register(token)).code == 200


async def test_only_the_account_itself_is_refused(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    other = platform.add_account("shop-b")
    faults = platform.faults(account)
    faults.limit_connections()
    faults.refuse_token()
    faults.busy_reads()
    async with on_line(platform, other) as client:
        assert (await client.ask(requests.conversations())).code == 200


async def test_a_recalled_message_is_recalled_in_the_history_and_in_the_list(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    kept = platform.buyer_says(account, "小王", "一")
    taken = platform.buyer_says(account, "小王", "二")
    platform.buyer_recalls(account, taken)
    async with on_line(platform, account) as client:
        page = (await client.ask(requests.history(kept.chat.id))).body["userMessageModels"]
        recalls = {each["message"]["messageId"]: each["recallFeature"] for each in page}
        usual = {"showRecallStatusSetting": 1, "operatorType": 0}
        by_buyer = {"code": "1", "operatorUid": f"{kept.chat.buyer.id}@goofish"}
        assert recalls == {kept.id: usual, taken.id: usual | by_buyer}
        (listed,) = (await client.ask(requests.conversations())).body["userConvs"]
        last = listed["singleChatUserConversation"]["lastMessage"]
        assert last["recallFeature"] == usual | by_buyer


async def test_the_list_of_chats_tells_when_each_changed_and_by_what(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    said = platform.buyer_says(account, "小王", "在吗")
    async with on_line(platform, account) as client:
        (listed,) = (await client.ask(requests.conversations())).body["userConvs"]
        chat = listed["singleChatUserConversation"]
        last = chat["lastMessage"]["message"]
        assert (last["messageId"], last["createAt"]) == (said.id, said.sent_at)
        assert last["cid"] == said.chat.address
        assert chat["modifyTime"] == said.sent_at


async def test_no_chat_is_lost_between_pages_though_many_changed_in_one_millisecond(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    changed = [2, 3, 1]
    for moment, chats in enumerate(changed):
        for n in range(chats):
            platform.buyer_says(account, f"买家{moment}-{n}", "在吗")
        await trio.sleep(1)
    async with on_line(platform, account) as client:
        cursor, pages = requests.NEWEST, list[list[str]]()
        while True:
            body = (await client.ask(requests.conversations(cursor, 2))).body
            found = [each["singleChatUserConversation"] for each in body["userConvs"]]
            pages.append([each["singleChatConversation"]["cid"] for each in found])
            if not body["hasMore"]:
                break
            cursor = body["nextCursor"]
    assert [len(page) for page in pages] == [4, 2]
    listed = [chat for page in pages for chat in page]
    assert set(listed) == {chat.address for chat in platform.world.chats.values()}
    assert len(listed) == sum(changed)
