"""People with habits, so that a demo has somebody to serve.

Assumptions about people: they ask before they read, write one thought in several lines, want
it cheaper, say thanks when the goods are there, confirm them now and then, and want their
money back when nothing comes (nobody recorded this; it is a demo).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import attrs
import trio

from xybot.simulator.platform import Platform
from xybot.simulator.world import SimAccount, SimChat, SimOrder

_NAMES: Final = (
    "小王同学", "阿杰", "奶茶不加糖", "林深时见鹿", "老张数码", "今天也要早睡", "Cici", "大橘为重",
    "胖虎", "一只小团子", "南城旧事", "程序员老李", "柚子", "Mango", "隔壁小陈", "爱捡漏的猫",
)  # fmt: skip
_GREETINGS: Final = ("在吗", "你好", "老板在吗", "你好，这个还在吗？", "hello，还有货吗", "在不在")
_QUESTIONS: Final = (
    "{title}还在吗", "成色怎么样，有没有划痕", "包邮吗", "今天能发货吗", "什么时候买的呀",
    "发什么快递", "可以自提吗", "支持验货吗", "有实拍图吗", "为什么出呀", "能用多久",
)  # fmt: skip
_HAGGLES: Final = (
    "能便宜点吗", "{offer}出不出", "{offer}我现在就拍", "最低多少", "学生党，{offer}可以吗",
    "别家才{offer}，你这个能少点不",
)  # fmt: skip
_BURSTS: Final = (
    ("你好", "我想问一下", "这个", "还能再便宜点吗"),
    ("老板", "这个能用吗", "我着急用", "今天能发吗"),
    ("在吗在吗", "看到你的{title}", "成色几新啊", "有发票吗"),
    ("亲", "包邮不", "江苏的"),
)
_THANKS: Final = ("好的谢谢", "收到，谢谢老板", "👌", "好的[举杯]", "行，我考虑下", "OK")
_AGAIN: Final = ("？", "人呢", "老板？", "在吗在吗", "不在的话我看别家了")
_PAID: Final = ("已付款，麻烦尽快发货", "拍了，发一下吧", "付好了", "我拍下了老板")
_PICTURE: Final = "https://img.alicdn.com/imgextra/i1/simulated-{n}.jpg"

#: A buyer looks at the phone this often, in seconds.
_LOOKS: Final = 0.3


@attrs.define(eq=False)
class Buyer:
    """Somebody in a chat, with their own pace."""

    platform: Platform
    account: SimAccount
    chat: SimChat
    rng: random.Random
    pace: float = 1.0
    """How fast they do everything; 2 is twice as fast."""

    async def wait(self, shortest: float, longest: float) -> None:
        """Do something else for a while."""
        await trio.sleep(self.rng.uniform(shortest, longest) / self.pace)

    async def say(self, line: str) -> None:
        """Type a line and send it."""
        self.platform.buyer_types(self.account, self.chat, started=True)
        await self.wait(0.2, 0.4 + 0.08 * len(line))
        self.platform.buyer_types(self.account, self.chat, started=False)
        self.platform.buyer_says(self.account, self.chat, self._filled(line))

    async def say_one(self, lines: Sequence[str]) -> None:
        """Say one of several things."""
        await self.say(self.rng.choice(lines))

    def _filled(self, line: str) -> str:
        offer = int(float(self.chat.item.price) * self.rng.uniform(0.6, 0.9))
        return line.format(title=self.chat.item.title, offer=offer)

    async def answer(self, within: float = 30) -> str | None:
        """Wait for the shop's next words, read them, and return them; None when none come."""
        before = self._shop_lines()
        with trio.move_on_after(within / self.pace):
            # People look at the phone now and then; nobody is told by an event.
            while len(before) == len(self._shop_lines()):  # noqa: ASYNC110
                await trio.sleep(_LOOKS)
            await self.wait(0.5, 1.5)
            self.platform.buyer_reads(self.account, self.chat)
            return self._shop_lines()[-1]
        return None

    def _shop_lines(self) -> list[str]:
        """Return what the shop said in this chat, oldest first."""
        seller = self.chat.seller
        return [m.summary for m in self.chat.messages if m.by_person and m.sender is seller]

    async def react(self, answer: str | None) -> None:
        """Thank sometimes, nag when nothing came."""
        if answer is None:
            await self.say_one(_AGAIN)
        elif self.rng.random() < 0.5:
            await self.wait(0.5, 3)
            await self.say_one(_THANKS)


