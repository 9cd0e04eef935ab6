"""All that the simulator pushes is read by `xybot.wire` as what it is meant to be."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from tests.simulator.client import on_line
from xybot.model import Image, Text
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount
from xybot.wire.pushes import (
    Card,
    ConversationUpdate,
    MessagePointer,
    MessageUpdate,
    Own,
    ReadReceipt,
    Recall,
    Spoken,
    Tip,
    Typing,
)


async def test_lines_of_people(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        for kind in ("ios", "android", "web"):
            said = platform.buyer_says(account, "小王", "[举杯]在吗", platform=kind)
            (heard,) = await client.meant()
            assert isinstance(heard, Spoken)
            assert heard.content == Text("[举杯]在吗")
            facts = heard.facts
            assert (facts.message, facts.chat) == (said.id, said.chat.id)
            assert (facts.sender, facts.sender_name) == (said.chat.buyer.id, "小王")
            assert (facts.item, facts.sent_at) == (said.chat.item.id, said.sent_at)
            assert facts.from_human
        platform.buyer_shows(account, "小王", "https://img/1.jpg")
        (heard,) = await client.meant()
        assert isinstance(heard, Spoken)
        assert heard.content == Image("https://img/1.jpg", 1080, 1920)
        platform.seller_says(account, "小王", "我自己来")
        (heard,) = await client.meant()
        assert isinstance(heard, Own)
        assert not heard.facts.from_human


async def test_an_order_from_placed_to_paid(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        order = platform.buyer_orders(account, "小王")
        card, reminder = await client.meant()
        assert isinstance(card, Card)
        assert card.facts.trade is not None
        assert (card.facts.order, card.facts.trade.role) == (order.id, "seller")
        assert card.facts.text == "[我已拍下，待付款]"
        assert not card.facts.from_human
        assert isinstance(reminder, ConversationUpdate)
        assert reminder.facts.text == "等待买家付款"
        platform.buyer_pays(account, order)
        paid, reminder, edit = await client.meant()
        assert isinstance(paid, Card)
        assert (paid.facts.order, paid.facts.text) == (order.id, "[我已付款，等待你发货]")
        assert reminder.facts.text == "等待卖家发货"
        assert isinstance(edit, MessageUpdate)
        assert (edit.facts.message, edit.facts.order) == (card.facts.message, order.id)
        assert edit.facts.chat == order.chat.id
        closed = platform.buyer_orders(account, "阿杰")
        await client.push()
        platform.buyer_closes(account, closed)
        tip, reminder = await client.meant()
        assert isinstance(tip, Tip)
        assert reminder.facts.text == "交易关闭"


async def test_tips_receipts_pointers_recalls_typing(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    async with on_line(platform, account) as client:
        tip = platform.tip(account, "小王", "不想宝贝被砍价?设置不砍价回复")
        (heard,) = await client.meant()
        assert isinstance(heard, Tip)
        assert (heard.facts.message, heard.facts.from_human) == (tip.id, False)
        own = [platform.seller_says(account, "小王", str(n)) for n in range(3)]
        await client.push()
        platform.buyer_reads(account, "小王")
        (read,) = await client.meant()
        assert isinstance(read, ReadReceipt)
        assert read.messages == tuple(each.id for each in own)
        one = platform.seller_says(account, "小王", "一")
        await client.push()
        platform.buyer_reads(account, "小王")
        (read,) = await client.meant()
        assert isinstance(read, ReadReceipt)
        assert read.messages == (one.id,)
        assert read.facts.chat == one.chat.id
        platform.point(account, one)
        (pointed,) = await client.meant()
        assert isinstance(pointed, MessagePointer)
        assert (pointed.facts.message, pointed.facts.chat) == (one.id, one.chat.id)
        platform.buyer_recalls(account, one)
        (recalled,) = await client.meant()
        assert isinstance(recalled, Recall)
        assert recalled.facts.message == one.id


async def test_typing_is_never_kept(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    platform.buyer_types(account, "小王", started=True)
    async with on_line(platform, account, acks=False) as client:
        assert client.pushes == []
        platform.buyer_types(account, "小王", started=True)
        (typing,) = await client.meant("/s/para")
        assert isinstance(typing, Typing)
        assert typing.started
        with trio.move_on_after(60) as scope:
            await client.push("/s/para")
        assert scope.cancelled_caught
        assert platform.unacknowledged(account) == ()


async def test_message_ids_never_come_twice_and_follow_no_order(
    platform: Platform, autojump_clock: MockClock
) -> None:
    ids = [platform.world.number() for _ in range(5000)]
    assert len(set(ids)) == 5000
    assert ids != sorted(ids)
