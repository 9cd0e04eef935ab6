"""What comes in and what it does: chats that the seller takes over, echoes that settle."""

from __future__ import annotations

import attrs

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, turn
from xybot.model import Decision, MessageId, Reply, Text
from xybot.store import chats, inbox, outbox, turns
from xybot.store.chats import ByHand, Intake, Moment
from xybot.store.database import Database, Store
from xybot.store.inbox import Arrival
from xybot.store.outbox import Held
from xybot.store.schema import outbox as table

PAUSE = 600_000


def own(key: str, words: str = "我来说", *, chat: str = CHAT, sent_at: int = NOW) -> Arrival:
    said = arrival(key, Text(words), chat=chat, outcome="own", sent_at=sent_at)
    return attrs.evolve(said, kind="own")


async def take_in(
    store: Store, *arrivals: Arrival, pause: int = PAUSE, now: int = NOW, toggle: str = "。"
) -> Intake:
    moment = Moment(account=SHOP, by_hand=ByHand(pause=pause, toggle=toggle), now=now)
    return await store.transact(chats.take_in, moment, arrivals)


async def open_keys(store: Store) -> list[str]:
    return [message.id for message in await store.transact(inbox.still_open, SHOP)]


async def paused(store: Store, now: int = NOW) -> dict[str, int]:
    return dict(await store.transact(chats.paused, SHOP, now=now))


async def say(store: Store, words: str, *, now: int = NOW, taken: bool = True) -> None:
    """Let the bot answer a line, up to where the answer is queued, or being sent."""
    await take_in(store, arrival("0.PNM"))
    reply = Reply(contents=(Text(words),), source="rules", because="r")
    decision = Decision(reply=reply, passed=())
    await store.transact(turns.answer, turn("0.PNM"), decision, ("u1",), now=now)
    if taken:
        await store.transact(outbox.take_due, SHOP, frozenset(), most=1, now=now)


async def state(store: Store) -> tuple[str, str | None]:
    def read(db: Database) -> tuple[str, str | None]:
        row = db.execute(table.select()).one()
        return row.state, row.message

    return await store.transact(read)


async def test_a_line_by_hand_pauses_its_chat_and_closes_what_waits_there(store: Store) -> None:
    await take_in(store, arrival("1.PNM"), arrival("2.PNM", chat="c2"))
    intake = await take_in(store, own("3.PNM", sent_at=NOW - 1000))
    until = NOW - 1000 + PAUSE
    assert intake == Intake(
        fresh=frozenset({MessageId("3.PNM")}),
        by_hand={MessageId("3.PNM")},
        paused={CHAT: until},
        closed={CHAT: {MessageId("1.PNM")}},
    )
    assert await open_keys(store) == ["2.PNM"]
    assert await paused(store, until - 1) == {CHAT: until}
    assert await store.transact(chats.paused, OTHER, now=NOW) == {}
    assert await paused(store, until) == {}


async def test_another_line_by_hand_makes_the_pause_longer_and_an_older_one_not_shorter(
    store: Store,
) -> None:
    await take_in(store, own("1.PNM"))
    await take_in(store, own("2.PNM", sent_at=NOW + 5000), now=NOW + 5000)
    await take_in(store, own("3.PNM", sent_at=NOW - 5000), now=NOW + 6000)
    assert await paused(store) == {CHAT: NOW + 5000 + PAUSE}


async def test_a_redelivery_and_no_pause_take_nothing_over(store: Store) -> None:
    assert (await take_in(store, own("1.PNM"), pause=0)).paused == {}
    assert (await take_in(store, own("1.PNM"))).paused == {}
    assert await paused(store) == {}


async def test_an_old_line_by_hand_closes_what_it_answered_and_nothing_after_it(
    store: Store,
) -> None:
    before, after = NOW - PAUSE - 1000, NOW - PAUSE + 1000
    intake = await take_in(
        store,
        arrival("1.PNM", sent_at=before),
        own("2.PNM", sent_at=NOW - PAUSE),
        arrival("3.PNM", sent_at=after),
    )
    assert intake.paused == {}
    assert intake.closed == {CHAT: {MessageId("1.PNM")}}
    assert await open_keys(store) == ["3.PNM"]