async def greet(buyer: Buyer) -> None:
    """Say hello, then ask one thing."""
    await buyer.say_one(_GREETINGS)
    answer = await buyer.answer(15)
    await buyer.say_one(_QUESTIONS)
    await buyer.react(await buyer.answer() or answer)


async def ask(buyer: Buyer) -> None:
    """Ask at once, sometimes with a picture."""
    await buyer.say_one(_QUESTIONS)
    if buyer.rng.random() < 0.3:
        url = _PICTURE.format(n=buyer.rng.randrange(1000))
        buyer.platform.buyer_shows(buyer.account, buyer.chat, url)
    await buyer.react(await buyer.answer())


async def burst(buyer: Buyer) -> None:
    """Write one thought in several lines."""
    for line in buyer.rng.choice(_BURSTS):
        await buyer.say(line)
        await buyer.wait(0.3, 1.5)
    await buyer.react(await buyer.answer())


async def haggle(buyer: Buyer) -> None:
    """Ask for a lower price two or three times; buy if the shop answers at all."""
    answer = None
    for line in buyer.rng.sample(_HAGGLES, k=buyer.rng.choice((2, 3))):
        await buyer.say(line)
        answer = await buyer.answer(20)
        await buyer.wait(1, 3)
    if answer is not None and buyer.rng.random() < 0.5:
        await buy(buyer)


async def buy(buyer: Buyer) -> None:
    """Order, hesitate, pay, and wait for the goods; now and then give up instead."""
    order = _order(buyer)
    await buyer.wait(1, 4)
    if buyer.rng.random() < 0.15:
        buyer.platform.buyer_closes(buyer.account, order)
        return
    buyer.platform.buyer_pays(buyer.account, order)
    if buyer.rng.random() < 0.5:
        await buyer.say_one(_PAID)
    await receive(buyer, order, await buyer.answer(60))


def _order(buyer: Buyer) -> SimOrder:
    """Order one as a rule, of some variant where there are several."""
    skus = buyer.chat.item.skus
    return buyer.platform.buyer_orders(
        buyer.account,
        buyer.chat,
        buyer.rng.choice((1, 1, 1, 2, 3)),
        sku=buyer.rng.choice(skus) if skus else None,
    )


async def receive(buyer: Buyer, order: SimOrder, goods: str | None) -> None:
    """Thank for the goods, and confirm now and then; want the money back if none came."""
    if goods is None:
        await buyer.say_one(_AGAIN)
        if await buyer.answer(60) is None and order.status == "待发货":
            buyer.platform.buyer_asks_refund(buyer.account, order)
        return
    await buyer.wait(0.5, 3)
    await buyer.say_one(_THANKS)
    await buyer.wait(3, 20)
    if order.status == "已发货" and buyer.rng.random() < 0.5:
        buyer.platform.buyer_confirms(buyer.account, order)


Habit: TypeAlias = Callable[[Buyer], Awaitable[None]]
HABITS: Final[tuple[Habit, ...]] = (greet, ask, burst, haggle, buy)


async def live(
    platform: Platform,
    account: SimAccount,
    rng: random.Random,
    *,
    rate: float = 1.0,
    people: int = 8,
) -> None:
    """Let buyers come to a shop until cancelled.

    The first writes within two seconds, and somebody new comes every four seconds or so.

    Args:
      platform: where they meet.
      account: the shop; it must have something for sale.
      rng: decides who comes, and what they do.
      rate: how busy the shop is; 2 is twice as many people at twice the pace.
      people: the most of them at one time.
    """
    seats = trio.Semaphore(people)
    names = rng.sample(_NAMES, k=len(_NAMES))
    async with trio.open_nursery() as nursery:
        await trio.sleep(0.5 / rate)
        for visit in range(2**31):
            # The first says hello: whoever starts a demo sees an answer at once.
            habit = greet if visit == 0 else rng.choice(HABITS)
            chat = _chat(platform, account, rng, names[visit % len(names)])
            buyer = Buyer(platform, account, chat, rng, rate)
            await seats.acquire()
            nursery.start_soon(_visit, buyer, habit, seats, name=f"buyer {chat.buyer.nick}")
            await trio.sleep(rng.uniform(2, 6) / rate)


def _chat(platform: Platform, account: SimAccount, rng: random.Random, name: str) -> SimChat:
    item = rng.choice(platform.world.items_of[account.user_id])
    return platform.world.open_chat(item, platform.world.add_user(name))


async def _visit(buyer: Buyer, habit: Habit, seats: trio.Semaphore) -> None:
    try:
        await habit(buyer)
    finally:
        seats.release()
