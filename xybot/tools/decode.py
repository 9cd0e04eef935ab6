"""`xybot decode`: recorded frames in, one line of JSON for each of their entries out."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import attrs
from cyclopts import Parameter

from xybot.errors import WireError
from xybot.model import UserId
from xybot.tools.recordings import Recorded, UnreadableFile, frames_of, read_frames
from xybot.wire import frames, jsontext, payload, reading
from xybot.wire.fields import bare
from xybot.wire.pushes import Arouse, Push, Undecodable

_STDIN: Final = Path("-")
_UNREADABLE: Final = 2


def command(
    files: Annotated[list[Path] | None, Parameter(negative=())] = None,
    /,
    *,
    self_: Annotated[str | None, Parameter(name="--self")] = None,
    config: Path | None = None,
) -> int:
    """解读录下的数据帧，每个条目输出一行 JSON (one JSON object per entry).

    Args:
      files: 一行一帧的 JSON 文件；不写则读标准输入 (JSON lines; standard input if left out).
      self_: 本账号的用户编号 unb，用来认出自己发的消息 (our own user id).
      config: 不需要，为了各命令一致而接受 (not needed; every command takes it).
    """
    return decode(files or (), self_id=self_, out=sys.stdout, err=sys.stderr, stdin=sys.stdin)


def decode(
    files: Sequence[Path], *, self_id: str | None, out: TextIO, err: TextIO, stdin: TextIO
) -> int:
    """Print what the entries of recorded frames mean, in order, one JSON object a line.

    No files, or `-`, is standard input.  A line that is no frame gives an `undecodable`
    object and a line on `err`.  A reader who has seen enough (`| head`) ends it quietly.

    Returns:
      The exit code: 0, or 2 when a file could not be read; the others are decoded all the same.
    """
    for stream, encoding in ((out, "utf-8"), (err, "utf-8"), (stdin, "utf-8-sig")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="replace")
    account = bare(self_id)
    printer = _Printer(self_id=UserId(account) if account else None, out=out, err=err)
    try:
        return max([printer.show(each, stdin) for each in files or (_STDIN,)])
    except BrokenPipeError:
        for stream in (out, err):
            _let_go(stream)
        return 0


@attrs.frozen(kw_only=True)
class _Printer:
    self_id: UserId | None
    out: TextIO
    err: TextIO

    def show(self, file: Path, stdin: TextIO) -> int:
        """Print a file, or say why it cannot be read; return the exit code."""
        try:
            for recorded in frames_of(stdin, "-") if file == _STDIN else read_frames(file):
                self._show_frame(recorded)
        except UnreadableFile as exc:
            print(f"无法读取 {file} / cannot read it: {exc.strerror}", file=self.err)
            return _UNREADABLE
        return 0

    def _show_frame(self, recorded: Recorded) -> None:
        try:
            frame = frames.decode(recorded.text)
        except WireError as exc:
            print(f"{recorded.name}: 不是 LWP 帧 / no LWP frame: {exc}", file=self.err)
            self._print(Undecodable(damage=str(exc)))
        else:
            for entry in payload.entries(frame) if frame.lwp else ():
                self._print(reading.read(entry, self.self_id))
        # Whoever watches a live recording wants to see it now.
        self.out.flush()

    def _print(self, push: Push) -> None:
        print(jsontext.dumps(shown(push)), file=self.out)


def shown(push: Push) -> dict[str, Any]:
    """Return what an entry says, under the names that the command promises."""
    facts = push.facts
    return {
        "kind": push.kind,
        "from_human": facts.from_human,
        "message_id": facts.message,
        "chat_id": facts.chat,
        "sender_id": facts.sender,
        "sender_name": facts.sender_name,
        "text": facts.text,
        "content_type": facts.content_type,
        "item_id": facts.item,
        "order_id": facts.order,
        "role": push.role if isinstance(push, Arouse) else facts.trade and facts.trade.role,
        "sent_at": facts.sent_at,
    }


def _let_go(stream: TextIO) -> None:
    """Keep the interpreter from complaining of a closed pipe when it exits."""
    try:
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
