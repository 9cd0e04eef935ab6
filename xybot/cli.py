"""The command line.  A command is imported when it is called, so that `--help` is quick.

Exit codes: 0 as asked; 1 a check that failed; 2 wrong words, settings or files, said in one
line; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs
from cyclopts import App, CycloptsError

from xybot import __version__
from xybot.errors import ConfigError, StoreUnavailable

_COMMANDS = {
    "run": ("xybot.app:command", "启动，回复买家；不写命令就是它 (start; the default)"),
    "init": ("xybot.tools.init:command", "写一份真实账号用的 bot.toml (write a bot.toml)"),
    "resume": ("xybot.tools.resume:command", "让停下的账号继续 (let a parked account go on)"),
    "items": ("xybot.tools.items:command", "列出商品的资料 (what is known of the items)"),
    "orders": ("xybot.tools.orders:listed", "列出订单，哪些等您处理 (orders; what waits for you)"),
    "order": ("xybot.tools.orders:story", "一个订单的来龙去脉 (the story of an order)"),
    "deliver": ("xybot.tools.orders:deliver", "发货，或再试一次 (deliver an order, or try again)"),
    "confirm": ("xybot.tools.orders:confirm", "只在平台上确认发货 (confirm as shipped, no more)"),
    "codes": ("xybot.tools.codes:app", "卡密库存 (the codes that are sold)"),
    "books": ("xybot.tools.books:command", "对账：消息和卡密都有下落吗 (all accounted for)"),
    "why": ("xybot.tools.why:command", "为什么这样回，为什么没回 (why, message or chat)"),
    "try": ("xybot.tools.try_:command", "试一句话：现在会怎么回 (what would be said now)"),
    "decode": ("xybot.tools.decode:command", "解读录下的数据帧 (read recorded frames)"),
    "replay": ("xybot.tools.replay:command", "重放录下的或存下的消息 (what would have been said)"),
    "sim": ("xybot.tools.sim:command", "单独启动模拟平台 (the simulator alone)"),
}


def _app() -> App:
    app = App(
        name="xybot",
        help="闲鱼自动回复，一台电脑可管多个账号 (answers buyers on Xianyu, for many accounts).",
        version=__version__,
        help_format="plaintext",  # markdown would cost 0.13 s of every --help
        backend="trio",
        result_action="return_int_as_exit_code_else_zero",
        exit_on_error=False,
        print_error=False,  # A box of four lines; we say it in one.
    )
    for name, (where, words) in _COMMANDS.items():
        app.command(where, name=name, help=words)
    return app


def _words(argv: Sequence[str]) -> list[str]:
    """Return the arguments; without a command they are those of `run`."""
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version")):
        return ["run", *argv]
    return list(argv)


@attrs.define
class _Exit:
    code: int = 0


@contextmanager
def _said_in_one_line() -> Iterator[_Exit]:
    """Turn what is wrong outside of us into one line and an exit code."""
    ended = _Exit()
    try:
        yield ended
    except* CycloptsError as group:
        for problem in _leaves(group):
            words = " ".join(str(problem).split())
            sys.stderr.write(f"xybot: {words} 用法见 (see) xybot --help\n")
        ended.code = 2
    except* (ConfigError, StoreUnavailable) as group:
        for problem in _leaves(group):
            sys.stderr.write(f"xybot: {problem}\n")
        ended.code = 2
    except* KeyboardInterrupt:
        ended.code = 130


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each


async def amain(argv: Sequence[str]) -> int:
    """Run a command inside a running Trio loop: the entry of `trio run xybot`."""
    with _said_in_one_line() as ended:
        ended.code = await _app().run_async(_words(argv))
    return ended.code


def main() -> None:
    """Run a command: `xybot …` and `python -m xybot …`."""
    with _said_in_one_line() as ended:
        ended.code = _app()(_words(sys.argv[1:]))
    sys.exit(ended.code)
