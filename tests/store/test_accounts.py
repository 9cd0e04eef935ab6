"""Which accounts should run, and what each needs to come back."""

from __future__ import annotations

import sqlalchemy as sa

from tests.store.samples import OTHER, SHOP
from xybot.errors import Cause
from xybot.model import AccountId
from xybot.store import accounts, schema
from xybot.store.accounts import Parked, Setting, Wanted
from xybot.store.database import Database, Store


async def configure(store: Store, **versions: str) -> None:
    """Each version is `<settings>-<cookie>`."""
    settings = {
        AccountId(id_.replace("_", "-")): Setting(version=text, pasted=text.partition("-")[2])
        for id_, text in versions.items()
    }
    await store.transact(accounts.configure, settings)


async def wanted(store: Store) -> set[Wanted]:
    return set((await store.transact(accounts.roster)).wanted)


async def parked(store: Store) -> set[Parked]:
    return set((await store.transact(accounts.roster)).parked)


async def park(store: Store) -> None:
    await store.transact(accounts.park, SHOP, "log in", Cause.LOGIN_REQUIRED)


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


async def test_a_parked_account_says_what_it_waits_for_and_is_not_wanted(store: Store) -> None:
    await configure(store, shop_a="1-x", shop_b="1-y")
    assert await parked(store) == set()
    await park(store)
    assert await wanted(store) == {Wanted(OTHER, "1-y")}
    assert await parked(store) == {Parked(SHOP, "log in", Cause.LOGIN_REQUIRED)}


async def test_a_parked_account_waits_for_a_change_of_its_own_settings(store: Store) -> None:
    await configure(store, shop_a="1-x", shop_b="1-y")
    await park(store)
    await configure(store, shop_a="1-x", shop_b="1-y")
    await configure(store, shop_a="1-x", shop_b="2-y")
    assert await wanted(store) == {Wanted(OTHER, "2-y")}
    await configure(store, shop_a="2-x", shop_b="2-y")
    assert await wanted(store) == {Wanted(SHOP, "2-x"), Wanted(OTHER, "2-y")}
    assert await parked(store) == set()


async def test_a_parked_account_that_is_switched_off_and_on_runs_again(store: Store) -> None:
    await configure(store, shop_a="1-x")
    await park(store)
    await configure(store)
    assert (await wanted(store), await parked(store)) == (set(), set())
    await configure(store, shop_a="1-x")
    assert (await wanted(store), await parked(store)) == ({Wanted(SHOP, "1-x")}, set())


async def test_a_resumed_account_runs_again_with_all_it_had(store: Store) -> None:
    await configure(store, shop_a="1-x")
    await store.transact(accounts.save_session, SHOP, "{}")
    await park(store)
    assert await store.transact(accounts.resume, SHOP)
    assert (await wanted(store), await parked(store)) == ({Wanted(SHOP, "1-x")}, set())
    assert await store.transact(accounts.session, SHOP) == "{}"


async def test_only_a_parked_account_can_be_resumed(store: Store) -> None:
    await configure(store, shop_a="1-x")
    assert not await store.transact(accounts.resume, SHOP)
    assert not await store.transact(accounts.resume, OTHER)


async def test_an_account_that_an_older_version_parked_has_its_words(store: Store) -> None:
    await configure(store, shop_a="1-x")
    await park(store)

    def forget_the_cause(db: Database) -> None:
        db.execute(sa.update(schema.accounts).values(parked_cause=None))

    await store.transact(forget_the_cause)
    assert await parked(store) == {Parked(SHOP, "log in", Cause.OTHER)}


async def test_nobody_has_a_session_before_they_are_known(store: Store) -> None:
    await store.transact(accounts.save_session, SHOP, "{}")
    assert await store.transact(accounts.session, SHOP) is None
    await park(store)
    assert (await wanted(store), await parked(store)) == (set(), set())
