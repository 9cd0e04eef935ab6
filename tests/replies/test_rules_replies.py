"""What a rule says: several messages, pictures, facts of the item, and nothing at all."""

from __future__ import annotations

import pytest

from tests.replies.rulebook import World, at
from tests.replies.samples import rule, said, turn
from xybot.model import Image, Photo, Reply, Text
from xybot.replies.source import Source, yuan

ADDRESS = "https://img.alicdn.com/imgextra/menu.jpg"


async def reply(source: Source, text: str = "菜单") -> Reply:
    answer = await source.answer(turn(text))
    assert isinstance(answer, Reply)
    return answer


async def test_a_rule_may_answer_with_several_messages() -> None:
    rules = World().general(rule("菜单", reply=("您好{send_user_name}", "在的", "直接拍")))
    found = await reply(rules)
    assert found.contents == (Text("您好小王"), Text("在的"), Text("直接拍"))
    assert not found.hand_over


@pytest.mark.parametrize(
    ("image", "shown"),
    [("/shop/pic/menu.jpg", Photo("/shop/pic/menu.jpg")), (ADDRESS, Image(ADDRESS))],
)
async def test_a_picture_comes_after_the_words(image: str, shown: Photo | Image) -> None:
    world = World()
    both = world.general(rule("菜单", reply="看图", image=image))
    assert (await reply(both)).contents == (Text("看图"), shown)
    alone = world.general(rule("菜单", reply="", image=image))
    assert (await reply(alone)).contents == (shown,)


async def test_a_rule_may_hand_the_chat_over_with_or_without_words() -> None:
    world = World()
    told = await reply(world.general(rule("菜单", reply="稍等，我叫老板", hand_over=True)))
    assert (told.contents, told.hand_over) == ((Text("稍等，我叫老板"),), True)
    silent = await reply(world.general(rule("菜单", reply=(), hand_over=True)))
    assert (silent.contents, silent.hand_over) == ((), True)


async def test_the_facts_of_the_item_and_the_time_are_filled_in() -> None:
    world = World(now=at("22:05"))
    world.sells("81", "耳机 {send_user_id}", price=8850, stock=3)
    template = "{item_title} {item_price} 元，还有 {item_stock} 件（{date} {time}）"
    rules = world.general(rule("菜单", reply=(template, "{item_title}")))
    words = "耳机 {send_user_id} 88.50 元，还有 3 件（2026-03-08 22:05）\n耳机 {send_user_id}"
    assert await said(rules, turn("菜单")) == words
    assert world.asked == ["81"]


async def test_facts_are_only_asked_for_when_a_reply_names_one() -> None:
    world = World()
    rules = world.general(rule("菜单", reply="{item_id} {{item_title}} {date}"))
    assert await said(rules, turn("菜单")) is not None
    assert world.asked == []


@pytest.mark.parametrize("item", ["81", "99", None])
async def test_what_nobody_knows_of_an_item_is_left_out(item: str | None) -> None:
    world = World()
    world.sells("81", "")
    rules = world.general(rule("菜单", reply="[{item_title}{item_price}{item_stock}]"))
    assert await said(rules, turn("菜单", item=item)) == "[]"


async def test_a_message_of_which_nothing_is_left_is_not_said() -> None:
    rules = World().general(rule("菜单", reply=("{item_title} ", "在的")))
    assert (await reply(rules)).contents == (Text("在的"),)


@pytest.mark.parametrize(
    ("fen", "words"),
    [(8800, "88"), (8850, "88.50"), (5, "0.05"), (0, "0"), (123456789, "1234567.89")],
)
def test_a_price_is_told_in_yuan(fen: int, words: str) -> None:
    assert yuan(fen) == words
