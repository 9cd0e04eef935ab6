"""Goods made into what an order is given: messages, and where their codes come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, assert_never

import attrs

from xybot.config.goods import Goods
from xybot.egress import Outside
from xybot.errors import ConfigError
from xybot.orders import contents, supplier
from xybot.orders.contents import Sale
from xybot.orders.goods import Hold
from xybot.orders.supplier import Doubt, Refused, Supplied
from xybot.store.giving import Gift, Part
from xybot.store.orders import Order
from xybot.trade import OrderFacts

_REFUSED: Final = "供货方不给货 (the supplier refused): {why}"
_DOUBT: Final = "不确定供货方有没有给货，请核对 (the supplier may have given: please check): {why}"


@attrs.frozen(kw_only=True)
class Wrapping:
    """Makes goods into messages; asks a supplier where there is one."""

    outside: Outside
    longest: Callable[[], int]
    """Characters of one message, at the moment."""

    async def wrap(self, order: Order, goods: Goods, facts: OrderFacts) -> Gift | Hold:
        """Return what an order is to be given, or why its seller has to look."""
        sale = _sale(order, facts)
        match goods.kind:
            case "codes":
                return self._gift(goods, sale, batch=goods.batch)
            case "text" | "image":
                return self._gift(goods, sale)
            case "supplier":
                return await self._supplied(goods, sale)
            case _:
                assert_never(goods.kind)

    async def _supplied(self, goods: Goods, sale: Sale) -> Gift | Hold:
        assert goods.supplier is not None
        try:
            key = goods.supplier.key.resolve() if goods.supplier.key else None
        except ConfigError as exc:  # Its file was good when bot.toml was read.
            return Hold(str(exc))
        match await supplier.ask(self.outside, goods.supplier, sale, key):
            case Supplied(codes):
                return self._gift(goods, sale, given=codes)
            case Refused(reason):
                return Hold(_REFUSED.format(why=reason))
            case Doubt(reason):
                return Hold(_DOUBT.format(why=reason))

    def _gift(
        self, goods: Goods, sale: Sale, *, batch: str | None = None, given: Sequence[str] = ()
    ) -> Gift:
        written = partial(contents.messages, goods, sale=sale, longest=self.longest())

        def parts(codes: Sequence[str]) -> tuple[Part, ...]:
            if batch is None:  # None of them is in our books.
                return tuple(Part(each.content) for each in written(given))
            return written(codes)

        return Gift(
            goods=goods.name,
            batch=batch,
            count=sale.quantity,
            limit=goods.limit_per_buyer,
            ship=goods.confirm,
            parts=parts,
        )


def _sale(order: Order, facts: OrderFacts) -> Sale:
    item = order.item or facts.item
    assert item is not None
    assert facts.quantity is not None
    return Sale(
        account=order.account,
        order_id=order.id,
        item_id=item,
        item_title=facts.title,
        spec=facts.spec,
        quantity=facts.quantity,
        send_user_name=order.name,
    )