async def test_what_we_said_ourselves_takes_nothing_over(store: Store) -> None:
    await say(store, "在的")
    assert (await take_in(store, own("1.PNM", "在的"))).paused == {}
    assert list((await take_in(store, own("2.PNM", "我来说"))).paused) == [CHAT]


async def test_the_echo_of_a_message_whose_answer_is_missing_settles_it(store: Store) -> None:
    await say(store, "在的")
    intake = await take_in(store, own("9.PNM", "在的"))
    ((outgoing, message),) = intake.sent
    assert (outgoing.uuid, message) == ("u1", "9.PNM")
    assert await state(store) == ("sent", "9.PNM")
    assert (await take_in(store, own("9.PNM", "在的"))).sent == []


async def test_a_held_message_that_turns_up_is_sent(store: Store) -> None:
    await say(store, "在的")
    await store.transact(outbox.settle, SHOP, "u1", Held("?"), now=NOW)
    assert len((await take_in(store, own("9.PNM", "在的"))).sent) == 1
    assert await state(store) == ("sent", "9.PNM")


async def test_the_same_words_said_long_before_are_not_taken_for_ours(store: Store) -> None:
    await say(store, "在的")
    old = own("9.PNM", "在的", sent_at=NOW - outbox.EARLIEST_BEFORE - 1)
    intake = await take_in(store, old)
    assert intake.sent == []
    assert intake.by_hand == {MessageId("9.PNM")}
    assert await state(store) == ("sending", None)


async def test_a_reply_that_waits_is_dropped_when_the_seller_was_quicker(store: Store) -> None:
    await say(store, "在的", taken=False)
    intake = await take_in(store, own("9.PNM"))
    assert [each.uuid for each in intake.dropped] == ["u1"]
    assert await state(store) == ("dropped", None)


async def test_a_reply_that_is_urgent_is_said_all_the_same(store: Store) -> None:
    await say(store, "在的", taken=False)
    await store.transact(lambda db: db.execute(table.update().values(urgent=True)).rowcount)
    assert (await take_in(store, own("9.PNM"))).dropped == []
    assert await state(store) == ("queued", None)


async def test_the_toggle_word_switches_the_bot_off_until_it_is_said_again(store: Store) -> None:
    await take_in(store, arrival("1.PNM"))
    off = await take_in(store, own("2.PNM", " 。"))
    assert off.paused == {CHAT: chats.FOREVER}
    assert off.closed == {CHAT: {MessageId("1.PNM")}}
    ordinary = await take_in(store, own("3.PNM", "我来说"))
    assert ordinary.paused == {CHAT: chats.FOREVER}
    assert await paused(store, NOW + 10 * PAUSE) == {CHAT: chats.FOREVER}
    on = await take_in(store, own("4.PNM", "。"))
    assert on.paused == {CHAT: 0}
    assert await paused(store) == {}


async def test_the_toggle_word_works_without_a_pause_and_an_empty_one_is_never_said(
    store: Store,
) -> None:
    assert (await take_in(store, own("1.PNM", "。"), pause=0)).paused == {CHAT: chats.FOREVER}
    assert (await take_in(store, own("2.PNM", ""), pause=0, toggle="")).paused == {}


async def test_a_turn_that_the_seller_answered_meanwhile_gets_no_reply(store: Store) -> None:
    await take_in(store, arrival("0.PNM"))
    await take_in(store, own("1.PNM"))
    reply = Reply(contents=(Text("在的"),), source="rules", because="r")
    decision = Decision(reply=reply, passed=())
    late = await store.transact(turns.answer, turn("0.PNM"), decision, ("u1",), now=NOW)
    assert late is False
    assert await store.transact(outbox.take_due, SHOP, frozenset(), most=9, now=NOW) == ()
