"""Follow-ups in the store: once for each order, whatever happens in between, and only if true."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from tests.store.counter import ORDER, Counter, facts, gift
from tests.store.samples import CHAT, NOW, SHOP
from tests.store.test_orders import at_the_counter
from xybot.model import OrderId, Text
from xybot.store import afterwards, drafts, follow_ups, giving, orders, outbox, schema
from xybot.store.chats import FOREVER
from xybot.store.database import Database, Store
from xybot.store.follow_ups import Followed, Plan, Wish
from xybot.store.orders import By
from xybot.store.outbox import Which
from xybot.store.writing import Pause, take_over
from xybot.trade import OrderState

PLACED, PAID, DELIVERED = OrderState.PLACED, OrderState.PAID, OrderState.DELIVERED
CONFIRMED, COMPLETED = OrderState.CONFIRMED, OrderState.COMPLETED
REFUNDING, CLOSED, HELD = OrderState.REFUNDING, OrderState.CLOSED, OrderState.HELD
REMINDER = Plan(name="催付款", after=PLACED, delay=600_000)
THANKS = Plan(name="感谢", after=COMPLETED, delay=0)
FLOWER = Plan(name="小红花", after=COMPLETED, delay=3_600_000)
DAY = 86_400_000


@attrs.define
class Follower:
    """Says what is due, as the task does: one transaction after another."""

    at: Counter
    plans: Sequence[Plan] = (REMINDER, THANKS, FLOWER)

    def looks(self) -> follow_ups.Taken:
        return follow_ups.take(self.at.db, SHOP, self.plans, most=9, now=self.at.now)

    def says(self, **wish: object) -> list[Followed | None]:
        """Look until nothing is due; say all of it."""
        done = []
        self.looks()
        while waiting := self.looks().waiting:
            for each in waiting:
                made = {"contents": (Text(each.name),), "due_at": self.at.now} | wish
                said = Wish(**made)  # type: ignore[arg-type]
                now = self.at.now
                done.append(follow_ups.say(self.at.db, each, said, self.at.uuid, now=now))
        return done

    def outbox(self) -> list[tuple[str, str, str | None]]:
        columns = sa.select(
            schema.outbox.c.because, schema.outbox.c.state, schema.outbox.c.reason
        ).where(schema.outbox.c.source == follow_ups.SOURCE)
        return [tuple(row) for row in self.at.db.execute(columns)]

    def waits(self) -> int:
        count = sa.select(sa.func.count()).select_from(schema.follow_ups)
        return self.at.db.scalar(count) or 0


def completed(at: Counter, order: OrderId = ORDER) -> Follower:
    for state in (PLACED, PAID, CONFIRMED, COMPLETED):
        at.told(state, order)
    return Follower(at)


async def test_each_is_said_once_after_its_step_and_its_delay(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says()
        assert at.sends() == ["感谢"]
        assert shop.looks().next_due == NOW + FLOWER.delay
        at.now += FLOWER.delay - 1
        assert shop.says() == []
        at.now += 1
        shop.says()
        assert at.sends() == ["小红花"]
        assert (shop.looks().next_due, shop.waits()) == (None, 0)

    await at_the_counter(store, tale)


async def test_a_step_that_is_told_or_taken_twice_is_followed_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        at.told(COMPLETED, source="update")
        shop.says()
        at.told(COMPLETED, source="api")
        # As a step that was noted, and not known to be done, when the process died.
        afterwards.note(at.db, SHOP, ORDER, afterwards.Noted(COMPLETED, at.now), due_at=at.now)
        assert shop.says() == [None]
        assert at.sends() == ["感谢"]

    await at_the_counter(store, tale)


async def test_goods_that_are_sent_again_are_not_followed_again(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at, [Plan(name="已发", after=DELIVERED, delay=0)])
        at.stock("A")
        at.told(PAID)
        at.give()
        at.sends()
        shop.says()
        orders.hold(at.db, at.order(), "?", now=at.now)
        giving.again(at.db, SHOP, ORDER, at.uuid, now=at.now)
        assert (at.sends(), at.state) == (["A"], DELIVERED)
        assert shop.says() == [None]

    await at_the_counter(store, tale)


def completed_by(db: Database) -> None:
    completed(Counter(db))


def looked(db: Database) -> None:
    Follower(Counter(db)).looks()


def said(db: Database) -> None:
    Follower(Counter(db)).says()


async def test_wherever_the_process_dies_a_follow_up_is_said_once(store: Store) -> None:
    def dies_over_the_words(db: Database) -> None:
        assert Follower(Counter(db)).says() != []
        raise EOFError

    def dies_over_the_step(db: Database) -> None:
        completed(Counter(db))
        raise EOFError

    for step in (dies_over_the_step, completed_by, looked, dies_over_the_words, looked, said, said):
        with contextlib.suppress(EOFError):
            await store.transact(step)
    assert await store.transact(lambda db: Counter(db).sends()) == ["感谢"]


async def test_a_buyer_who_has_paid_is_not_reminded(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(PLACED)
        assert (shop.says(), shop.waits()) == ([], 1)
        at.told(PAID)
        assert shop.waits() == 0, "it is forgotten with the very step"
        at.now += REMINDER.delay
        assert (shop.says(), shop.outbox()) == ([], [])

    await at_the_counter(store, tale)


async def test_a_reminder_that_is_queued_is_taken_back_by_the_payment(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(PLACED)
        at.told(PLACED, OrderId("25036881263566363701"))
        shop.looks()
        at.now += REMINDER.delay
        shop.says()
        at.told(PAID)
        (_, state, why), (_, other, _) = shop.outbox()
        assert (state, other) == ("dropped", "queued")
        assert "the order went on" in (why or "")
        assert at.sends() == ["催付款"]

    await at_the_counter(store, tale)


async def test_a_payment_that_is_told_between_the_look_and_the_words_stops_them(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(PLACED)
        shop.looks()
        at.now += REMINDER.delay
        (waiting,) = shop.looks().waiting
        at.told(PAID)
        wish = Wish(contents=(Text("?"),), due_at=at.now)
        assert follow_ups.say(at.db, waiting, wish, at.uuid, now=at.now) is None
        assert at.sends() == []

    await at_the_counter(store, tale)


async def test_who_wants_the_money_back_is_not_thanked(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says(mode="draft", held="wait")
        at.told(REFUNDING)
        assert (shop.waits(), [state for _, state, _ in shop.outbox()]) == (0, ["dropped"])
        assert drafts.waiting(at.db) == ()
        at.now += FLOWER.delay
        assert shop.says() == []

    await at_the_counter(store, tale)


async def test_a_step_that_is_followed_by_a_later_one_is_still_followed(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at, [Plan(name="查收", after=DELIVERED, delay=60_000)])
        at.stock("A")
        at.told(PAID)
        at.give(gift())
        at.sends()
        shop.looks()
        orders.shipped(at.db, at.order(), now=at.now)
        at.told(COMPLETED)
        at.now += 60_000
        shop.says()
        assert at.sends() == ["查收"]

    await at_the_counter(store, tale)


async def test_what_our_account_buys_is_not_followed(store: Store) -> None:
    def tale(at: Counter) -> None:
        for state in (PLACED, PAID, CONFIRMED, COMPLETED):
            at.told(state, role="buyer")
        assert Follower(at).says() == [None]
        assert at.sends() == []

    await at_the_counter(store, tale)


async def test_an_order_that_was_sold_before_us_gets_nothing(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(COMPLETED)
        # Another of which only the number is told; what it is the order API knows.
        other = OrderId("25036881263566363701")
        at.told(None, other)
        orders.checked(at.db, at.order(other), facts(COMPLETED), now=at.now)
        assert (shop.says(), shop.waits()) == ([], 0)

    await at_the_counter(store, tale)


async def test_an_old_order_that_completes_after_days_is_followed(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(PAID)
        at.told(CONFIRMED)
        at.now += 10 * DAY
        at.told(COMPLETED, at=at.now)
        shop.says()
        assert at.sends() == ["感谢"]

    await at_the_counter(store, tale)


async def test_what_was_long_ago_when_it_is_told_is_not_followed(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at)
        at.told(PAID)
        at.told(CONFIRMED)
        at.now += 10 * DAY
        at.told(COMPLETED, at=NOW)
        assert (shop.says(), shop.waits()) == ([], 0)

    await at_the_counter(store, tale)


async def test_what_could_not_be_said_for_a_day_is_dropped_with_the_reason(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.looks()
        (waiting,) = shop.looks().waiting
        at.now += DAY + 1
        wish = Wish(contents=(Text("?"),), due_at=waiting.at)
        done = follow_ups.say(at.db, waiting, wish, at.uuid, now=at.now)
        assert done is not None
        assert done.mode is None
        ((_, state, why),) = shop.outbox()
        assert (state, "long after its time" in (why or "")) == ("dropped", True)

    await at_the_counter(store, tale)


async def test_a_chat_that_the_seller_has_gets_none_and_the_books_say_why(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        take_over(at.db, SHOP, CHAT, Pause(FOREVER, "mine"), now=at.now)
        (done,) = shop.says()
        assert done is not None
        assert done.mode is None
        ((because, state, why),) = shop.outbox()
        assert (because, state) == (f"感谢 → {ORDER}", "dropped")
        assert "its seller has the chat" in (why or "")
        assert (at.sends(), drafts.waiting(at.db)) == ([], ())

    await at_the_counter(store, tale)


async def test_a_queued_one_is_dropped_when_the_seller_takes_the_chat(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says()
        take_over(at.db, SHOP, CHAT, Pause(FOREVER, "mine"), now=at.now)
        assert at.sends() == []
        assert [state for _, state, _ in shop.outbox()] == ["dropped"]

    await at_the_counter(store, tale)


async def test_its_delay_makes_nothing_late_and_holds_up_no_reply(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says()
        at.sends()
        which = Which(until=at.now + FLOWER.delay)
        assert outbox.drop(at.db, SHOP, which, "late", now=at.now) == ()
        at.now += FLOWER.delay
        shop.says()
        assert outbox.drop(at.db, SHOP, Which(until=at.now - 1), "late", now=at.now) == ()
        assert at.sends() == ["小红花"]

    await at_the_counter(store, tale)


async def test_dry_runs_and_drafts_are_kept_as_those_of_replies(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says(mode="draft", held="approve")
        ((_, state, held),) = shop.outbox()
        assert (state, held) == ("draft", "approve")
        (draft,) = drafts.waiting(at.db)
        drafts.approve(at.db, SHOP, draft.outgoing.uuid, now=at.now)
        assert at.sends() == ["感谢"]
        at.now += FLOWER.delay
        shop.says(mode="dry_run", held="rehearsed")
        assert (at.sends(), [state for _, state, _ in shop.outbox()]) == ([], ["sent", "dry_run"])

    await at_the_counter(store, tale)


async def test_a_long_one_is_several_messages_and_all_are_taken_back_together(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.says(contents=(Text("一"), Text("二")))
        assert [state for _, state, _ in shop.outbox()] == ["queued", "queued"]
        at.told(REFUNDING)
        assert at.sends() == []

    await at_the_counter(store, tale)


async def test_without_follow_ups_nothing_is_kept_for_later(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = completed(at)
        shop.plans = ()
        assert shop.says() == []
        shop.plans = (THANKS,)
        assert (shop.says(), shop.waits()) == ([], 0), "it is for orders to come"

    await at_the_counter(store, tale)


async def test_an_order_that_is_held_is_left_to_its_seller(store: Store) -> None:
    def tale(at: Counter) -> None:
        shop = Follower(at, [Plan(name="查收", after=DELIVERED, delay=60_000)])
        at.told(PAID)
        by = By("seller", "", at.now)
        orders.take_step(at.db, at.order(), DELIVERED, by)
        shop.looks()
        orders.hold(at.db, at.order(), "?", now=at.now)
        at.now += 60_000
        assert (shop.says(), at.state, shop.waits()) == ([], HELD, 0)

    await at_the_counter(store, tale)
