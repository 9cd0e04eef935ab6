"""How far each hook has been told: it goes on where it was, and a new one begins now."""

from __future__ import annotations

from pathlib import Path

from xybot.store import hooks
from xybot.store.database import Store, inline, open_store
from xybot.store.hooks import Progress


async def test_a_new_hook_begins_with_what_happens_next(store: Store) -> None:
    assert await store.transact(hooks.progress, "a", newest=41) == Progress(cursor=41)
    assert await store.transact(hooks.progress, "a", newest=99) == Progress(cursor=41)


async def test_every_hook_stands_where_it_was_left_by_its_name(store: Store) -> None:
    trouble = Progress(cursor=7, tries=3, next_at=1_790_000_000_000, trouble="502")
    await store.transact(hooks.keep, "a", Progress(cursor=5))
    await store.transact(hooks.keep, "a", trouble)
    await store.transact(hooks.progress, "b", newest=9)
    assert await store.transact(hooks.all_of) == {"a": trouble, "b": Progress(cursor=9)}


async def test_a_hook_that_is_well_again_has_no_trouble(store: Store) -> None:
    await store.transact(hooks.keep, "a", Progress(cursor=7, tries=3, next_at=5, trouble="502"))
    await store.transact(hooks.keep, "a", Progress(cursor=8))
    assert await store.transact(hooks.progress, "a", newest=9) == Progress(cursor=8)


async def test_a_hook_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    left = Progress(cursor=7, tries=2, next_at=5, trouble="timeout")
    async with open_store(tmp_path / "x.db", run=inline) as store:
        await store.transact(hooks.keep, "a", left)
    async with open_store(tmp_path / "x.db", run=inline) as store:
        assert await store.transact(hooks.progress, "a", newest=50) == left


async def test_there_are_no_hooks_before_there_is_one(store: Store) -> None:
    assert await store.transact(hooks.all_of) == {}
