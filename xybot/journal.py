"""What the seller reads while the bot runs: one line for each thing that matters.

The code logs by key and values; here a key becomes a sentence, Chinese first, or, with
`--log-format json`, one JSON object.  Whatever a buyer wrote is shown as text: control
characters, which could take over a terminal, are replaced.
"""

from __future__ import annotations

import enum
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

import attrs
import structlog
from structlog.typing import EventDict, WrappedLogger

from xybot.events import (
    AccountStatus,
    ChatLimited,
    ChatPaused,
    Event,
    GapClosed,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    SendHeld,
    SendRefused,
)
from xybot.model import AccountState

LogFormat: TypeAlias = Literal["text", "json"]
Level: TypeAlias = Literal["info", "warning", "error"]

_LONGEST: Final = 120
"""Characters of a buyer's words, or ours, in one line."""
_LEVELS: Final[Mapping[Level, int]] = {"info": 20, "warning": 30, "error": 40}
_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m"}
#: What must not be in a line, however it got there: cookies and tokens in an error's words.
_SECRETS: Final = re.compile(
    r"(\b(?:_m_h5_tk(?:_enc)?|cookie2|sgcookie|csg|_tb_token_|x5sec|havana_\w+|sdkSilent)"
    r"(?:=|\\?[\"']: *\\?[\"'])"  # as in a header, or as in a dict; in JSON a quote has a \
    r"|oauth_k1:)[^;&\s\"'\\]+"
)
_STATES: Final = {
    AccountState.DISCONNECTED: "未连接",
    AccountState.CONNECTING: "连接中",
    AccountState.CONNECTED: "已连接",
    AccountState.RECONNECTING: "重连中",
    AccountState.FAILED: "需要处理",
    AccountState.CLOSED: "已停止",
}


class _Lines:
    """Writes lines and never fails: a closed terminal must not stop the bot."""

    def msg(self, line: str) -> None:
        """Write one line at once."""
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            pass

    info = warning = error = exception = critical = msg


def configure(log_format: LogFormat, level: Level = "info") -> None:
    """Set up logging for the whole process."""
    if hasattr(sys.stdout, "reconfigure"):
        # A Windows console with another code page must not stop on an emoji.
        sys.stdout.reconfigure(errors="replace")
    last = _as_json() if log_format == "json" else _as_text
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(
                fmt="iso" if log_format == "json" else "%H:%M:%S", utc=log_format == "json"
            ),
            structlog.processors.format_exc_info,
            last,
            _without_secrets,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )


def _as_json() -> structlog.typing.Processor:
    render = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)

    def harmless(logger: WrappedLogger, name: str, values: EventDict) -> str:
        return "".join(map(_escaped, str(render(logger, name, values))))

    return harmless


def _escaped(char: str) -> str:
    # Beyond ASCII JSON has characters in texts only, where an escape says the same.
    return char if char.isascii() or _is_harmless(char) else json.dumps(char)[1:-1]


def _without_secrets(_: WrappedLogger, __: str, line: Any) -> str:  # noqa: ANN401  # a str
    return _SECRETS.sub(r"\1***", line)


def tell(event: Event) -> None:
    """Write an event as a line of the journal."""
    log, level = structlog.get_logger().bind(), _LEVELS[_level(event)]
    if not log.is_enabled_for(level):
        return
    values = attrs.asdict(event, recurse=False)
    for key, value in values.items():
        if isinstance(value, enum.Enum):
            values[key] = value.value
    log.log(level, event.name, **values)


def _level(event: Event) -> Level:
    match event:
        case AccountStatus(new=AccountState.FAILED):
            return "error"
        case AccountStatus(new=AccountState.RECONNECTING) | SendRefused() | Quarantined():
            return "warning"
        case SendHeld() | ReplyDropped() | ReplyDrafted() | ChatLimited():
            return "warning"
        case ChatPaused(why=why):
            return "warning" if why else "info"
        case GapClosed(late=late, unaccounted=unaccounted):
            return "warning" if late or unaccounted else "info"
        case _:
            return "info"


