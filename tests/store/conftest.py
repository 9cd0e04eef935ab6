from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from xybot.store.database import Store, inline, open_store


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A database in memory, with all tables."""
    async with open_store(None, run=inline) as opened:
        yield opened
