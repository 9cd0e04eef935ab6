"""The event stream: everything, in order, once, for everybody who listens and comes back."""

from __future__ import annotations

import re

import attrs
import msgspec
import pytest
import trio

from tests.conftest import SHOP, Shop
from tests.web.listening import EVER, PATH, happen, ids, listener, listening, stored, told
from tests.web.office import READ, SEND, Office, Wire, errors, open_office
from xybot.events import Quarantined
from xybot.model import AccountId
from xybot.store import events
from xybot.web.sse import IDLE


async def test_without_more_ado_a_listener_gets_what_is_new_and_nothing_of_before(
    autojump_clock, office: Office
) -> None:
    happen(office, 5)
    await trio.sleep(1)
    before = await stored(office)
    async with listening(office) as wire:
        assert told(wire) == []
        happen(office, 3)
    assert ids(wire) == await stored(office, before[-1])
    assert len(ids(wire)) == 3


async def test_an_event_is_one_object_with_its_id_type_account_time_and_data(
    autojump_clock, office: Office
) -> None:
    async with listening(office) as wire:
        said = office.shop.platform.buyer_says(office.shop.sim, "小王", "在吗\r\n\r\ndata: x")
    received, sent = told(wire)
    assert (received.name, sent.name) == ("message.received", "reply.sent")
    assert set(received.data) == {"id", "type", "account", "at", "data"}
    assert (received.data["id"], received.data["type"]) == (received.id, received.name)
    assert received.data["account"] == SHOP
    assert abs(received.data["at"] - office.house.now_ms()) < 60_000
    assert received.data["data"]["text"] == "在吗\r\n\r\ndata: x"
    assert received.data["data"]["chat"] == said.chat.id
    assert wire.sent.startswith(b"retry: ")


async def test_after_zero_everything_that_is_kept_comes_first(
    autojump_clock, office: Office
) -> None:
    happen(office, 1200)  # More than go into one piece.
    await trio.sleep(1)
    async with listening(office, "after=0") as wire:
        happen(office, 5)
    assert ids(wire) == await stored(office)
    assert len(ids(wire)) > 1205


@pytest.mark.parametrize("away", [1, 400, 3000])
async def test_who_resumes_by_the_last_id_loses_nothing_and_gets_nothing_twice(
    autojump_clock, office: Office, away: int
) -> None:
    """However much happened meanwhile: more than is at hand in memory, even."""
    got: list[int] = []
    async with listening(office, "after=0") as wire:
        happen(office, 100)
    got += ids(wire)
    for _ in range(2):
        happen(office, away)
        await trio.sleep(1)
        async with listening(office, last_event_id=str(got[-1])) as wire:
            happen(office, 10)
            await trio.sleep(1)
            happen(office, 10)
        got += ids(wire)
    assert got == await stored(office)


async def test_who_left_before_anything_came_has_a_place_to_go_on_from(
    autojump_clock, office: Office
) -> None:
    async with listening(office) as wire:
        pass
    (place,) = re.findall(rb"^id: ([0-9]+)$", wire.sent, re.MULTILINE)
    happen(office, 3)
    await trio.sleep(1)
    async with listening(office, last_event_id=place.decode()) as wire:
        pass
    assert len(ids(wire)) == 3


async def test_the_header_of_who_resumes_counts_more_than_where_they_once_began(
    autojump_clock, office: Office
) -> None:
    happen(office, 10)
    await trio.sleep(1)
    before = await stored(office)
    async with listening(office, "after=0", last_event_id=str(before[-4])) as wire:
        pass
    assert ids(wire) == before[-3:]


async def test_who_listens_while_thousands_of_events_come_gets_all_of_them_in_order(
    autojump_clock, office: Office
) -> None:
    async with listening(office) as wire:
        first = (await stored(office))[-1]
        for _ in range(50):
            happen(office, 60)
            await trio.sleep(0.01)
    assert ids(wire) == await stored(office, first)
    assert len(ids(wire)) == 3000


