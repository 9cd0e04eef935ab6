"""Events in the store: numbered as they were stored, read on from anywhere, forgotten in time."""

from __future__ import annotations

import json

import attrs
import pytest

from tests.store.samples import NOW, OTHER, SHOP
from xybot.errors import Cause
from xybot.events import AccountStatus, Event, MessageReceived, Quarantined, body
from xybot.model import AccountId, AccountState, ChatId, MessageId
from xybot.store import events
from xybot.store.database import Database, Store
from xybot.store.events import Happening, Recorded


def happening(n: int, *, at: int = NOW, account: AccountId = SHOP) -> Happening:
    return Happening(account=account, name="message.quarantined", body=f'{{"n":{n}}}', at=at)


async def record(store: Store, *happenings: Happening) -> int | None:
    return await store.transact(events.record, happenings)


async def after(store: Store, id_: int, most: int = 100) -> list[str]:
    return [each.body for each in await store.transact(events.after, id_, most=most)]


async def test_what_was_stored_is_read_as_it_was_and_in_its_order(store: Store) -> None:
    last = await record(store, happening(1), happening(2, at=NOW - 5, account=OTHER))
    assert last == 2
    assert await store.transact(events.after, 0, most=9) == (
        Recorded(id=1, account=SHOP, name="message.quarantined", body='{"n":1}', at=NOW),
        Recorded(id=2, account=OTHER, name="message.quarantined", body='{"n":2}', at=NOW - 5),
    )


async def test_nothing_that_happened_stores_nothing_and_is_no_last_event(store: Store) -> None:
    assert await record(store) is None
    assert await store.transact(events.ends) == (1, 0)
    assert await after(store, 0) == []


async def test_one_reads_on_from_where_one_was_so_many_at_a_time(store: Store) -> None:
    await record(store, *map(happening, range(1, 6)))
    assert await after(store, 2) == ['{"n":3}', '{"n":4}', '{"n":5}']
    assert await after(store, 2, most=2) == ['{"n":3}', '{"n":4}']
    assert await after(store, 5) == []
    assert await after(store, 999) == []
    assert await store.transact(events.ends) == (1, 5)


async def test_an_event_is_gone_with_the_transaction_that_failed(store: Store) -> None:
    def fail(db: Database) -> None:
        events.record(db, [happening(1)])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.transact(fail)
    assert await store.transact(events.ends) == (1, 0)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            Quarantined(account=AccountId('店"铺\n'), reason='a "b"\n\u2028 c\\'),
            'a "b"\n\u2028 c\\',
        ),
        (
            AccountStatus(
                account=SHOP,
                old=AccountState.CONNECTED,
                new=AccountState.RECONNECTING,
                reason="断线",
                cause=Cause.ABORTED,
                since=NOW,
                next_try=1.5,
            ),
            "reconnecting",
        ),
        (
            MessageReceived(
                account=SHOP,
                chat=ChatId("c1"),
                message=MessageId("1.PNM"),
                sender=None,
                sender_name="小王😀",
                item=None,
                text="第一行\r\n第二行",
                sent_at=None,
            ),
            "第一行\r\n第二行",
        ),
    ],
)
async def test_an_envelope_is_the_whole_event_as_json_on_one_line(
    store: Store, event: Event, words: str
) -> None:
    what = Happening(account=event.account, name=event.name, body=body(event), at=NOW)
    await record(store, what)
    (recorded,) = await store.transact(events.after, 0, most=1)
    assert not {"\n", "\r"} & set(recorded.envelope)
    told = json.loads(recorded.envelope)
    data = told.pop("data")
    assert told == {"id": 1, "type": event.name, "account": event.account, "at": NOW}
    assert data.keys() == {field.name for field in attrs.fields(type(event))}
    assert data == json.loads(what.body)
    assert words in data.values()


# Forgetting.


async def test_what_is_old_is_forgotten_and_the_rest_is_kept(store: Store) -> None:
    await record(store, *(happening(n, at=NOW + n) for n in range(5)))
    assert not await store.transact(events.prune, until=NOW + 3)
    assert await after(store, 0) == ['{"n":3}', '{"n":4}']
    assert await store.transact(events.ends) == (4, 5)
    assert not await store.transact(events.prune, until=NOW + 3)


async def test_much_that_is_old_is_forgotten_bit_by_bit(store: Store) -> None:
    await record(store, *(happening(n, at=NOW - 1) for n in range(7000)), happening(9))
    assert await store.transact(events.prune, until=NOW)
    assert await store.transact(events.ends) == (5001, 7001)
    assert not await store.transact(events.prune, until=NOW)
    assert await after(store, 0) == ['{"n":9}']


async def test_an_id_never_comes_twice_whatever_was_forgotten(store: Store) -> None:
    assert await record(store, happening(1), happening(2)) == 2
    await store.transact(events.prune, until=NOW + 1)
    assert await store.transact(events.ends) == (3, 2)
    assert await record(store, happening(3)) == 3
    assert await after(store, 2) == ['{"n":3}']
