"""What buyers write when they haggle, and what they write when they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.replies.amounts import fen
from xybot.replies.offers import Asks, Less, Percent, PostFree, Price, Wish, read

PRICES: dict[str, float] = {
    "80行不行": 80,
    "80块卖吗": 80,
    "八十可以吗": 80,
    "一百二": 120,
    "1百5": 150,
    "80.5": 80.5,
    "100以内": 100,
    "８０行吗": 80,
    "８０块": 80,
    "80？": 80,
    "80 行吗": 80,
    "80吧": 80,
    "80元出吗": 80,
    "80元": 80,
    "¥80": 80,
    "￥80.00可以吗": 80,
    "80¥": 80,
    "80rmb": 80,
    "rmb80行不": 80,
    "80块5": 80.5,
    "9块9": 9.9,
    "八块八行吗": 8.8,
    "八块五毛": 8.5,
    "5毛卖不卖": 0.5,
    "一百五卖吗": 150,
    "两百五能出吗": 250,
    "一百零五行吗": 105,
    "一百二十五可以不": 125,
    "一千二带走": 1200,
    "两千八": 2800,
    "1.5k出吗": 1500,
    "3千5能出吗": 3500,
    "1w2出不出": 12000,
    "一万二行吗": 12000,
    "1,200行吗": 1200,
    "十五块": 15,
    "五十块钱卖不卖": 50,
    "我出80": 80,
    "我最多出80": 80,
    "给你80吧": 80,
    "80给我吧": 80,
    "那80呢": 80,
    "那就90吧": 90,
    "最多80": 80,
    "预算100": 100,
    "不超过100块": 100,
    "便宜到80": 80,
    "能到80吗": 80,
    "到100能出吗": 100,
    "100以内能出吗": 100,
    "80左右行吗": 80,
    "80一口价": 80,
    "一口价80": 80,
    "心理价位80": 80,
    "80我马上拍": 80,
    "80秒拍": 80,
    "80带走": 80,
    "80拿走": 80,
    "80我要了": 80,
    "80成交": 80,
    "80诚心要": 80,
    "80怎么样": 80,
    "80咋样老板": 80,
    "80收不收": 80,
    "80自提行吗": 80,
    "收100": 100,
    "老板80": 80,
    "老板，80行不行啊": 80,
    "在吗 80出吗": 80,
    "便宜点80行吗": 80,
    "便宜点，80吧": 80,
    "100太贵了，80行不行": 80,
    "标价100，80卖吗": 80,
    "原价200块，80块行吗": 80,
    "80不行的话90呢": 90,
    "这款80行吗": 80,
    "这号80出吗": 80,
    "太贵了80行吗": 80,
    "80块钱一个行吗": 80,
    "80一个行吗": 80,
    "ps5 800行吗": 800,
    "2个月前买的吧，80行吗": 80,
    "不包邮80行吗": 80,
    "最低80吗": 80,
    "80可以的话我现在拍": 80,
    "要是80块我就拍了": 80,
    "80的话行吗": 80,
    "80的价格能出吗": 80,
    "但是80行不行": 80,
    "八十塊賣嗎": 80,
    "80\u200b行吗": 80,
    "可以80吗": 80,
    "能不能80": 80,
    "能三十吗": 30,
    "30我买": 30,
    "50一个": 50,
    "300给你你卖不卖": 300,
    "500拿下": 500,
    "拍了，改价80": 80,
    "苹果14，2000行吗": 2000,
    "邮费我出，80行不": 80,
}
OTHERS: dict[str, Wish] = {
    "8折": Percent(800),
    "八五折": Percent(850),
    "85折": Percent(850),
    "8.5折": Percent(850),
    "八点五折行吗": Percent(850),
    "打个8折": Percent(800),
    "打九折可以吗": Percent(900),
    "9五折": Percent(950),
    "对半": Percent(500),
    "对折出吗": Percent(500),
    "半价": Percent(500),
    "一半行吗": Percent(500),
    "便宜10%": Percent(900),
    "便宜20": Less(20_00),
    "少20块": Less(20_00),
    "再少5块吧": Less(5_00),
    "优惠50": Less(50_00),
    "能便宜30不": Less(30_00),
    "便宜五块": Less(5_00),
    "便宜两块钱行吗": Less(2_00),
    "便宜一百": Less(100_00),
    "刀50": Less(50_00),
    "小刀20": Less(20_00),
    "让10块": Less(10_00),
    "少收20": Less(20_00),
    "减10块行不行": Less(10_00),
    "再便宜点": Asks(),
    "便宜点": Asks(),
    "便宜一点呗": Asks(),
    "能便宜吗": Asks(),
    "能便宜多少": Asks(),
    "便宜些可以吗": Asks(),
    "最低多少": Asks(),
    "最低价": Asks(),
    "最低": Asks(),
    "最便宜多少": Asks(),
    "底价多少": Asks(),
    "能少点吗": Asks(),
    "少点": Asks(),
    "还能少吗": Asks(),
    "能刀吗": Asks(),
    "可小刀吗": Asks(),
    "有优惠吗": Asks(),
    "打折吗": Asks(),
    "可以打个折吗": Asks(),
    "可以议价吗": Asks(),
    "不讲价吗": Asks(),
    "太贵了": Asks(),
    "有点贵": Asks(),
    "抹个零吧": Asks(),
    "多少能出": Asks(),
    "实诚价多少": Asks(),
    "给个价": Asks(),
    "便宜几块": Asks(),
    "价格能谈吗": Asks(),
    "还有商量余地吗": Asks(),
    "几折出": Asks(),
    "低一点行吗": Asks(),
    "包邮": PostFree(None),
    "包邮吗": PostFree(None),
    "包不包邮": PostFree(None),
    "能包个邮吗": PostFree(None),
    "80包邮": PostFree(Price(80_00)),
    "80包邮行吗": PostFree(Price(80_00)),
    "9块9包邮": PostFree(Price(9_90)),
    "八折包邮": PostFree(Percent(800)),
    "便宜20包邮": PostFree(Less(20_00)),
    "包邮再便宜点": PostFree(Asks()),
    "加10块包邮行吗": PostFree(None),
}
NOTHING = (
    "",
    "在吗",
    "你好",
    "多少钱",
    "这个多少钱",
    "2个",
    "要3件",
    "我要两个",
    "42码",
    "42码有吗",
    "128G",
    "128g的还有吗",
    "256内存吗",
    "5米",
    "1.5米的床能用吗",
    "65w充电头吗",
    "身高175体重60穿什么码",
    "身高175，可以穿吗",
    "穿42可以吗",
    "13800138000",
    "电话13800138000",
    "138 0013 8000",
    "138-0013-8000可以打吗",
    "微信123456",
    "订单号4123456789012345678",
    "4123456789012345678",
    "2026-10-05发货吗",
    "10月5号发货吗",
    "明天8点可以吗",
    "12:30可以吗",
    "3天能到吗",
    "2年前买的吗",
    "95新吗",
    "九成新吗",
    "第2个",
    "iPhone 13",
    "iphone13可以吗",
    "小米13可以吗",
    "80的有吗",
    "80块的那个还有吗",
    "80多个",
    "邮费10块吗",
    "运费是8元吗",
    "原价200块买的",
    "官网卖多少",
    "花了500块买的",
    "价格是80吗",
    "怎么变80块了",
    "差价20块退给我",
    "满100减20能用吗",
    "买2送1吗",
    "好便宜",
    "太便宜了吧",
    "不包邮吗",
    "我不讲价，直接拍",
    "一起80行吗",
    "两个80行吗",
    "2件150块",
    "两个便宜点吗",
    "千万别出给别人",
    "万一可以呢",
    "一拿就坏",
    "十分可以",
    "几百",
    "几十块",
    "三四百行吗",
    "80-90行吗",
    "折叠屏",
    "8折叠",
    "这两个有什么区别",
    "至少",
    "多少",
    "什么时候发货",
    "10折",
    "0折",
    "0块",
    "https://m.example.com/item?id=80行吗",
    "[图片]",
    "谢谢",
    "鞋子38可以穿吗",
    "80斤可以穿吗",
    "电池健康80吗",
    "8+256的吗",
    "优惠券怎么用",
    "30买了",
    "人家80都出",
    "编号80",
    "7天无理由吗",
)


@pytest.mark.parametrize("words", PRICES)
def test_a_price_is_read(words: str) -> None:
    assert read(words) == Price(round(PRICES[words] * 100))


@pytest.mark.parametrize("words", OTHERS)
def test_other_wishes_are_read(words: str) -> None:
    assert read(words) == OTHERS[words]


@pytest.mark.parametrize("words", NOTHING)
def test_what_is_no_offer_is_not_read(words: str) -> None:
    assert read(words) is None


def test_of_several_lines_the_last_number_counts() -> None:
    assert read("70行吗\n那80呢\n我现在就拍") == Price(80_00)
    assert read("80行吗\n便宜点嘛") == Price(80_00)
    assert read("便宜20\n那8折") == Percent(800)
    assert read("包邮吗\n80") == PostFree(Price(80_00))
    assert read("在吗\n80\n") == Price(80_00)


@pytest.mark.parametrize(
    "many", ["8", "一", "一百", "便宜", "80块", "¥", "折", "\n", "8 ", "少8", "是"]
)
def test_a_huge_text_is_read_by_its_end(many: str) -> None:
    assert read(many * 200_000 + "\n80块行吗") in (Price(80_00), None)
    read(many * 200_000)


@given(st.text())
def test_any_text_is_read_or_not(text: str) -> None:
    check(read(text))


@given(
    st.lists(
        st.sampled_from([*"0123456789.一二两三十百千万块元毛折便宜少到行吗包邮最低kw¥，\n 半个"])
    )
)
def test_any_jumble_of_haggling_is_read_or_not(pieces: list[str]) -> None:
    check(read("".join(pieces)))


def check(wish: Wish | None) -> None:
    match wish:
        case Price(amount) | Less(amount):
            assert 0 < amount <= 1_000_000_000
        case Percent(part):
            assert 0 < part < 1000
        case PostFree(at):
            assert not isinstance(at, PostFree)
            check(at)
        case None | Asks():
            pass


@given(st.integers(1, 999_999))
def test_a_price_is_read_however_it_is_written(amount: int) -> None:
    wide = str(amount).translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert read(f"{amount}块行吗") == read(f"{wide}行吗") == Price(amount * 100)
    assert read(f"{spoken(amount)}块钱卖吗") == Price(amount * 100)


def spoken(amount: int) -> str:
    """Write a number as it is said in full: 一百二十, 一千零五."""
    if amount >= 10_000:
        rest = amount % 10_000
        zero = "零" if 0 < rest < 1000 else ""
        return spoken(amount // 10_000) + "万" + zero + (spoken(rest) if rest else "")
    said, skipped = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = amount // size % 10
        if digit:
            said += ("零" if skipped and said else "") + "一二三四五六七八九"[digit - 1] + unit
        skipped = digit == 0
    return said


@pytest.mark.parametrize(
    "text", ["", "百", "一一", "十十", "五百五百", "万", "零", "0", "99999999999"]
)
def test_what_is_no_number_has_no_value(text: str) -> None:
    assert fen(text) is None
