"""What the seller and their programs do from outside: write, take a chat over, give it back."""

from __future__ import annotations

from datetime import UTC

import attrs
import pytest

from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP, arrival, outgoing, turn
from xybot.model import (
    AccountId,
    ChatId,
    Decision,
    ItemId,
    MessageId,
    Outgoing,
    Reply,
    ReplyMode,
    Text,
    UserId,
)
from xybot.store import books, chatlist, chats, drafts, inbox, outbox, turns, writing
from xybot.store.books import Day, Reason
from xybot.store.chatlist import Asked
from xybot.store.chats import FOREVER
from xybot.store.database import Store
from xybot.store.outbox import Refused, Sent
from xybot.store.writing import ANSWERED, TAKEN_OVER, Fate, Pause, Taken, Wanted, Written

SECOND = ChatId("c2")
PAUSE = 600_000


def console(uuid: str, words: str = "我来说", chat: str = CHAT) -> Outgoing:
    return attrs.evolve(outgoing(uuid, chat, Text(words)), source=outbox.BY_HAND)


def about(item: str, uuid: str = "u1", words: str = "还在吗", to: str = BUYER) -> Outgoing:
    """A message to a buyer with whom there is no chat yet."""
    new = attrs.evolve(outgoing(uuid, "", Text(words)), item=ItemId(item), to=UserId(to))
    return attrs.evolve(new, source="api")


async def write(
    store: Store,
    wanted: Outgoing,
    key: str | None = None,
    *,
    quiet: int | None = None,
    account: AccountId = SHOP,
    now: int = NOW,
) -> Written:
    asked = Wanted(outgoing=wanted, key=key, quiet=quiet)
    return await store.transact(writing.write, account, asked, now=now)


async def ask(store: Store, *keys: str, chat: ChatId = CHAT) -> None:
    """Have a buyer say something in a chat."""
    lines = [attrs.evolve(arrival(key, chat=chat), kind="text") for key in keys]
    await store.transact(inbox.insert_new, SHOP, lines, now=NOW)


async def decide(store: Store, key: str, mode: ReplyMode = "send", chat: ChatId = CHAT) -> None:
    """Answer a line, up to where the answer is queued, or kept as a draft."""
    reply = Reply(contents=(Text("在的"),), source="rules", because="r")
    decision = Decision(reply=reply, passed=(), mode=mode)
    asked = turn(key)
    asked = attrs.evolve(asked, chat=chat, messages=(attrs.evolve(asked.last, chat=chat),))
    assert await store.transact(turns.answer, asked, decision, (f"bot {key}",), now=NOW)


async def state(store: Store, uuid: str) -> str | None:
    fate = await store.transact(writing.fate, SHOP, uuid)
    return fate and fate.state


async def test_two_lines_that_the_seller_writes_are_both_said(store: Store) -> None:
    await write(store, console("u1", "你好"), quiet=PAUSE)
    await write(store, console("u2", "在的"), quiet=PAUSE, now=NOW + 1)
    assert (await state(store, "u1"), await state(store, "u2")) == ("queued", "queued")


async def test_a_line_on_the_phone_leaves_what_was_written_in_the_console(store: Store) -> None:
    await write(store, console("u1", "你好"), quiet=PAUSE)
    own = attrs.evolve(arrival("9.PNM", Text("嗯"), outcome="own", sent_at=NOW), kind="own")
    moment = chats.Moment(account=SHOP, by_hand=chats.ByHand(pause=PAUSE), now=NOW)
    await store.transact(chats.take_in, moment, [own])
    assert await state(store, "u1") == "queued"


async def test_writing_to_a_new_chat_takes_back_nothing_of_other_new_chats(store: Store) -> None:
    await write(store, about("82"))
    await write(store, about("83", "u2", to="2202"), quiet=PAUSE)
    assert (await state(store, "u1"), await state(store, "u2")) == ("queued", "queued")


async def due(store: Store, *, account: AccountId = SHOP, now: int = NOW) -> list[Outgoing]:
    return [*await store.transact(outbox.take_due, account, frozenset(), most=9, now=now)]


async def paused(store: Store, now: int = NOW) -> dict[str, int]:
    return dict(await store.transact(chats.paused, SHOP, now=now))


async def still_open(store: Store) -> list[str]:
    return [each.id for each in await store.transact(inbox.still_open, SHOP)]


async def today(store: Store) -> Day:
    (day,) = await store.transact(books.balance, zone=UTC)
    assert day.balances
    assert await store.transact(books.contradictions) == ()
    return day


# Writing.


async def test_what_a_program_writes_is_queued_and_the_bot_goes_on(store: Store) -> None:
    await ask(store, "1.PNM")
    written = await write(store, outgoing("u1"))
    fate = Fate(outgoing=outgoing("u1"), state="queued", reason=None, message=None)
    assert written == Written(fate=fate, fresh=True, taken=None)
    assert await still_open(store) == ["1.PNM"]
    assert await paused(store) == {}
    assert [each.uuid for each in await due(store)] == ["u1"]


