"""Starts xybot as its users do: a process of its own, and the lines it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
#: The ways to start the bot; all take the options of `run`.
WAYS = {
    "trio run xybot": (str(BIN / "trio"), "run", "xybot"),
    "xybot run": (str(BIN / "xybot"), "run"),
    "xybot": (str(BIN / "xybot"),),
    "python -m xybot": (sys.executable, "-m", "xybot"),
}
XYBOT = WAYS["xybot"]


def shipped(path: Path) -> Path:
    """Put the bot.toml that ships somewhere; its console gets any port that is free."""
    text = (ROOT / "bot.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("127.0.0.1:8000", "127.0.0.1:0"), encoding="utf-8")
    return path


@attrs.define(eq=False)
class Program:
    """A program that runs; `said` waits for lines, each line is found once."""

    process: trio.Process
    lines: list[str] = attrs.field(factory=list)
    """Everything on standard output until now."""
    stderr: str = ""
    _next: int = 0
    _news: trio.Event = attrs.field(factory=trio.Event)

    async def said(self, *words: str, within: float = 15) -> str:
        """Wait for the next line that has all these words in it, and return it."""
        try:
            with trio.fail_after(within):
                while True:
                    while self._next < len(self.lines):
                        self._next += 1
                        if all(word in self.lines[self._next - 1] for word in words):
                            return self.lines[self._next - 1]
                    self._news = trio.Event()
                    await self._news.wait()
        except trio.TooSlowError:
            told = "\n".join(self.lines)
            raise AssertionError(f"never said {words}:\n{told}\n{self.stderr}") from None

    async def stop(self, by: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal, wait for the end, and return how long that took."""
        started = trio.current_time()
        self.process.send_signal(by)
        with trio.fail_after(10):
            await self.process.wait()
        took = trio.current_time() - started
        await trio.sleep(0.05)  # The readers come to the end of the pipes.
        return took

    @property
    def output(self) -> str:
        """Everything it printed."""
        return "\n".join(self.lines) + self.stderr

    async def read_stdout(self, stream: trio.abc.ReceiveStream) -> None:
        rest = b""
        async for chunk in stream:
            *whole, rest = (rest + chunk).split(b"\n")
            self.lines += [line.decode() for line in whole]
            self._news.set()

    async def read_stderr(self, stream: trio.abc.ReceiveStream) -> None:
        async for chunk in stream:
            self.stderr += chunk.decode()


@asynccontextmanager
async def running(*command: str, cwd: Path, **env: str) -> AsyncIterator[Program]:
    """Run a program for as long as the block runs; whatever is left of it then is killed."""
    process = await trio.lowlevel.open_process(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=os.environ | env,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    program = Program(process)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(program.read_stdout, process.stdout)
        nursery.start_soon(program.read_stderr, process.stderr)
        try:
            yield program
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()


def ended(
    *command: str, cwd: Path, within: float = 30, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which must come."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env=os.environ | env,
        timeout=within,
        check=False,
    )


async def until(true: Callable[[], object], within: float = 10) -> None:
    """Wait until a function says so."""
    deadline = trio.current_time() + within
    while not true():
        assert trio.current_time() < deadline, "it never came true"
        await trio.sleep(0.02)
