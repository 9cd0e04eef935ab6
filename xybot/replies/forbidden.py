"""What must not be said to a buyer, and how it is found in spite of disguises.

Every pattern has bounded repetitions only: the longest text is read in a time that grows
with its length, whoever wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from xybot.replies import amounts

#: Digits as they are written out, or spoken.
_NUMERALS: Final = str.maketrans(
    "零〇洞一壹幺二贰两三叁四肆五伍六陆七柒拐八捌九玖", "000111222334455667778899"
)
_LOOK_ALIKE: Final = str.maketrans("oli", "011")
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Mn", "Me", "Co", "Cs", "Cn"})
_BLANKS: Final = re.compile(r"[^\S\n]+")
_MARKS: Final = re.compile(r"[^\S\n]|[-_.·•・∙*~|/\\'\"`^=+#丶]")
_AT, _DOT_COM = re.compile(r"艾特|\(at\)|\[at\]"), re.compile(r"(?<=[a-z0-9])[点。](?=[a-z]{2,6})")

_LEFT_OVER: Final = re.compile(r"\{\s{0,3}[\w.]{0,40}\s{0,3}\}")
#: Kind, as the seller reads it -> numbers of that kind, in a text whose numerals are digits.
_NUMBERS: Final = {
    "手机号 (mobile number)": re.compile(
        r"(?<!\d)(?:(?:00)?86[\W_]{0,3})?1[\W_]{0,3}[3-9](?:[\W_]{0,3}\d){9}(?!\d)"
    ),
    "电话 (telephone)": re.compile(
        r"(?<!\d)(?:0\d{2,3}[-\s]{0,2}\d{7,8}|[48]00-?\d{3,4}-?\d{3,4})(?!\d)"
    ),
}
#: The same for words, in a text without blanks and marks; the second half of each keeps
#: innocent words out: 稍微信任 · 加微距镜头 · a camera WX350.
_WORDS: Final = {
    "微信 (WeChat)": re.compile(
        r"(?<![稍略轻细些甚])微信|微[❤♥]|[威薇维溦徽][信❤♥]|(?<![a-z0-9])v信|we?chat|weixin"
        r"|(?<![a-z0-9])vx|(?<![a-z0-9])wx(?!\d{2,4}(?!\d))"
        r"|加(?:我|个|下|一下)?(?:v(?![a-z0-9])|薇|微(?![距波型量软晶观创弱小]))"
    ),
    "QQ": re.compile(
        r"(?<![a-z0-9])qq(?![a-z])|扣扣|企鹅号|球球号|(?<![a-z0-9])q[群号]"
        r"|加(?:我|个|下)?q(?![a-z0-9])"
    ),
    "电话 (telephone)": re.compile(
        r"(?:加我?|打我?|留个?|联系|我的|我)(?:手机|电话|手机号)(?![卡壳膜套手])"
        r"|(?:电话|手机号?码?|tel|phone)(?:是|为|:)\d"
    ),
    "站外 (another place)": re.compile(r"telegram|whatsapp|(?:抖音|快手|小红书|淘宝|微博)号"),
}
_EMAIL: Final = re.compile(r"[a-z0-9_+-]@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}")
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]{1,20})://([a-z0-9.@:_%-]{0,253})")
_DOMAIN: Final = re.compile(
    r"(?<![a-z0-9@.-])(?:[a-z0-9-]{1,63}\.){1,5}"
    r"(?:com|cn|net|org|top|xyz|cc|me|io|vip|club|shop|site|info|link|app|ink|fun|ltd|tv|co|ru"
    r"|live|store|online|wang)(?![a-z0-9])"
)
_OURS: Final = ("goofish.com", "taobao.com", "tmall.com", "tb.cn", "alicdn.com", "alipay.com")
"""Where a buyer may be sent: the platform's own places."""


def leftover(text: str) -> str:
    """Return a place of a template that nobody has filled in; empty: there is none."""
    found = _LEFT_OVER.search(unicodedata.normalize("NFKC", text))
    return found[0] if found else ""


