"""What is kept of items, and of pictures that were uploaded."""

from __future__ import annotations

from tests.store.samples import NOW, OTHER, SHOP, arrival, turn
from xybot.model import Decision, Image, Item, ItemId, Photo, Reply, Sku, UserId
from xybot.store import inbox, items, outbox, turns, uploads
from xybot.store.database import Database, Store
from xybot.store.items import Known, Listed

PHONE = Item(
    id=ItemId("81"),
    title="手机“小王”\n",
    price=9950,
    stock=0,
    status="在线",
    description="八成新",
    seller=UserId("2201"),
    skus=(Sku(id="1", name="颜色:白", price=None, stock=3),),
    pictures=("http://x/1.jpg",),
)
IMAGE = Image("https://x/1.png", 640, 480)


async def test_an_item_is_kept_whole_for_each_account_and_replaced(store: Store) -> None:
    assert await store.transact(items.known, SHOP, PHONE.id) is None
    await store.transact(items.keep, SHOP, PHONE.id, PHONE, now=NOW)
    assert await store.transact(items.known, SHOP, PHONE.id) == Known(PHONE, NOW)
    assert await store.transact(items.known, OTHER, PHONE.id) is None
    await store.transact(items.keep, SHOP, PHONE.id, None, now=NOW + 1)
    assert await store.transact(items.known, SHOP, PHONE.id) == Known(None, NOW + 1)


async def test_items_that_buyers_asked_about_are_listed_with_those_that_are_known(
    store: Store,
) -> None:
    said = [arrival("1"), arrival("2")]
    await store.transact(inbox.insert_new, SHOP, said, now=NOW)
    await store.transact(inbox.insert_new, OTHER, said, now=NOW)
    await store.transact(items.keep, SHOP, ItemId("90"), None, now=NOW)
    await store.transact(items.keep, SHOP, PHONE.id, PHONE, now=NOW)
    phone = Listed(account=SHOP, id=PHONE.id, known=Known(PHONE, NOW))
    gone = Listed(account=SHOP, id=ItemId("90"), known=Known(None, NOW))
    asked = Listed(account=OTHER, id=PHONE.id, known=None)
    assert set(await store.transact(items.listed)) == {phone, gone, asked}
    assert await store.transact(items.listed, SHOP) == (phone, gone)


async def answer(store: Store) -> None:
    """Let a buyer's line be answered with a picture, u1."""
    await store.transact(inbox.insert_new, SHOP, [arrival("0.PNM")], now=NOW)
    reply = Reply(contents=(Photo("a.png"),), source="rules", because="rules[0]")
    decision = Decision(reply=reply, passed=())
    assert await store.transact(turns.answer, turn("0.PNM"), decision, ("u1",), now=NOW)


async def test_an_uploaded_picture_becomes_what_its_message_says(store: Store) -> None:
    def said(db: Database) -> list[object]:
        taken = outbox.take_due(db, SHOP, frozenset(), most=5, now=NOW)
        return [each.content for each in taken]

    await answer(store)
    assert await store.transact(uploads.take, SHOP, "digest", "u1") is None
    await store.transact(uploads.keep, SHOP, "digest", IMAGE, now=NOW)
    assert await store.transact(uploads.take, OTHER, "digest", "u1") is None
    assert await store.transact(uploads.take, SHOP, "digest", "u1") == IMAGE
    assert await store.transact(said) == [IMAGE]
