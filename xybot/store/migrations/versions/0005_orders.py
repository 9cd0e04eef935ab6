"""What sales need: orders with their story, what was given for them, codes and their receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _orders()
    _order_steps()
    _deliveries()
    _follow_ups()
    _codes()
    _receipts()


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("order", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("buyer", sa.Text),
        sa.Column("item", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("spec", sa.Text),
        sa.Column("quantity", sa.Integer),
        sa.Column("amount", sa.BigInteger),
        sa.Column("knife", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("goods", sa.Text),
        sa.Column("ship", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("paid_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    due, held = sa.text("due_at IS NOT NULL"), sa.text("state = 'held'")
    op.create_index("orders_due", "orders", ["account", "due_at"], sqlite_where=due)
    op.create_index("orders_held", "orders", ["account", "changed_at"], sqlite_where=held)
    op.create_index("orders_by_chat", "orders", ["account", "chat"])
    op.create_index("orders_by_time", "orders", ["changed_at"])
    op.create_index("orders_by_buyer", "orders", ["account", "buyer"])


def _order_steps() -> None:
    op.create_table(
        "order_steps",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("order", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("told", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_index("order_steps_by_order", "order_steps", ["account", "order", "id"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("order", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger),
    )
    op.create_index("deliveries_by_uuid", "deliveries", ["account", "uuid"], unique=True)


def _follow_ups() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("order", sa.Text, primary_key=True),
        sa.Column("after", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    op.create_index("follow_ups_due", "follow_ups", ["account", "due_at"])


def _codes() -> None:
    op.create_table(
        "codes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("order", sa.Text),
        sa.Column("line", sa.Integer),
        sa.Column("why", sa.Text),
        sa.UniqueConstraint("batch", "code"),
    )
    given = sa.text('"order" IS NOT NULL')
    op.create_index("codes_free", "codes", ["batch", "state", "id"])
    op.create_index("codes_by_order", "codes", ["account", "order"], sqlite_where=given)


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("code", sa.Integer, sa.ForeignKey("codes.id"), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("order", sa.Text),
        sa.Column("proof", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("receipts_by_code", "receipts", ["code", "id"])
