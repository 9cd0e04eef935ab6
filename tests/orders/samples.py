"""Goods and sales."""

from __future__ import annotations

from typing import Any

from xybot.config import Goods
from xybot.model import AccountId, ItemId, OrderId
from xybot.orders.contents import Sale

SHOP, OTHER = AccountId("shop-a"), AccountId("shop-b")
CARD = ItemId("900012345678")


def goods(name: str = "月卡", **more: Any) -> Goods:
    """Goods as the loader would make them."""
    settings: dict[str, Any] = {
        "items": () if "title" in more else (CARD,),
        "kind": "codes",
        "batch": "vip",
        "text": "{codes}",
        "where": f"bot.toml: {name}",
    } | more
    if settings["kind"] != "codes":
        settings.pop("batch")
    return Goods(name=name, **settings)


def sale(**more: Any) -> Sale:
    known: dict[str, Any] = {
        "account": SHOP,
        "order_id": OrderId("4400111222333"),
        "item_id": CARD,
        "item_title": "会员月卡",
        "spec": "时长:月卡",
        "quantity": 1,
        "send_user_name": "小王",
    }
    return Sale(**(known | more))
