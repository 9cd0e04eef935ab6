"""Settings of what is given for a paid order: `[[goods]]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs
from attrs import field
from attrs.validators import optional

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.problems import Misfit
from xybot.config.secrets import SecretSource
from xybot.model import AccountId, ItemId
from xybot.template import CODES, GOODS_VARIABLES, render, variables
from xybot.wire.orders import parts

GoodsKind: TypeAlias = Literal["text", "codes", "image", "supplier"]
"""The same words for everybody; codes of a batch; a picture; whatever a service answers."""

ANY_SPEC: Final = "*"
"""A `spec` for orders of every variant, and for those of items without variants."""

_NEEDS: Final[Mapping[GoodsKind, tuple[str, ...]]] = {
    "text": ("text",),
    "codes": ("batch", "text"),
    "image": ("image",),
    "supplier": ("supplier", "text"),
}
_MAY_HAVE: Final[Mapping[GoodsKind, tuple[str, ...]]] = {"image": ("text",)}
_OF_A_KIND: Final = ("text", "image", "batch", "supplier")
"""The keys that only some kinds have."""
_TAKES_CODES: Final = frozenset({"codes", "supplier"})


def _stripped(value: str) -> str:
    return value.strip()


def _plain(spec: str) -> str:
    """Return a specification as those of orders are read, whatever marks it was copied with."""
    return ";".join(parts(spec))


@attrs.frozen(kw_only=True)
class Supplier:
    """A service that gives the goods of an order, asked by an HTTP POST."""

    url: str = field(validator=by(checks.private_url), repr=False)
    """Of https, or of this machine; what stands in it may be a key."""
    key: SecretSource | None = None
    """Sent as `Authorization: Bearer …`."""
    timeout: float = field(default=10.0, validator=by(checks.above_zero))
    """Seconds for one try."""
    answer: str = field(validator=by(checks.dotted))
    """Where in its JSON the goods stand, a text or an array of texts: `data.code`."""
    retries: int = field(default=3, validator=by(checks.few))
    """How often it is asked again, with the same idempotency key."""


@attrs.frozen(kw_only=True)
class Goods:
    """What is given for orders of certain items.

    They are for an order when all of these fit: its account, its item (one of `items`, or its
    title), its specification.  Two that fit the same order are a mistake: at load where that
    shows, else the order is held.
    """

    name: str = field(validator=by(checks.not_blank))
    """No other goods have it."""
    accounts: tuple[AccountId, ...] = ()
    """Empty: every account."""
    items: tuple[ItemId, ...] = ()
    title: str = field(default="", validator=by(checks.title))
    """Words of the titles of more items that it is for, or a regular expression: `/…/`."""
    spec: str = field(default="", converter=_plain)
    """Exactly the specification of the order; empty: it has none; `*`: any, or none."""
    kind: GoodsKind
    text: str = field(default="", validator=by(checks.goods_words))
    image: str = field(default="", validator=by(checks.picture))
    """A file, which the loader makes absolute, or an address."""
    batch: str = field(default="", converter=_stripped)
    """Of the codes; each of an order's quantity takes one."""
    supplier: Supplier | None = None
    delay: float = field(default=0.0, validator=by(checks.wait))
    """Seconds from the payment to the goods."""
    confirm: bool = True
    """Whether the shipment is confirmed on the platform once the buyer has the goods."""
    limit_per_buyer: int = field(default=0, validator=by(checks.not_negative))
    """How many orders of one buyer are served by itself; 0: all of them."""
    min_amount: float | None = field(default=None, validator=optional(by(checks.yuan)))
    """Yuan; an order that was paid with less is held."""
    where: str = ""
    """`bot.toml: goods[2]（第 3 条）`; the loader's, never written in TOML."""

    def __attrs_post_init__(self) -> None:
        if not self.items and not self.title:
            wrong = "写上 items（商品编号）或 title（标题里的字） (missing: items, or title)"
            raise Misfit(wrong, key="items")
        for key in _OF_A_KIND:
            self._check_key(key)
        self._check_words()

    @property
    def takes_codes(self) -> bool:
        """Whether something of its own is given for each order."""
        return self.kind in _TAKES_CODES

    def place(self, key: str) -> str:
        """Return where one of its keys stands: `bot.toml: goods[2].image（第 3 条）`."""
        table, mark, nth = self.where.rpartition("（第")
        return f"{table}.{key}{mark}{nth}" if mark else f"{self.where}.{key}"

    def _check_key(self, key: str) -> None:
        given = getattr(self, key)
        is_there = bool(given.strip() if isinstance(given, str) else given)
        if key in _NEEDS[self.kind]:
            if not is_there:
                wrong = f'kind = "{self.kind}" 需要写上 {key} (this kind needs {key})'
                raise Misfit(wrong, key=key)
        elif is_there and key not in _MAY_HAVE.get(self.kind, ()):
            raise Misfit(
                f'kind = "{self.kind}" 用不到 {key}，请删去它，或者改 kind'
                f" (this kind has no {key}: leave it out, or change the kind)",
                key=key,
            )

    def _check_words(self) -> None:
        places = variables(self.text).count(CODES)
        if self.takes_codes and places != 1:
            wrong = "要写上一次 {codes}，货就放在那里 (must contain {codes}, once: the goods)"
            raise Misfit(wrong, key="text")
        if not self.takes_codes and places:
            raise Misfit(
                f'kind = "{self.kind}" 没有 {{codes}}；要发卡密请写 kind = "codes" 和 batch'
                ' ({codes} are for kind = "codes" or "supplier")',
                key="text",
            )
        if self.kind == "text" and not self._says_something():
            wrong = "除了变量还要有字，变量可能是空的 (needs words beside the variables)"
            raise Misfit(wrong, key="text")

    def _says_something(self) -> bool:
        return bool(render(self.text, dict.fromkeys(GOODS_VARIABLES, "")).strip())