async def test_after_a_restart_the_listener_goes_on_where_it_was(
    autojump_clock, open_for_business: Shop, tmp_path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        async with listening(office, "after=0") as wire:
            happen(office, 5)
        got = ids(wire)
        happen(office, 5)
    async with open_office(open_for_business, tmp_path) as office:
        async with listening(office, last_event_id=str(got[-1])) as wire:
            happen(office, 5)
        assert got + ids(wire) == await stored(office)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("type=reply.*", {"reply.sent"}),
        ("type=message.received", {"message.received"}),
        ("type=reply.sent,%20chat.*", {"reply.sent", "chat.resumed"}),
        ("type=send.*", set()),
        ("type=", {"message.received", "reply.sent", "chat.resumed"}),
    ],
)
async def test_a_filter_by_type_lets_through_those_types_and_families(
    autojump_clock, office: Office, query: str, wanted: set[str]
) -> None:
    async with listening(office, query) as wire:
        office.shop.says("在吗")
        happen(office)
        await trio.sleep(5)
    assert {each.name for each in told(wire)} == wanted


async def test_a_filter_by_account_lets_through_those_accounts(
    autojump_clock, office: Office
) -> None:
    async with (
        listening(office, "account=shop-b,%20shop-c") as theirs,
        listening(office, f"account={SHOP}&type=chat.*") as ours,
    ):
        for account in (SHOP, "shop-b", "shop-c", "shop-bc"):
            happen(office, 2, account)
    assert [each.data["account"] for each in told(theirs)] == 2 * ["shop-b"] + 2 * ["shop-c"]
    assert [each.data["account"] for each in told(ours)] == 2 * [SHOP]


async def test_a_filtered_listener_that_resumes_loses_nothing_either(
    autojump_clock, office: Office
) -> None:
    query = "after=0&type=chat.resumed"
    async with listening(office, query) as wire:
        happen(office, 3)
    last = ids(wire)[-1]
    for account in (SHOP, "shop-b"):
        for _ in range(700):
            office.house.chronicle.note(Quarantined(account=AccountId(account), reason="x"))
        happen(office, 1, account)
    await trio.sleep(1)
    async with listening(office, query, last_event_id=str(last)) as wire:
        pass
    assert [each.data["account"] for each in told(wire)] == [SHOP, "shop-b"]


@pytest.mark.parametrize("types", ["reply.nope", "*", "reply", "reply.sent,x.*", "Reply.*"])
async def test_a_type_that_there_is_not_is_named_with_those_that_there_are(
    autojump_clock, office: Office, types: str
) -> None:
    answer = await office.get(f"{PATH}?type={types}")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.type"])
    assert "reply.sent" in errors(answer)["query.type"]
    assert office.house.stream.listeners == 0


@pytest.mark.parametrize("id_", ["", "x", "-1", "1.0", "0x1", "9" * 19, "１"])
async def test_a_last_id_that_is_none_is_a_wrong_field(
    autojump_clock, office: Office, id_: str
) -> None:
    wire = listener(office, last_event_id=id_)
    await wire.run()
    assert wire.status == 422
    (field,) = msgspec.json.decode(wire.sent)["error"]["fields"]
    assert field["path"] == "header.last-event-id"


async def test_only_who_may_read_may_listen(autojump_clock, office: Office) -> None:
    assert (await office.get(PATH, token=SEND)).status_code == 403
    assert (await office.get(PATH, token="")).status_code == 401
    assert office.house.stream.listeners == 0


async def test_a_stream_on_which_nothing_happens_says_so_every_fifteen_seconds(
    autojump_clock, office: Office
) -> None:
    async with listening(office, "type=send.held") as wire:
        await trio.sleep(IDLE - 1)
        assert b"still here" not in wire.sent
        await trio.sleep(1)
        assert wire.sent.endswith(b"\n\n: still here\n\n")
        assert wire.sent.count(b": still here\n\n") == 1
        await trio.sleep(10 * IDLE)
        assert wire.sent.count(b": still here\n\n") == 11
        assert told(wire) == []


