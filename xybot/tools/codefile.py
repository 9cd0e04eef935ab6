"""Files of codes: one a line, or a CSV table; and the CSV tables that we write.

A code is worth money: no error shows one.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from xybot.errors import ConfigError

HEADS: Final = frozenset({"code", "codes", "卡密", "兑换码", "激活码"})
"""Names of the column that has the codes."""
LONGEST: Final = 5000
"""Characters of a code; the console looks for none that is longer, and it would be said whole."""


@attrs.frozen
class Entry:
    """One code and where in its file it begins."""

    line: int
    code: str = attrs.field(repr=False)


def read(path: Path) -> tuple[Entry, ...]:
    """Return the codes of a file, in their order; blank lines are none.

    Raises:
      ConfigError: it cannot be read, cannot be understood, or has no code.
    """
    text = _text(path)
    found = tuple(_table(path, text) if path.suffix.lower() == ".csv" else _lines(text))
    if not found:
        raise ConfigError(f"{path}: 里面没有卡密 (there is no code in it)")
    if long := next((entry for entry in found if len(entry.code) > LONGEST), None):
        raise ConfigError(
            f"{path}: 第 {long.line} 行超过 {LONGEST} 字，不像一条卡密；请每行写一条"
            f" (line {long.line}: more than {LONGEST} characters; write one code a line)"
        )
    return found


def write(path: Path, texts: Iterable[str]) -> None:
    """Write a new CSV table of codes that only its owner can read, and that `read` understands.

    Raises:
      ConfigError: there is such a file already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        # Excel takes a table without the mark for one in the encoding of its country.
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
            file.write(table(texts))
    except FileExistsError as exc:
        raise ConfigError(f"{path}: 已经有了，请换个文件名 (exists: choose another)") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: 写不了 (cannot be written): {exc.strerror}") from exc


def table(texts: Iterable[str]) -> str:
    """Return a CSV table of one column."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, quoting=csv.QUOTE_ALL)
    rows.writerow(["code"])
    rows.writerows([text] for text in texts)
    return out.getvalue()


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path}: 读不了 (cannot be read): {exc.strerror}") from exc
    encodings = ["utf-8-sig", "gb18030"]
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ConfigError(f"{path}: 不是文本，请另存为 UTF-8 的 TXT 或 CSV (save it as UTF-8)")


def _lines(text: str) -> Iterator[Entry]:
    # Not `splitlines`: that splits at characters which may stand in a code.
    for n, line in enumerate(io.StringIO(text, newline=None), 1):
        if code := line.strip():
            yield Entry(n, code)


def _table(path: Path, text: str) -> Iterator[Entry]:
    rows = _rows(path, text)
    column: int | None = None
    columns = 1
    for n, (line, row) in enumerate(rows):
        if n == 0:
            columns = len(row)
            column = _column(row)
            if column is not None:
                continue
            if columns > 1:
                raise ConfigError(
                    f"{path}: 有 {columns} 列，请把卡密那列的标题写成「卡密」"
                    f" ({columns} columns: name that of the codes `code`)"
                )
        if len(row) != columns or not row[column or 0].strip():
            raise ConfigError(
                f"{path}: 第 {line} 行不是 {columns} 列，或没有卡密；含逗号的要加引号"
                f" (line {line}: not {columns} columns, or no code; quote what has a comma)"
            )
        yield Entry(line, row[column or 0])


def _column(head: Sequence[str]) -> int | None:
    found = [n for n, name in enumerate(head) if name.strip().casefold() in HEADS]
    return found[0] if len(found) == 1 else None


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its first line."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield line, row
            line = rows.line_num + 1
    except csv.Error as exc:
        raise ConfigError(f"{path}: 第 {line} 行的引号不对 (line {line} is no CSV): {exc}") from exc
