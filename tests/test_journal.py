"""What the seller reads: one harmless line for each thing that matters."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from xybot import journal
from xybot.events import (
    AccountStatus,
    ChatLimited,
    ChatPaused,
    DeliveryHeld,
    DeliverySent,
    DraftApproved,
    Event,
    MessageReceived,
    OrderUpdated,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    ReplyRehearsed,
    ReplySent,
    ReplySkipped,
    SendHeld,
    SendRefused,
    StockLow,
    WroteByHand,
)
from xybot.model import AccountId, AccountState, ChatId, MessageId, OrderId
from xybot.trade import OrderState

SHOP, CHAT = AccountId("shop-a"), ChatId("c1")
ORDER = OrderId("2849113000012345678")
HOSTILE = "在\x1b[2J\x00\x07\x9b1m\u202eevil\u2066\u2028吗\n第二行\r\nx\U000e0041👨‍👩‍👧"


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    """Leave logging as it was for the tests after this one."""
    yield
    structlog.reset_defaults()


def status(new: AccountState, reason: str = "", next_try: float | None = None) -> AccountStatus:
    return AccountStatus(
        account=SHOP,
        old=AccountState.CONNECTING,
        new=new,
        reason=reason,
        since=1,
        next_try=next_try,
    )


def received(text: str, name: str = "小王") -> MessageReceived:
    return MessageReceived(
        account=SHOP,
        chat=CHAT,
        message=MessageId("1.PNM"),
        sender=None,
        sender_name=name,
        item=None,
        text=text,
        sent_at=None,
    )


def order_update(new: OrderState, why: str = "") -> OrderUpdated:
    return OrderUpdated(
        account=SHOP, order=ORDER, old=OrderState.PLACED, new=new, source="card", why=why
    )


#: Each makes its event of any words: a buyer's, a seller's, the platform's.
EVENTS: dict[str, Callable[[str], Event]] = {
    "status": lambda text: status(AccountState.RECONNECTING, text, 4.2),
    "received": lambda text: received(text, text),
    "sent": lambda text: ReplySent(
        account=SHOP,
        chat=CHAT,
        uuid="u",
        message=None,
        text=text,
        source="rules",
        why=f"rules: {text}",
    ),
    "by hand": lambda text: WroteByHand(
        account=SHOP, chat=CHAT, message=MessageId("1.PNM"), text=text
    ),
    "skipped": lambda text: ReplySkipped(
        account=SHOP, chat=CHAT, text=text, cause="late", why=text
    ),
    "refused": lambda text: SendRefused(account=SHOP, chat=CHAT, uuid="u", text=text, reason=text),
    "in doubt": lambda text: SendHeld(account=SHOP, chat=CHAT, uuid="u", text=text, reason=text),
    "dropped": lambda text: ReplyDropped(account=SHOP, chat=CHAT, uuid="u", text=text, why=text),
    "approved": lambda text: DraftApproved(account=SHOP, chat=CHAT, uuid="u", text=text),
    "drafted": lambda text: ReplyDrafted(
        account=SHOP, chat=CHAT, text=text, why=f"ai: {text}", held=text
    ),
    "rehearsed": lambda text: ReplyRehearsed(
        account=SHOP, chat=CHAT, text=text, why=text, held="dry run"
    ),
    "limited": lambda text: ChatLimited(account=SHOP, chat=CHAT, why=text),
    "handed over": lambda text: ChatPaused(account=SHOP, chat=CHAT, until=None, why=text),
    "order": lambda text: order_update(OrderState.HELD, text),
    "delivery held": lambda text: DeliveryHeld(account=SHOP, order=ORDER, why=text),
    "delivery sent": lambda text: DeliverySent(account=SHOP, order=ORDER, goods=text, messages=2),
    "stock low": lambda text: StockLow(account=SHOP, batch=text, left=3),
    "quarantined": lambda text: Quarantined(account=SHOP, reason=text),
}
each_event = pytest.mark.parametrize("make", EVENTS.values(), ids=EVENTS.keys())


def told(capsys: pytest.CaptureFixture[str], log_format: journal.LogFormat, event: Event) -> str:
    journal.configure(log_format)
    journal.tell(event)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith("\n")
    assert len(out.splitlines()) == 1
    return out[:-1]


@each_event
def test_an_event_is_one_line_of_text(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], Event]
) -> None:
    line = told(capsys, "text", make("在吗"))
    assert "shop-a" in line
    assert "在吗" in line
    assert line.isprintable()


@each_event
def test_an_event_is_one_json_object_that_has_it_all(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], Event]
) -> None:
    event = make("在吗")
    fields = json.loads(told(capsys, "json", event))
    assert fields["event"] == event.name
    assert fields["account"] == "shop-a"
    assert fields["level"] in ("info", "warning", "error")
    assert fields["timestamp"].endswith("Z")
    assert "在吗" in fields.values()


@each_event
def test_nothing_that_was_written_can_take_over_a_terminal(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], Event]
) -> None:
    line = told(capsys, "text", make(HOSTILE))
    assert line.replace("\u200d", "").isprintable()
    assert "吗 ⏎ 第二行� ⏎ x" in line or make is EVENTS["received"]
    assert "👨‍👩‍👧" in line or make is EVENTS["received"]


@each_event
def test_json_keeps_what_was_written_and_is_as_harmless(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], Event]
) -> None:
    line = told(capsys, "json", make(HOSTILE))
    assert line.replace("\u200d", "").isprintable()
    assert HOSTILE in json.loads(line).values()


def test_a_buyers_name_and_words_are_both_made_harmless(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "小�王: 在吗 ⏎ x" in told(capsys, "text", received("在吗\nx", "小\u202e王"))
    assert "c1: 在吗" in told(capsys, "text", received("在吗", ""))


@each_event
def test_long_words_are_cut(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], Event]
) -> None:
    line = told(capsys, "text", make("长" * 100_000))
    assert len(line) < 800
    assert "长…" in line


def test_words_are_cut_after_so_many_characters() -> None:
    assert journal.short("x" * 120) == "x" * 120
    assert journal.short("x" * 121) == "x" * 120 + "…"
    assert journal.short("a\nb") == "a ⏎ b"
    assert journal.short(12) == "12"


def test_a_state_is_told_with_its_reason_and_the_next_attempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for state in AccountState:
        line = told(capsys, "text", status(state, "原因", 8.0))
        assert state.value in line
        assert "原因" in line
        assert "8 秒后重试" in line
    assert "秒" not in told(capsys, "text", status(AccountState.CONNECTED))
    fields = json.loads(told(capsys, "json", status(AccountState.FAILED, "x")))
    assert (fields["old"], fields["new"]) == ("connecting", "failed")
    assert fields["level"] == "error"


@pytest.mark.parametrize("until", [0, 1_790_000_000_000, 10**17, -(10**17), 10**400])
def test_a_pause_is_told_whatever_date_the_platform_made_up(
    capsys: pytest.CaptureFixture[str], until: int
) -> None:
    event = ChatPaused(account=SHOP, chat=ChatId("c\u202e1"), until=until)
    line = told(capsys, "text", event)
    assert line.isprintable()
    assert "安静到" in line
    assert json.loads(told(capsys, "json", event))["until"] == until


@pytest.mark.parametrize("state", OrderState)
def test_a_step_of_an_order_is_told_in_both_languages(
    capsys: pytest.CaptureFixture[str], state: OrderState
) -> None:
    line = told(capsys, "text", order_update(state))
    assert re.search(rf"订单 {ORDER} [\u4e00-\u9fff，]+ {state.value}$", line)
    fields = json.loads(told(capsys, "json", order_update(state)))
    assert (fields["old"], fields["new"]) == ("placed", state.value)


def test_only_what_a_seller_has_to_do_something_about_is_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    levels = {
        name: json.loads(told(capsys, "json", EVENTS[name]("x")))["level"]
        for name in ("order", "delivery sent", "delivery held", "stock low")
    }
    assert levels == {
        "order": "info",
        "delivery sent": "info",
        "delivery held": "warning",
        "stock low": "warning",
    }


def test_levels_keep_the_rest_out(capsys: pytest.CaptureFixture[str]) -> None:
    journal.configure("text", "error")
    journal.tell(received("在吗"))
    journal.tell(status(AccountState.RECONNECTING))
    assert capsys.readouterr().out == ""
    journal.tell(status(AccountState.FAILED))
    assert "failed" in capsys.readouterr().out


SECRET_TEXTS = [
    "_m_h5_tk=S3CRET_1790000000000; _m_h5_tk_enc=S3CRET",
    "cookie2=S3CRET&x=1",
    "GET https://x?cookie2=S3CRET: 500",
    'token "oauth_k1:S3CRET/+==" is bad',
    "'oauth_k1:S3CRET'",
    "{'cookie2': 'S3CRET', 'sgcookie': 'S3CRET'}",
    '{"x5sec": "S3CRET", "_tb_token_":"S3CRET"}',
    "Cookie: t=1; csg=S3CRET; havana_lgc2_77=S3CRET; sdkSilent=S3CRET",
    "cookie2=S3CRET\\nx",
]


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_an_errors_cookies_and_tokens_are_masked(
    capsys: pytest.CaptureFixture[str], text: str, log_format: journal.LogFormat
) -> None:
    line = told(capsys, log_format, status(AccountState.RECONNECTING, f"failed: {text}"))
    assert "S3CRET" not in line
    assert "***" in line
    if log_format == "json":
        assert json.loads(line)["reason"].startswith("failed: ")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_crash_is_told_with_its_trace_and_without_secrets(
    capsys: pytest.CaptureFixture[str], log_format: journal.LogFormat
) -> None:
    journal.configure(log_format)
    log = structlog.get_logger()
    try:
        int("cookie2=S3CRET \x1b[2J\u202e在吗\x9b")
    except ValueError:
        log.exception("chat.failed", account=SHOP, chat=CHAT)
    out = capsys.readouterr().out
    assert "ValueError: " in out
    assert "cookie2=***" in out
    assert "test_journal.py" in out
    assert "S3CRET" not in out
    assert out.replace("\n", "").isprintable()
    if log_format == "json":
        assert json.loads(out)["chat"] == "c1"


def test_any_other_key_is_told_with_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    journal.configure("text")
    structlog.get_logger().warning("config.warning", note="x\ny", n=1)
    structlog.get_logger().info("unheard.of", account="shop-a")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("注意 note  note=x ⏎ y n=1")
    assert second.endswith("shop-a      unheard.of")


_CLOSED = """
import os, sys
sys.path.insert(0, os.getcwd())
from xybot import journal
from xybot.events import Quarantined
how, log_format = sys.argv[1:]
journal.configure(log_format)
if how == "closed":
    sys.stdout.close()
elif how == "fd":
    os.close(1)
else:
    sys.stdin.readline()
for n in range(3):
    journal.tell(Quarantined(account="shop-a", reason="x" * 100))
print("alive", file=sys.stderr, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("how", ["closed", "fd", "pipe"])
def test_a_closed_terminal_does_not_stop_the_bot(how: str, log_format: str) -> None:
    read, write = os.pipe()
    child: Any = subprocess.Popen(
        [sys.executable, "-c", _CLOSED, how, log_format],
        stdin=subprocess.PIPE,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        os.close(write)
        os.close(read)
        _, err = child.communicate("go\n", timeout=30)
    assert err == "alive\n"
