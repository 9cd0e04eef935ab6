"""Numbers of the day: what came, how quickly it was answered, what waits, which rules hit."""

from __future__ import annotations

import attrs

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, outgoing
from xybot.model import AccountId, Decision, Message, MessageId, Reply, ReplyMode, Text, Turn
from xybot.store import inbox, outbox, overview, turns
from xybot.store.database import Store
from xybot.store.outbox import Held, Origin, Refused, Sent, Settlement
from xybot.store.overview import HOUR, Depth, Numbers

MIDNIGHT = NOW
SECOND, DAY = 1000, 24 * HOUR


async def come(
    store: Store, key: str, *, at: int, kind: str = "text", account: AccountId = SHOP
) -> None:
    said = kind in ("text", "image", "voice", "video", "expression")
    line = attrs.evolve(arrival(key, outcome=None if said else "not a person: x"), kind=kind)
    await store.transact(inbox.insert_new, account, [line], now=at)


async def decide(
    store: Store,
    *keys: str,
    at: int,
    words: int = 1,
    account: AccountId = SHOP,
    rule: str | None = None,
    mode: ReplyMode = "send",
) -> None:
    """Answer lines with so many messages, up to where they are queued."""
    lines = tuple(
        Message(
            id=MessageId(key),
            chat=CHAT,
            sender=outgoing("x").to,
            sender_name="小王",
            content=Text("?"),
            item=None,
            sent_at=at,
        )
        for key in keys
    )
    contents = tuple(Text(str(n)) for n in range(words))
    reply = Reply(contents=contents, source="rules", because="r", rule=rule)
    uuids = tuple(f"{keys[0]}/{n}" for n in range(words))
    decision = Decision(reply=reply, passed=(), mode=mode)
    asked = Turn(account=account, chat=CHAT, messages=lines)
    assert await store.transact(turns.answer, asked, decision, uuids, now=at)


async def settle(
    store: Store, uuid: str, as_: Settlement, *, at: int, account: AccountId = SHOP
) -> None:
    await store.transact(outbox.take_due, account, frozenset(), most=9, now=at)
    settled = await store.transact(outbox.settle, account, uuid, as_, now=at)
    assert settled.changed


async def numbers(store: Store, account: AccountId = SHOP) -> Numbers:
    return (await store.transact(overview.numbers, since=MIDNIGHT))[account]


# The numbers of a day.


async def test_nothing_that_happened_is_no_numbers(store: Store) -> None:
    assert await store.transact(overview.numbers, since=MIDNIGHT) == {}
    assert await store.transact(overview.depths) == {}
    assert await store.transact(overview.hits, since=MIDNIGHT) == {}


async def test_lines_of_people_are_counted_by_the_hour_and_nothing_else_is(store: Store) -> None:
    await come(store, "0.PNM", at=MIDNIGHT - 1)
    for n, at in enumerate((0, HOUR - 1, HOUR, 13 * HOUR + 5)):
        await come(store, f"a{n}.PNM", at=MIDNIGHT + at, kind="image" if n else "text")
    for kind in ("own", "tip", "card", "recall", "read_receipt"):
        await come(store, f"{kind}.PNM", at=MIDNIGHT + 1, kind=kind)
    found = await numbers(store)
    assert (found.received, dict(found.hours)) == (4, {0: 2, 1: 1, 13: 1})
    assert (found.answered, found.median) == (0, None)


async def test_each_account_has_numbers_of_its_own(store: Store) -> None:
    await come(store, "1.PNM", at=MIDNIGHT)
    await come(store, "1.PNM", at=MIDNIGHT, account=OTHER)
    await come(store, "2.PNM", at=MIDNIGHT, account=OTHER)
    found = await store.transact(overview.numbers, since=MIDNIGHT)
    assert {account: each.received for account, each in found.items()} == {SHOP: 1, OTHER: 2}


