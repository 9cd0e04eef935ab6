"""Other processes: started, asked in JSON lines, and metered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import psutil
import trio

HERE: Final = Path(__file__).parent
_ENDS_WITHIN: Final = 5
_MB: Final = 1_000_000


@attrs.define(eq=False)
class Child:
    """A process; made by `open_child`."""

    process: trio.Process
    meter: psutil.Process
    _text: bytearray = attrs.field(factory=bytearray, init=False)

    async def line(self) -> str:
        """Return the next line that it writes.

        Raises:
          EOFError: it ended.
        """
        assert self.process.stdout is not None
        while (end := self._text.find(b"\n")) < 0:
            more = await self.process.stdout.receive_some(65536)
            if not more:
                raise EOFError(f"{self.process.args!r}: ended with {await self.process.wait()}")
            self._text += more
        line = self._text[:end].decode()
        del self._text[: end + 1]
        return line

    async def told(self) -> Any:
        """Return the next line, which is JSON."""
        return msgspec.json.decode(await self.line())

    async def ask(self, do: str, **words: object) -> Any:
        """Ask one of our own scripts for something and return its answer."""
        assert self.process.stdin is not None
        await self.process.stdin.send_all(msgspec.json.encode({"do": do, **words}) + b"\n")
        return await self.told()

    def cpu(self) -> float:
        """Return the seconds of CPU used so far, user and system."""
        times = self.meter.cpu_times()
        return float(times.user + times.system)

    def megabytes(self) -> float:
        """Return the resident set."""
        return float(self.meter.memory_info().rss) / _MB


@asynccontextmanager
async def open_child(
    *argv: str, stdout: int | None = subprocess.PIPE, cwd: Path | None = None
) -> AsyncIterator[Child]:
    """Run a process for as long as the block does; SIGTERM ends it, or SIGKILL."""
    process = await trio.lowlevel.open_process(
        argv, stdin=subprocess.PIPE, stdout=stdout, stderr=None, cwd=cwd
    )
    try:
        yield Child(process, psutil.Process(process.pid))
    finally:
        with trio.move_on_after(_ENDS_WITHIN + 1, shield=True):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            with trio.move_on_after(_ENDS_WITHIN):
                await process.wait()
            if process.poll() is None:
                sys.stderr.write(f"killed: {argv}\n")
                process.kill()
                await process.wait()


@asynccontextmanager
async def open_script(name: str, *words: str) -> AsyncIterator[Child]:
    """Run one of the scripts beside this file."""
    async with open_child(sys.executable, str(HERE / name), *words) as child:
        yield child


@asynccontextmanager
async def open_bot(folder: Path, *, level: str = "warning") -> AsyncIterator[Child]:
    """Run the bot on `folder/bot.toml`; below `info` what it says goes to `folder/bot.log`."""
    argv = [sys.executable, "-m", "xybot", "run", "--config", str(folder / "bot.toml")]
    argv += ["--log-format", "json", "--log-level", level]
    if level == "info":
        async with open_child(*argv, cwd=folder) as child:
            yield child
        return
    with (folder / "bot.log").open("ab") as said:
        async with open_child(*argv, stdout=said.fileno(), cwd=folder) as child:
            yield child


def script(name: str) -> str:
    """Return the path of a console script of this very environment."""
    return str(Path(sys.executable).parent / name)


async def seconds_of(argv: Sequence[str]) -> float:
    """Run a command to its end and return how long it took."""
    began = trio.current_time()
    await trio.run_process(argv, capture_stdout=True, env={**os.environ, "PYTHONUTF8": "1"})
    return trio.current_time() - began