async def test_what_is_written_lists_its_chat(store: Store) -> None:
    await write(store, outgoing("u1", "c9"))
    (listed,) = await store.transact(chatlist.page, Asked(now=NOW))
    assert (listed.chat, listed.peer, listed.unread) == ("c9", BUYER, 0)


async def test_without_a_key_every_wish_is_a_new_message(store: Store) -> None:
    assert (await write(store, console("u1"))).fresh
    assert (await write(store, console("u2"))).fresh
    assert (await state(store, "u1"), await state(store, "u2")) == ("queued", "queued")


async def test_a_wish_that_is_repeated_under_its_key_is_the_same_message(store: Store) -> None:
    assert (await write(store, console("u1"), "k")).fresh
    again = await write(store, console("u2"), "k")
    assert (again.fresh, again.fate.outgoing.uuid, again.fate.state) == (False, "u1", "queued")
    assert await state(store, "u2") is None
    await due(store)
    await store.transact(outbox.settle, SHOP, "u1", Sent(MessageId("9.PNM")), now=NOW)
    late = await write(store, console("u3"), "k", now=NOW + 10**9)
    assert (late.fresh, late.fate.state, late.fate.message) == (False, "sent", "9.PNM")


@pytest.mark.parametrize(
    "other",
    [
        console("u2", "别的话"),
        console("u2", chat="c2"),
        attrs.evolve(console("u2"), to=UserId("2202")),
    ],
)
async def test_a_key_that_was_used_for_another_message_is_refused_and_nothing_is_done(
    store: Store, other: Outgoing
) -> None:
    await write(store, console("u1"), "k")
    await ask(store, "1.PNM")
    with pytest.raises(KeyError, match="k"):
        await write(store, other, "k", quiet=PAUSE)
    assert await state(store, "u2") is None
    assert await still_open(store) == ["1.PNM"]
    assert await paused(store) == {}


async def test_a_key_is_good_for_one_account(store: Store) -> None:
    await write(store, console("u1"), "k")
    assert (await write(store, console("u1", "别的话"), "k", account=OTHER)).fresh


async def test_a_repeated_wish_of_the_sellers_takes_nothing_over_again(store: Store) -> None:
    await write(store, console("u1"), "k", quiet=PAUSE)
    await store.transact(writing.hand_back, SHOP, CHAT, now=NOW)
    await ask(store, "1.PNM")
    assert (await write(store, console("u1"), "k", quiet=PAUSE)).taken is None
    assert await paused(store) == {}
    assert await still_open(store) == ["1.PNM"]


async def test_what_became_of_a_message_is_told_with_its_reason(store: Store) -> None:
    await write(store, console("u1"))
    await due(store)
    assert await state(store, "u1") == "sending"
    await store.transact(outbox.settle, SHOP, "u1", Refused("禁言"), now=NOW)
    fate = await store.transact(writing.fate, SHOP, "u1")
    assert fate is not None
    assert (fate.state, fate.reason, fate.message) == ("refused", "禁言", None)
    assert await store.transact(writing.fate, OTHER, "u1") is None


# The seller's own hand.


async def test_the_seller_who_writes_closes_what_waits_in_that_chat_only(store: Store) -> None:
    await ask(store, "1.PNM", "2.PNM", "3.PNM")
    await ask(store, "4.PNM", "5.PNM", "6.PNM", chat=SECOND)
    await decide(store, "1.PNM")
    await decide(store, "2.PNM", "draft")
    await decide(store, "4.PNM", chat=SECOND)
    await decide(store, "5.PNM", "draft", chat=SECOND)
    written = await write(store, console("u1"), quiet=PAUSE)
    assert written.taken is not None
    assert written.taken.until == NOW + PAUSE
    assert written.taken.closed == {"3.PNM"}
    assert [each.uuid for each in written.taken.dropped] == ["bot 1.PNM", "bot 2.PNM"]
    assert await still_open(store) == ["6.PNM"]
    assert [each.outgoing.uuid for each in await store.transact(drafts.waiting)] == ["bot 5.PNM"]
    assert await paused(store) == {CHAT: NOW + PAUSE}
    assert [each.uuid for each in await due(store)] == ["bot 4.PNM", "u1"]


async def test_the_books_balance_after_the_seller_has_written(store: Store) -> None:
    await ask(store, "1.PNM", "2.PNM", "3.PNM", "4.PNM")
    await decide(store, "1.PNM")
    await due(store)
    await store.transact(outbox.settle, SHOP, "bot 1.PNM", Sent(MessageId("9.PNM")), now=NOW)
    await decide(store, "2.PNM")
    await decide(store, "3.PNM", "draft")
    await write(store, console("u1"), quiet=PAUSE)
    day = await today(store)
    assert (day.received, day.answered, day.waiting) == (4, 1, 0)
    assert day.skipped == {Reason.DROPPED: 2, Reason.BY_HAND: 1}


async def test_what_is_being_sent_is_not_taken_back(store: Store) -> None:
    await ask(store, "1.PNM")
    await decide(store, "1.PNM")
    await due(store)
    written = await write(store, console("u1"), quiet=PAUSE)
    assert written.taken is not None
    assert written.taken.dropped == ()
    assert await state(store, "bot 1.PNM") == "sending"


