"""Settings that the program itself writes: in files of its own, never in bot.toml.

What somebody adds in the console stands in `bot.d/console.toml`.  It is read like every other
file in there, and may be edited by hand; comments in it do not survive the next change.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import tomli_w

from xybot.config.answering import Rule
from xybot.config.files import EXTRA_FOLDER
from xybot.config.load import Loaded
from xybot.config.problems import Misfit
from xybot.config.secrets import FromFile
from xybot.config.structure import LOADERS_OWN
from xybot.config.text import read_text
from xybot.model import AccountId

Files: TypeAlias = Mapping[Path, str]
"""What files are to hold."""
Edit: TypeAlias = Callable[[Loaded], Files | None]
"""What is to become of the settings as they stand; None when there is nothing to be done."""
Table: TypeAlias = dict[str, Any]

CONSOLE_FILE: Final = "console.toml"
_HEADER: Final = """\
# 控制台里添加的账号和规则。可以手工修改；下次在控制台里改动时，这里的注释会丢失。
# Accounts and rules that were added in the console.  Comments do not survive its next change.

"""


def console_file(loaded: Loaded) -> Path:
    """Return where the console writes."""
    return loaded.folder / EXTRA_FOLDER / CONSOLE_FILE


def with_rule(loaded: Loaded, rule: Rule) -> Files:
    """Return the files with one rule more, the last to be asked of its priority."""
    table = _table(loaded)
    return _files(loaded, table | {"rules": [*table.get("rules", []), _written_out(rule)]})


def without_rule(loaded: Loaded, fingerprint: str) -> Files | None:
    """Return the files without a rule of the console's, None when it has no such rule."""
    rules = loaded.config.rules
    of_it = [nth for n, nth in own_rules(loaded).items() if rules[n].fingerprint == fingerprint]
    if not of_it:
        return None
    table = _table(loaded)
    left = list(table.get("rules", []))
    if of_it[-1] >= len(left):
        return None  # Somebody has just edited the file.
    del left[of_it[-1]]
    return _files(loaded, table | {"rules": left})


def own_rules(loaded: Loaded) -> Mapping[int, int]:
    """Return the rules that stand in the console's file: which of all -> which it is there."""
    name = f"{EXTRA_FOLDER}/{CONSOLE_FILE}"
    places = ((n, loaded.origins.get(("rules", n))) for n in range(len(loaded.config.rules)))
    return {n: int(place.path[1]) for n, place in places if place and place.file == name}


def with_account(loaded: Loaded, id_: AccountId, cookie: str | None) -> Files | None:
    """Return the files with one account more; its cookie stands in a file of its own.

    None when there is such an account.
    """
    if any(each.id == id_ for each in loaded.config.accounts):
        return None
    table: Table = _table(loaded)
    account: Table = {"id": id_}
    file = f"{EXTRA_FOLDER}/{_file_name(id_)}.cookie"
    files: dict[Path, str] = {}
    if cookie is not None:
        files[loaded.folder / file] = f"{cookie}\n"
        account["cookie"] = {"file": file}
    accounts = [*table.get("accounts", []), account]
    return files | dict(_files(loaded, table | {"accounts": accounts}))


def _file_name(id_: AccountId) -> str:
    """Return a name that every file system can hold, another one for each account."""
    return "".join(c if c.isalnum() or c in "._-" else f"%{ord(c):X}" for c in id_)


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
    with ExitStack() as undoing:
        for path, text in files.items():
            before = _replace(path, text.encode())
            undoing.callback(_put_back, path, before)
        yield
        undoing.pop_all()


def _replace(path: Path, content: bytes) -> bytes | None:
    """Write a file that is whole at every moment; return what it was."""
    try:
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path = path.resolve()  # A link stays one.
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)
    except OSError as exc:
        wrong = f"写不了 {path}，检查文件夹和权限 (cannot be written: {exc.strerror})"
        raise Misfit(wrong) from exc
    return before


def _put_back(path: Path, before: bytes | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        _replace(path, before)


def _written_out(rule: Rule) -> Table:
    """Return a rule as it stands in TOML; what goes without saying is left out."""
    table: Table = {}
    for field in attrs.fields(Rule):
        value = getattr(rule, field.name)
        if value != field.default and field.name not in LOADERS_OWN:
            table[field.name] = list(value) if isinstance(value, tuple) else value
    if len(rule.reply) == 1:
        table["reply"] = rule.reply[0]
    return table


def _table(loaded: Loaded) -> Table:
    path = console_file(loaded)
    return tomllib.loads(read_text(path)) if path.exists() else {}


def _files(loaded: Loaded, table: Table) -> Files:
    return {console_file(loaded): _HEADER + tomli_w.dumps(table, multiline_strings=False)}
