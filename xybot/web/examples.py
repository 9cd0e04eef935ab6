"""An example of every event, for the document and the page about it."""

from __future__ import annotations

from typing import Final

from xybot.errors import Cause
from xybot.events import (
    AccountStatus,
    ChatLimited,
    ChatPaused,
    ChatResumed,
    DeliveryHeld,
    DeliverySent,
    DraftApproved,
    Event,
    GapClosed,
    MessageReceived,
    ModelAsked,
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
from xybot.model import AccountId, AccountState, ChatId, ItemId, MessageId, OrderId, UserId
from xybot.trade import OrderState

_SHOP: Final = AccountId("shop-a")
_CHAT: Final = ChatId("50922379084")
_ORDER: Final = OrderId("2849113000012345678")
_AT: Final = 1_790_000_000_000
_UUID: Final = "-17900000000001"

EXAMPLES: Final[tuple[Event, ...]] = (
    AccountStatus(
        account=_SHOP,
        old=AccountState.CONNECTED,
        new=AccountState.RECONNECTING,
        reason="连接断开 (connection lost)",
        cause=Cause.ABORTED,
        since=_AT,
        next_try=1.6,
    ),
    MessageReceived(
        account=_SHOP,
        chat=_CHAT,
        message=MessageId("1790000000000001.PNM"),
        sender=UserId("2295787092899"),
        sender_name="小王",
        item=ItemId("805797749746"),
        text="还在吗",
        sent_at=_AT,
    ),
    WroteByHand(
        account=_SHOP, chat=_CHAT, message=MessageId("1790000000000002.PNM"), text="在的，稍等"
    ),
    ReplySent(
        account=_SHOP,
        chat=_CHAT,
        uuid=_UUID,
        message=MessageId("1790000000000003.PNM"),
        text="小王，在的，喜欢直接拍～",
        source="rules",
        why="rules: bot.toml: rules[0]（第 1 条） “还在吗”",
    ),
    ReplySkipped(
        account=_SHOP,
        chat=_CHAT,
        text="好的谢谢",
        cause="no_answer",
        why="rules: 没有匹配的关键词 (no keyword matched)",
    ),
    ReplyDrafted(
        account=_SHOP,
        chat=_CHAT,
        text="可以加您微信吗",
        why="ai: 模型的回答 (the model)",
        held="像联系方式 (looks like a contact)",
    ),
    DraftApproved(account=_SHOP, chat=_CHAT, uuid=_UUID, text="可以在这里说吗"),
    ReplyRehearsed(
        account=_SHOP, chat=_CHAT, text="在的", why="rules: …", held="只演练，不发送 (dry run)"
    ),
    ReplyDropped(
        account=_SHOP,
        chat=_CHAT,
        uuid=_UUID,
        text="在的",
        why="卖家已亲自回复 (the seller answered by hand)",
    ),
    SendRefused(
        account=_SHOP, chat=_CHAT, uuid=_UUID, text="在的", reason="200 CSI_FORBID||安全拦截"
    ),
    SendHeld(
        account=_SHOP,
        chat=_CHAT,
        uuid=_UUID,
        text="在的",
        reason="聊天记录读不到，请看一眼会话 (its chat cannot be read, please look)",
    ),
    ChatPaused(account=_SHOP, chat=_CHAT, until=_AT + 600_000),
    ChatResumed(account=_SHOP, chat=_CHAT),
    ChatLimited(
        account=_SHOP, chat=_CHAT, why="chat_limit: 一小时内的回复已到上限 (too many replies)"
    ),
    ModelAsked(
        account=_SHOP,
        chat=_CHAT,
        answered=True,
        seconds=2.4,
        prompt_tokens=812,
        completion_tokens=43,
    ),
    Quarantined(account=_SHOP, reason="undecodable: trailing bytes"),
    GapClosed(
        account=_SHOP,
        since=_AT - 720_000,
        until=_AT,
        cause=Cause.ABORTED.value,
        because="连接断开 (connection lost)",
        recovered=5,
        answered=4,
        late=1,
        skipped=0,
        unaccounted=0,
    ),
    OrderUpdated(
        account=_SHOP,
        order=_ORDER,
        old=OrderState.PLACED,
        new=OrderState.PAID,
        source="card",
        why="我已付款，等待你发货",
    ),
    DeliveryHeld(
        account=_SHOP, order=_ORDER, why="卡密不够，补货后自动发 (not enough codes in the batch)"
    ),
    DeliverySent(account=_SHOP, order=_ORDER, goods="steam-50", messages=1),
    StockLow(account=_SHOP, batch="steam-50", left=5),
)
