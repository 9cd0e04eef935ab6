"""`xybot orders`, `order`, `deliver`, `confirm`: what buyers ordered, and the seller's word on it.

The bot may be running meanwhile: a command changes the rows of an order and nothing else, and
the bot sees that within seconds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.text import Text as Cell

from xybot import journal
from xybot.clock import now_ms
from xybot.config import Loaded, load
from xybot.errors import ConfigError
from xybot.model import OrderId
from xybot.store import by_hand, sales
from xybot.store import todo as waiting
from xybot.store.by_hand import Wish
from xybot.store.database import Store, open_store
from xybot.store.sales import Asked, Delivery, Given, Order, Step, Story
from xybot.store.sales_csv import BOM, as_csv, yuan
from xybot.store.todo import Action, Todo
from xybot.tools import showing
from xybot.tools.offline import account_of
from xybot.trade import OrderState, TradeSource
from xybot.wire.ids import Ids

OrderName: TypeAlias = Annotated[str, Parameter(name="ID")]
Flag: TypeAlias = Annotated[bool, Parameter(negative=())]

_SECOND: Final = "%m-%d %H:%M:%S"
_SOURCES: Final[dict[TradeSource, str]] = {
    "card": "卡片 card",
    "update": "卡片变动 update",
    "tip": "提示 tip",
    "reminder": "提醒 reminder",
    "api": "订单接口 order API",
    "bot": "机器人 bot",
    "seller": "您 you",
}
_MESSAGES: Final = {
    "queued": "等着发 (queued)",
    "sending": "正在发 (being sent)",
    "sent": "平台已收到 (sent)",
    "refused": "平台拒发 (refused)",
    "held": "不确定是否送达，不会重发 (held, not said again)",
    "dropped": "没说就作废了 (dropped)",
    "": "消息已不在 (its message is gone)",
}
_BOUGHT: Final = "买入 bought"
_NOTHING_WAITS: Final = "没有等您处理的订单 (no order waits for you)"
_ACTIONS: Final[Mapping[Action, str]] = {
    "deliver": "发货 deliver: xybot deliver {order}",
    "confirm": "确认发货 confirm: xybot confirm {order}",
    "again": "重发没送到的 send again: xybot deliver {order} --again",
    "look": "请看一眼会话和平台 (look at its chat, and at the platform)",
}


# The list.


async def listed(  # noqa: PLR0913  # each of them is an option of the command
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    held: Flag = False,
    todo: Flag = False,
    csv: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    last: Annotated[int, Parameter(validator=Number(gte=1))] = 50,
) -> int:
    """列出订单，最近有变动的在前 (orders, the last changed first).

    Args:
      config: 设置文件 (the settings).
      account: 只看这个账号 (only this account).
      held: 只看等您处理的 (only those that wait for you).
      todo: 等您做的事，每单一件，等得最久的在前 (what to do, one thing for each order).
      csv: 写成 CSV 文件，- 是屏幕；包括全部订单 (all of them as CSV; - is the screen).
      last: 表格最多几单 (how many in the table).
    """
    loaded = load(config)
    of = None if account is None else account_of(loaded, account)
    if todo:
        async with open_store(loaded.database, read_only=True) as store:
            _show_todo(await store.transact(waiting.todo, of))
        return 0
    show: sales.Show = "held" if held else "all"
    asked = Asked(account=of, show=show, most=last if csv is None else None)
    async with open_store(loaded.database, read_only=True) as store:
        found = await store.transact(sales.page, asked)
    if csv is not None:
        return _save(found, csv)
    _show_list(found, held=held)
    return 0


def _save(found: Sequence[Order], where: str) -> int:
    if where == "-":
        sys.stdout.write(as_csv(found).replace("\r\n", "\n"))
        return 0
    if where.startswith("-"):  # An option, where a file should be named.
        raise ConfigError(f"--csv {where}: 请写文件名，或 - (name a file, or -)")
    try:
        Path(where).write_text(BOM + as_csv(found), encoding="utf-8", newline="")
    except OSError as exc:
        raise ConfigError(f"{where}: 写不了 (cannot be written): {exc.strerror}") from exc
    sys.stdout.write(f"已写入 {len(found)} 单 (orders written): {where}\n")
    return 0


def _show_list(found: Sequence[Order], *, held: bool) -> None:
    console = Console()
    if not found:
        console.print(_NOTHING_WAITS if held else "还没有订单 (no orders)")
        return
    heads = (("变动\nchanged", 0), ("账号\naccount", 2), ("订单\norder", 0), ("状态\nstate", 3))
    table = showing.table(*heads, ("商品\nitem", 4), ("元\nyuan", 0), ("买家\nbuyer", 2))
    for each in found:
        table.add_row(
            showing.clock(each.changed_at),
            showing.cell([each.account]),
            showing.cell([each.order]),
            showing.cell(_stands(each)),
            showing.cell([_what(each)]),
            "" if each.amount is None else yuan(each.amount),
            showing.cell([each.name or each.buyer or ""]),
        )
    console.print(table)


def _show_todo(found: Sequence[Todo]) -> None:
    console = Console()
    if not found:
        console.print(_NOTHING_WAITS)
        return
    heads = (("从何时 since", 0), ("账号 account", 1), ("商品 item", 2), ("买家 buyer", 1))
    table = showing.table(*heads, ("要做什么 what to do", 5))
    for each in found:
        stands = f"{journal.STANDS[each.state]} {each.state.value} {each.order}"
        what = _ACTIONS[each.action].format(order=each.order)
        table.add_row(
            showing.clock(each.since),
            showing.cell([each.account]),
            showing.cell([each.title or each.item or ""]),
            showing.cell([each.name or each.buyer or ""]),
            showing.cell([stands, f"← {each.why}", what]),
        )
    console.print(table)


def _stands(order: Order) -> Iterator[str]:
    yield f"{journal.STANDS[order.state]} {order.state.value}"
    if order.role == "buyer":
        yield _BOUGHT
    if order.why:
        yield f"← {order.why}"


def _what(order: Order) -> str:
    many = f"×{order.quantity}" if order.quantity not in (None, 1) else ""
    return " ".join(filter(None, (order.title or order.item, order.spec, many)))


# The story of one.


async def story(
    id_: OrderName,
    /,
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    codes: Flag = False,
) -> int:
    """一个订单的来龙去脉 (the whole story of an order).

    Args:
      id_: 订单号 (the id of the order).
      config: 设置文件 (the settings).
      account: 哪个账号的，两个账号买卖同一单时才要写 (whose, when two have it).
      codes: 显示它的卡密，旁边别有人 (show its codes, too).
    """
    loaded = load(config)
    async with open_store(loaded.database, read_only=True) as store:
        order = await _one(store, loaded, id_, account)
        found = await store.transact(sales.story, order.account, order.order)
        given = await store.transact(sales.codes_of, order.account, order.order) if codes else ()
    assert found is not None, "orders are never removed"
    _show(found, given, codes=codes)
    return 0


async def _one(store: Store, loaded: Loaded, id_: str, account: str | None) -> Order:
    """Return the order that is meant.

    Raises:
      ConfigError: there is none, or there are two.
    """
    of = None if account is None else account_of(loaded, account)
    found = await store.transact(sales.named, OrderId(id_.strip()), of)
    if not found:
        raise ConfigError(
            f"{journal.short(id_)}: 没有这个订单，订单号见 xybot orders (no such order; see there)"
        )
    # Of an order between two accounts of ours, the one that sells it is meant.
    sold = [each for each in found if each.role != "buyer"] or found
    if len(sold) > 1:
        names = ", ".join(each.account for each in sold)
        raise ConfigError(f"{id_}: 请用 --account 写明账号 (say whose, by --account): {names}")
    return sold[0]


def _show(told: Story, given: Sequence[Given], *, codes: bool) -> None:
    console = Console()
    for line in _facts(told):
        console.print(Cell(journal.short(line, 500)))
    table = showing.table(("时间 time", 0), ("从哪里知道 source", 1), ("怎么了 what", 4))
    for at, who, lines in sorted(_in_time(told), key=lambda each: each[0]):
        table.add_row(showing.clock(at, _SECOND), showing.cell([who]), showing.cell(lines))
    console.print(table)
    if codes:
        for line in _codes(given):
            console.print(Cell(line), soft_wrap=True)


def _facts(told: Story) -> Iterator[str]:
    order = told.order
    yield " · ".join(
        (f"订单 order {order.order}", f"账号 account {order.account}", *_stands(order))
    )
    paid = "" if order.amount is None else f"{yuan(order.amount)} 元 (yuan)"
    named = (
        ("商品 item", " ".join(filter(None, (order.title and order.item, _what(order))))),
        ("金额 amount", paid),
        ("买家 buyer", " ".join(filter(None, (order.name, order.buyer)))),
        ("会话 chat", order.chat),
    )
    yield " · ".join(f"{name} {value}" for name, value in named if value)
    if order.goods:
        yield f"货品 goods {order.goods} · 卡密 codes {told.codes}"
    if order.due_at is not None:
        tries = f"，试过 {order.tries} 次 (tries)" if order.tries else ""
        yield f"下一步 next {showing.clock(order.due_at, _SECOND)}{tries}"
    if order.state is OrderState.HELD:
        yield f"再试 try again: xybot deliver {order.order}"
        yield f"已自己发货，只确认 you delivered it yourself: xybot confirm {order.order}"


def _in_time(told: Story) -> Iterator[tuple[int, str, list[str]]]:
    for step in told.steps:
        yield step.at, _SOURCES[step.source], list(_taken(step))
    for delivery in told.deliveries:
        yield delivery.queued_at, _SOURCES["bot"], list(_became(delivery))


def _taken(step: Step) -> Iterator[str]:
    told = step.told or step.state
    without = "" if told is step.state else f"（仍是 still {step.state.value}）"
    yield f"{journal.STANDS[told]} {told.value}{without}"
    if step.words:
        yield f"  ← {step.words}"


def _became(delivery: Delivery) -> Iterator[str]:
    yield f"第 {delivery.line + 1} 条消息 message: {_MESSAGES[delivery.state]}"
    times = (("了结 settled", delivery.settled_at), ("买家已读 seen", delivery.seen_at))
    told = (f"{name} {showing.clock(at, _SECOND)}" for name, at in times if at is not None)
    if more := " · ".join(filter(None, (delivery.message, *told))):
        yield f"  {more}"
    if delivery.reason:
        yield f"  ← {delivery.reason}"


def _codes(given: Iterable[Given]) -> Iterator[str]:
    found = list(given)
    yield f"卡密 codes: {len(found)}"
    for each in found:
        line = "" if each.line is None else f"第 {each.line + 1} 条 message"
        words = (journal.short(each.code, 2000), each.batch, each.state, line)
        yield "  " + " · ".join(filter(None, words))


# The seller's word.


async def deliver(
    id_: OrderName,
    /,
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
    again: Flag = False,
) -> int:
    """发货，或再试一次；机器人几秒内会看到 (deliver an order, or try again).

    Args:
      id_: 订单号 (the id of the order).
      config: 设置文件 (the settings).
      account: 哪个账号的，两个账号买卖同一单时才要写 (whose, when two have it).
      again: 把同样的卡密再发一次 (send the same codes again).
    """
    if again:
        said = "同样的卡密会再发一次 (the same codes will be sent again)"
        return await _have_done("again", config, id_, account, said)
    said = "几秒内核对，付了款就发货 (checked within seconds, and delivered if it is paid)"
    return await _have_done("deliver", config, id_, account, said)


async def confirm(
    id_: OrderName,
    /,
    *,
    config: Path = Path("bot.toml"),
    account: str | None = None,
) -> int:
    """只在平台上确认发货，不发任何东西 (tell the platform that it is shipped; send nothing).

    Args:
      id_: 订单号 (the id of the order).
      config: 设置文件 (the settings).
      account: 哪个账号的，两个账号买卖同一单时才要写 (whose, when two have it).
    """
    said = "几秒内向平台确认发货 (confirmed to the platform within seconds)"
    return await _have_done("confirm", config, id_, account, said)


async def _have_done(wish: Wish, config: Path, id_: str, account: str | None, said: str) -> int:
    loaded = load(config)
    if not loaded.database.exists():
        raise ConfigError(f"{loaded.database}: 机器人还没有运行过 (the bot has not run yet)")
    uuid = Ids(now_ms, random.SystemRandom()).uuid
    async with open_store(loaded.database) as store:
        order = await _one(store, loaded, id_, account)
        granted = await store.transact(
            by_hand.grant, order.account, order.order, wish, uuid, now=now_ms()
        )
    if granted.refused is not None:
        sys.stderr.write(f"xybot: {order.order}: {granted.refused}\n")
        return 1
    sys.stdout.write(f"{order.account} {order.order}: {said}\n")
    return 0
