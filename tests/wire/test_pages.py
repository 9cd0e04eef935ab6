"""Following the platform's lists: where the next page begins, and which chats changed."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from tests.wire.samples import CHAT, NOW
from tests.wire.test_captures import ME as RECORDER
from tests.wire.test_history import as_text, body_of, page_of, recorded, recorded_as
from tests.wire.test_properties import structure, unhurried
from xybot.model import ChatId, UserId
from xybot.simulator.answers import Answers
from xybot.simulator.desk import Desks, Settings
from xybot.simulator.world import World
from xybot.wire import history, requests
from xybot.wire.frames import Frame
from xybot.wire.history import Changed


def changed(**conversation: object) -> tuple[Changed, ...]:
    element = {"type": 1, "singleChatUserConversation": conversation}
    return history.conversations(body_of({"userConvs": [element]})).changed


# The next page ----------------------------------------------------------------------------------

OLDEST = NOW - 5


@pytest.mark.parametrize(
    ("more", "older"),
    [
        ({"hasMore": 1, "nextCursor": 5}, 5),
        ({"hasMore": True, "nextCursor": "5"}, 5),
        ({"hasMore": "1", "nextCursor": 5.0}, 5),
        ({"hasMore": "true", "nextCursor": 5}, 5),
        ({"hasMore": 1}, OLDEST),
        ({"hasMore": 1, "nextCursor": 0}, OLDEST),
        ({"hasMore": "1", "nextCursor": "soon"}, OLDEST),
        ({"hasMore": 0, "nextCursor": 5}, None),
        ({"hasMore": False, "nextCursor": 5}, None),
        ({"hasMore": "0", "nextCursor": 5}, None),
        ({"hasMore": "False", "nextCursor": 5}, None),
        ({"hasMore": "", "nextCursor": 5}, None),
        ({"nextCursor": 5}, 5),  # As in capture 65.
        ({"hasMore": None}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_the_next_page_begins_where_the_platform_says(
    more: dict[str, Any], older: int | None
) -> None:
    lines = [samples.model(samples.TEXT, createAt=at) for at in (NOW, OLDEST, NOW - 1)]
    assert page_of(*lines, **more).older == older
    chats = [
        {"singleChatUserConversation": {"singleChatConversation": {"cid": "1"}, "modifyTime": at}}
        for at in (NOW, OLDEST)
    ]
    assert history.conversations(body_of({"userConvs": chats, **more})).older == older


def test_a_cursor_behind_nothing_leads_nowhere() -> None:
    assert page_of(nextCursor=5).older is None
    assert page_of(hasMore=1).older is None


@unhurried
@given(st.integers(0, 30), st.integers(1, 7))
def test_following_the_cursors_finds_every_line_once(said: int, limit: int) -> None:
    world = World(lambda: NOW, random.Random(said))
    account = world.add_account("shop")
    desks = Desks(Settings())
    desks.add(account)
    chat = world.open_chat(world.add_item(account.user, "旧书"), world.add_user("buyer"))
    keys = [world.say(chat, chat.buyer, f"{n}").id for n in range(said)]
    platform = Answers(world, desks)
    found, cursor = [], requests.NEWEST
    while True:
        body = platform.history(account, requests.history(chat.id, cursor, limit).body).body
        page = history.page(body_of(body), account.user_id)
        found += [line.key for line in page.lines]
        if page.older is None:
            break
        assert page.older < cursor
        cursor = page.older
    assert found == keys[::-1]


@unhurried
@given(st.integers(0, 12), st.integers(1, 5))
def test_following_the_cursors_finds_every_chat_once(chats: int, limit: int) -> None:
    clock = itertools.count(NOW)
    world = World(lambda: next(clock), random.Random(chats))
    account = world.add_account("shop")
    desks = Desks(Settings())
    desks.add(account)
    item, told = world.add_item(account.user, "旧书"), []
    for n in range(chats):
        chat = world.open_chat(item, world.add_user(f"buyer {n}"))
        told.append(Changed(chat=chat.id, at=world.say(chat, chat.buyer, "在吗").sent_at))
    platform = Answers(world, desks)
    found: list[Changed] = []
    cursor = requests.NEWEST
    while True:
        body = platform.conversations(account, requests.conversations(cursor, limit).body).body
        page = history.conversations(body_of(body))
        found += page.changed
        if page.older is None:
            break
        assert page.older < cursor
        cursor = page.older
    assert found == told[::-1]


# Chats ------------------------------------------------------------------------------------------

ADDRESS = {"cid": samples.CID}


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"modifyTime": 5, "lastMessage": {"message": {"createAt": 9}}}, 9),
        ({"modifyTime": "9", "lastMessage": {"message": {"createAt": 5}}}, 9),
        ({"modifyTime": 9}, 9),
        ({"lastMessage": {"message": as_text({"createAt": "9"})}}, 9),
        ({"modifyTime": 0, "lastMessage": {"message": {"createAt": 9}}}, 9),
        ({"modifyTime": 1e300, "lastMessage": None}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_a_chat_changed_when_the_later_of_its_times_says(
    times: dict[str, object], at: int | None
) -> None:
    assert changed(singleChatConversation=ADDRESS, **times) == (Changed(chat=ChatId(CHAT), at=at),)


def test_what_is_no_chat_with_one_person_is_passed_over() -> None:
    assert changed() == ()
    assert changed(singleChatConversation={"cid": "", "pairFirst": ""}) == ()
    group = {"type": 2, "groupUserConversation": {"groupConversation": ADDRESS}}
    assert history.conversations(body_of({"userConvs": [group, None, 7, "x"]})).changed == ()


@unhurried
@given(st.dictionaries(st.sampled_from(["lastMessage", "modifyTime", "cid"]), structure))
def test_any_conversation_with_an_address_is_looked_at(found: dict[str, Any]) -> None:
    element = {**found, "singleChatConversation": {"cid": samples.CID}}
    body = {"userConvs": [{"singleChatUserConversation": element}]}
    (chat,) = history.conversations(Frame(code=200, body=body)).changed
    assert chat.chat == CHAT
    assert chat.at is None or 0 < chat.at <= requests.NEWEST


@recorded
def test_the_recorded_answer_without_a_word_on_more_is_followed() -> None:
    page = history.page(body_of(recorded_as("history_page_trimmed")["body"]), UserId(RECORDER))
    assert [line.key for line in page.lines] == ["3904088724982.PNM"]
    assert page.older == 1767411360356


@recorded
def test_the_published_conversation_is_found_once_it_has_an_address() -> None:
    element = recorded_as("conversation_red_reminder")
    assert history.conversations(body_of({"userConvs": [element]})).changed == ()
    element["singleChatUserConversation"]["singleChatConversation"]["cid"] = samples.CID
    found = history.conversations(body_of({"userConvs": [element]})).changed
    assert found == (Changed(chat=ChatId(CHAT), at=None),)
