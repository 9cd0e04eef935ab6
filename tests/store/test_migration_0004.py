"""From 0003 to 0004: a shop that was there before the console finds its chats listed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.store.samples import NOW, SHOP
from xybot.store import accounts, chatlist, events, migrate, transcript
from xybot.store.chatlist import Asked
from xybot.store.database import Database
from xybot.store.stories import Line

COLUMNS = (
    "account, message, kind, chat, sender, sender_name, content_json, item, sent_at, received_at"
)


@pytest.fixture
def old() -> Iterator[Database]:
    """A database of version 0003."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as db:
        migrate.upgrade(db, "0003")
        yield db
    engine.dispose()


def came(
    db: Database, key: str, *, chat: str | None = "c1", kind: str = "text", **columns: object
) -> None:
    row = {
        "account": "shop-a",
        "message": key,
        "kind": kind,
        "chat": chat,
        "sender": "2201",
        "sender_name": "小王",
        "content_json": '{"is":"text","text":"在吗"}',
        "item": "81",
        "sent_at": NOW,
        "received_at": NOW + 3,
    }
    names = ", ".join(f":{name.strip()}" for name in COLUMNS.split(","))
    insert = sa.text(f"INSERT INTO inbox ({COLUMNS}, raw) VALUES ({names}, '')")
    db.execute(insert, row | columns)


def upgrade(db: Database) -> None:
    db.commit()
    migrate.upgrade(db)


def listed(db: Database) -> list[tuple[object, ...]]:
    return [
        (each.account, each.chat, each.peer, each.name, each.item, each.last_at, each.unread)
        for each in chatlist.page(db, Asked(now=NOW))
    ]


def test_the_chats_of_the_inbox_are_listed_and_count_as_read(old: Database) -> None:
    came(old, "1.PNM")
    came(old, "2.PNM", sent_at=NOW + 9)
    came(old, "3.PNM", chat="c2", kind="image", sender="2202", sender_name="阿杰", item=None)
    came(old, "1.PNM", account="shop-b", sent_at=None, received_at=NOW - 7)
    upgrade(old)
    assert listed(old) == [
        ("shop-a", "c1", "2201", "小王", "81", NOW + 9, 0),
        ("shop-a", "c2", "2202", "阿杰", None, NOW, 0),
        ("shop-b", "c1", "2201", "小王", "81", NOW - 7, 0),
    ]


def test_the_last_line_tells_who_is_there_and_what_it_is_about(old: Database) -> None:
    came(old, "1.PNM", item="900", sender_name="小王")
    came(old, "2.PNM", item="81", sender_name="大王", sent_at=NOW + 5)
    came(old, "3.PNM", item=None, sender_name="", sent_at=NOW + 6)
    upgrade(old)
    assert listed(old) == [("shop-a", "c1", "2201", "大王", "81", NOW + 6, 0)]


def test_a_name_that_is_empty_is_none(old: Database) -> None:
    came(old, "1.PNM", sender_name="")
    upgrade(old)
    assert listed(old)[0][3] is None


def test_what_the_seller_said_last_is_the_time_of_the_chat(old: Database) -> None:
    came(old, "1.PNM")
    came(old, "2.PNM", kind="own", sender="me", sender_name="店主", sent_at=NOW + 5)
    upgrade(old)
    assert listed(old) == [("shop-a", "c1", "2201", "小王", "81", NOW + 5, 0)]


def test_what_nobody_said_lists_no_chat(old: Database) -> None:
    came(old, "1.PNM", kind="read_receipt", chat="c1")
    came(old, "2.PNM", kind="order", chat="c2")
    came(old, "3.PNM", kind="garbage", chat=None)
    came(old, "4.PNM", chat=None)
    upgrade(old)
    assert listed(old) == []


def test_an_empty_shop_has_an_empty_list(old: Database) -> None:
    upgrade(old)
    assert listed(old) == []


def test_what_was_said_before_can_be_read_and_goes_on_from_there(old: Database) -> None:
    came(old, "1.PNM")
    upgrade(old)
    (entry,) = transcript.page(old, SHOP, chatlist.page(old, Asked(now=NOW))[0].chat)
    assert isinstance(entry.heard, Line)
    assert (entry.who, entry.message, entry.at) == ("buyer", "1.PNM", NOW)
    assert not chatlist.seen(old, SHOP, chatlist.page(old, Asked(now=NOW))[0].chat)


def test_accounts_are_as_they_were_and_nothing_is_asked_of_them(old: Database) -> None:
    row = "INSERT INTO accounts (id, version, wanted, pasted) VALUES ('shop-a', '1', 1, 'x')"
    old.execute(sa.text(row))
    upgrade(old)
    assert [each.id for each in accounts.roster(old).wanted] == ["shop-a"]
    assert accounts.redials(old, SHOP) == 0
    assert accounts.redial(old, SHOP)
    assert accounts.redials(old, SHOP) == 1


def test_events_begin_with_the_first_one(old: Database) -> None:
    upgrade(old)
    assert events.ends(old) == (1, 0)
    happening = events.Happening(account=SHOP, name="x", body="{}", at=NOW)
    assert events.record(old, [happening]) == 1
