"""Rules over the API: shown with where they stand, added and removed at once, and tried."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from tests.conftest import SHOP, clock_ms, open_shop
from tests.web.office import READ, RULES, SEND, Office, errors, open_office
from xybot import clock
from xybot.model import Decision, Turn
from xybot.store import books

LIST = "/api/v1/rules"
TRY = f"{LIST}/try"
PRICE = {"keywords": ["多少钱", "价格"], "reply": ["标价就是", "不议价"]}


@pytest.fixture
async def today(autojump_clock, tmp_path: Path) -> AsyncIterator[Office]:
    """A web side on the clock of this machine, as the rehearsal is."""
    async with open_shop(now_ms=clock.now_ms) as shop, open_office(shop, tmp_path) as office:
        yield office


def answer_by_the_rules(office: Office) -> None:
    """Have buyers answered by the settings in force, as if they wrote just now."""

    async def decide(turn: Turn, _now: int) -> Decision:
        lines = (attrs.evolve(each, sent_at=clock.now_ms()) for each in turn.messages)
        return await office.house.rehearse(attrs.evolve(turn, messages=tuple(lines)), True)

    office.shop.decide = decide


async def rules(office: Office) -> list[dict[str, Any]]:
    answer = await office.get(LIST)
    assert answer.status_code == 200
    return answer.json()["items"]


def console_file(office: Office) -> Path:
    return office.folder / "bot.d" / "console.toml"


def written(office: Office) -> dict[str, bytes]:
    """Every file of the settings, as it is."""
    paths = (path for path in office.folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in paths}


async def test_a_rule_is_shown_with_its_words_its_file_and_its_line(
    autojump_clock, office: Office
) -> None:
    lines = (office.folder / "bot.toml").read_text().splitlines()
    (rule,) = await rules(office)
    assert rule["id"]
    del rule["id"]
    assert rule == {
        "where": "bot.toml: rules[0]（第 1 条）",
        "line": lines.index("[[rules]]") + 1,
        "mode": "contains",
        "keywords": ["在吗"],
        "reply": ["在的"],
        "image": "",
        "accounts": [],
        "items": [],
        "titles": [],
        "hours": [],
        "priority": 0,
        "hand_over": False,
        "hits": 0,
        "own": False,
    }


async def test_hits_are_the_turns_that_a_rule_answered_in_the_last_seven_days(
    autojump_clock, office: Office
) -> None:
    answer_by_the_rules(office)
    for buyer in ("甲", "乙", "丙"):
        office.shop.says("在吗", buyer)
        office.shop.says("在吗？", buyer)
    office.shop.says("你好", "丁")
    await trio.sleep(10)
    assert office.shop.heard == 3 * ["在的"]
    assert [rule["hits"] for rule in await rules(office)] == [3]
    week = 7 * 86_400_000
    for later, hits in ((week - 20_000, 3), (week, 0)):
        office.shop.now_ms = lambda later=later: clock_ms() + later
        async with open_office(office.shop, office.folder) as then:
            assert [rule["hits"] for rule in await rules(then)] == [hits]


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_pages_of_any_size_show_each_rule_once_in_the_order_of_the_files(
    autojump_clock, office: Office, limit: int
) -> None:
    for word in ("一", "二"):
        await office.post(LIST, {"keywords": [word], "reply": ["好"]})
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await office.get(f"{LIST}?limit={limit}&cursor={cursor}")).json()
        assert len(page["items"]) <= limit
        found += [each["keywords"][0] for each in page["items"]]
        cursor = page["next"]
    assert found == ["在吗", "一", "二"]


async def test_a_rule_that_is_added_answers_the_next_buyer(autojump_clock, office: Office) -> None:
    answer_by_the_rules(office)
    office.shop.says("多少钱", "早来的")
    await trio.sleep(10)
    assert office.shop.heard == []
    answer = await office.post(LIST, PRICE)
    assert answer.status_code == 201
    office.shop.says("价格？", "晚来的")
    await trio.sleep(10)
    assert office.shop.heard == ["标价就是", "不议价"]
    listed = await rules(office)
    assert {**answer.json(), "hits": 1} == listed[-1]
    assert (listed[-1]["keywords"], listed[-1]["reply"]) == (PRICE["keywords"], PRICE["reply"])
    assert listed[-1]["own"]
    assert listed[-1]["where"].startswith("bot.d/console.toml")


async def test_it_goes_to_a_file_of_the_console_that_only_its_owner_can_read(
    autojump_clock, office: Office
) -> None:
    before = written(office)
    await office.post(LIST, PRICE)
    path = console_file(office)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    after = written(office)
    text = after.pop(str(path)).decode()
    assert after == before  # bot.toml too, to the last byte.
    (rule,) = tomllib.loads(text)["rules"]
    assert (rule["keywords"], rule["reply"]) == (PRICE["keywords"], PRICE["reply"])
    assert text.startswith("#")


async def test_all_that_a_rule_can_have_is_taken_and_shown(autojump_clock, office: Office) -> None:
    wanted = {
        "keywords": ["^退(货|款)$"],
        "mode": "regex",
        "reply": ["请稍等"],
        "accounts": [SHOP],
        "items": ["805797749746"],
        "titles": ["耳机"],
        "hours": ["22:00-08:00"],
        "priority": -5,
        "hand_over": True,
    }
    answer = await office.post(LIST, wanted)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in wanted} == wanted


async def test_a_rule_without_a_reply_means_silence(autojump_clock, today: Office) -> None:
    answer = await today.post(LIST, {"keywords": ["好的"]})
    assert (answer.status_code, answer.json()["reply"]) == (201, [""])
    told = (await today.post(TRY, {"text": "好的"})).json()
    assert (told["texts"], told["source"]) == ([], "rules")


@pytest.mark.parametrize(
    "wrong",
    [
        {"keywords": ["(退"], "mode": "regex", "reply": ["x"]},
        {"keywords": ["a & ("], "mode": "expression", "reply": ["x"]},
        {"keywords": ["a"], "reply": ["{nobody_knows}"]},
        {"keywords": ["a"], "reply": ["x"], "hours": ["25:00-26:00"]},
        {"keywords": ["a"], "reply": ["x"], "titles": ["/(/"]},
        {"keywords": ["  "], "reply": ["x"]},
        {"keywords": ["a"], "reply": ["x", ""]},
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_with_words_and_nothing_is_written(
    autojump_clock, office: Office, wrong: dict[str, object]
) -> None:
    await office.post(LIST, PRICE)
    before, listed = written(office), await rules(office)
    answer = await office.post(LIST, wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
    ((path, message),) = errors(answer).items()
    assert path.startswith("body")
    assert message
    assert written(office) == before
    assert await rules(office) == listed


async def test_a_refused_first_rule_leaves_no_file_behind(autojump_clock, office: Office) -> None:
    before = written(office)
    answer = await office.post(LIST, {"keywords": ["("], "mode": "regex", "reply": ["x"]})
    assert answer.status_code == 422
    assert written(office) == before


async def test_every_wrong_field_is_named_at_once(autojump_clock, office: Office) -> None:
    body = {
        "keywords": ["", "a", 5],
        "mode": "fuzzy",
        "reply": "x",
        "priority": 1001,
        "hand_over": "yes",
        "image": "/etc/passwd",
    }
    answer = await office.post(LIST, body)
    assert answer.status_code == 422
    assert set(errors(answer)) == {
        "body.keywords[0]",
        "body.keywords[2]",
        "body.mode",
        "body.reply",
        "body.priority",
        "body.hand_over",
        "body.image",
    }
    assert "contains" in errors(answer)["body.mode"]
    assert not console_file(office).exists()
    nothing = await office.post(LIST, {})
    assert list(errors(nothing)) == ["body.keywords"]


async def test_words_that_look_like_toml_stay_words(autojump_clock, office: Office) -> None:
    keywords = [
        '"""',
        "'''",
        "]\n[web]\ntoken = 1",
        "\\u0041",
        "#",
        "{{7*7}}",
        "<script>",
        "\u202e",
    ]
    answer = await office.post(LIST, {"keywords": keywords, "reply": ['a"\n[[rules]]\\']})
    assert answer.status_code == 201
    rule = (await rules(office))[-1]
    assert (rule["keywords"], rule["reply"]) == (keywords, ['a"\n[[rules]]\\'])
    assert len(await rules(office)) == 2


