"""The last look: what may not be said does not get out, however it is written."""

from __future__ import annotations

import re
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replies.samples import turn
from xybot.config import Guard as Settings
from xybot.model import Photo, Reply, Text
from xybot.replies import forbidden
from xybot.replies.guard import Floor, Guard, guard
from xybot.splitting import split

LAST_LOOK = guard(Settings())


def reply(*texts: str) -> Reply:
    return Reply(contents=tuple(map(Text, texts)), source="ai", because="x")


async def stopped(*texts: str, by: Guard = LAST_LOOK) -> str:
    return (await by.look(turn("在吗"), reply(*texts))).stopped


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "打 138 1234 5678",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "①③⑧①②③④⑤⑥⑦⑧",
        "1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
        "一三八一二三四五六七八",
        "幺三八幺二三四五六拐八",
        "壹叁捌壹贰叁肆伍陆柒捌",
        "1三8 1二3四 5六7八",
        "1.3.8.1.2.3.4.5.6.7.8",
        "1\u200b3\u200b8\u200b12345678",
        "+86 13812345678",
        "8613812345678",
        "l38l2345678",
        "138o0138ooo",
        "一口价88 13812345678 随时",
        "0571-88888888",
        "010 12345678",
        "400-800-1234",
        "加我微信",
        "微 信",
        "微.信",
        "微\u200b信",
        "微❤",
        "V信聊",
        "加V",
        "加v：abc",
        "加个薇",
        "➕V",
        "vx abc123",
        "V X",
        "ＶＸ",
        "wx: abc_123",
        "wechat",
        "WeiXin号",
        "QQ 12345",
        "加扣扣",
        "q群见",
        "我的电话：88",
        "加我手机号",
        "abc@qq.com",
        "abc @ qq . com",
        "abc艾特qq点com",
        "ａｂｃ＠ｑｑ．ｃｏｍ",
        "https://evil.example/x",
        "http://goofish.com.evil.cn",
        "https://www.goofish.com@evil.cn/",
        "weixin://dl/chat",
        "看 www.baidu.com",
        "baidu。com",
        "b a i d u . c o m",
        "https：//ｅｖｉｌ.cn",
        "telegram 见",
        "小红书号 abc",
    ],
)
async def test_no_contact_gets_out_in_any_disguise(text: str) -> None:
    assert "contact" in await stopped(text)
    assert "contact" in await stopped(f"您好，{text}，谢谢")
    assert await stopped(text, by=guard(Settings(contacts=False))) == ""


@pytest.mark.parametrize(
    "text",
    [
        "在的，喜欢直接拍～",
        "稍微信任我一点",
        "加微距镜头的那台",
        "索尼WX350，成色很好",
        "尺寸 128 256 512，1024 也有",
        "订单号 2345678901234567890",
        "商品 900012345678 还在",
        "顺丰 SF1234567890123",
        "2024-01-15 13:00 后发货",
        "支持 5G、256G，电池 4500mAh",
        "iPhone 13 Pro 256G 3800元",
        "https://www.goofish.com/item?id=1",
        "链接 https://m.tb.cn/h.abc",
        "版本 1.0.2 可以升级",
        "电话卡不含在内，电话手表功能正常",
        "你好👑👍🏽，已发货",
        "九成新，三天内发货，一共两件",
        "增加维生素",
        "沙比利木，去死皮的磨砂膏",
        "OK, that is nice. Come again",
    ],
)
async def test_innocent_words_get_out(text: str) -> None:
    assert await stopped(text) == ""


async def test_words_that_only_look_forbidden_can_be_allowed() -> None:
    assert await stopped("QQ飞车 账号一个") != ""
    lenient = guard(Settings(allowed=("qq飞车",)))
    assert await stopped("QQ飞车 账号一个", by=lenient) == ""
    assert await stopped("QQ飞车，加我QQ", by=lenient) != ""


async def test_what_is_split_over_messages_is_read_as_one() -> None:
    assert "contact" in await stopped("138", "1234", "5678")
    assert "contact" in await stopped("加我微", "信")
    assert "contact" in await stopped("加我微信", by=guard(Settings(longest=3)))


async def test_banned_words_are_those_that_ship_and_those_of_the_seller() -> None:
    assert "线下交易" in await stopped("可以线 下 交 易吗")
    assert await stopped("本店有假货") == ""
    mine = guard(Settings(banned=("假 货",)))
    assert "假 货" in await stopped("本店有假·货", by=mine)
    assert "线下交易" in await stopped("线下交易", by=mine)


@pytest.mark.parametrize(
    "text", ["{send_user_name}，您好", "{}", "您好{ }", "{0}", "{买家昵称}", "｛name｝", "{{name}}"]
)
async def test_a_leftover_of_a_template_is_not_said(text: str) -> None:
    assert "template" in await stopped(text)


async def test_other_braces_are_said() -> None:
    assert await stopped("(｡･ω･｡) :} {说明：见图，共三件}") == ""


def at(fen: int | None) -> Floor:
    async def floor(_turn: object) -> int | None:
        return fen

    return floor


