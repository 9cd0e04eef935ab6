"""Which accounts should run, and what each needs to come back."""

from __future__ import annotations

from tests.store.samples import OTHER, SHOP
from xybot.model import AccountId
from xybot.store import accounts
from xybot.store.accounts import Setting, Wanted
from xybot.store.database import Store


async def configure(store: Store, **versions: str) -> None:
    """Each version is `<settings>-<cookie>`."""
    settings = {
        AccountId(id_.replace("_", "-")): Setting(version=text, pasted=text.partition("-")[2])
        for id_, text in versions.items()
    }
    await store.transact(accounts.configure, settings)


async def wanted(store: Store) -> set[Wanted]:
    return set(await store.transact(accounts.wanted))


async def test_the_accounts_of_the_settings_are_wanted(store: Store) -> None:
    assert await wanted(store) == set()
    await configure(store, shop_a="1-x", shop_b="1-y")
    assert await wanted(store) == {Wanted(SHOP, "1-x"), Wanted(OTHER, "1-y")}
    assert await store.transact(accounts.session, SHOP) is None


async def test_an_account_that_was_removed_is_not_wanted_and_keeps_its_session(
    store: Store,
) -> None:
    await configure(store, shop_a="1-x", shop_b="1-y")
    await store.transact(accounts.save_session, SHOP, "{}")
    await configure(store, shop_b="1-y")
    assert await wanted(store) == {Wanted(OTHER, "1-y")}
    await configure(store)
    assert await wanted(store) == set()
    await configure(store, shop_a="1-x")
    assert await wanted(store) == {Wanted(SHOP, "1-x")}
    assert await store.transact(accounts.session, SHOP) == "{}"


async def test_a_new_cookie_ends_the_stored_session_and_other_settings_do_not(
    store: Store,
) -> None:
    await configure(store, shop_a="1-x")
    await store.transact(accounts.save_session, SHOP, "{}")
    await configure(store, shop_a="1-x")
    assert await store.transact(accounts.session, SHOP) == "{}"
    await configure(store, shop_a="2-x")
    assert await wanted(store) == {Wanted(SHOP, "2-x")}
    assert await store.transact(accounts.session, SHOP) == "{}"
    await configure(store, shop_a="3-y")
    assert await wanted(store) == {Wanted(SHOP, "3-y")}
    assert await store.transact(accounts.session, SHOP) is None


async def test_a_parked_account_waits_for_a_change_or_a_restart(store: Store) -> None:
    await configure(store, shop_a="1-x", shop_b="1-y")
    await store.transact(accounts.park, SHOP, "log in")
    assert await wanted(store) == {Wanted(OTHER, "1-y")}
    await configure(store, shop_a="1-x", shop_b="2-y")
    assert await wanted(store) == {Wanted(OTHER, "2-y")}
    await configure(store, shop_a="2-x", shop_b="2-y")
    assert await wanted(store) == {Wanted(SHOP, "2-x"), Wanted(OTHER, "2-y")}
    await store.transact(accounts.park, SHOP, "log in")
    await store.transact(accounts.unpark_all)
    assert await wanted(store) == {Wanted(SHOP, "2-x"), Wanted(OTHER, "2-y")}


async def test_nobody_has_a_session_before_they_are_known(store: Store) -> None:
    await store.transact(accounts.save_session, SHOP, "{}")
    assert await store.transact(accounts.session, SHOP) is None
    await store.transact(accounts.park, SHOP, "log in")
    assert await wanted(store) == set()
