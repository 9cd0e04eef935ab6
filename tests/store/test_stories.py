"""The story of a message and of a chat: what came, what was decided, what was said."""

from __future__ import annotations

import attrs
import pytest

from tests.store.samples import CHAT, NOW, OTHER, SHOP, arrival, turn
from tests.store.test_books import NONE, answer, line, receive, saying, sql
from xybot.model import ChatId, Decision, Text
from xybot.store import inbox, stories, turns
from xybot.store.database import Database, Store
from xybot.store.stories import Story


async def of_message(store: Store, id_: str, account=None) -> tuple[Story, ...]:
    return await store.transact(stories.of_message, id_, account)


async def of_chat(store: Store, chat: str = CHAT, **wanted) -> tuple[Story, ...]:
    return await store.transact(stories.of_chat, ChatId(chat), **wanted)


def ids(story: Story) -> list[str]:
    return [each.message for each in story.lines]


async def write(store: Store) -> None:
    """Two lines that got one answer of two messages, and a line that got none."""
    await receive(store, line("1.PNM"), line("2.PNM"), at=NOW)
    asked = turn("1.PNM", "2.PNM")
    decision = attrs.evolve(saying("在的", "亲"), passed=(("item_rules", "no"),))
    assert await store.transact(turns.answer, asked, decision, ("a", "b"), now=NOW + 3)
    await sql(store, "UPDATE outbox SET state = 'sent', message = '9.PNM' WHERE uuid = 'a'")
    await receive(store, line("3.PNM"), at=NOW + 10)
    await answer(store, "3.PNM", NONE, at=NOW + 13)


@pytest.mark.parametrize("id_", ["1.PNM", "1", "2.PNM", "9.PNM", "9"])
async def test_a_message_is_told_with_its_turn_whoever_said_it(store: Store, id_: str) -> None:
    await write(store)
    (story,) = await of_message(store, id_)
    assert (story.account, story.chat, ids(story)) == (SHOP, CHAT, ["1.PNM", "2.PNM"])
    (verdict,) = story.verdicts
    assert (verdict.outcome, verdict.source, verdict.decided_at) == ("answered", "rules", NOW + 3)
    assert verdict.passed == (("item_rules", "no"),)
    assert [(each.content, each.state) for each in story.said] == [
        (Text("在的"), "sent"),
        (Text("亲"), "queued"),
    ]


async def test_what_got_no_answer_is_told_with_every_reason(store: Store) -> None:
    await write(store)
    (story,) = await of_message(store, "3")
    assert (ids(story), story.said) == (["3.PNM"], ())
    assert [each.passed for each in story.verdicts] == [NONE.passed]


async def test_what_is_still_open_is_told_without_a_verdict(store: Store) -> None:
    await write(store)
    await receive(store, line("4.PNM"))
    (story,) = await of_message(store, "4")
    assert (story.lines[0].outcome, story.verdicts, story.said) == (None, (), ())


async def test_what_nobody_said_or_of_whom_nothing_is_known_is_no_story(store: Store) -> None:
    await write(store)
    assert await of_message(store, "5") == ()
    assert await of_message(store, "") == ()
    assert await of_message(store, "1.PNM", OTHER) == ()
    assert await of_chat(store, "c2") == ()
    assert await of_chat(store, account=OTHER) == ()


async def test_two_of_our_accounts_that_talk_to_each_other_tell_a_story_each(
    store: Store,
) -> None:
    await receive(store, line("1.PNM", "own", "own"))
    await receive(store, line("1.PNM"), account=OTHER)
    assert [each.account for each in await of_message(store, "1")] == [SHOP, OTHER]
    assert [each.account for each in await of_chat(store)] == [SHOP, OTHER]
    assert [each.account for each in await of_message(store, "1", OTHER)] == [OTHER]


async def test_a_chat_is_told_whole_or_from_its_last_lines_on(store: Store) -> None:
    await write(store)
    (whole,) = await of_chat(store)
    assert (ids(whole), len(whole.verdicts), len(whole.said)) == (["1.PNM", "2.PNM", "3.PNM"], 2, 2)
    (end,) = await of_chat(store, last=1)
    assert (ids(end), [each.outcome for each in end.verdicts], end.said) == (
        ["3.PNM"],
        ["skipped"],
        (),
    )


async def test_a_chat_is_in_the_order_in_which_it_was_said(store: Store) -> None:
    late, early = arrival("late", sent_at=NOW + 9), arrival("early", sent_at=NOW)
    for each in (late, early):
        await store.transact(
            inbox.insert_new, SHOP, [attrs.evolve(each, kind="text")], now=NOW + 60
        )
    (story,) = await of_chat(store)
    assert ids(story) == ["early", "late"]


async def test_what_windows_do_is_no_part_of_a_conversation(store: Store) -> None:
    await receive(store, line("1.PNM"), line("r", "read_receipt", "not a message: read_receipt"))
    (story,) = await of_chat(store)
    assert ids(story) == ["1.PNM"]
    assert len(await of_message(store, "r")) == 1


async def test_what_comes_back_of_ours_is_not_the_sellers_hand(store: Store) -> None:
    await write(store)
    await receive(store, line("9.PNM", "own", "own"), line("8.PNM", "own", "own"))
    (story,) = await of_chat(store)
    assert {each.message: each.ours for each in story.lines if each.kind == "own"} == {
        "9.PNM": True,
        "8.PNM": False,
    }


async def test_a_draft_tells_its_mode_and_why_it_is_held(store: Store) -> None:
    await receive(store, line("1.PNM"))
    decision = Decision(reply=saying("在的").reply, passed=(), mode="draft", held="guard: QQ")
    await answer(store, "1.PNM", decision)
    (story,) = await of_message(store, "1")
    assert [(each.mode, each.held) for each in story.verdicts] == [("draft", "guard: QQ")]
    assert [each.state for each in story.said] == ["draft"]


async def test_stories_are_found_by_an_index(store: Store) -> None:
    def plan(db: Database, statement) -> str:
        asked = {"of": None, "keys": ["1"], "in": "c", "turn": 1, "most": 1}
        names = statement.compile().params
        bound = statement.params({name: asked[name] for name in names if name in asked})
        compiled = bound.compile(dialect=db.dialect, compile_kwargs={"render_postcompile": True})
        arguments = [None for _ in compiled.positiontup]
        rows = db.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {compiled}", arguments)
        return "; ".join(row[3] for row in rows)

    for statement in (stories._LAST_LINES, stories._LINES_OF_TURN):
        found = await store.transact(plan, statement)
        assert "inbox_by_chat (account=? AND chat=?)" in found
    for statement in (stories._NAMED, stories._WITH_CHAT):
        assert "USING COVERING INDEX" in await store.transact(plan, statement)
