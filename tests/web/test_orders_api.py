"""Orders over the API: the list, a story without its codes, and the word of their seller."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any, get_args

import pytest
import trio

from tests.conftest import SHOP
from tests.store import selling
from tests.store.selling import CODE, ORDER
from tests.web.office import ADMIN, READ, SEND, Office, errors
from xybot.events import OrderUpdated
from xybot.store import codes, sales
from xybot.trade import OrderState
from xybot.web.api.orders import StateName

LIST = "/api/v1/orders"
ONE = f"/api/v1/accounts/{SHOP}/orders/{ORDER}"
OTHER = "2849113000012345679"


async def put(office: Office, order: str = ORDER, **values: object) -> None:
    await office.shop.store.transact(partial(selling.put, order=order, account=SHOP, **values))


async def do(office: Office, what: Any, *args: object, **values: object) -> None:
    await office.shop.store.transact(partial(what, account=SHOP, **values), *args)


async def ids(office: Office, query: str = "") -> list[str]:
    answer = await office.get(f"{LIST}?{query}", token=READ)
    assert answer.status_code == 200
    return [each["id"] for each in answer.json()["items"]]


def state_of(order: dict[str, Any]) -> tuple[str, str]:
    return order["state"], order["why"]


async def test_an_order_is_shown_with_all_that_is_known(autojump_clock, office: Office) -> None:
    await put(office, state=OrderState.HELD, why="没有货", goods="month", knife=True)
    (found,) = (await office.get(LIST, token=READ)).json()["items"]
    assert state_of(found) == ("held", "没有货")
    assert (found["id"], found["account"], found["role"]) == (ORDER, SHOP, "seller")
    assert (found["amount"], found["quantity"], found["knife"]) == (990, 1, True)
    assert (found["buyer_name"], found["due_at"]) == (None, None)
    assert (await office.get(ONE, token=READ)).json()["order"] == found


async def test_pages_of_any_size_list_each_order_once(autojump_clock, office: Office) -> None:
    for n in range(5):
        await put(office, f"{n}", changed_at=n // 2)
    for limit in (1, 2, 5, 6):
        seen, cursor = [], ""
        while cursor is not None:
            page = (await office.get(f"{LIST}?limit={limit}&cursor={cursor}")).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next"]
        assert seen == ["4", "2", "3", "0", "1"]


async def test_the_list_is_narrowed_down(autojump_clock, office: Office) -> None:
    await put(office, "1", state=OrderState.HELD)
    await put(office, "2", state=OrderState.COMPLETED, title="周卡")
    assert await ids(office, "show=held") == ["1"]
    assert await ids(office, "show=done") == ["2"]
    assert await ids(office, "show=open") == []
    assert await ids(office, "state=completed") == ["2"]
    assert await ids(office, "words=周") == ["2"]
    assert await ids(office, f"account={SHOP}") == ["1", "2"]


@pytest.mark.parametrize("query", ["show=x", "state=x", "state=", "limit=0", "cursor=x"])
async def test_what_no_list_has_is_a_wrong_field(
    autojump_clock, office: Office, query: str
) -> None:
    answer = await office.get(f"{LIST}?{query}")
    assert (answer.status_code, list(errors(answer))) == (422, [f"query.{query.split('=')[0]}"])


def test_every_state_of_an_order_can_be_asked_for() -> None:
    assert set(get_args(StateName)) == {each.value for each in OrderState}


async def test_what_nobody_knows_is_not_found(autojump_clock, office: Office) -> None:
    await put(office)
    other = ONE.replace(ORDER, OTHER)
    for path in (other, f"{other}/codes", ONE.replace(SHOP, "nobody"), f"{LIST}?account=nobody"):
        assert (await office.get(path)).status_code == 404
    for wish in ("deliver", "confirm", "again"):
        assert (await office.post(f"{other}/{wish}")).status_code == 404


async def test_a_story_has_its_steps_and_its_messages_and_not_one_code(
    autojump_clock, office: Office
) -> None:
    await put(office)
    await do(office, selling.step, OrderState.PLACED, words="我已拍下")
    await do(office, selling.deliver, message="1.PNM", settled_at=5, seen_at=7)
    await do(office, selling.give)
    answer = await office.get(ONE, token=READ)
    told = answer.json()
    assert [(each["told"], each["words"]) for each in told["steps"]] == [("placed", "我已拍下")]
    (delivery,) = told["deliveries"]
    assert (delivery["state"], delivery["message"], delivery["seen_at"]) == ("sent", "1.PNM", 7)
    assert told["codes"] == 1
    assert CODE not in answer.text


async def test_codes_are_shown_to_an_admin_who_asks_for_them_and_to_nobody_else(
    autojump_clock, office: Office
) -> None:
    await put(office)
    await do(office, selling.give)
    answer = await office.get(f"{ONE}/codes")
    assert answer.json() == {
        "items": [{"batch": "month", "code": CODE, "state": "sent", "line": 0}]
    }
    for token in (READ, SEND):
        refused = await office.get(f"{ONE}/codes", token=token)
        assert refused.status_code == 403
        assert CODE not in refused.text


async def test_a_held_order_is_released_by_a_sender_and_told(
    autojump_clock, office: Office
) -> None:
    await put(office, state=OrderState.HELD, why="没有货")
    assert (await office.post(f"{ONE}/deliver", token=READ)).status_code == 403
    answer = await office.post(f"{ONE}/deliver", token=SEND)
    assert answer.status_code == 200
    told = answer.json()
    assert state_of(told["order"]) == ("paid", "")
    assert told["order"]["due_at"] is not None
    assert told["steps"][-1]["source"] == "seller"
    (event,) = [each for each in office.shop.events if isinstance(each, OrderUpdated)][:1]
    assert (event.order, event.old, event.new) == (ORDER, OrderState.HELD, OrderState.PAID)
    assert event.source == "seller"


async def test_an_order_is_confirmed_without_a_delivery(autojump_clock, office: Office) -> None:
    await put(office, state=OrderState.HELD)
    answer = await office.post(f"{ONE}/confirm", token=SEND)
    assert answer.status_code == 200
    assert answer.json()["order"]["state"] == "delivered"
    assert answer.json()["deliveries"] == []


async def test_the_same_is_sent_again_under_the_same_line(autojump_clock, office: Office) -> None:
    await put(office, state=OrderState.COMPLETED)
    await do(office, selling.deliver)
    await do(office, selling.give)
    answer = await office.post(f"{ONE}/again", token=SEND)
    assert answer.status_code == 200
    (delivery,) = answer.json()["deliveries"]
    assert (delivery["line"], delivery["state"]) == (0, "queued")
    given = (await office.get(f"{ONE}/codes")).json()["items"]
    assert [each["code"] for each in given] == [CODE]


@pytest.mark.parametrize("wish", ["deliver", "confirm", "again"])
async def test_what_cannot_be_done_is_refused_with_the_reason_and_changes_nothing(
    autojump_clock, office: Office, wish: str
) -> None:
    await put(office, state=OrderState.REFUNDED)
    before = (await office.get(ONE)).json()
    answer = await office.post(f"{ONE}/{wish}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")
    assert answer.json()["error"]["message"]
    assert (await office.get(ONE)).json() == before


async def test_what_an_account_bought_is_never_acted_upon(autojump_clock, office: Office) -> None:
    await put(office, state=OrderState.PAID, role="buyer")
    for wish in ("deliver", "confirm", "again"):
        assert (await office.post(f"{ONE}/{wish}")).status_code == 409


async def test_a_spreadsheet_gets_every_order_that_was_asked_for(
    autojump_clock, office: Office
) -> None:
    for n in range(205):
        await put(office, f"{n}", title="=1+1", state=OrderState.PAID)
    await put(office, ORDER, state=OrderState.HELD)
    answer = await office.get(f"{LIST}.csv?show=open", token=READ)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 205
    assert {each["标题 (title)"] for each in rows} == {"'=1+1"}
    assert (await office.get(f"{LIST}.csv?account=nobody")).status_code == 404


async def test_goods_in_a_conversation_are_read_by_an_admin_only(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(10)
    chat = office.chat()
    await put(office, chat=chat)
    await do(office, selling.deliver, chat=chat, source="goods", message="9.PNM")
    path = f"/api/v1/accounts/{SHOP}/chats/{chat}/messages"
    texts = {
        token: [each["text"] for each in (await office.get(path, token=token)).json()["items"]]
        for token in (ADMIN, READ)
    }
    assert f"卡密 {CODE}" in texts[ADMIN]
    assert "[发货内容 (goods)]" in texts[READ]
    assert CODE not in "".join(texts[READ])
    assert "在吗" in texts[READ]


# Stock.


async def imported(office: Office, batch: str, *texts: str) -> None:
    await office.shop.store.transact(codes.import_, batch, texts, now=office.house.now_ms())


async def test_stock_is_told_by_batch_without_a_code(autojump_clock, office: Office) -> None:
    await imported(office, "month", CODE, "B")
    await imported(office, "week", "C")
    answer = await office.get("/api/v1/stock", token=READ)
    month, week = answer.json()["items"]
    assert (month["batch"], month["unused"], month["imported"]) == ("month", 2, 2)
    assert (week["batch"], week["unused"], week["days_left"]) == ("week", 1, None)
    assert CODE not in answer.text


async def test_the_history_of_a_code_is_asked_for_in_the_body(
    autojump_clock, office: Office
) -> None:
    await imported(office, "month", CODE)
    await imported(office, "week", CODE)
    path = "/api/v1/codes/history"
    both = (await office.post(path, {"code": CODE})).json()["items"]
    assert [each["batch"] for each in both] == ["month", "week"]
    assert [each["what"] for each in both[0]["receipts"]] == ["imported"]
    (one,) = (await office.post(path, {"code": CODE, "batch": "week"})).json()["items"]
    assert one["state"] == "unused"
    assert (await office.post(path, {"code": "nope"})).json() == {"items": []}
    for token in (READ, SEND):
        assert (await office.post(path, {"code": CODE}, token=token)).status_code == 403


async def test_a_wish_reaches_an_order_once_however_many_wish_it(
    autojump_clock, office: Office
) -> None:
    await put(office, state=OrderState.COMPLETED)
    await do(office, selling.deliver)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(office.post, f"{ONE}/again")
    (delivery,) = (await office.get(ONE)).json()["deliveries"]
    assert delivery["line"] == 0
    assert len(await office.shop.store.transact(sales.codes_of, SHOP, ORDER)) == 0
