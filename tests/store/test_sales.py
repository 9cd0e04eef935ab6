"""Orders, to be read: the list, and the story of one."""

from __future__ import annotations

import csv
import io

import pytest

from tests.store import selling
from tests.store.samples import BUYER, CHAT, NOW, OTHER, SHOP
from tests.store.selling import CODE, ORDER
from xybot.model import AccountId, ChatId, OrderId, UserId
from xybot.store import sales, schema
from xybot.store.database import Database, Store
from xybot.store.sales import DONE, OPEN, Asked, Story
from xybot.store.sales_csv import as_csv
from xybot.trade import OrderState

SECOND = "2849113000012345679"


async def ids(store: Store, **asked: object) -> list[str]:
    return [each.order for each in await store.transact(sales.page, Asked(**asked))]


async def told(store: Store, order: str = ORDER) -> Story:
    found = await store.transact(sales.story, SHOP, OrderId(order))
    assert found is not None
    return found


def named(db: Database, name: str, chat: str = CHAT, account: str = SHOP) -> None:
    row = {"account": account, "chat": chat, "name": name, "last_at": NOW, "unread": 0}
    db.execute(schema.chats.insert(), row)


# The list.


async def test_what_changed_last_comes_first(store: Store) -> None:
    for n, at in (("1", 5), ("2", 9), ("3", 7)):
        await store.transact(selling.put, n, changed_at=NOW + at)
    assert await ids(store) == ["2", "3", "1"]