def _as_text(_: WrappedLogger, __: str, values: EventDict) -> str:
    level, at, key = values.pop("level"), values.pop("timestamp"), values.pop("event")
    account = values.pop("account", "")
    trace = values.pop("exception", None)
    words = _PHRASES.get(key, _plainly(key))(values)
    line = f"{at}  {account:<10}  {words}" if account else f"{at}  {words}"
    if level in _COLOURS and _on_terminal():
        line = f"{_COLOURS[level]}{line}\x1b[0m"
    return f"{line}\n{_harmless_lines(trace)}" if trace else line


def _on_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except ValueError:  # It was closed.
        return False


def short(text: object, longest: int = _LONGEST) -> str:
    """Return words on one line, harmless to a terminal, and cut if they are long."""
    words = "".join(" ⏎ " if each == "\n" else _harmless(each) for each in str(text)[: longest + 1])
    return words if len(str(text)) <= longest else f"{words[:longest]}…"


def _harmless(char: str) -> str:
    return char if _is_harmless(char) else "\ufffd"


def _is_harmless(char: str) -> bool:
    # C: control, format (text direction), surrogate, private use. Joiners make emoji.
    # Zl, Zp: line and paragraph separators, at which some readers split.
    category = unicodedata.category(char)
    return char == "\u200d" or (category[0] != "C" and category not in ("Zl", "Zp"))


def _harmless_lines(text: str) -> str:
    return "\n".join("".join(map(_harmless, line)) for line in text.split("\n"))


def _status(values: Mapping[str, Any]) -> str:
    state = AccountState(values["new"])
    words = f"{_STATES[state]} {state.value}"
    if values["reason"]:
        # What the seller has to do may end in an address, which leads nowhere when it is cut.
        longest = 2000 if state is AccountState.FAILED else 500
        words += f"：{short(values['reason'], longest)}"
    if values["next_try"] is not None:
        words += f"，{values['next_try']:.0f} 秒后重试 (next try)"
    return words


def _received(values: Mapping[str, Any]) -> str:
    who = short(values["sender_name"], 20) or short(values["chat"])
    return f"收到 in   {who}: {short(values['text'])}"


def _sent(values: Mapping[str, Any]) -> str:
    return f"回复 out  {short(values['text'])}  ← {short(values['why'], 200)}"


def _skipped(values: Mapping[str, Any]) -> str:
    return f"未回复 no reply  {short(values['text'])}  ← {short(values['why'], 300)}"


def _refused(values: Mapping[str, Any]) -> str:
    return f"平台拒发 refused  {short(values['text'])}  ← {short(values['reason'], 200)}"


def _quarantined(values: Mapping[str, Any]) -> str:
    return f"有一条无法解读，已原样保存 (kept unread): {short(values['reason'], 200)}"


def _by_hand(values: Mapping[str, Any]) -> str:
    return f"您回复 you  {short(values['text'])}"


def _approved(values: Mapping[str, Any]) -> str:
    return f"您批准了草稿 approved  {short(values['text'])}"


def _asked(values: Mapping[str, Any]) -> str:
    tokens = [values["prompt_tokens"], values["completion_tokens"]]
    told = "" if None in tokens else f"，{tokens[0]} + {tokens[1]} tokens"
    answered = "" if values["answered"] else "，没有答案 no answer"
    return f"问了 AI asked  {values['seconds']:.1f} 秒{told}{answered}"


def _held(values: Mapping[str, Any]) -> str:
    return (
        f"不确定是否送达，不会自动重发 held, not said again  {short(values['text'])}"
        f"  ← {short(values['reason'], 300)}"
    )


def _dropped(values: Mapping[str, Any]) -> str:
    return f"不再发送 not said  {short(values['text'])}  ← {short(values['why'], 200)}"


def _drafted(values: Mapping[str, Any]) -> str:
    return (
        f"草稿等您批准 draft  {short(values['text'])}  ← {short(values['why'], 200)}"
        f"；{short(values['held'], 200)}"
    )


def _rehearsed(values: Mapping[str, Any]) -> str:
    return f"演练，没有发 dry run  {short(values['text'])}  ← {short(values['why'], 200)}"


def _limited(values: Mapping[str, Any]) -> str:
    return (
        f"会话 {short(values['chat'])} 先不回了，请看一眼 (no more replies here for now)"
        f"  ← {short(values['why'], 200)}"
    )


