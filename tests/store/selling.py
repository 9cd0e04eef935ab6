"""Orders in the store, as the bot would leave them there."""

from __future__ import annotations

from tests.store.samples import BUYER, CHAT, NOW, SHOP
from xybot.model import Text
from xybot.store import schema
from xybot.store.codec import content_json
from xybot.store.database import Database
from xybot.trade import OrderState

ORDER = "2849113000012345678"
CODE = "AAAA-BBBB-0001"


def put(db: Database, order: str = ORDER, **values: object) -> None:
    """Store an order; where nothing else is said, one that is paid."""
    row: dict[str, object] = {
        "account": SHOP,
        "order": order,
        "chat": CHAT,
        "role": "seller",
        "buyer": BUYER,
        "item": "81",
        "title": "月卡",
        "spec": "",
        "quantity": 1,
        "amount": 990,
        "knife": False,
        "state": OrderState.PAID,
        "created_at": NOW,
        "paid_at": NOW + 1000,
        "changed_at": NOW + 1000,
        "tries": 0,
    }
    row |= values
    state = row["state"]
    row["state"] = state.value if isinstance(state, OrderState) else state
    db.execute(schema.orders.insert(), row)


def step(db: Database, taken: OrderState, *, order: str = ORDER, **values: object) -> None:
    """Store a step of an order."""
    row: dict[str, object] = {
        "account": SHOP,
        "order": order,
        "at": NOW,
        "told": taken.value,
        "state": taken.value,
        "source": "card",
        "words": "",
    }
    db.execute(schema.order_steps.insert(), row | values)


def deliver(
    db: Database, line: int = 0, *, order: str = ORDER, state: str = "sent", **values: object
) -> None:
    """Store a message with goods, and its row in the ledger; `values` go into the outbox."""
    uuid = f"-{order}-{line}"
    account = values.pop("account", SHOP)
    seen_at = values.pop("seen_at", None)
    row: dict[str, object] = {
        "account": account,
        "uuid": uuid,
        "chat": CHAT,
        "peer": BUYER,
        "content_json": content_json(Text(f"卡密 {CODE}")),
        "source": "orders",
        "because": order,
        "urgent": True,
        "state": state,
        "queued_at": NOW,
    }
    db.execute(schema.outbox.insert(), row | values)
    ledger = {"account": account, "order": order, "line": line, "uuid": uuid, "queued_at": NOW}
    db.execute(schema.deliveries.insert(), ledger | {"seen_at": seen_at})


def give(db: Database, code: str = CODE, *, order: str = ORDER, **values: object) -> None:
    """Store a code that an order has got."""
    row: dict[str, object] = {
        "batch": "month",
        "code": code,
        "state": "sent",
        "imported_at": NOW,
        "account": SHOP,
        "order": order,
        "line": 0,
    }
    db.execute(schema.codes.insert(), row | values)


def forgotten(db: Database, order: str = ORDER) -> None:
    """Have the message of a delivery no longer in the outbox."""
    db.execute(schema.outbox.delete().where(schema.outbox.c.because == order))
