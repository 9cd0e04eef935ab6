"""Settings of what is sold: `[haggle]`, and one table for each item in `bot.d/items/<id>.toml`."""

from __future__ import annotations

from typing import Final

import attrs
from attrs import field
from attrs.validators import optional

from xybot.config import checks
from xybot.config.checks import by

ROUNDS: Final = 3
"""Counter-offers in one chat, unless `rounds` or `steps` say otherwise."""


@attrs.frozen(kw_only=True)
class Haggle:
    """How far a price may go down; what is not set is inherited: item, then account, then all.

    Of floor, percent and yuan the strictest holds; with none of them there is no discount.
    """

    enabled: bool | None = None
    floor: float | None = field(default=None, validator=optional(by(checks.yuan)), repr=False)
    """Yuan; never below this.  Nobody but the seller may see it."""
    max_percent: float | None = field(default=None, validator=optional(by(checks.percent)))
    """Largest discount in percent of the price; 0 is none."""
    max_yuan: float | None = field(default=None, validator=optional(by(checks.yuan)))
    """Largest discount in yuan; 0 is none."""
    rounds: int | None = field(default=None, validator=optional(by(checks.rounds)))
    """Counter-offers in one chat; after them only `last` is said."""
    steps: tuple[float, ...] | None = field(default=None, validator=optional(by(checks.shares)))
    """How the discount is spread over the rounds, a share for each; unset: equally."""
    postage_included: bool | None = None
    """Whether prices include the postage; if not, `80包邮` is never agreed to."""
    reply: str | None = field(default=None, validator=optional(by(checks.counter_words)))
    """Words of a counter-offer; `{price}` is the price we name."""
    accept: str | None = field(default=None, validator=optional(by(checks.priced_words)))
    """Said when the buyer's offer is good."""
    last: str | None = field(default=None, validator=optional(by(checks.priced_words)))
    """Said once after the last round."""


SHIPPED: Final = Haggle(
    enabled=False,
    postage_included=False,
    reply="{price}元可以出，您看行吗？",
    accept="可以的，{price}元给您。拍下先不用付款，等我改好价格～",
    last="抱歉，这个价格已经是最优惠的了，不能再少了哦。",
)
"""What holds where the seller set nothing."""


def inherited(*levels: Haggle) -> Haggle:
    """Return the settings of the first level, each one that is unset taken from the next."""
    return Haggle(
        **{
            each.name: next(
                (value for level in levels if (value := getattr(level, each.name)) is not None),
                None,
            )
            for each in attrs.fields(Haggle)
        }
    )


@attrs.frozen(kw_only=True)
class ItemConfig:
    """What the seller says about one item."""

    reply: str = field(default="", validator=by(checks.template))
    """Said about this item when no rule matches; before the default."""
    facts: str = ""
    """What an AI may tell about it."""
    price: float | None = field(default=None, validator=optional(by(checks.yuan)))
    """Yuan; haggled over where the platform does not tell the price."""
    haggle: Haggle = attrs.Factory(Haggle)
    where: str = ""
    """`bot.d/items/9000.toml`; the loader's, never written in TOML."""
