"""Bringing the schema up to date; imported only when it is not."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(db: Connection, to: str = "head") -> None:
    """Run the missing migrations, all in one transaction."""
    config = Config()
    # Alembic reads its options as interpolated text, in which a % is doubled.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = db
    with db.begin():
        command.upgrade(config, to)
