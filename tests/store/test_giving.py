"""What is given for an order: all of it or nothing, once, and known from the platform alone."""

from __future__ import annotations

import attrs
import pytest

from tests.store.counter import ORDER, Counter, gift, trade
from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP
from tests.store.test_orders import at_the_counter
from xybot.model import ChatId, MessageId, OrderId, Text
from xybot.store import chats, codes, deliveries, due, giving, orders, outbox, receipts, writing
from xybot.store.chats import FOREVER, ByHand, Moment
from xybot.store.database import Store
from xybot.store.giving import Part
from xybot.store.inbox import Arrival
from xybot.store.outbox import Held, NotSent, Refused, Which
from xybot.trade import OrderState

PAID, DELIVERING, DELIVERED = OrderState.PAID, OrderState.DELIVERING, OrderState.DELIVERED
CONFIRMED, HELD, REFUNDING = OrderState.CONFIRMED, OrderState.HELD, OrderState.REFUNDING
SECOND = OrderId("2503688126356636371")


async def test_codes_are_reserved_sent_and_confirmed_each_with_its_receipt(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B", "C")
        at.told(PAID)
        (step,) = at.give(gift(2))
        assert (step.new, at.counts()) == (DELIVERING, {"unused": 1, "reserved": 2})
        assert at.sends() == ["A", "B"]
        assert (at.state, at.counts()) == (DELIVERED, {"unused": 1, "sent": 2})
        assert at.due() == [ORDER], "it is to be confirmed as shipped"
        orders.shipped(at.db, at.order(), now=at.now)
        assert (at.state, at.due()) == (CONFIRMED, [])
        assert receipts.verify(at.db) == ()

    await at_the_counter(store, tale)


async def test_an_order_is_given_something_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        stale = at.order()
        at.give()
        assert giving.give(at.db, stale, gift(), at.uuid, now=NOW) == ()
        assert at.counts() == {"unused": 1, "reserved": 1}

    await at_the_counter(store, tale)


async def test_two_orders_never_get_the_same_code(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        for order in (ORDER, SECOND):
            at.told(PAID, order)
            at.give(order=order)
        assert sorted(at.sends()) == ["A", "B"]

    await at_the_counter(store, tale)


async def test_too_few_codes_give_none_and_the_order_goes_on_when_there_are_more(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        (step,) = at.give(gift(2))
        assert (step.new, at.counts(), at.queued()) == (HELD, {"unused": 1}, [])
        assert "库存不足" in step.why
        at.now += giving.STOCK_EVERY
        assert at.due() == [ORDER]
        assert giving.refilled(at.db, at.order(), "month", 2, now=at.now) == ()
        at.stock("B")
        (step,) = giving.refilled(at.db, at.order(), "month", 2, now=at.now)
        assert (step.new, at.due()) == (PAID, [ORDER])

    await at_the_counter(store, tale)


async def test_what_is_paid_for_is_said_first_and_is_not_taken_back_by_hand(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        which = Which(until=FOREVER, chat=CHAT)
        assert outbox.drop(at.db, SHOP, which, "by hand", now=NOW) == ()
        assert at.sends() == ["A"]

    await at_the_counter(store, tale)


async def test_a_refund_stops_what_is_not_on_its_way_and_frees_its_codes(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(2))
        (under_way,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        at.told(REFUNDING, words="买家申请退款")
        assert [state for _, state in at.queued()] == ["sending", "dropped"]
        assert at.counts() == {"unused": 1, "reserved": 1}
        giving.settle(at.db, SHOP, under_way, outbox.Sent(MessageId("1.PNM")), now=NOW)
        assert (at.state, at.counts()) == (REFUNDING, {"unused": 1, "sent": 1})
        assert receipts.verify(at.db) == ()

    await at_the_counter(store, tale)


@pytest.mark.parametrize("end", [Refused("违禁词"), Held("?")])
async def test_a_message_that_is_refused_or_in_doubt_holds_its_order_with_its_codes(
    store: Store, end: Refused | Held
) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give()
        at.sends(end)
        assert (at.state, at.counts()) == (HELD, {"unused": 1, "reserved": 1})
        assert giving.release(at.db, SHOP, ORDER, now=NOW) is not None, "it may have arrived"
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        assert at.state is DELIVERING
        assert at.sends() == ["A"], "never another code"
        assert (at.state, at.counts()) == (DELIVERED, {"unused": 1, "sent": 1})

    await at_the_counter(store, tale)


async def test_a_line_that_did_not_arrive_is_sent_again_by_itself(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        (under_way,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        giving.settle(at.db, SHOP, under_way, NotSent(), now=NOW)
        assert (at.state, at.sends(), at.state) == (DELIVERING, ["A"], DELIVERED)

    await at_the_counter(store, tale)


async def test_a_doubt_that_clears_up_lets_the_order_go_on(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        ((uuid, _),) = at.queued()
        at.sends(Held("?"))
        said = deliveries.lines(at.db, SHOP, ORDER)[0]
        assert (at.state, said.state) == (HELD, "held")
        from xybot.store import schema

        outbox_table = schema.outbox
        at.db.execute(outbox_table.update().values(state="sent"))  # As its echo would tell.
        giving.settled(at.db, SHOP, uuid, now=NOW)
        assert (at.state, at.counts()) == (DELIVERED, {"sent": 1})

    await at_the_counter(store, tale)


async def test_the_seller_may_have_the_same_sent_again_or_only_confirmed(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(ship=False))
        at.sends()
        assert at.due() == [], "it is not to be confirmed"
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        assert (at.sends(), at.state) == (["A"], DELIVERED)
        assert giving.confirm_only(at.db, SHOP, ORDER, now=NOW) is None
        assert at.due() == [ORDER]

    await at_the_counter(store, tale)


async def test_a_held_order_that_was_given_nothing_can_be_tried_again_or_confirmed(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        orders.hold(at.db, at.order(), "x", now=NOW)
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is not None
        assert giving.release(at.db, SHOP, ORDER, now=NOW) is None
        assert (at.state, at.due()) == (PAID, [ORDER])
        assert giving.confirm_only(at.db, SHOP, ORDER, now=NOW) is None
        assert (at.state, at.order().ship) == (DELIVERED, True)

    await at_the_counter(store, tale)


async def test_what_we_buy_ourselves_obeys_nobody(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID, role="buyer")
        assert giving.release(at.db, SHOP, ORDER, now=NOW) is not None
        assert giving.confirm_only(at.db, SHOP, ORDER, now=NOW) is not None
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is not None
        assert at.due() == []

    await at_the_counter(store, tale)


async def test_a_buyer_gets_no_more_than_the_limit_but_by_the_sellers_word(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(limit=1))
        at.sends()
        at.told(PAID, SECOND)
        (step,) = at.give(gift(limit=1), SECOND)
        assert (step.new, at.counts()) == (HELD, {"unused": 1, "sent": 1})
        assert "limit_per_buyer" in step.why
        assert giving.release(at.db, SHOP, SECOND, now=NOW) is None
        (step,) = at.give(gift(limit=1), SECOND)
        assert step.new is DELIVERING, "more are left to the seller, who asked for it"

    await at_the_counter(store, tale)


async def test_what_its_buyer_has_read_is_known_for_each_code(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        ((uuid, _),) = at.queued()
        at.sends()
        for _ in range(2):
            deliveries.seen(at.db, SHOP, CHAT, [MessageId(f"{uuid}.PNM")], now=NOW)
        (code,) = codes.find(at.db, "A")
        assert (code.state, code.order) == ("sent", ORDER)
        assert receipts.verify(at.db) == ()

    await at_the_counter(store, tale)


async def test_a_seller_who_confirmed_by_hand_is_heeded_when_all_is_sent(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        at.told(CONFIRMED)
        assert at.state is DELIVERING, "its buyer does not have it yet"
        at.sends()
        assert (at.state, at.due()) == (CONFIRMED, [])

    await at_the_counter(store, tale)


async def test_text_goods_need_no_codes(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        words = Part(content=Text("谢谢"))
        at.give(gift(0, batch=None, parts=lambda _: (words,)))
        assert (at.sends(), at.state, at.order().buyer) == (["谢谢"], DELIVERED, BUYER)

    await at_the_counter(store, tale)


async def test_what_was_taken_back_is_never_sent_again(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(2))
        outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        at.told(REFUNDING)
        at.told(OrderState.COMPLETED, source="api")
        orders.change(at.db, at.order(), state="held")
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is not None
        assert at.counts() == {"unused": 1, "reserved": 1}

    await at_the_counter(store, tale)


async def test_a_batch_that_runs_low_is_told_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock(*(f"{n:02}" for n in range(giving.FEW + 1)))
        told = []
        for n in range(3):
            order = OrderId(f"{n}" * 19)
            at.told(PAID, order)
            told += [step.runs_low for step in at.give(order=order)]
        assert told == [None, ("month", giving.FEW - 1), None]

    await at_the_counter(store, tale)


async def test_what_was_told_while_somebody_asked_is_not_overwritten(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        stale = at.order()
        at.told(OrderState.CLOSED)
        assert orders.hold(at.db, stale, "x", now=NOW) == ()
        due.postpone(at.db, stale, "x", at=NOW)
        due.wait(at.db, stale, at=NOW)
        assert giving.give(at.db, stale, gift(0, batch=None), at.uuid, now=NOW) == ()
        assert (at.state, at.due()) == (OrderState.CLOSED, [])

    await at_the_counter(store, tale)


async def test_an_order_that_is_confirmed_twice_is_told_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        at.sends()
        stale = at.order()
        assert [step.new for step in at.told(CONFIRMED)] == [CONFIRMED]
        assert orders.shipped(at.db, stale, now=NOW) == ()

    await at_the_counter(store, tale)


async def test_two_accounts_that_sell_from_one_batch_give_different_codes(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        for account in (SHOP, OTHER):
            orders.told(at.db, account, trade(PAID), now=NOW)
            order = orders.find(at.db, account, ORDER)
            assert order is not None
            giving.give(at.db, order, gift(), at.uuid, now=NOW)
        found = [codes.find(at.db, each)[0] for each in ("A", "B")]
        assert [(each.account, each.order) for each in found] == [(SHOP, ORDER), (OTHER, ORDER)]

    await at_the_counter(store, tale)


async def test_what_is_on_its_way_is_not_sent_again_beside_it(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(2))
        (first,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        giving.settle(at.db, SHOP, first, Refused("违禁词"), now=NOW)
        assert at.state is HELD
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is not None
        at.told(REFUNDING)
        assert at.sends() == [], "a message of no line could not be taken back"
        assert at.counts() == {"unused": 2}

    await at_the_counter(store, tale)


async def test_who_asks_twice_for_the_same_has_it_sent_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        at.sends()
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is not None
        assert at.sends() == ["A"]

    await at_the_counter(store, tale)


async def test_a_code_that_may_have_arrived_is_not_free_for_others(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give()
        at.sends(Held("?"))
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        at.told(REFUNDING)
        assert at.sends() == []
        assert at.counts() == {"unused": 1, "reserved": 1}, "the first message may have arrived"

    await at_the_counter(store, tale)


async def test_what_did_not_arrive_before_a_refund_is_not_said_after_it(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        (under_way,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        at.told(REFUNDING)
        giving.settle(at.db, SHOP, under_way, NotSent(), now=NOW)
        assert (at.sends(), at.counts()) == ([], {"unused": 1})
        assert receipts.verify(at.db) == ()

    await at_the_counter(store, tale)


async def test_a_refund_stops_what_waits_for_its_chat_to_be_opened(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        nowhere = attrs.evolve(trade(PAID), chat=ChatId(""))
        orders.told(at.db, SHOP, nowhere, now=NOW)
        at.give()
        (under_way,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        at.told(REFUNDING)
        writing.placed(at.db, SHOP, under_way.uuid, CHAT, now=NOW)
        assert (at.sends(), at.counts()) == ([], {"unused": 1})

    await at_the_counter(store, tale)


async def test_the_echo_of_a_code_that_is_sent_again_is_not_taken_for_the_first(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        at.sends(Held("?"))
        assert giving.again(at.db, SHOP, ORDER, at.uuid, now=NOW) is None
        outbox.take_due(at.db, SHOP, frozenset(), most=1, now=NOW)
        echo = Arrival(
            key=MessageId("1.PNM"), kind="own", raw="", outcome="own", chat=CHAT, content=Text("A")
        )
        moment = Moment(account=SHOP, by_hand=ByHand(pause=0), now=NOW)
        chats.take_in(at.db, moment, [echo])
        assert (at.state, at.sends()) == (DELIVERED, []), "its answer was lost"

    await at_the_counter(store, tale)
