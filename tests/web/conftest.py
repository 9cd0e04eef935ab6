"""An office for each test that wants one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.conftest import Shop
from tests.web.office import ADMIN, Office, open_office
from tests.web.reader import Browser


@pytest.fixture
async def office(open_for_business: Shop, tmp_path: Path) -> AsyncIterator[Office]:
    """The web side of a shop that is on line."""
    async with open_office(open_for_business, tmp_path) as office:
        yield office


@pytest.fixture
async def browser(office: Office) -> Browser:
    """Somebody who is signed in and may do everything."""
    browser = Browser(office)
    await browser.sign_in(ADMIN)
    return browser


@pytest.fixture
async def supervised(
    autojump_clock, shop: Shop, tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[Office]:
    """The web side of a shop whose account is run by its supervisor."""
    nursery.start_soon(shop.supervisor().run)
    async with open_office(shop, tmp_path) as office:
        await trio.sleep(2)
        yield office
