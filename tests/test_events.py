"""The feed: the log gets every event at once, listeners get theirs when they want them."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from xybot.events import Event, EventFeed, Quarantined, Subscription
from xybot.model import AccountId


def event(n: int) -> Event:
    return Quarantined(account=AccountId("shop-a"), reason=str(n))


async def test_the_log_is_told_before_publish_returns() -> None:
    told: list[Event] = []
    feed = EventFeed(told.append)
    feed.publish(event(1))
    assert told == [event(1)]


async def test_every_listener_gets_every_event_in_order() -> None:
    feed = EventFeed(lambda _: None)
    with feed.subscribe() as first, feed.subscribe() as second:
        for n in range(3):
            feed.publish(event(n))
        for listener in (first, second):
            assert [await listener.next() for _ in range(3)] == [event(n) for n in range(3)]
            assert listener.lost == 0


async def test_a_listener_waits_until_something_happens(autojump_clock) -> None:
    feed, heard = EventFeed(lambda _: None), []

    async def listen(subscription: Subscription) -> None:
        while True:
            heard.append((trio.current_time(), await subscription.next()))

    with feed.subscribe() as subscription:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, subscription)
            for n in range(3):
                await trio.sleep(10)
                feed.publish(event(n))
                await wait_all_tasks_blocked()
            assert [each for _, each in heard] == [event(n) for n in range(3)]
            nursery.cancel_scope.cancel()


async def test_a_wait_that_was_cancelled_loses_nothing(autojump_clock) -> None:
    feed = EventFeed(lambda _: None)
    with feed.subscribe() as subscription:
        with trio.move_on_after(1) as scope:
            await subscription.next()
        assert scope.cancelled_caught
        feed.publish(event(1))
        assert await subscription.next() == event(1)


async def test_a_slow_listener_loses_the_oldest_and_is_told_how_many() -> None:
    feed = EventFeed(lambda _: None)
    with feed.subscribe(room_for=3) as slow, feed.subscribe() as quick:
        for n in range(10):
            feed.publish(event(n))
        assert slow.lost == 7
        assert [await slow.next() for _ in range(3)] == [event(7), event(8), event(9)]
        feed.publish(event(10))
        assert await slow.next() == event(10)
        assert slow.lost == 7
        assert quick.lost == 0


async def test_who_left_is_told_nothing_more() -> None:
    feed = EventFeed(lambda _: None)
    with pytest.raises(ValueError, match="done"), feed.subscribe() as subscription:
        raise ValueError("done")
    feed.publish(event(1))
    with trio.move_on_after(0) as scope:
        await subscription.next()
    assert scope.cancelled_caught
