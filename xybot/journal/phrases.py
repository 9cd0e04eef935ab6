"""Keys of the log as sentences, Chinese first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from xybot.journal.harmless import short
from xybot.model import AccountState
from xybot.trade import OrderState

_STATES: Final = {
    AccountState.DISCONNECTED: "未连接",
    AccountState.CONNECTING: "连接中",
    AccountState.CONNECTED: "已连接",
    AccountState.RECONNECTING: "重连中",
    AccountState.FAILED: "需要处理",
    AccountState.CLOSED: "已停止",
}
STANDS: Final = {
    OrderState.PLACED: "已下单，未付款",
    OrderState.PAID: "已付款",
    OrderState.DELIVERING: "发货中",
    OrderState.DELIVERED: "卡密已送达",
    OrderState.CONFIRMED: "已确认发货",
    OrderState.COMPLETED: "交易完成",
    OrderState.REFUNDING: "退款中",
    OrderState.REFUNDED: "已退款",
    OrderState.CLOSED: "已关闭",
    OrderState.HELD: "待您处理",
}
"""Where an order stands, for people."""


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


def _ordered(values: Mapping[str, Any]) -> str:
    new = OrderState(values["new"])
    why = f"  ← {short(values['why'], 200)}" if values["why"] else ""
    return f"订单 {short(values['order'])} {STANDS[new]} {new.value}{why}"


def _order_held(values: Mapping[str, Any]) -> str:
    return (
        f"订单 {short(values['order'])} 没有发货，请处理 (held): xybot order"
        f" {short(values['order'])}  ← {short(values['why'], 300)}"
    )


def _delivered(values: Mapping[str, Any]) -> str:
    return (
        f"订单 {short(values['order'])} 已发货 delivered  {short(values['goods'])}"
        f"，{values['messages']} 条消息 (messages)"
    )


def _stock_low(values: Mapping[str, Any]) -> str:
    return f"库存不多了，请补货 stock low  {short(values['batch'])} 剩 {values['left']} 个 (left)"


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


def plainly(key: str) -> Callable[[Mapping[str, Any]], str]:
    """Return the phrase of a key that has none of its own: its title, and its values."""

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
    "reconcile.failed": "订单没有对上账，稍后再对 (orders were not compared, trying again)",
    "catchup.found": "补回没有推送的消息 (found messages that were never pushed)",
    "chat.failed": "一个会话处理出错 (a chat failed)",
    "account.crashed": "账号任务出错，稍后重启 (an account crashed, restarting)",
    "source.failed": "一个回复来源出错 (a reply source failed)",
    "hook.failed": "事件推送失败，会一直重试 (a hook failed, trying on)",
    "hook.back": "事件推送恢复 (a hook works again)",
    "hook.gave_up": "一个事件推送不出去，已放弃 (an event was given up)",
    "web.failed": "一个网页请求出错 (a web request failed)",
}
PHRASES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
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
    "order.update": _ordered,
    "delivery.held": _order_held,
    "delivery.sent": _delivered,
    "stock.low": _stock_low,
}
"""Key of the log -> its sentence."""
