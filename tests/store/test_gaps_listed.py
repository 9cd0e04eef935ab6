"""The list of outages: the last first, page by page, with their reports once there are some."""

from __future__ import annotations

import attrs

from tests.store.samples import NOW, OTHER, SHOP, arrival, turn
from xybot.model import AccountId, Decision
from xybot.store import gaps, inbox, turns
from xybot.store.database import Store
from xybot.store.gaps import Ended, Gap, Listed, Report


async def outage(store: Store, at: int, account: AccountId = SHOP, cause: str = "aborted") -> Gap:
    ended = Ended(at=at, cause=cause, because="断线")
    gap = await store.transact(gaps.close_gap, account, ended, now=at + 5)
    assert gap is not None
    return gap


async def listed(store: Store, account: AccountId | None = SHOP, **asked) -> list[int]:
    return [each.gap.id for each in await store.transact(gaps.listed, account, **asked)]


async def test_outages_are_listed_the_last_first_of_one_account_or_of_all(store: Store) -> None:
    assert await listed(store, None) == []
    for n, account in enumerate((SHOP, OTHER, SHOP)):
        await outage(store, NOW + n, account)
    assert await listed(store) == [3, 1]
    assert await listed(store, OTHER) == [2]
    assert await listed(store, None) == [3, 2, 1]
    assert await listed(store, AccountId("nobody")) == []


async def test_the_list_is_read_page_by_page(store: Store) -> None:
    for n in range(5):
        await outage(store, NOW + n, OTHER if n == 2 else SHOP)
    assert await listed(store, most=2) == [5, 4]
    assert await listed(store, before=4, most=2) == [2, 1]
    assert await listed(store, None, before=4, most=2) == [3, 2]
    assert await listed(store, before=1, most=2) == []


async def test_an_outage_has_no_report_until_one_was_made(store: Store) -> None:
    gap = await outage(store, NOW, cause="silent")
    assert gap == Gap(id=1, began_at=NOW, ended_at=NOW + 5, cause="silent", because="断线")
    (entry,) = await store.transact(gaps.listed, SHOP)
    assert entry == Listed(account=SHOP, gap=gap, report=None)


async def test_the_report_of_an_outage_stands_in_the_list_as_it_was_made(store: Store) -> None:
    gap = await outage(store, NOW)
    lines = [attrs.evolve(arrival(f"{n}.PNM", sent_at=NOW + n), kind="text") for n in range(3)]
    await store.transact(inbox.insert_new, SHOP, lines, now=NOW + 9, gap=gap)
    skipped = Decision(reply=None, passed=(("rules", "no"),))
    late = Decision(reply=None, passed=(("message_expiry", "late"),), late=True)
    for key, decision in (("0.PNM", late), ("1.PNM", skipped)):
        assert await store.transact(turns.answer, turn(key), decision, (), now=NOW)
    (report,) = await store.transact(gaps.report, SHOP, now=NOW + 20)
    assert report == Report(gap=gap, recovered=3, answered=0, late=1, skipped=1, unaccounted=1)
    await outage(store, NOW + 50)
    later, first = await store.transact(gaps.listed, SHOP)
    assert (later.report, first.report) == (None, report)