@pytest.mark.parametrize(
    ("text", "cheap"),
    [
        ("79元给您", True),
        ("最低79", True),
        ("¥79.99", True),
        ("￥ 79", True),
        ("七十九块", True),
        ("就七十五吧", True),
        ("79包邮", True),
        ("可以，79拿走", True),
        ("算你７９", True),
        ("邮费10元，79元行", True),
        ("80元给您", False),
        ("最低80", False),
        ("80块5", False),
        ("79块9", True),
        ("一百二十元", False),
        ("邮费10元", False),
        ("便宜了5块", False),
        ("减20元后是95元", False),
        ("就2个，给你3天", False),
        ("只要2天到", False),
        ("可以", False),
        ("第3个", False),
        ("2024年买的", False),
    ],
)
async def test_no_price_below_the_floor_gets_out(text: str, cheap: bool) -> None:
    assert bool(await stopped(text, by=guard(Settings(), at(8000)))) == cheap
    assert await stopped(text, by=guard(Settings(), at(None))) == ""


async def test_the_floor_is_not_in_the_reason() -> None:
    reason = await stopped("79元给您", by=guard(Settings(), at(8000)))
    assert not re.search(r"\d", reason)


async def test_a_long_text_becomes_several_messages_at_the_ends_of_sentences() -> None:
    looked = await guard(Settings(longest=12)).look(
        turn("x"), reply("第一句话在这里。第二句话！第三句很长很长很长很长很长很长")
    )
    assert looked.stopped == ""
    assert [each.text for each in looked.reply.contents] == [
        "第一句话在这里。",
        "第二句话！",
        "第三句很长很长很长很长很",
        "长很长",
    ]


async def test_so_long_a_text_is_a_mistake_and_the_sellers_to_see() -> None:
    assert "too long" in await stopped("一" * 200_000)
    assert await stopped("一。" * 2000) == ""


async def test_pictures_pass_in_their_places() -> None:
    photo = Photo("/x/menu.jpg")
    said = Reply(contents=(Text("看图"), photo, Text(" ")), source="rules", because="x")
    looked = await LAST_LOOK.look(turn("x"), said)
    assert looked.reply.contents == (Text("看图"), photo)


@given(st.text(), st.integers(1, 30))
def test_nothing_but_blanks_is_lost_by_splitting(text: str, longest: int) -> None:
    pieces = list(split(text, longest))
    assert all(0 < len(piece) <= longest and piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize("mark", ["?", "!", ":", ",", "-", ""])
@pytest.mark.parametrize("longest", range(34, 60))
def test_a_link_is_not_cut(mark: str, longest: int) -> None:
    link = f"https://pan.example/s/1{mark}pwd=abcd"
    text = f"您好，谢谢购买，这是资料的下载地址{link} 有问题请随时联系，祝您使用愉快"
    assert any(link in piece for piece in split(text, longest))


def test_what_is_longer_than_a_message_is_cut_all_the_same() -> None:
    assert list(split(f"a {'x' * 50}", 20)) == ["a", "x" * 20, "x" * 20, "x" * 10]


WIDE = str.maketrans(string.digits, "０１２３４５６７８９")
CHINESE = str.maketrans(string.digits, "零一二三四五六七八九")
digits = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
disguises = st.sampled_from([{}, WIDE, CHINESE])
between = st.sampled_from(["", " ", "-", ".", "\u200b", "、", "  ", "*", "·"])
words = st.text("在的您好价格，。！abc \n", max_size=40)


@given(words, digits, disguises, between, words)
async def test_no_telephone_number_ever_gets_out(
    before: str, number: str, disguise: dict[int, str], mark: str, after: str
) -> None:
    said = mark.join(number).translate(disguise)
    assert await stopped(f"{before}，{said}，{after}") != ""


pieces = st.sampled_from(
    [
        "微信",
        "v",
        "信",
        "加",
        "q",
        "138",
        "1234",
        "5678",
        "0",
        "。",
        " ",
        "{",
        "}",
        "x",
        "@",
        ".com",
    ]
)
anything = st.lists(pieces | st.text(max_size=3), max_size=30).map("".join)


@given(st.lists(anything, max_size=4), st.integers(1, 40))
async def test_what_gets_out_is_plain_to_see_free_of_what_is_forbidden(
    texts: list[str], longest: int
) -> None:
    looked = await guard(Settings(longest=longest)).look(turn("x"), reply(*texts))
    if looked.stopped:
        return
    for content in looked.reply.contents:
        assert isinstance(content, Text)
        seen = unicodedata.normalize("NFKC", content.text).lower()
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", seen)
        assert not re.search(r"(?<![稍略轻些细甚])微信|加v\b|\{\w*\}", seen, re.ASCII)
        assert not re.search(r"(?<![a-z0-9])(?:vx|qq(?![a-z]))", seen)
        assert not re.search(r"[a-z0-9]@[a-z0-9]+\.com", seen)
        assert 0 < len(content.text) <= longest


@given(st.text())
async def test_what_got_out_once_gets_out_again_as_it_is(text: str) -> None:
    first = await LAST_LOOK.look(turn("x"), reply(text))
    if not first.stopped:
        assert await LAST_LOOK.look(turn("x"), first.reply) == first


@pytest.mark.parametrize("piece", ["1 ", "a", "a.", "{", "加", "¥1", "1-", "@", "一", "a@"])
async def test_a_hostile_length_is_not_read_at_all(piece: str) -> None:
    said = reply(piece * 500_000)
    looked = await LAST_LOOK.look(turn("x"), said)
    assert "too long" in looked.stopped
    assert looked.reply == said


def test_prices_are_read_in_fen() -> None:
    assert list(forbidden.prices("原价100，现在80元，最低一百二，¥1.5")) == [8000, 12000, 150]
