"""What a buyer offers, read from their words by code: 80行不行 · 便宜20 · 八五折 · 最低多少.

Most numbers in a chat are no offers: sizes, quantities, dates, models, postage, ids.  So a bare
number counts only beside words of haggling, or alone on its line.  In doubt nothing is read:
another source then answers, or the seller.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from xybot.replies.amounts import AMOUNT, fen


@attrs.frozen
class Price:
    """They name what they would pay."""

    fen: int


@attrs.frozen
class Percent:
    """They name a part of the listed price: 85折 is 850 of a thousand."""

    of_thousand: int


@attrs.frozen
class Less:
    """They name what is to be taken off."""

    fen: int


@attrs.frozen
class Asks:
    """They want it cheaper, and name no number."""


Number: TypeAlias = Price | Percent | Less


@attrs.frozen
class PostFree:
    """They want the postage paid by the seller, at a price or without a word about it."""

    at: Number | Asks | None


Wish: TypeAlias = Number | Asks | PostFree

_LONGEST: Final = 2000
"""Characters at the end of a turn that are looked at: nobody needs more for an offer."""
_NEAR: Final = 12
"""Characters before a number that may say what it is."""

_PLAIN: Final = (
    {0xFF01 + n: 0x21 + n for n in range(94) if chr(0x21 + n) not in ",!?:;()"}
    | {0x3000: " ", ord("￥"): "¥", ord("塊"): "块", ord("圓"): "元", ord("圆"): "元"}
    | {ord("兩"): "两", ord("俩"): "两", ord("萬"): "万", ord("錢"): "钱", ord("價"): "价"}
    | {ord("減"): "减", ord("賣"): "卖", ord("嗎"): "吗", ord("貴"): "贵", ord("麼"): "么"}
    | dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
)
_NO_NUMBERS: Final = re.compile(
    r"https?://\S{1,300}"
    r"|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"  # a telephone
    r"|\d{2,4}[-/年]\d{1,2}(?:[-/月]\d{1,2})?|\d{1,2}[月:：]\d{1,2}"  # a date, a time
    r"|\d{1,6}[-~～至]\d{1,6}"  # a range
    r"|满\d{1,6}减\d{1,6}|\d{1,7}送\d{1,7}"
)
_THOUSANDS: Final = re.compile(r"(?<![\d,.])(\d{1,3}),(\d{3})(?![\d,])")
_SEVERAL: Final = re.compile(
    r"(?<![\d第这那哪.零一二三四五六七八九十百前后])"
    r"(?:[2-9]|[1-9]\d{1,2}|[两二三四五六七八九十]) ?"
    r"[个件双条只台部本张套份盒袋瓶支根把副辆箱](?!小?[月时]|星期|礼拜|[人字年头色多问码])"
    r"|仨|(?<!第)[两三]样|一起|打包|一共|总共|[全都]要|全部"
)
_MEASURES: Final = r"[个件双条只台部本张套份盒袋瓶支根把副辆箱]"
_UNIT: Final = r"(?:块钱?|元钱?|rmb|r(?![a-z])|¥|人民币|软妹币|大洋)"
_TAIL: Final = rf"([0-9一二三四五六七八九])[毛角]?(?![0-9.点手十百千万折%]|{_MEASURES})"
_MONEY: Final = (
    rf"(?P<sign>¥|rmb|人民币)? ?(?P<amount>{AMOUNT})"
    rf" ?(?:(?P<dime>[毛角](?![衣巾毯绒病笔孔度落色]))|(?P<unit>{_UNIT})(?:(?P<tail>{_TAIL}))?"
    rf"|(?![a-z0-9%折]))"
)
_PRICE: Final = re.compile(rf"(?<![0-9a-z.几数百千万十]){_MONEY}")
_LESS_VERB: Final = (
    r"(?<![多至缺不很太])(?:便宜|优惠|减少?|少|降价?|砍价?|砍掉|刀|让|抹掉?|去掉)"
    r"(?:收|付|给|要|算|个|我|掉|您|你){0,2} ?"
)
_LESS: Final = re.compile(rf"{_LESS_VERB}{_MONEY}(?!天|小时|分|年|月|号|码)")
_OFF: Final = re.compile(rf"{_LESS_VERB}(?:百分之)?(\d{{1,2}}) ?(?:%|个点)")
_FOLD: Final = re.compile(
    r"(?<![0-9a-z.])(\d\.\d{1,2}|\d{1,2}|\d?[一二三四五六七八九]{1,2}|[一二三四五六七八九]点[一二三四五六七八九])"
    r" ?折(?![叠痕旧伞页耳磨])"
)
_HALF: Final = re.compile(
    r"对半|对折|半价|腰斩|(?:砍|便宜|减|少)一半|一半(?=价|行|可以|卖|出|吗|钱)"
)

#: Words before a number that make it another thing than an offer.
_BLOCKED: Final = re.compile(
    r"(?:邮费|运费|快递费?|原价|标价?|定价|卖价|挂了?|官网|专柜|花了?|花费|入手|买[的来成时]|押金"
    r"|差价?|补|退|满|加|涨|(?<![最顶不])多|(?<![太点好])贵|赚|亏|赔|第|送|怎么|变成?|为什么|为啥|咋"
    r"|(?<![要但可于还就])是|别人家?|人家|别家|隔壁|其他家|以前|之前|上次|昨天|刚才|成本"
    r"|尺码|码数|鞋码|型号|单号|编号|电话|手机号?|微信|vx|qq|验证码|身高|体重|穿"
    r"|苹果|小米|红米|华为|荣耀|一加|魅族|真我|[a-z]|(?<!只)有|剩下?|电池|健康度?|版本|系统|减)"
    r"(?:[是了要得的才就也还都大概约:： ]|差不多){0,3}$"
)
_BEFORE: Final = re.compile(
    r"(?:出价?|的话|能不?能?|可以|改[价成到]|给|最[多高低]|顶多|预算|只[有剩]|就有|算|按|到手?|那|就|一口价|一口"
    r"|心理价位?|低至|要不|不如|[开报]价|不超过|收|直接|老板|亲|哥|姐|大佬|兄弟|[你您]好|在吗?"
    r"|成交价?|凑|拍|便宜点吧?|少点吧?|[!！?？])"
    r"(?:[个价你您我就,，:： ]|一口){0,2}$"
)
_END: Final = re.compile(
    r" ?[块了吧呢啊呀哈嘛么吗呗哦咯]{0,2} ?(?:[,，.。!！?？~～;；、…)）\n\[]|$)"
)
_ALONE: Final = re.compile(
    rf"(?: ?一{_MEASURES})?[ 块元吧呢啊呀哈嘛么吗呗哦整,，.。!！?？~～…]{{0,8}}(?:\n|$)"
)
_AFTER: Final = re.compile(
    r"[ ,，。!！?？~～.…]{0,3}"
    r"(?:的话|的?价格?|左右|整|[吧呢啊呀哈嘛就都也还你您亲哥姐,， ]|老板|/个|每个|钱"
    rf"|一{_MEASURES}){{0,4}}"
    r"(?:行(?![李情货车程])|可(?:以(?![发连用穿寄退换装充玩看查来帮问视])|[不否行])|不?卖(?![掉完的过家得])"
    r"|不?出(?![过的来货门版现问厂了])|成[吗不么交]|ok|好[吗不么]|得[吗不行了]"
    r"|能不?能?[卖出行成拿收要走带]|能[不否]|给[我你您]|我买(?![的了过])|拿(?![到的来])|带走|我?要了|我[要就马现直拍]"
    r"|马上|立[马刻]|秒(?![杀速钟])|直接|拍(?![照的摄])|收(?![的到货过藏])|[包含带免]个?邮"
    r"|[怎咋]么?样|如何|同意|接受|[以之]内|内(?![存部容裤衣])|以下|左右|最[多高]|顶天|封顶"
    r"|到手|走(?![路过线])|一口价|诚心|爽快|考虑|有戏|有可能|愿意|肯|中[不吗]|跪?求|自提|面交|吧)"
)
_NOT_OF: Final = re.compile(r"的(?!话|价)|多(?!少)|[来几起%]|邮费|运费|快递|押金|差价|红包|券")

_POST_FREE: Final = re.compile(
    r"包不包邮|(?<!不)[包含带免](?:个|运|快递)?(?:邮|运费|快递费?)|包顺丰|[邮运]费(?:你出|您出|算你|算您|免)"
)
_CHEAPER: Final = re.compile(
    r"(?<![好真很挺么太够更不])便宜(?=一?[点些丢]|[吗么不嘛呗下多几个我卖出 !！?？,，。~～\n]|$)"
    r"|(?<![多至缺减很太不])少(?=一?[点些]|[吗么不嘛几]|个[几十百]|多少|[!！?？。\n]|$)"
    r"|(?:再|还|能不能|可不可以|可以|能|最多)(?:少|低|降|刀|让|小刀|砍|优惠|打折)"
    r"|最低|底价|实[诚在]?价|诚[心意]价|爽快价|心理价|什么价"
    r"|(?<![不别没])[还讲议砍]价|不[还讲议砍]价[吗么嘛]"
    r"|[可能小大]刀|刀[吗不么]|刀一?[点下刀]|优惠(?!券)|几折|能谈|商量|低一?[点些]|折扣|打个?折|降[价点]|让[点利]|抹个?零|去?零头"
    r"|太贵|有点贵|[好这]么?贵|贵了|多少(?:钱?[能可]以?)?(?:出|卖(?!了))|给个(?:好|最低|实在)?价"
)


def read(text: str) -> Wish | None:
    """Return what a buyer offers, None if nothing.

    The last number counts.  What is offered for several pieces is not read: nobody could tell
    whether it is meant for one or for all.
    """
    words = _tidy(text)
    if _SEVERAL.search(words):
        return None
    wish = _last_number(words) or (Asks() if _CHEAPER.search(words) else None)
    return PostFree(wish) if _POST_FREE.search(words) else wish


def _tidy(text: str) -> str:
    """Write everything in one way, and blot out what is no number at all."""
    if len(text) > _LONGEST:
        text = text[-_LONGEST:].lstrip("0123456789.")
    words = _THOUSANDS.sub(r"\1\2", text.translate(_PLAIN).lower())
    return _NO_NUMBERS.sub("□", words)


def _last_number(words: str) -> Number | None:
    found: list[tuple[int, Number]] = []

    def take(read_one: Callable[[re.Match[str]], Number | None]) -> Callable[[re.Match[str]], str]:
        def blot(match: re.Match[str]) -> str:
            if (number := read_one(match)) is None:
                return match[0]
            found.append((match.start(), number))
            return "□" * len(match[0])

        return blot

    # What one of them has read the next must not read again: 便宜20块 ends with a price.
    for pattern, read_one in _READERS:
        words = pattern.sub(take(read_one), words)
    return max(found, key=lambda each: each[0])[1] if found else None


def _half(_: re.Match[str]) -> Percent:
    return Percent(500)


def _fold(match: re.Match[str]) -> Percent | None:
    if match[1] == "10":
        return None
    written = match[1].translate(_SPOKEN).replace(".", "").replace("点", "")
    thousandths = int(written.ljust(3, "0"))
    return Percent(thousandths) if thousandths else None


_SPOKEN: Final = {ord(each): str(n) for n, each in enumerate("一二三四五六七八九", 1)}


def _off(match: re.Match[str]) -> Percent | None:
    percent = int(match[1])
    return Percent(1000 - 10 * percent) if percent else None


def _less(match: re.Match[str]) -> Less | None:
    amount = _amount(match)
    if amount is None or _NOT_OF.match(match.string, match.end()):
        return None
    bare = not (match["unit"] or match["sign"] or match["dime"])
    counted = bare and re.match(_MEASURES, match.string[match.end() :][:1])
    return None if counted else Less(amount)


def _price(match: re.Match[str]) -> Price | None:
    amount, words = _amount(match), match.string
    before = words[max(0, match.start() - _NEAR) : match.start()]
    if amount is None or _BLOCKED.search(before) or _NOT_OF.match(words, match.end()):
        return None
    told = match["unit"] or match["sign"] or match["dime"] or _AFTER.match(words, match.end())
    if told or (_BEFORE.search(before) and _END.match(words, match.end())):
        return Price(amount)
    alone = not before.rpartition("\n")[2].strip() and _ALONE.match(words, match.end())
    return Price(amount) if alone else None


def _amount(match: re.Match[str]) -> int | None:
    """Return the fen of a number with its unit; 一 alone is a word like any other."""
    amount, bare = match["amount"], not (match["unit"] or match["dime"] or match["sign"])
    if bare and amount in "一二两三四五六七八九":
        return None
    value = fen(amount)
    if value is None:
        return None
    if match["dime"]:
        return value // 10 or None
    tail = match["tail"]
    return value + 10 * int(tail[0].translate(_SPOKEN)) if tail else value


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Number | None]], ...]] = (
    (_HALF, _half),
    (_FOLD, _fold),
    (_OFF, _off),
    (_LESS, _less),
    (_PRICE, _price),
)