async def test_who_resumes_from_before_what_is_kept_is_told_how_much_is_lost(
    autojump_clock, open_for_business: Shop, tmp_path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        happen(office, 20)
        await trio.sleep(1)
        pruned = await stored(office)
        assert not await office.shop.store.transact(events.prune, until=EVER)
        happen(office, 3)
        await trio.sleep(1)
    async with open_office(open_for_business, tmp_path) as office:
        async with listening(office, last_event_id=str(pruned[4])) as wire:
            happen(office)
        lost, *others = told(wire)
        assert (lost.name, lost.data) == ("events.lost", {"lost": len(pruned) - 5})
        assert lost.id == pruned[-1]
        assert [each.id for each in others] == await stored(office)
        assert len(others) == 4


async def test_who_missed_only_what_is_kept_is_told_of_no_loss(
    autojump_clock, open_for_business: Shop, tmp_path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        happen(office, 20)
        await trio.sleep(1)
        last = (await stored(office))[-1]
        await office.shop.store.transact(events.prune, until=EVER)
        happen(office, 3)
        await trio.sleep(1)
        async with listening(office, last_event_id=str(last)) as wire:
            pass
        assert ids(wire) == await stored(office)
        assert "events.lost" not in [each.name for each in told(wire)]


async def test_three_hundred_listeners_all_get_everything_in_order(
    autojump_clock, office: Office
) -> None:
    wires = [listener(office) for _ in range(300)]
    first = (await stored(office))[-1]
    async with trio.open_nursery() as nursery:
        for wire in wires:
            nursery.start_soon(wire.run)
        await trio.sleep(1)
        assert office.house.stream.listeners == 300
        for _ in range(10):
            happen(office, 20)
            await trio.sleep(0.3)
        await trio.sleep(5)
        for wire in wires:
            wire.gone.set()
    wanted = await stored(office, first)
    assert len(wanted) == 200
    assert len({wire.sent for wire in wires}) == 1
    assert ids(wires[0]) == wanted
    assert office.house.stream.listeners == 0


async def test_a_listener_that_leaves_is_gone_and_the_others_stay(
    autojump_clock, office: Office
) -> None:
    async with listening(office) as stays:
        async with listening(office):
            assert office.house.stream.listeners == 2
        await trio.sleep(0.1)
        assert office.house.stream.listeners == 1
        happen(office)
    assert len(told(stays)) == 1
    assert office.house.stream.listeners == 0


async def test_listeners_that_are_cancelled_midway_are_gone_too(
    autojump_clock, office: Office
) -> None:
    async def leave_after(seconds: float) -> None:
        with trio.move_on_after(seconds):
            await listener(office, "after=0").run()

    happen(office, 2000)
    async with trio.open_nursery() as nursery:
        for n in range(50):
            nursery.start_soon(leave_after, n / 10)
        for _ in range(50):
            happen(office, 5)
            await trio.sleep(0.1)
    assert office.house.stream.listeners == 0


@attrs.define(eq=False)
class Slow(Wire):
    """A listener that takes its time over every piece."""

    async def _send(self, message) -> None:
        await trio.sleep(3)
        await super()._send(message)


async def test_a_slow_listener_holds_nobody_up_and_misses_nothing(
    autojump_clock, office: Office
) -> None:
    slow = Slow(office.app, "GET", PATH, {"authorization": f"Bearer {READ}"})
    first = (await stored(office))[-1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slow.run)
        await trio.sleep(7)
        async with listening(office) as quick:
            for _ in range(10):
                happen(office, 20)
                await trio.sleep(0.1)
            office.shop.says("在吗")
        assert office.shop.heard == ["在吗"]
        assert len(ids(slow)) < len(ids(quick))
        await trio.sleep(120)
        slow.gone.set()
    assert ids(slow)[: len(ids(quick))] == ids(quick) == (await stored(office, first))