@pytest.mark.parametrize("longer", [NOW + PAUSE + 9, FOREVER])
async def test_writing_extends_a_pause_and_never_shortens_it(store: Store, longer: int) -> None:
    await write(store, console("u1"), quiet=PAUSE)
    await write(store, console("u2"), quiet=PAUSE, now=NOW + 5)
    assert await paused(store) == {CHAT: NOW + 5 + PAUSE}
    await store.transact(writing.take_over, SHOP, CHAT, Pause(longer, TAKEN_OVER), now=NOW)
    written = await write(store, console("u3"), quiet=1, now=NOW + 6)
    assert written.taken is not None
    assert written.taken.until == longer
    assert await paused(store) == {CHAT: longer}


# Taking over, and giving back.


async def test_a_chat_that_is_taken_over_is_the_sellers_until_it_is_given_back(
    store: Store,
) -> None:
    await ask(store, "1.PNM", "2.PNM")
    await decide(store, "1.PNM")
    taken = await store.transact(writing.take_over, SHOP, CHAT, Pause(FOREVER, TAKEN_OVER), now=NOW)
    assert isinstance(taken, Taken)
    assert (taken.until, taken.closed) == (FOREVER, {"2.PNM"})
    assert [each.uuid for each in taken.dropped] == ["bot 1.PNM"]
    assert (await today(store)).skipped == {Reason.DROPPED: 1, Reason.BY_HAND: 1}
    assert await paused(store, NOW + 10**10) == {CHAT: FOREVER}
    assert not await store.transact(writing.hand_back, OTHER, CHAT, now=NOW)
    assert await store.transact(writing.hand_back, SHOP, CHAT, now=NOW)
    assert await paused(store) == {}
    assert not await store.transact(writing.hand_back, SHOP, CHAT, now=NOW)


async def test_taking_over_for_a_while_does_not_shorten_a_longer_pause(store: Store) -> None:
    for until in (FOREVER, NOW + 5):
        pause = Pause(until, TAKEN_OVER)
        taken = await store.transact(writing.take_over, SHOP, CHAT, pause, now=NOW)
        assert taken.until == FOREVER
    assert await paused(store) == {CHAT: FOREVER}


async def test_a_chat_whose_pause_is_over_is_answered_already(store: Store) -> None:
    await write(store, console("u1"), quiet=PAUSE)
    over = NOW + PAUSE
    assert not await store.transact(writing.hand_back, SHOP, CHAT, now=over)


async def test_why_a_line_was_closed_is_stored_with_it(store: Store) -> None:
    await ask(store, "1.PNM")
    await ask(store, "2.PNM", chat=SECOND)
    await write(store, console("u1"), quiet=PAUSE)
    await store.transact(writing.take_over, SHOP, SECOND, Pause(FOREVER, TAKEN_OVER), now=NOW)
    assert [str(row) for row in await store.transact(_outcomes)] == [
        f"skipped: {ANSWERED}",
        f"skipped: {TAKEN_OVER}",
    ]


def _outcomes(db) -> list[object]:
    return list(db.exec_driver_sql("SELECT outcome FROM inbox ORDER BY seq").scalars())


# A chat that has to be opened first.


async def test_a_message_whose_chat_was_opened_is_due_again_there_and_lists_it(
    store: Store,
) -> None:
    await write(store, about("82"))
    assert await store.transact(chatlist.page, Asked(now=NOW)) == ()
    (taken,) = await due(store)
    assert (taken.chat, taken.item, taken.to) == ("", "82", BUYER)
    await store.transact(writing.placed, SHOP, "u1", SECOND, now=NOW + 5)
    (listed,) = await store.transact(chatlist.page, Asked(now=NOW))
    assert (listed.chat, listed.peer, listed.item, listed.last_at) == ("c2", BUYER, "82", NOW + 5)
    (placed,) = await due(store, now=NOW + 6)
    assert (placed.uuid, placed.chat, placed.content) == ("u1", "c2", taken.content)


async def test_two_that_wait_for_their_chats_do_not_get_each_others(store: Store) -> None:
    await write(store, about("82", "u1", "一"))
    await write(store, about("83", "u2", "二", to="2202"))
    (first,) = await due(store)
    await store.transact(writing.placed, SHOP, first.uuid, SECOND, now=NOW)
    chats_of = {each.uuid: each.chat for each in await due(store)}
    assert chats_of == {"u1": "c2", "u2": ""}


async def test_a_message_that_found_its_chat_is_still_the_one_of_its_key(store: Store) -> None:
    await write(store, about("82"), "k")
    await due(store)
    await store.transact(writing.placed, SHOP, "u1", SECOND, now=NOW)
    again = await write(store, about("82", "u2"), "k")
    assert (again.fresh, again.fate.outgoing.chat) == (False, "c2")
    for other in (about("82", "u2", "别的话"), about("83", "u2")):
        with pytest.raises(KeyError):
            await write(store, other, "k")
