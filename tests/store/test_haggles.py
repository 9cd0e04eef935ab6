"""What was offered counts when the buyer has heard it, or is about to."""

from __future__ import annotations

import pytest

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, turn
from xybot.model import ChatId, Decision, ItemId, Offer, Reply, ReplyMode, Text
from xybot.store import drafts, haggles, inbox, outbox, turns
from xybot.store.database import Store
from xybot.store.outbox import Refused

ITEM = ItemId("81")
COUNTER = Offer(item=ITEM, asked=80_00, made=95_00)
LAST = Offer(item=ITEM, asked=None, made=None)


async def answer(
    store: Store, key: str, offer: Offer | None = COUNTER, mode: ReplyMode = "send"
) -> bool:
    """Answer a line by an offer, as an account does."""
    await store.transact(inbox.insert_new, SHOP, [arrival(key)], now=NOW)
    reply = Reply(contents=(Text("95"),), source="haggle", because="80 → 95", offer=offer)
    decision = Decision(reply=reply, passed=(), mode=mode)
    return await store.transact(turns.answer, turn(key), decision, (f"u{key}",), now=NOW)


async def past(store: Store) -> tuple[Offer, ...]:
    return await store.transact(haggles.past, SHOP, CHAT, ITEM)


async def test_offers_are_stored_with_their_answers_in_their_order(store: Store) -> None:
    assert await past(store) == ()
    await answer(store, "1.PNM")
    await answer(store, "2.PNM", offer=None)
    await answer(store, "3.PNM", offer=LAST)
    assert await past(store) == (COUNTER, LAST)


async def test_offers_are_of_one_item_in_one_chat_of_one_account(store: Store) -> None:
    await answer(store, "1.PNM")
    for account, chat, item in (
        (OTHER, CHAT, ITEM),
        (SHOP, ChatId("c2"), ITEM),
        (SHOP, CHAT, ItemId("82")),
    ):
        assert await store.transact(haggles.past, account, chat, item) == ()


async def test_an_answer_that_came_too_late_made_no_offer(store: Store) -> None:
    assert await answer(store, "1.PNM")
    reply = Reply(contents=(Text("90"),), source="haggle", because="x", offer=LAST)
    decision = Decision(reply=reply, passed=())
    assert not await store.transact(turns.answer, turn("1.PNM"), decision, ("u2",), now=NOW)
    assert await past(store) == (COUNTER,)


@pytest.mark.parametrize("mode", ["draft", "dry_run"])
async def test_what_was_never_sent_is_no_round(store: Store, mode: ReplyMode) -> None:
    await answer(store, "1.PNM", mode=mode)
    assert await past(store) == ()


async def test_a_draft_counts_once_it_is_approved(store: Store) -> None:
    await answer(store, "1.PNM", mode="draft")
    await store.transact(drafts.approve, SHOP, "u1.PNM", now=NOW)
    assert await past(store) == (COUNTER,)


async def test_what_was_refused_or_taken_back_is_no_round(store: Store) -> None:
    await answer(store, "1.PNM")
    await store.transact(outbox.take_due, SHOP, frozenset(), most=5, now=NOW)
    await store.transact(outbox.settle, SHOP, "u1.PNM", Refused("CSI_FORBID"), now=NOW)
    await answer(store, "2.PNM")
    await store.transact(outbox.drop, SHOP, outbox.Which(until=NOW), "by hand", now=NOW)
    assert await past(store) == ()
