"""What should run is what runs: start, stop, park, resume and restart are one act."""

from __future__ import annotations

import pytest
import trio

from tests.conftest import SHOP, Shop, clock_ms
from xybot.accounts.supervisor import Supervisor
from xybot.events import AccountStatus
from xybot.model import AccountId, AccountState
from xybot.store import accounts
from xybot.store.accounts import Setting

TOKEN = "mtop.taobao.idlemessage.pc.login.token"


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


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("demand_verification", "punish"),
        ("expire_cookie", "登录失效"),
    ],
)
async def test_an_account_that_needs_a_person_is_parked_told_once_and_left_alone(
    autojump_clock, shop: Shop, nursery: trio.Nursery, fault: str, words: str
) -> None:
    getattr(shop.faults, fault)()
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(24 * 3600)
    failed = [
        e for e in shop.events if isinstance(e, AccountStatus) and e.new is AccountState.FAILED
    ]
    assert len(failed) == 1
    assert words in failed[0].reason
    assert shop.sim.calls[TOKEN] == 1
    assert shop.status.state is AccountState.FAILED


async def test_a_parked_account_goes_on_where_it_stopped_when_its_settings_change(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    supervisor = shop.supervisor()
    nursery.start_soon(supervisor.run)
    await trio.sleep(2)
    shop.says("在吗")
    await trio.sleep(1)
    shop.faults.remove_session()
    await trio.sleep(60)
    assert shop.status.state is AccountState.FAILED
    assert shop.heard == []
    await configure(shop, supervisor, shop_a="2")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


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