def _paused(values: Mapping[str, Any]) -> str:
    until = values["until"]
    if values["why"]:
        return (
            f"会话 {short(values['chat'])} 交给您了，请您亲自回复 (handed over to you)"
            f"  ← {short(values['why'], 200)}"
        )
    quiet = "，直到您再发一次暗号" if until is None else f"到 {_clock(until)}"
    return f"您接管了会话 {short(values['chat'])}，机器人安静{quiet} (you took over, paused)"


def _resumed(values: Mapping[str, Any]) -> str:
    return f"会话 {short(values['chat'])} 已交还机器人 (you gave it back)"


def _gap(values: Mapping[str, Any]) -> str:
    words = (
        f"离线 off line {_clock(values['since'], '%H:%M:%S')}"
        f"–{_clock(values['until'], '%H:%M:%S')}"
        f"（{_lasted(values['until'] - values['since'])}，{short(values['because'], 200)}）"
        f"，补回买家消息 {values['recovered']} 条 recovered"
    )
    if values["recovered"]:
        words += (
            f"：已回 {values['answered']} answered，太晚留给您 {values['late']} too late，"
            f"其他不回 {values['skipped']} skipped，未了结 {values['unaccounted']} unaccounted"
        )
    return words


def _lasted(ms: int) -> str:
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} 小时 {minutes} 分"
    return f"{minutes} 分 {seconds} 秒" if minutes else f"{seconds} 秒"


def _clock(ms: int, form: str = "%H:%M") -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):  # No date of this calendar.
        return str(ms)


def _plainly(key: str) -> Callable[[Mapping[str, Any]], str]:
    def words(values: Mapping[str, Any]) -> str:
        named = len(values) > 1 or not all(isinstance(each, str) for each in values.values())
        told = " ".join(
            f"{name}={short(value, 500)}" if named else short(value, 500)
            for name, value in values.items()
        )
        return f"{_TITLES.get(key, key)}  {told}".rstrip()

    return words


_TITLES: Final = {
    "bot.started": "xybot 已启动 started，按 Ctrl-C 停止 (Ctrl-C stops it)",
    "bot.stopping": "正在停止 stopping",
    "simulator.started": "模拟平台已启动，未连接真实闲鱼 (simulator, not the real Xianyu)",
    "web.started": "HTTP 已启动 (listening)",
    "config.reloaded": "bot.toml 已重新加载 reloaded",
    "config.refused": "bot.toml 有误，继续使用原来的设置 (kept the old settings)",
    "config.warning": "注意 note",
    "config.needs_restart": "此项重启后生效 (takes effect at the next start)",
    "store.unavailable": "新消息先留在平台，恢复后自动继续 (nothing is lost; goes on by itself)",
    "store.back": "数据库恢复正常，继续处理 (the database can be written again)",
    "catchup.failed": "补查消息没有成功，稍后再查 (catching up failed, trying again)",
    "catchup.found": "补回没有推送的消息 (found messages that were never pushed)",
    "chat.failed": "一个会话处理出错 (a chat failed)",
    "account.crashed": "账号任务出错，稍后重启 (an account crashed, restarting)",
    "source.failed": "一个回复来源出错 (a reply source failed)",
    "hook.failed": "事件推送失败，会一直重试 (a hook failed, trying on)",
    "hook.back": "事件推送恢复 (a hook works again)",
    "hook.gave_up": "一个事件推送不出去，已放弃 (an event was given up)",
    "web.failed": "一个网页请求出错 (a web request failed)",
}
_PHRASES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "account.status.update": _status,
    "message.received": _received,
    "message.by_hand": _by_hand,
    "draft.approved": _approved,
    "ai.asked": _asked,
    "reply.sent": _sent,
    "reply.skipped": _skipped,
    "send.refused": _refused,
    "message.quarantined": _quarantined,
    "send.held": _held,
    "reply.dropped": _dropped,
    "reply.drafted": _drafted,
    "reply.rehearsed": _rehearsed,
    "chat.limited": _limited,
    "chat.paused": _paused,
    "chat.resumed": _resumed,
    "gap.closed": _gap,
}
