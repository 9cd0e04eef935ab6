"""The program itself over HTTP: does it live, is it ready, what do its numbers say."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import SHOP, Shop
from tests.web.office import ADMIN, READ, SEND, Office, Wire, open_office
from xybot import __version__
from xybot.errors import Cause
from xybot.events import ModelAsked, SendHeld
from xybot.model import ChatId, Decision, Reply, Text, Turn
from xybot.store import accounts, hooks
from xybot.store.hooks import Progress
from xybot.web.metrics import MEDIA_TYPE, Metrics

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]
HOOK = {
    "url": "https://user:password@hooks.example.com:8443/key-123?token=456",
    "secret": "hook-secret-0123456789",
    "events": ["reply.*", "send.held"],
    "accounts": [SHOP],
}


async def numbers(office: Office) -> Numbers:
    """All that the metrics say: (name, its labels) -> value."""
    answer = await office.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(found: Numbers, name: str, **labels: str) -> float:
    """One number of our account; 0 when nobody has counted it yet."""
    key = tuple(sorted({"account": SHOP, **labels}.items()))
    return found.get((f"xybot_{name}", key), 0)


async def test_health_is_open_to_all_and_tells_nothing_of_accounts(
    autojump_clock, office: Office
) -> None:
    office.shop.faults.refuse_dial(99)
    office.shop.faults.cut()
    await trio.sleep(5)
    for token in ("", "wrong", ADMIN):
        answer = await office.get("/health", token=token)
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize("path", ["/ready", "/metrics", "/api/v1/hooks", "/openapi.json"])
async def test_all_else_is_for_those_who_may_read(
    autojump_clock, office: Office, path: str
) -> None:
    assert (await office.get(path, token="")).status_code == 401
    assert (await office.get(path, token=SEND)).status_code == 403
    assert (await office.get(path, token=READ)).status_code == 200


async def test_it_is_ready_when_every_account_is_on_line(autojump_clock, office: Office) -> None:
    answer = await office.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


async def test_it_is_not_ready_while_an_account_connects_anew_and_says_why(
    autojump_clock, office: Office
) -> None:
    office.shop.faults.refuse_dial(3)
    office.shop.faults.cut()
    await trio.sleep(1)
    answer = await office.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    (why,) = answer.json()["accounts"]
    assert (why["account"], why["state"]) == (SHOP, "reconnecting")
    assert why["reason"]
    assert why["cause"] in {cause.value for cause in Cause}
    await trio.sleep(60)
    assert (await office.get("/ready")).status_code == 200


async def test_it_is_not_ready_before_the_first_connection(
    autojump_clock, shop: Shop, tmp_path: Path
) -> None:
    async with open_office(shop, tmp_path) as office:
        answer = await office.get("/ready")
        assert answer.status_code == 503
        assert [each["state"] for each in answer.json()["accounts"]] == ["disconnected"]


async def test_an_account_that_waits_for_its_seller_is_not_ready_and_a_paused_one_does_not_count(
    autojump_clock, supervised: Office
) -> None:
    await supervised.post(f"/api/v1/accounts/{SHOP}/pause")
    await trio.sleep(2)
    assert supervised.shop.status.cause is Cause.PAUSED
    assert (await supervised.get("/ready")).status_code == 200
    await supervised.shop.store.transact(
        accounts.park, SHOP, "请验证 (please verify)", Cause.VERIFICATION_REQUIRED
    )
    await trio.sleep(5)
    answer = await supervised.get("/ready")
    assert answer.status_code == 503
    (why,) = answer.json()["accounts"]
    assert why == {
        "account": SHOP,
        "state": "failed",
        "reason": "请验证 (please verify)",
        "cause": "verification_required",
    }


async def test_an_account_that_is_switched_off_does_not_count(
    autojump_clock, shop: Shop, tmp_path: Path
) -> None:
    off = [{"id": SHOP, "enabled": False}]
    async with open_office(shop, tmp_path, accounts=off) as office:
        assert (await office.get("/ready")).status_code == 200
        assert of(await numbers(office), "account_up") == 0


async def test_lines_and_answers_are_counted_and_how_long_an_answer_took(
    autojump_clock, office: Office
) -> None:
    for n in range(3):
        office.shop.says("在吗", f"买家{n}")
        office.shop.says("？", f"买家{n}")
    await trio.sleep(10)
    found = await numbers(office)
    assert of(found, "messages_received_total") == 6
    assert of(found, "replies_total", source="echo") == 3
    assert of(found, "reply_seconds_count") == 3
    assert 3 * 3 <= of(found, "reply_seconds_sum") < 3 * 4
    assert of(found, "reply_seconds_bucket", le="2.0") == 0
    assert of(found, "reply_seconds_bucket", le="5.0") == 3
    assert of(found, "account_up") == 1


async def test_words_of_a_program_are_counted_under_their_own_source(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(10)
    path = f"/api/v1/accounts/{SHOP}/chats/{office.chat()}/messages"
    await office.post(path, {"text": "已发货", "by_hand": False})
    await office.post(path, {"text": "我来"})
    found = await numbers(office)
    assert of(found, "replies_total", source="api") == 1
    assert of(found, "replies_total", source="by_hand") == 1
    assert of(found, "replies_total", source="echo") == 1


async def test_what_was_not_answered_is_counted_by_its_cause(
    autojump_clock, office: Office
) -> None:
    async def decide(turn: Turn, _now: int) -> Decision:
        match turn.text:
            case "黑名单":
                return Decision(reply=None, passed=(("blacklist", "x"),))
            case "安静":
                return Decision(reply=Reply(contents=(), source="rules", because="x"), passed=())
        return Decision(reply=None, passed=(("rules", "x"), ("ai", "y")))

    office.shop.decide = decide
    for n, text in enumerate(("黑名单", "安静", "不懂", "还是不懂")):
        office.shop.says(text, f"买家{n}")
    await trio.sleep(10)
    found = await numbers(office)
    assert of(found, "skipped_total", cause="blacklist") == 1
    assert of(found, "skipped_total", cause="silent") == 1
    assert of(found, "skipped_total", cause="no_answer") == 2
    assert of(found, "reply_seconds_count") == 0
    assert of(found, "messages_received_total") == 4


async def test_what_waits_is_looked_up_at_the_moment_it_is_asked_for(
    autojump_clock, office: Office
) -> None:
    async def draft(turn: Turn, _now: int) -> Decision:
        reply = Reply(contents=(Text(turn.text),), source="ai", because="x")
        mode = "draft" if turn.text == "草稿" else "send"
        return Decision(reply=reply, passed=(), mode=mode, held="x")

    office.shop.decide = draft
    office.shop.says("草稿", "甲")
    await trio.sleep(10)
    office.shop.says("在吗", "乙")
    await trio.sleep(1)
    found = await numbers(office)
    assert of(found, "waiting", what="drafts") == 1
    assert of(found, "waiting", what="open") == 1
    office.shop.faults.refuse_dial(9)
    office.shop.faults.cut()
    await trio.sleep(4)
    found = await numbers(office)
    assert of(found, "waiting", what="queued") == 1
    assert of(found, "waiting", what="open") == 0
    assert of(found, "account_up") == 0
    office.shop.faults.calm()
    await trio.sleep(120)
    found = await numbers(office)
    assert of(found, "waiting", what="queued") == 0
    assert of(found, "waiting", what="drafts") == 1


async def test_ends_of_a_line_and_sends_of_unknown_outcome_are_counted(
    autojump_clock, office: Office
) -> None:
    for _ in range(2):
        office.shop.faults.cut()
        await trio.sleep(20)
    held = SendHeld(account=SHOP, chat=ChatId("1"), uuid="1", text="x", reason="y")
    office.house.chronicle.note(held)
    office.shop.faults.refuse_sends(1)
    office.shop.says("在吗")
    await trio.sleep(10)
    found = await numbers(office)
    ends = {key: value for key, value in found.items() if key[0] == "xybot_reconnects_total"}
    assert sum(ends.values()) == 2
    assert of(found, "unknown_sends_total") == 1
    assert of(found, "refused_total") == 1


async def test_a_model_is_counted_with_its_tokens(autojump_clock, office: Office) -> None:
    for answered, prompt, completion in ((True, 800, 40), (True, 200, 2), (False, None, None)):
        asked = ModelAsked(
            account=SHOP,
            chat=ChatId("1"),
            answered=answered,
            seconds=1.5,
            prompt_tokens=prompt,
            completion_tokens=completion,
        )
        office.house.chronicle.note(asked)
    found = await numbers(office)
    assert of(found, "ai_requests_total", answered="true") == 2
    assert of(found, "ai_requests_total", answered="false") == 1
    assert of(found, "ai_tokens_total", kind="prompt") == 1000
    assert of(found, "ai_tokens_total", kind="completion") == 42


async def test_those_who_listen_to_the_stream_are_counted(autojump_clock, office: Office) -> None:
    async with trio.open_nursery() as nursery:
        headers = {"authorization": f"Bearer {READ}"}
        for _ in range(3):
            nursery.start_soon(Wire(office.app, "GET", "/api/v1/events", headers).run)
        await trio.sleep(1)
        assert (await numbers(office))["xybot_event_listeners", ()] == 3
        nursery.cancel_scope.cancel()
    assert (await numbers(office))["xybot_event_listeners", ()] == 0


async def test_without_hooks_the_list_is_empty(autojump_clock, office: Office) -> None:
    assert (await office.get("/api/v1/hooks")).json() == {"items": []}


async def test_a_hook_is_shown_by_its_host_and_how_far_it_is_and_never_by_what_is_secret(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path, hooks=[HOOK]) as office:
        (hook,) = office.loaded.config.hooks
        newest = office.house.chronicle.newest
        stuck = Progress(cursor=newest - 1, tries=3, next_at=7, trouble="HTTP 502")
        await office.shop.store.transact(hooks.keep, hook.name, stuck)
        answer = await office.get("/api/v1/hooks", token=READ)
    assert answer.json()["items"] == [
        {
            "host": "hooks.example.com:8443",
            "events": ["reply.*", "send.held"],
            "accounts": [SHOP],
            "behind": 1,
            "tries": 3,
            "next_at": 7,
            "trouble": "HTTP 502",
        }
    ]
    for secret in ("password", "key-123", "456", "hook-secret"):
        assert secret not in answer.text


async def test_a_hook_that_was_told_all_there_was_is_not_behind(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path, hooks=[HOOK]) as office:
        (shown,) = (await office.get("/api/v1/hooks")).json()["items"]
    assert (shown["behind"], shown["tries"], shown["trouble"]) == (0, 0, None)


async def test_the_time_of_an_answer_begins_with_the_line_that_is_answered(
    autojump_clock, office: Office
) -> None:
    here = f"/api/v1/accounts/{SHOP}/chats/{office.chat()}"
    office.shop.says("一")
    await trio.sleep(1)
    await office.post(f"{here}/take-over")
    await trio.sleep(3600)
    await office.post(f"{here}/hand-back")
    office.shop.says("二")
    await trio.sleep(10)
    assert 0 < of(await numbers(office), "reply_seconds_sum") < 10


def test_an_account_that_is_gone_is_not_counted_any_more() -> None:
    metrics = Metrics()
    assert b'account="shop-a"' in metrics.text({SHOP: True}, {}, 0)
    assert b'account="shop-a"' not in metrics.text({}, {}, 0)
