from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from xybot.store import schema
from xybot.store.database import Database, Store, inline, open_store


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A database in memory, with all tables."""
    async with open_store(None, run=inline) as opened:
        yield opened


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    """A database of its own, for many short stories."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as opened:
        schema.metadata.create_all(opened)
        opened.commit()
        yield opened
    engine.dispose()