def plain(text: str, allowed: Sequence[str] = ()) -> str:
    """Return a text as people read it: one width, one case, nothing invisible.

    Args:
      text: anything.
      allowed: words that are taken out, for they only look as if they were forbidden.
    """
    folded = _folded(text)
    for word in allowed:
        if unwanted := _folded(word):
            folded = folded.replace(unwanted, "\n")
    return folded


def _folded(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text.replace("\N{HEAVY PLUS SIGN}", "加"))
    seen = (c for c in wide if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFKC", "".join(seen).casefold())


def bare(text: str) -> str:
    """Return a plain text without what people put between the letters of a word."""
    kept = (c for c in _MARKS.sub("", text) if c in "❤♥" or unicodedata.category(c) != "So")
    return "".join(kept)


def contact(text: str) -> str:
    """Return the kind of contact detail or other place in a plain text; empty: there is none."""
    numbers = text.translate(_NUMERALS)
    for kind, pattern in _NUMBERS.items():
        if pattern.search(numbers) or pattern.search(numbers.translate(_LOOK_ALIKE)):
            return kind
    without_marks = bare(text)
    for kind, pattern in _WORDS.items():
        if pattern.search(without_marks):
            return kind
    tight = _DOT_COM.sub(".", _AT.sub("@", _BLANKS.sub("", text)))
    if _EMAIL.search(tight):
        return "邮箱 (e-mail)"
    return "站外网址 (an address elsewhere)" if _leads_away(text) or _leads_away(tight) else ""


def _leads_away(text: str) -> bool:
    for found in _ADDRESS.finditer(text):
        scheme, host = found[1], found[2].partition(":")[0]
        if scheme not in ("http", "https") or "@" in found[2] or not _is_ours(host):
            return True
    return any(not _is_ours(found[0]) for found in _DOMAIN.finditer(text))


def _is_ours(host: str) -> bool:
    return any(host == each or host.endswith(f".{each}") for each in _OURS)


_NO_PRICE: Final = (
    r"(?!\s?(?:个|件|天|小时|分钟?|秒|点|号|月|年|码|寸|米|厘米|[cmd]?m|k?g|斤|克|升|ml|%|折|张|条|次|位"
    r"|名|台|套|成|本|盒|包(?!邮)|楼|岁|[gt]b?(?![a-z])|w(?![a-z])|mah|下|起|定|直|般|样|些|会))"
)
_PRICE: Final = re.compile(
    rf"¥\s{{0,2}}(?P<marked>(?>{amounts.AMOUNT}))"
    rf"|(?P<counted>(?>{amounts.AMOUNT}))\s{{0,2}}(?:元|圆|rmb|¥|块(?:(?P<tenths>[1-9])(?!\d))?)"
    r"|(?:最低|只要|(?<![原差])价格?|给[你您]|算[你您]|到手|成交|卖[你您]?|优惠到|便宜到|[可就降])[是为:]?\s{0,2}"
    rf"(?P<named>(?>{amounts.AMOUNT})){_NO_PRICE}"
    rf"|(?P<offered>(?>{amounts.AMOUNT}))\s{{0,2}}(?:包邮|给[你您]|拿走|带走|成交|卖[你您]|可以|行)",
    re.IGNORECASE,
)
_OTHER_SUM: Final = re.compile(
    r"(?:邮费|运费|快递费?|便宜|优惠|立?减|(?<![最至])少|省|返|补|差价?|押金|定金|红包|原价)"
    r"[了你您是要收大概约:\s]{0,3}$"
)


def prices(text: str) -> Iterator[int]:
    """Yield the prices (fen) that a text names; not postage, discounts and deposits."""
    folded = _folded(text)
    for found in _PRICE.finditer(folded):
        if _OTHER_SUM.search(folded, max(0, found.start() - 8), found.start()):
            continue
        named = found["marked"] or found["counted"] or found["named"] or found["offered"]
        price = amounts.fen(named)
        if price is not None:
            yield price + 10 * int(found["tenths"] or 0)
