"""`/api/v1/accounts`: where accounts stand, and how a program takes them off line and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.conftest import SHOP, Shop
from tests.web.office import READ, SEND, Office, errors, open_office
from xybot.errors import Cause
from xybot.model import AccountState
from xybot.store import accounts
from xybot.store.accounts import Setting
from xybot.web import cursors

LIST = "/api/v1/accounts"
ONE = f"{LIST}/{SHOP}"
ORDERS = ("pause", "resume", "reconnect")


def five(shop: Shop) -> list[dict[str, object]]:
    """Our account, and four that are switched off."""
    ours = {"id": SHOP, "cookie": {"file": "shop-a.cookie"}}
    return [ours, *({"id": f"shop-{name}", "enabled": False} for name in "bcde")]


async def shown(office: Office) -> dict[str, Any]:
    """The account as the API shows it."""
    answer = await office.get(ONE)
    assert answer.status_code == 200
    return answer.json()


async def test_an_account_on_line_is_shown_with_its_state_and_since_when(
    autojump_clock, office: Office
) -> None:
    status = office.shop.status.now
    assert await shown(office) == {
        "id": SHOP,
        "enabled": True,
        "state": "connected",
        "reason": status.reason,
        "cause": None,
        "since": status.since,
        "next_try": None,
        "paused": False,
        "parked": False,
    }
    listed = (await office.get(LIST)).json()
    assert listed == {"items": [await shown(office)], "next": None}


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 50])
async def test_pages_of_any_size_list_each_account_once_in_the_order_of_bot_toml(
    autojump_clock, open_for_business: Shop, tmp_path: Path, limit: int
) -> None:
    wanted = five(open_for_business)
    async with open_office(open_for_business, tmp_path, accounts=wanted) as office:
        found, cursor = [], ""
        while cursor is not None:
            page = (await office.get(f"{LIST}?limit={limit}&cursor={cursor}")).json()
            assert 1 <= len(page["items"]) <= limit
            found += page["items"]
            cursor = page["next"]
    assert [each["id"] for each in found] == [each["id"] for each in wanted]
    assert [each["enabled"] for each in found] == [True, False, False, False, False]


@pytest.mark.parametrize("cursor", ["nonsense", "%FF", "W10", "*", cursors.write("x")])
async def test_a_cursor_that_is_none_of_ours_is_a_wrong_field(
    autojump_clock, office: Office, cursor: str
) -> None:
    answer = await office.get(f"{LIST}?cursor={cursor}")
    assert answer.status_code == 422
    assert list(errors(answer)) == ["query.cursor"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1.5", ""])
async def test_a_limit_that_is_no_number_of_things_is_a_wrong_field(
    autojump_clock, office: Office, limit: str
) -> None:
    answer = await office.get(f"{LIST}?limit={limit}")
    assert answer.status_code == 422
    assert list(errors(answer)) == ["query.limit"]


async def test_a_query_that_nobody_knows_is_named(autojump_clock, office: Office) -> None:
    answer = await office.get(f"{LIST}?page=2&limit=0")
    assert answer.status_code == 422
    assert set(errors(answer)) == {"query.page", "query.limit"}


@pytest.mark.parametrize("name", ["nobody", "SHOP-A", "shop-a%20", "%00", "..%2fshop-a", "店"])
async def test_an_unknown_account_is_not_found_whatever_is_asked_of_it(
    autojump_clock, office: Office, name: str
) -> None:
    answers = [await office.get(f"{LIST}/{name}")]
    answers += [await office.post(f"{LIST}/{name}/{order}") for order in ORDERS]
    for answer in answers:
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}
        assert answer.json()["error"]["message"]
    assert (await shown(office))["state"] == "connected"


async def test_only_an_admin_may_change_an_account_and_a_sender_may_not_even_look(
    autojump_clock, supervised: Office
) -> None:
    for order in ORDERS:
        for token in (READ, SEND):
            answer = await supervised.post(f"{ONE}/{order}", token=token)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "forbidden"
    assert (await supervised.get(LIST, token=READ)).status_code == 200
    assert (await supervised.get(ONE, token=READ)).status_code == 200
    assert (await supervised.get(LIST, token=SEND)).status_code == 403
    assert (await supervised.get(ONE, token=SEND)).status_code == 403
    await trio.sleep(10)
    assert supervised.shop.status.state is AccountState.CONNECTED
    assert len(supervised.shop.connects) == 1


async def test_a_pause_takes_the_account_off_line_at_once_until_it_is_resumed(
    autojump_clock, supervised: Office
) -> None:
    shop = supervised.shop
    answer = await supervised.post(f"{ONE}/pause")
    assert answer.status_code == 200
    assert (answer.json()["paused"], answer.json()["parked"]) == (True, False)
    await trio.sleep(1)  # Nobody looks every second: the supervisor was rung for.
    assert not shop.platform.on_line(shop.sim)
    found = await shown(supervised)
    assert (found["state"], found["cause"], found["paused"]) == ("closed", "paused", True)
    assert "您暂停了" in found["reason"]
    shop.says("在吗")
    await trio.sleep(600)
    assert shop.heard == []
    answer = await supervised.post(f"{ONE}/resume")
    assert answer.status_code == 200
    assert not answer.json()["paused"]
    await trio.sleep(1)
    assert shop.platform.on_line(shop.sim)
    found = await shown(supervised)
    assert (found["state"], found["cause"], found["paused"]) == ("connected", None, False)


async def test_what_was_said_during_a_short_pause_is_answered_after_it(
    autojump_clock, supervised: Office
) -> None:
    await supervised.post(f"{ONE}/pause")
    await trio.sleep(1)
    supervised.shop.says("在吗")
    await supervised.post(f"{ONE}/resume")
    await trio.sleep(30)
    assert supervised.shop.heard == ["在吗"]


async def test_an_account_is_paused_once_and_resumed_once(
    autojump_clock, supervised: Office
) -> None:
    assert (await supervised.post(f"{ONE}/pause")).status_code == 200
    again = await supervised.post(f"{ONE}/pause")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_running")
    assert (await shown(supervised))["paused"]
    assert (await supervised.post(f"{ONE}/resume")).status_code == 200
    again = await supervised.post(f"{ONE}/resume")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_stopped")
    await trio.sleep(2)
    assert supervised.shop.status.state is AccountState.CONNECTED


async def test_reconnect_takes_a_new_line_and_loses_nothing(
    autojump_clock, supervised: Office
) -> None:
    shop = supervised.shop
    shop.says("一")
    answer = await supervised.post(f"{ONE}/reconnect")
    assert (answer.status_code, answer.json()["id"]) == (200, SHOP)
    shop.says("二")
    await trio.sleep(15)
    assert len(shop.connects) == 2
    assert shop.heard == ["一+二"]
    await supervised.post(f"{ONE}/reconnect")
    await trio.sleep(5)
    assert len(shop.connects) == 3
    assert (await shown(supervised))["state"] == "connected"


async def test_reconnect_is_refused_while_the_account_is_paused(
    autojump_clock, supervised: Office
) -> None:
    await supervised.post(f"{ONE}/pause")
    answer = await supervised.post(f"{ONE}/reconnect")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_running")
    await trio.sleep(10)
    assert len(supervised.shop.connects) == 1
    assert not supervised.shop.platform.on_line(supervised.shop.sim)


async def test_a_parked_account_shows_why_and_goes_on_when_it_is_resumed(
    autojump_clock, supervised: Office
) -> None:
    shop = supervised.shop
    shop.faults.demand_verification()
    shop.faults.expire_token()
    shop.faults.cut()
    await trio.sleep(60)
    found = await shown(supervised)
    assert (found["state"], found["cause"]) == ("failed", Cause.VERIFICATION_REQUIRED.value)
    assert (found["parked"], found["paused"], found["next_try"]) == (True, False, None)
    assert "人工验证" in found["reason"]
    assert (await supervised.post(f"{ONE}/pause")).status_code == 409
    assert (await supervised.post(f"{ONE}/reconnect")).status_code == 409
    shop.faults.lift_verification()
    answer = await supervised.post(f"{ONE}/resume")
    assert (answer.status_code, answer.json()["parked"]) == (200, False)
    await trio.sleep(10)
    found = await shown(supervised)
    assert (found["state"], found["parked"]) == ("connected", False)


async def test_while_it_waits_for_its_next_try_the_seconds_until_then_are_shown(
    autojump_clock, supervised: Office
) -> None:
    supervised.shop.faults.refuse_dial(9)
    supervised.shop.faults.cut()
    await trio.sleep(3)
    found = await shown(supervised)
    assert (found["state"], found["parked"]) == ("reconnecting", False)
    assert found["next_try"] > 0
    assert found["cause"] == Cause.UNREACHABLE.value
    assert found["reason"]


async def test_an_account_that_is_switched_off_can_be_neither_paused_nor_resumed(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path, accounts=five(open_for_business)) as office:
        for order in ORDERS:
            answer = await office.post(f"{LIST}/shop-b/{order}")
            assert answer.status_code == 409
        assert (await office.get(f"{LIST}/shop-b")).json()["enabled"] is False


async def test_a_pause_survives_a_restart_of_the_program_and_a_new_cookie(
    autojump_clock, shop: Shop, tmp_path: Path
) -> None:
    async with open_office(shop, tmp_path) as office:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.supervisor().run)
            await trio.sleep(2)
            assert (await office.post(f"{ONE}/pause")).status_code == 200
            nursery.cancel_scope.cancel()
        renewed = {SHOP: Setting(version="2", pasted="2")}
        await shop.store.transact(accounts.configure, renewed)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.supervisor().run)
            await trio.sleep(10)
            assert (await shown(office))["paused"]
            assert (await office.post(f"{ONE}/resume")).status_code == 200
            await trio.sleep(10)
            assert (await shown(office))["state"] == "connected"
            nursery.cancel_scope.cancel()
    assert len(shop.connects) == 2


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST", "PATCH"])
async def test_the_list_can_only_be_read(autojump_clock, office: Office, method: str) -> None:
    answer = await office.ask(method, LIST, {})
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["error"]["message"]
