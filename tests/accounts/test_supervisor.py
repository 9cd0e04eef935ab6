"""What should run is what runs: start, stop, park, resume and restart are one act."""

from __future__ import annotations

import trio

from tests.conftest import SHOP, Shop, clock_ms
from xybot.accounts.supervisor import Supervisor
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountId, AccountState
from xybot.store import accounts
from xybot.store.accounts import Setting


async def configure(shop: Shop, supervisor: Supervisor, **versions: str) -> None:
    settings = {
        AccountId(id_.replace("_", "-")): Setting(version=version, pasted="1")
        for id_, version in versions.items()
    }
    await shop.store.transact(accounts.configure, settings)
    supervisor.bell.ring()


async def test_a_wanted_account_runs_and_an_unwanted_one_is_closed(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor = shop.supervisor()
    nursery.start_soon(supervisor.run)
    await trio.sleep(2)
    assert shop.platform.on_line(shop.sim)
    await configure(shop, supervisor)
    await trio.sleep(2)
    assert not shop.platform.on_line(shop.sim)
    assert shop.states[-1] is AccountState.CLOSED
    await configure(shop, supervisor, shop_a="1")
    await trio.sleep(2)
    assert shop.platform.on_line(shop.sim)


async def test_changed_settings_restart_an_account_and_never_run_it_twice(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor, running, most = shop.supervisor(), 0, 0
    real = shop.run_account

    async def counted(id_, status) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await real(id_, status)
        finally:
            running -= 1

    supervisor.run_account = counted
    nursery.start_soon(supervisor.run)
    for version in "2345":
        await trio.sleep(2)
        await configure(shop, supervisor, shop_a=version)
    await trio.sleep(5)
    assert most == 1
    assert len(shop.connects) == 5
    assert shop.status.state is AccountState.CONNECTED


async def test_what_another_process_changes_is_seen_within_seconds_though_nobody_rings(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(5)
    await shop.store.transact(accounts.configure, {})
    await trio.sleep(4.5)
    assert shop.states[-1] is AccountState.CLOSED
    await shop.open()
    await trio.sleep(3.5)
    assert shop.platform.on_line(shop.sim)


async def test_a_parked_account_that_is_switched_off_is_told_as_stopped_once(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor = shop.supervisor()
    nursery.start_soon(supervisor.run)
    await trio.sleep(5)
    shop.faults.remove_session()
    await trio.sleep(5)
    await configure(shop, supervisor)
    await trio.sleep(60)
    assert shop.states[-2:] == [AccountState.FAILED, AccountState.CLOSED]


async def test_a_crash_of_one_account_is_its_own_and_is_followed_by_a_restart(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor, crashes = shop.supervisor(), 0
    real = shop.run_account

    async def fragile(id_: AccountId, status) -> None:
        nonlocal crashes
        if id_ != SHOP:
            crashes += 1
            raise RuntimeError("bug")
        await real(id_, status)

    supervisor.run_account = fragile
    nursery.start_soon(supervisor.run)
    await configure(shop, supervisor, shop_a="1", shop_b="1")
    await trio.sleep(600)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]
    assert len(shop.connects) == 1
    assert 3 <= crashes <= 20
    assert Cause.BUG in {each.cause for each in shop.events if isinstance(each, AccountStatus)}


async def test_a_hundred_accounts_live_side_by_side(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor = shop.supervisor()
    seen: list[AccountId] = []

    async def idle(id_: AccountId, _status) -> None:
        seen.append(id_)
        await trio.sleep_forever()

    supervisor.run_account = idle
    nursery.start_soon(supervisor.run)
    await configure(shop, supervisor, **{f"s{n}": "1" for n in range(100)})
    await trio.sleep(1)
    assert len(set(seen)) == 100
    assert clock_ms() > 0
