"""Whatever sellers and orders do, each code is somewhere, and at most one order's."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.store.ledgers import add_order, opened
from tests.store.samples import NOW, OTHER, SHOP
from xybot.model import AccountId, OrderId
from xybot.store import codes, ledger

BATCHES = st.sampled_from(["steam", "gift,card"])
ACCOUNTS = st.sampled_from([SHOP, OTHER])
ORDERS = st.sampled_from([OrderId(f"100{n}") for n in range(4)])
LINES = st.sets(st.integers(0, 2))
TEXTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
    | st.sampled_from("abcdef"),
    max_size=6,
)


@attrs.define
class Known:
    """What the test knows of a code."""

    batch: str
    text: str
    state: str = "unused"
    owner: tuple[AccountId, OrderId] | None = None
    line: int | None = None


class Shops(RuleBasedStateMachine):
    """Two accounts that share their stock."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.db = self.stack.enter_context(opened())
        self.known: dict[int, Known] = {}
        self.given: dict[int, tuple[AccountId, OrderId]] = {}
        self.now = NOW
        with self.db.begin():
            for account in (SHOP, OTHER):
                for n in range(4):
                    add_order(self.db, OrderId(f"100{n}"), 3, account=account)

    def teardown(self) -> None:
        self.stack.close()

    def of(self, owner: tuple[AccountId, OrderId], state: str) -> list[Known]:
        return [each for each in self.known.values() if (each.owner, each.state) == (owner, state)]

    @rule(batch=BATCHES, texts=TEXTS)
    def import_(self, batch: str, texts: list[str]) -> None:
        have = [each.text for each in self.known.values() if each.batch == batch]
        with self.db.begin():
            found = codes.repeats(self.db, batch, texts)
            assert bool(found) == (len({*have, *texts}) < len(have) + len(texts))
            if not found:
                assert codes.import_(self.db, batch, texts, now=self.now) == len(texts)
                for text in texts:
                    self.known[len(self.known) + 1] = Known(batch, text)

    @rule(batch=BATCHES, account=ACCOUNTS, order=ORDERS, n=st.integers(1, 4))
    def reserve(self, batch: str, account: AccountId, order: OrderId, n: int) -> None:
        who = {"account": account, "order": order}
        free = [
            (id_, each.text)
            for id_, each in self.known.items()
            if (each.batch, each.state) == (batch, "unused")
        ]
        with self.db.begin():
            got = codes.reserve(self.db, batch, n, **who, now=self.now)
            if got is not None:
                codes.assign(self.db, {code.id: i % 3 for i, code in enumerate(got)})
        assert (got is None) == (len(free) < n)
        assert got is None or [(code.id, code.code) for code in got] == free[:n]
        for i, code in enumerate(got or ()):
            one = self.known[code.id]
            one.state, one.owner, one.line = "reserved", (account, order), i % 3

    @rule(account=ACCOUNTS, order=ORDERS, lines=LINES | st.none())
    def sent(self, account: AccountId, order: OrderId, lines: set[int] | None) -> None:
        mine = self.of((account, order), "reserved")
        mine = [each for each in mine if lines is None or each.line in lines]
        with self.db.begin():
            assert codes.sent(self.db, account, order, now=self.now, lines=lines) == len(mine)
        for each in mine:
            each.state = "sent"

    @rule(account=ACCOUNTS, order=ORDERS, lines=LINES)
    def give_back(self, account: AccountId, order: OrderId, lines: set[int]) -> None:
        mine = [each for each in self.of((account, order), "reserved") if each.line in lines]
        with self.db.begin():
            assert codes.give_back(self.db, account, order, lines, now=self.now) == len(mine)
        for each in mine:
            each.state, each.owner, each.line = "unused", None, None

    @rule(account=ACCOUNTS, order=ORDERS, line=st.integers(0, 2))
    def seen_and_confirmed(self, account: AccountId, order: OrderId, line: int) -> None:
        with self.db.begin():
            codes.seen(self.db, account, order, line, now=self.now)
            codes.confirmed(self.db, account, order, now=self.now)
            assert codes.seen(self.db, account, order, line, now=self.now) == 0
            assert codes.confirmed(self.db, account, order, now=self.now) == 0

    @rule(id_=st.integers(0, 12))
    def quarantine(self, id_: int) -> None:
        one = self.known.get(id_)
        with self.db.begin():
            refusal = codes.quarantine(self.db, id_, "坏的", now=self.now)
        assert (refusal is None) == (one is not None and one.state == "unused")
        if one is not None and refusal is None:
            one.state = "quarantined"

    @rule(days=st.integers(0, 5))
    def wait(self, days: int) -> None:
        self.now += days * 86_400_000

    @invariant()
    def each_code_is_where_it_should_be(self) -> None:
        wanted = Counter((each.batch, each.state) for each in self.known.values())
        with self.db.begin():
            stock = codes.stock(self.db, now=self.now)
            found = {
                (each.batch, state): getattr(each, state)
                for each in stock
                for state in ("unused", "reserved", "sent", "quarantined")
            }
            assert +Counter(found) == wanted
            assert sum(each.imported for each in stock) == len(self.known)
            assert ledger.audit(self.db).wrong == ()

    @invariant()
    def no_code_was_ever_two_orders(self) -> None:
        for id_, each in self.known.items():
            if each.state == "sent":
                assert each.owner is not None
                assert self.given.setdefault(id_, each.owner) == each.owner
        with self.db.begin():
            for id_, owner in self.given.items():
                (row,) = (
                    each
                    for each in codes.find(self.db, self.known[id_].text, self.known[id_].batch)
                    if each.id == id_
                )
                assert (row.state, (row.account, row.order)) == ("sent", owner)


def test_any_sequence_of_steps_leaves_each_code_in_one_place_and_with_one_order() -> None:
    run_state_machine_as_test(
        Shops, settings=settings(deadline=None, max_examples=40, stateful_step_count=25)
    )