async def test_an_answer_counts_when_the_platform_has_it_and_from_the_first_line_of_its_turn(
    store: Store,
) -> None:
    await come(store, "1.PNM", at=MIDNIGHT)
    await come(store, "2.PNM", at=MIDNIGHT + 2 * SECOND)
    await decide(store, "1.PNM", "2.PNM", at=MIDNIGHT + 4 * SECOND, words=2)
    assert ((await numbers(store)).answered, (await numbers(store)).waiting) == (0, 2)
    await settle(store, "1.PNM/0", Sent(MessageId("8.PNM")), at=MIDNIGHT + 5 * SECOND)
    await settle(store, "1.PNM/1", Sent(MessageId("9.PNM")), at=MIDNIGHT + 60 * SECOND)
    found = await numbers(store)
    assert (found.received, found.answered, found.median, found.waiting) == (2, 1, 5.0, 0)


async def test_the_median_is_the_middle_and_one_slow_answer_does_not_spoil_it(
    store: Store,
) -> None:
    for n, took in enumerate((4, 2, 900)):
        at = MIDNIGHT + n * HOUR
        await come(store, f"{n}.PNM", at=at)
        await decide(store, f"{n}.PNM", at=at)
        await settle(store, f"{n}.PNM/0", Sent(MessageId(f"bot{n}")), at=at + took * SECOND)
    assert (await numbers(store)).median == 4.0


async def test_what_was_refused_or_is_only_a_draft_is_no_answer(store: Store) -> None:
    await come(store, "1.PNM", at=MIDNIGHT)
    await decide(store, "1.PNM", at=MIDNIGHT)
    await settle(store, "1.PNM/0", Refused("禁言"), at=MIDNIGHT + 1)
    await come(store, "2.PNM", at=MIDNIGHT)
    await decide(store, "2.PNM", at=MIDNIGHT, mode="draft")
    found = await numbers(store)
    assert (found.received, found.answered, found.median) == (2, 0, None)


async def test_yesterdays_answers_are_yesterdays_and_yesterdays_troubles_are_still_there(
    store: Store,
) -> None:
    yesterday = MIDNIGHT - DAY
    for n in range(3):
        await come(store, f"{n}.PNM", at=yesterday)
        await decide(store, f"{n}.PNM", at=yesterday)
    await settle(store, "0.PNM/0", Sent(MessageId("9.PNM")), at=yesterday)
    await settle(store, "1.PNM/0", Held("断线"), at=yesterday)
    found = await numbers(store)
    assert (found.received, found.answered, found.held, found.waiting) == (0, 0, 1, 1)
    assert dict(found.hours) == {}


# What waits at this moment.


async def test_what_waits_is_counted_by_what_it_waits_for(store: Store) -> None:
    await come(store, "0.PNM", at=NOW)
    await come(store, "own.PNM", at=NOW, kind="own")
    for n in range(1, 4):
        await come(store, f"{n}.PNM", at=NOW)
        await decide(store, f"{n}.PNM", at=NOW)
        if n < 3:
            as_ = Held("断线") if n == 1 else Sent(None)
            await settle(store, f"{n}.PNM/0", as_, at=NOW)
    origin = Origin(turn=None, now=NOW)
    await store.transact(outbox.put_as, SHOP, [outgoing("a"), outgoing("b")], origin)
    drafts = attrs.evolve(origin, mode="draft")
    await store.transact(outbox.put_as, OTHER, [outgoing("c")], drafts)
    await store.transact(outbox.take_due, SHOP, frozenset(), most=1, now=NOW)
    assert await store.transact(overview.depths) == {
        SHOP: Depth(open=1, queued=2, sending=1, held=1),
        OTHER: Depth(drafts=1),
    }


# Rules.


async def test_a_rule_has_a_hit_for_every_turn_that_it_answered_since_then(store: Store) -> None:
    for n, rule in enumerate(("old", "greeting", "greeting", "price", None)):
        await come(store, f"{n}.PNM", at=NOW)
        at = NOW - 1 if rule == "old" else NOW
        await decide(store, f"{n}.PNM", at=at, rule=rule, words=2)
    await come(store, "9.PNM", at=NOW, account=OTHER)
    await decide(store, "9.PNM", at=NOW, rule="price", account=OTHER)
    assert await store.transact(overview.hits, since=NOW) == {"greeting": 2, "price": 2}
