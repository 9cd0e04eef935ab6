"""What states, causes and reasons are called in the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from xybot.errors import Cause
from xybot.model import AccountState
from xybot.store.books import Reason
from xybot.store.by_hand import Wish
from xybot.trade import OrderState, TradeSource
from xybot.web.languages import N_

Look: TypeAlias = Literal["good", "busy", "bad", "quiet"]


@attrs.frozen(kw_only=True)
class Condition:
    """How an account is doing, in the words of its seller."""

    word: str
    look: Look
    hint: str = ""
    """What it means, or what to do about it."""


OFF: Final = Condition(
    word=N_("已停用"), look="quiet", hint=N_("bot.toml 里 enabled = false，改回来就会启动。")
)
_BY_CAUSE: Final[Mapping[Cause, Condition]] = {
    Cause.PAUSED: Condition(
        word=N_("您暂停了"), look="quiet", hint=N_("点“恢复”继续；新消息先留在平台。")
    ),
    Cause.VERIFICATION_REQUIRED: Condition(
        word=N_("等您验证"),
        look="bad",
        hint=N_("平台要确认是真人。请在浏览器登录闲鱼完成验证，然后点“恢复”。"),
    ),
    Cause.LOGIN_REQUIRED: Condition(
        word=N_("登录失效"),
        look="bad",
        hint=N_("请重新登录闲鱼，把新的 Cookie 粘贴到“账号”页。"),
    ),
    Cause.SESSION_TAKEN: Condition(
        word=N_("在别处登录了"),
        look="bad",
        hint=N_("为了不互相踢下线，已经停下。退出别处的登录，然后点“恢复”。"),
    ),
    Cause.DNS: Condition(
        word=N_("网络不通"), look="bad", hint=N_("域名解析失败，请检查网络和 DNS；会自动重试。")
    ),
    Cause.UNREACHABLE: Condition(
        word=N_("网络不通"), look="bad", hint=N_("连不上平台，请检查网络；会自动重试。")
    ),
    Cause.TLS: Condition(
        word=N_("加密连接失败"), look="bad", hint=N_("请检查电脑时间和证书；会自动重试。")
    ),
    Cause.BUSY: Condition(word=N_("平台繁忙"), look="busy", hint=N_("平台要求稍等，会自动重试。")),
    Cause.STORE: Condition(
        word=N_("数据库写不进去"), look="bad", hint=N_("请检查磁盘空间；消息先留在平台，不会丢。")
    ),
    Cause.BUG: Condition(
        word=N_("程序出错"), look="bad", hint=N_("会自动重启；请把日志发给开发者。")
    ),
}
_BY_STATE: Final[Mapping[AccountState, Condition]] = {
    AccountState.DISCONNECTED: Condition(word=N_("还没启动"), look="quiet"),
    AccountState.CONNECTING: Condition(word=N_("正在连接"), look="busy"),
    AccountState.CONNECTED: Condition(word=N_("在线"), look="good"),
    AccountState.RECONNECTING: Condition(
        word=N_("正在重连"), look="busy", hint=N_("断线是常事，会自动重连并补回漏掉的消息。")
    ),
    AccountState.FAILED: Condition(
        word=N_("需要处理"), look="bad", hint=N_("请看下面的原因；处理好后点“恢复”。")
    ),
    AccountState.CLOSED: Condition(word=N_("已停止"), look="quiet"),
}


def condition(state: AccountState, cause: Cause | None, *, enabled: bool = True) -> Condition:
    """Return how an account is doing."""
    if not enabled:
        return OFF
    if state is AccountState.CONNECTED or cause is None:
        return _BY_STATE[state]
    return _BY_CAUSE.get(cause, _BY_STATE[state])


CAUSES: Final[Mapping[str, str]] = {
    Cause.STARTED.value: N_("程序启动"),
    Cause.STOPPED.value: N_("程序退出或账号停用"),
    Cause.PAUSED.value: N_("您暂停了"),
    Cause.REDIAL.value: N_("您要求重新连接"),
    Cause.RENEWAL.value: N_("更换令牌"),
    Cause.CLOSED.value: N_("平台关闭了连接"),
    Cause.ABORTED.value: N_("连接断开"),
    Cause.SILENT.value: N_("平台没有回应"),
    Cause.DNS.value: N_("域名解析失败"),
    Cause.UNREACHABLE.value: N_("连不上平台"),
    Cause.TLS.value: N_("加密连接失败"),
    Cause.HANDSHAKE.value: N_("平台拒绝了连接"),
    Cause.GATEWAY.value: N_("平台接口出错"),
    Cause.BUSY.value: N_("平台繁忙"),
    Cause.REGISTRATION.value: N_("平台没有接受登记"),
    Cause.TOKEN_EXPIRED.value: N_("令牌失效"),
    Cause.TOKEN_REFUSED.value: N_("平台不认这个令牌"),
    Cause.KICKED_OUT.value: N_("被踢下线"),
    Cause.SESSION_TAKEN.value: N_("在别处登录了"),
    Cause.LOGIN_REQUIRED.value: N_("登录失效"),
    Cause.VERIFICATION_REQUIRED.value: N_("平台要求人工验证"),
    Cause.STORE.value: N_("数据库写不进去"),
    Cause.BUG.value: N_("程序出错"),
    Cause.OTHER.value: N_("其他原因"),
}

REASONS: Final[Mapping[Reason, str]] = {
    Reason.SILENT: N_("规则说不回"),
    Reason.LATE: N_("太晚，留给您"),
    Reason.BY_HAND: N_("您亲自回复了"),
    Reason.NO_ANSWER: N_("没有合适的回复"),
    Reason.FAILED: N_("程序出错"),
    Reason.REFUSED: N_("平台拒发"),
    Reason.DROPPED: N_("没说就作废了"),
    Reason.DRY_RUN: N_("只演练"),
    Reason.NOT_A_PERSON: N_("不是买家说的话"),
    Reason.NO_WAY: N_("没法回复"),
}

SENDING: Final[Mapping[str, str]] = {
    "draft": N_("草稿，等您批准"),
    "dry_run": N_("只演练，没有发"),
    "queued": N_("等着发"),
    "sending": N_("正在发"),
    "sent": N_("已送达平台"),
    "refused": N_("平台拒发"),
    "held": N_("不确定是否送达"),
    "dropped": N_("没说就作废了"),
    "": N_("消息已不在"),
}

OUTCOMES: Final[Mapping[str, str]] = {
    "answered": N_("回复了"),
    "silent": N_("规则说不回"),
    "skipped": N_("没有回复"),
    "late": N_("太晚，留给您"),
    "failed": N_("程序出错"),
}

SOURCES: Final[Mapping[str, str]] = {
    "item_rules": N_("商品规则"),
    "rules": N_("通用规则"),
    "haggle": N_("议价"),
    "ai": N_("AI"),
    "webhook": N_("您的服务"),
    "default": N_("默认回复"),
    "by_hand": N_("您亲自写的"),
    "api": N_("接口"),
    "goods": N_("发货"),
    "follow_up": N_("订单跟进"),
    # What may keep us from asking any source.
    "message_expiry": N_("时限"),
    "manual_pause": N_("您接管了"),
    "blacklist": N_("黑名单"),
    "chat_limit": N_("会话次数上限"),
    "buyer_limit": N_("买家次数上限"),
    "xybot": N_("程序"),
}
"""Who answered, or passed; or what kept us from asking them."""

ORDERS: Final[Mapping[OrderState, Condition]] = {
    OrderState.PLACED: Condition(word=N_("已下单，没付款"), look="quiet"),
    OrderState.PAID: Condition(word=N_("已付款"), look="busy"),
    OrderState.DELIVERING: Condition(word=N_("发货中"), look="busy"),
    OrderState.DELIVERED: Condition(word=N_("已发出，没确认"), look="busy"),
    OrderState.CONFIRMED: Condition(word=N_("已确认发货"), look="good"),
    OrderState.COMPLETED: Condition(word=N_("交易完成"), look="good"),
    OrderState.REFUNDING: Condition(word=N_("退款中"), look="busy"),
    OrderState.REFUNDED: Condition(word=N_("已退款"), look="quiet"),
    OrderState.CLOSED: Condition(word=N_("已关闭"), look="quiet"),
    OrderState.HELD: Condition(word=N_("等您处理"), look="bad"),
}
"""Where an order stands."""

ORDER_SOURCES: Final[Mapping[TradeSource, str]] = {
    "card": N_("卡片"),
    "update": N_("卡片变动"),
    "tip": N_("提示"),
    "reminder": N_("提醒"),
    "api": N_("订单接口"),
    "bot": N_("机器人"),
    "seller": N_("您"),
}
"""Where a step of an order is known from."""


@attrs.frozen(kw_only=True)
class Offer:
    """Something that a seller can have done with an order."""

    name: str
    hint: str
    """What will happen."""
    button: str


WISHES: Final[Mapping[Wish, Offer]] = {
    "deliver": Offer(
        name=N_("发货，或再试一次"),
        hint=N_("机器人会向平台核对这个订单，没问题就发货。"),
        button=N_("确定发货"),
    ),
    "confirm": Offer(
        name=N_("只确认发货"),
        hint=N_("您已经自己发过货时用：只在平台上确认发货，不给买家发任何东西。"),
        button=N_("确定只确认"),
    ),
    "again": Offer(
        name=N_("重发同样的卡密"),
        hint=N_("把同样的内容再发给这个买家一次；买家可能会收到两遍，卡密还是同一个。"),
        button=N_("确定重发"),
    ),
}

CODES: Final[Mapping[str, str]] = {
    "unused": N_("没用过"),
    "reserved": N_("已留给订单"),
    "sent": N_("已发出"),
    "quarantined": N_("已隔离"),
}

RECEIPTS: Final[Mapping[str, str]] = {
    "imported": N_("导入"),
    "reserved": N_("留给订单"),
    "returned": N_("退回库存"),
    "sent": N_("发给了买家"),
    "seen": N_("买家已读"),
    "confirmed": N_("平台已确认发货"),
    "quarantined": N_("隔离"),
}

MODES: Final[Mapping[str, str]] = {
    "contains": N_("包含"),
    "exact": N_("整句"),
    "regex": N_("正则"),
    "expression": N_("表达式"),
}

NOTICES: Final[Mapping[str, str]] = {
    "account_added": N_("账号已添加，正在连接。"),
    "cookie_renewed": N_("已换上新的 Cookie，正在连接。"),
    "paused": N_("已暂停。"),
    "resumed": N_("已恢复，正在连接。"),
    "reconnecting": N_("正在重新连接。"),
    "rule_added": N_("规则已添加，马上生效。"),
    "rule_removed": N_("规则已删除。"),
    "draft_rejected": N_("已丢弃，不会发出去。"),
    "draft_kept": N_("已保存，仍等您批准。"),
    "order_deliver": N_("好的，几秒内处理。"),
    "order_confirm": N_("好的，几秒内向平台确认发货。"),
    "order_again": N_("好的，马上重发。"),
    "draft_approved": N_("已批准，马上发出。"),
}
"""What a page says after something was done."""