async def test_only_a_rule_of_the_console_can_be_removed(autojump_clock, office: Office) -> None:
    (given,) = await rules(office)
    ids = [(await office.post(LIST, PRICE)).json()["id"]]
    ids.append((await office.post(LIST, {"keywords": ["包邮"], "reply": ["包"]})).json()["id"])
    before = (office.folder / "bot.toml").read_bytes()
    for id_ in (given["id"], "0123456789abcdef", "%00", "x" * 64):
        answer = await office.ask("DELETE", f"{LIST}/{id_}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert len(await rules(office)) == 3
    answer = await office.ask("DELETE", f"{LIST}/{ids[0]}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert [rule["id"] for rule in await rules(office)] == [given["id"], ids[1]]
    assert (await office.ask("DELETE", f"{LIST}/{ids[0]}")).status_code == 404
    assert (office.folder / "bot.toml").read_bytes() == before


async def test_a_removed_rule_answers_nobody_any_more(autojump_clock, today: Office) -> None:
    id_ = (await today.post(LIST, PRICE)).json()["id"]
    assert (await today.post(TRY, {"text": "多少钱"})).json()["texts"] == PRICE["reply"]
    await today.ask("DELETE", f"{LIST}/{id_}")
    assert (await today.post(TRY, {"text": "多少钱"})).json()["texts"] == []


async def test_a_tried_line_tells_what_would_be_said_and_why(autojump_clock, today: Office) -> None:
    answer = await today.post(TRY, {"text": "请问在吗"}, token=READ)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["texts"], told["source"], told["mode"]) == (["在的"], "rules", "send")
    assert "bot.toml: rules[0]" in told["because"]
    assert "在吗" in told["because"]
    assert (told["held"], told["hand_over"]) == ("", False)


async def test_a_tried_line_that_nobody_answers_tells_what_each_source_lacked(
    autojump_clock, today: Office
) -> None:
    told = (await today.post(TRY, {"text": "你好"})).json()
    assert (told["texts"], told["source"], told["because"]) == ([], None, None)
    assert "rules" in [each["source"] for each in told["passed"]]
    assert all(each["reason"] for each in told["passed"])


async def test_a_tried_line_is_of_the_buyer_and_item_that_are_named(
    autojump_clock, today: Office
) -> None:
    reply = ["{send_user_name}，{item_id}，{send_message}"]
    await today.post(LIST, {"keywords": ["编号"], "reply": reply, "items": ["77"]})
    asked = {"text": "编号 {{7*7}}", "account": SHOP, "buyer": "小李", "item": "77"}
    assert (await today.post(TRY, asked)).json()["texts"] == ["小李，77，编号 {{7*7}}"]
    assert (await today.post(TRY, {**asked, "item": "78"})).json()["texts"] == []


async def test_trying_a_line_stores_and_sends_and_tells_nothing(
    autojump_clock, today: Office
) -> None:
    before = len(today.shop.events)
    for text in ("在吗", "你好"):
        await today.post(TRY, {"text": text, "outside": True})
    await trio.sleep(10)
    assert await today.shop.books() == ()
    assert await today.shop.store.transact(books.balance) == ()
    assert today.shop.events[before:] == []
    assert today.shop.heard == []
    assert (await today.get("/api/v1/chats")).json()["items"] == []
    assert [rule["hits"] for rule in await rules(today)] == [0]


async def test_what_cannot_be_tried_is_named(autojump_clock, office: Office) -> None:
    answer = await office.post(TRY, {"text": "", "item": 7, "buyer": "长" * 101, "chat": "1"})
    assert answer.status_code == 422
    assert set(errors(answer)) == {"body.text", "body.item", "body.buyer", "body.chat"}
    assert (await office.post(TRY, {"text": "在吗", "account": "nobody"})).status_code == 404


async def test_readers_may_look_and_try_and_only_admins_may_change(
    autojump_clock, office: Office
) -> None:
    for token in (READ, SEND):
        assert (await office.post(LIST, PRICE, token=token)).status_code == 403
        assert (await office.ask("DELETE", f"{LIST}/x", token=token)).status_code == 403
    assert (await office.get(LIST, token=SEND)).status_code == 403
    assert (await office.post(TRY, {"text": "在吗"}, token=SEND)).status_code == 403
    assert (await office.get(LIST, token=READ)).status_code == 200
    assert not console_file(office).exists()
    assert len(await rules(office)) == len(RULES)