async def test_pages_follow_each_other_without_a_gap_where_many_changed_at_once(
    store: Store,
) -> None:
    for n in range(7):
        account = SHOP if n % 2 else OTHER
        await store.transact(selling.put, f"{n}", account=account, changed_at=NOW + n // 4)
    seen, before = [], None
    while found := await store.transact(sales.page, Asked(before=before, most=2)):
        seen += [each.order for each in found]
        before = (found[-1].changed_at, found[-1].account, found[-1].order)
    assert sorted(seen) == [f"{n}" for n in range(7)]
    assert seen == await ids(store, most=None)


async def test_every_state_is_under_exactly_one_heading(store: Store) -> None:
    for state in OrderState:
        await store.transact(selling.put, state.value, state=state)
    shown = {show: set(await ids(store, show=show)) for show in ("held", "open", "done")}
    assert shown == {
        "held": {"held"},
        "open": {each.value for each in OPEN},
        "done": {each.value for each in DONE},
    }
    assert set(await ids(store)) == set().union(*shown.values())


async def test_what_an_account_bought_waits_for_nobody(store: Store) -> None:
    for state in OrderState:
        await store.transact(selling.put, state.value, state=state, role="buyer")
    for show in ("held", "open", "done"):
        assert await ids(store, show=show) == []
    assert len(await ids(store)) == len(OrderState)
    assert await store.transact(sales.held) == {}


async def test_an_order_whose_side_nobody_told_is_one_to_look_at(store: Store) -> None:
    await store.transact(selling.put, state=OrderState.HELD, role=None)
    assert await ids(store, show="held") == [ORDER]


async def test_one_account_or_one_state_alone_is_listed(store: Store) -> None:
    await store.transact(selling.put, "1", state=OrderState.PLACED)
    await store.transact(selling.put, "2", account=OTHER, state=OrderState.PLACED)
    await store.transact(selling.put, "3", state=OrderState.PAID)
    assert await ids(store, account=OTHER) == ["2"]
    assert sorted(await ids(store, state=OrderState.PLACED)) == ["1", "2"]
    assert await ids(store, state=OrderState.PAID, account=OTHER) == []


@pytest.mark.parametrize("words", [ORDER, "900012345678", "2299", "小王", "王", " 月卡 "])
async def test_an_order_is_found_by_an_id_or_a_part_of_a_name(store: Store, words: str) -> None:
    await store.transact(selling.put, item="900012345678", buyer="2299")
    await store.transact(named, "小王")
    await store.transact(selling.put, SECOND, chat="c2", item="1", buyer="2", title="周卡")
    assert await ids(store, words=words) == [ORDER]


async def test_signs_that_a_search_could_take_for_any_are_taken_as_they_are(store: Store) -> None:
    await store.transact(selling.put, title="月卡")
    assert await ids(store, words="%") == []
    assert await ids(store, words="月_") == []


async def test_a_chat_of_another_account_does_not_name_a_buyer(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(named, "小李", account=OTHER)
    (found,) = await store.transact(sales.page, Asked())
    assert found.name is None


async def test_held_orders_are_counted_by_account(store: Store) -> None:
    for n, account in enumerate((SHOP, SHOP, OTHER)):
        await store.transact(selling.put, f"{n}", account=account, state=OrderState.HELD)
    await store.transact(selling.put, "9", state=OrderState.PAID)
    assert await store.transact(sales.held) == {SHOP: 2, OTHER: 1}


# One order.


async def test_an_order_nobody_told_of_has_no_story(store: Store) -> None:
    await store.transact(selling.put)
    assert await store.transact(sales.story, SHOP, OrderId("1")) is None
    assert await store.transact(sales.story, OTHER, OrderId(ORDER)) is None


async def test_the_facts_of_an_order_are_as_they_were_stored(store: Store) -> None:
    await store.transact(selling.put, state=OrderState.HELD, why="没有货", goods="month")
    await store.transact(named, "小王")
    order = (await told(store)).order
    assert (order.account, order.order, order.chat) == (SHOP, ORDER, ChatId(CHAT))
    assert (order.buyer, order.name, order.amount) == (UserId(BUYER), "小王", 990)
    assert (order.state, order.why, order.goods) == (OrderState.HELD, "没有货", "month")


async def test_every_step_is_told_in_the_order_in_which_it_came(store: Store) -> None:
    steps = (OrderState.PAID, OrderState.PLACED, OrderState.DELIVERING)
    await store.transact(selling.put)
    await store.transact(selling.put, SECOND)
    for n, state in enumerate(steps):
        # The clock of the platform may go backwards; what was first is first.
        await store.transact(selling.step, state, at=NOW - n, words=f"{n}")
    await store.transact(selling.step, OrderState.CLOSED, order=SECOND)
    assert [(each.told, each.words) for each in (await told(store)).steps] == [
        (state, f"{n}") for n, state in enumerate(steps)
    ]


async def test_deliveries_are_told_with_what_became_of_their_messages(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(selling.deliver, 1, state="held", reason="读不到")
    await store.transact(selling.deliver, 0, message="1.PNM", settled_at=NOW + 5, seen_at=NOW + 9)
    first, second = (await told(store)).deliveries
    assert (first.line, first.state, first.message, first.seen_at) == (0, "sent", "1.PNM", NOW + 9)
    assert (second.line, second.state, second.reason) == (1, "held", "读不到")


async def test_a_delivery_whose_message_is_gone_is_told_all_the_same(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(selling.deliver)
    await store.transact(selling.forgotten)
    (delivery,) = (await told(store)).deliveries
    assert (delivery.line, delivery.state) == (0, "")


async def test_two_accounts_can_be_the_two_sides_of_an_order(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(selling.put, account=OTHER, role="buyer")
    both = await store.transact(sales.named, OrderId(ORDER))
    assert [(each.account, each.role) for each in both] == [(SHOP, "seller"), (OTHER, "buyer")]
    (mine,) = await store.transact(sales.named, OrderId(ORDER), OTHER)
    assert mine.account == OTHER


# Codes.


async def test_an_order_has_its_own_codes_as_they_stand_in_its_messages(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(selling.give, "B", line=1)
    await store.transact(selling.give, "A", line=0)
    await store.transact(selling.give, "C", order=SECOND)
    await store.transact(selling.give, "D", account=OTHER)
    await store.transact(selling.give, "E", account=None, order=None, line=None, state="unused")
    given = await store.transact(sales.codes_of, SHOP, OrderId(ORDER))
    assert [(each.code, each.line, each.state) for each in given] == [
        ("A", 0, "sent"),
        ("B", 1, "sent"),
    ]
    assert (await told(store)).codes == 2


async def test_a_code_is_in_no_text_that_could_be_logged(store: Store) -> None:
    await store.transact(selling.put)
    await store.transact(selling.deliver)
    await store.transact(selling.give)
    given = await store.transact(sales.codes_of, SHOP, OrderId(ORDER))
    assert given[0].code == CODE
    assert CODE not in repr(given)
    assert CODE not in repr(await told(store))


# CSV.


async def rows(store: Store) -> list[dict[str, str]]:
    text = as_csv(await store.transact(sales.page, Asked(most=None)))
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_csv_has_a_row_for_each_order(store: Store) -> None:
    for n in range(3):
        await store.transact(selling.put, f"{n}", changed_at=NOW - n, amount=n)
    found = await rows(store)
    assert [each["订单号 (order)"] for each in found] == ["0", "1", "2"]
    assert [each["金额元 (amount, yuan)"] for each in found] == ["0.00", "0.01", "0.02"]
    assert [each["状态 (state)"] for each in found] == ["paid"] * 3


@pytest.mark.parametrize("title", ["a,b", 'a"b', "a\nb", "a\r\nb", "，“”", "中文 😀"])
async def test_what_a_title_holds_does_not_break_a_row(store: Store, title: str) -> None:
    await store.transact(selling.put, title=title)
    (found,) = await rows(store)
    assert found["标题 (title)"] == title


@pytest.mark.parametrize(
    "title", [*("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"), *("\n=1", " =1", "＝1+1", "　－1")]
)
async def test_what_a_buyer_named_is_never_a_formula(store: Store, title: str) -> None:
    await store.transact(selling.put, title=title)
    (found,) = await rows(store)
    assert found["标题 (title)"] == f"'{title}"


async def test_what_is_unknown_is_an_empty_cell(store: Store) -> None:
    unknown = dict.fromkeys(("buyer", "item", "title", "quantity", "amount", "paid_at", "role"))
    await store.transact(selling.put, **unknown)
    (found,) = await rows(store)
    assert {found[name] for name in ("买家 (buyer)", "数量 (quantity)", "付款 (paid)")} == {""}


async def test_a_csv_of_no_orders_has_a_head_only(store: Store) -> None:
    assert await rows(store) == []
    assert AccountId(SHOP) not in as_csv([])
