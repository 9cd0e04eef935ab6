"""Settings that the program itself writes: in files of its own, never in bot.toml.

What somebody adds in the console stands in `bot.d/console.toml`.  It is read like every other
file in there, and may be edited by hand; comments in it do not survive the next change.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import tomli_w

from xybot.config.files import EXTRA_FOLDER
from xybot.config.load import Loaded
from xybot.config.problems import Misfit
from xybot.config.secrets import FromFile
from xybot.config.text import read_text
from xybot.errors import ConfigError
from xybot.model import AccountId

Files: TypeAlias = Mapping[Path, str]
"""What files are to hold."""
Table: TypeAlias = dict[str, Any]

CONSOLE_FILE: Final = "console.toml"
_HEADER: Final = """\
# 控制台里添加的账号和规则。可以手工修改；下次在控制台里改动时，这里的注释会丢失。
# Accounts and rules that were added in the console.  Comments do not survive its next change.

"""


def console_file(loaded: Loaded) -> Path:
    """Return where the console writes."""
    return loaded.folder / EXTRA_FOLDER / CONSOLE_FILE


def with_rule(loaded: Loaded, rule: Table) -> Files:
    """Return the files with one rule more, the last to be asked of its priority."""
    table = _table(loaded)
    return _files(loaded, table | {"rules": [*table.get("rules", []), rule]})


def without_rule(loaded: Loaded, fingerprint: str) -> Files | None:
    """Return the files without a rule of the console's, None when it has no such rule."""
    nth = own_rules(loaded).get(fingerprint)
    if nth is None:
        return None
    table = _table(loaded)
    rules = list(table.get("rules", []))
    if nth >= len(rules):
        return None  # Somebody has just edited the file.
    del rules[nth]
    return _files(loaded, table | {"rules": rules})


def own_rules(loaded: Loaded) -> Mapping[str, int]:
    """Return the rules that stand in the console's file: fingerprint -> which it is there."""
    name = f"{EXTRA_FOLDER}/{CONSOLE_FILE}"
    found = {}
    for n, rule in enumerate(loaded.config.rules):
        place = loaded.origins.get(("rules", n))
        if place is not None and place.file == name:
            found[rule.fingerprint] = int(place.path[1])
    return found


def with_account(loaded: Loaded, id_: AccountId, cookie: str | None) -> Files:
    """Return the files with one account more; its cookie stands in a file of its own."""
    table: Table = _table(loaded)
    account: Table = {"id": id_}
    file = f"{EXTRA_FOLDER}/{id_}.cookie"
    files: dict[Path, str] = {}
    if cookie is not None:
        files[loaded.folder / file] = f"{cookie}\n"
        account["cookie"] = {"file": file}
    accounts = [*table.get("accounts", []), account]
    return files | dict(_files(loaded, table | {"accounts": accounts}))


def with_cookie(loaded: Loaded, id_: AccountId, cookie: str) -> Files | None:
    """Return the file of an account's cookie with another in it; None when it has no file."""
    for account in loaded.config.accounts:
        if account.id == id_ and isinstance(account.cookie, FromFile):
            return {account.cookie.path: f"{cookie}\n"}
    return None


def settings_of(files: Files) -> Files:
    """Return those of the files that are settings; the others are secrets that these name."""
    return {path: text for path, text in files.items() if path.suffix == ".toml"}


@contextmanager
def written(files: Files) -> Iterator[None]:
    """Write files that only their owner can read; if the block raises, all is as it was before.

    Raises:
      Misfit: one cannot be written.
    """
    before = {path: path.read_bytes() if path.exists() else None for path in files}
    try:
        for path, text in files.items():
            _write(path, text.encode())
        yield
    except ConfigError:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                _write(path, content)
        raise


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole at every moment."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)
    except OSError as exc:
        wrong = f"写不了 {path}，检查文件夹和权限 (cannot be written: {exc.strerror})"
        raise Misfit(wrong) from exc


def _table(loaded: Loaded) -> Table:
    path = console_file(loaded)
    return tomllib.loads(read_text(path)) if path.exists() else {}


def _files(loaded: Loaded, table: Table) -> Files:
    return {console_file(loaded): _HEADER + tomli_w.dumps(table, multiline_strings=False)}
