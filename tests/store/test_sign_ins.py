"""Browsers that are signed in: until then, and no longer."""

from __future__ import annotations

import sqlalchemy as sa

from tests.store.samples import NOW
from xybot.store import schema, sign_ins
from xybot.store.database import Database, Store


async def sign_in(store: Store, id_: str, token: str = "t", *, until: int, now: int = NOW) -> None:
    await store.transact(sign_ins.keep, id_, token, until=until, now=now)


async def token_of(store: Store, id_: str, now: int = NOW) -> str | None:
    return await store.transact(sign_ins.token_of, id_, now=now)


async def test_a_browser_is_known_by_its_token_until_its_time_is_over(store: Store) -> None:
    await sign_in(store, "a", "one", until=NOW + 10)
    await sign_in(store, "b", "two", until=NOW + 20)
    assert (await token_of(store, "a"), await token_of(store, "b")) == ("one", "two")
    assert await token_of(store, "a", NOW + 9) == "one"
    assert await token_of(store, "a", NOW + 10) is None
    assert await token_of(store, "b", NOW + 10) == "two"
    assert await token_of(store, "c") is None


async def test_who_signs_out_is_unknown_at_once_and_others_stay(store: Store) -> None:
    await sign_in(store, "a", until=NOW + 10)
    await sign_in(store, "b", until=NOW + 10)
    await store.transact(sign_ins.forget, "a")
    await store.transact(sign_ins.forget, "a")
    assert (await token_of(store, "a"), await token_of(store, "b")) == (None, "t")


async def test_what_is_over_is_cleared_away_by_the_next_sign_in(store: Store) -> None:
    def kept(db: Database) -> list[object]:
        ids = sa.select(schema.sign_ins.c.id).order_by(schema.sign_ins.c.id)
        return list(db.execute(ids).scalars())

    await sign_in(store, "a", until=NOW + 10)
    await sign_in(store, "b", until=NOW + 11)
    await sign_in(store, "c", until=NOW + 99, now=NOW + 10)
    assert await store.transact(kept) == ["b", "c"]


async def test_the_same_browser_may_sign_in_again_when_its_time_is_over(store: Store) -> None:
    await sign_in(store, "a", "one", until=NOW + 10)
    await sign_in(store, "a", "two", until=NOW + 50, now=NOW + 10)
    assert await token_of(store, "a", NOW + 11) == "two"
