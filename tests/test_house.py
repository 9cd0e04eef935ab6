"""The rules of the house that a linter cannot know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import xybot

HOUSE = Path(xybot.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
RUNNING = [path for path in FILES if "migrations" not in path.parts]

VOCABULARY = {"errors", "model", "secret", "trade"}
#: How rooms tell what happened.
TOLD = {"events", "telling", "chronicle", "doorbell"}
#: Room -> the rooms it may import, besides itself.  The corridor is not listed: it may all.
MAY_IMPORT = {
    "errors": set(),
    "model": set(),
    "secret": set(),
    "trade": {"model"},
    "splitting": set(),
    "template": set(),
    "wire": VOCABULARY,
    "events": VOCABULARY,
    "egress": VOCABULARY,
    "config": VOCABULARY | {"template", "wire"},
    "store": VOCABULARY,
    "xianyu": VOCABULARY | {"wire", "egress"},
    "telling": VOCABULARY | {"events", "store"},
    "chronicle": {"doorbell", "errors", "events", "store"},
    "doorbell": set(),
    "replies": VOCABULARY | {"splitting", "template", "config", "store", "egress", "events"},
    "orders": VOCABULARY
    | TOLD
    | {"splitting", "template", "config", "days", "egress", "store", "xianyu"},
    "accounts": VOCABULARY | TOLD | {"wire", "store", "xianyu"},
    "days": set(),
    "notify": VOCABULARY | TOLD | {"config", "egress", "store"},
    "web": VOCABULARY | TOLD | {"config", "days", "store", "wire"},
    "simulator": {"model", "wire"},
}
CORRIDOR = {
    "__init__",
    "__main__",
    "app",
    "bot",
    "cli",
    "clock",
    "facts",
    "journal",
    "reload",
    "tools",
    "triocmd",
}
#: Rooms without I/O: a test of theirs needs no event loop.
SANS_IO = {"errors", "model", "secret", "splitting", "template", "trade", "wire"}
#: The failure domains, a chat and an account: the only places that may catch everything.
CATCH_ALL = {("accounts/chat.py", "_answer"), ("accounts/supervisor.py", "_restart_until_parked")}
LONGEST_FILE, LONGEST_FUNCTION = 400, 40


def room(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def catch_alls(tree: ast.AST) -> Iterator[str]:
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            ):
                yield function.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    here = room(path)
    assert here in MAY_IMPORT or here in CORRIDOR, "a new room needs its row in MAY_IMPORT"
    for name in imported(parse(path)):
        parts = name.split(".")
        if name.startswith("xybot.") and name != "xybot.__version__" and here in MAY_IMPORT:
            assert parts[1] == here or parts[1] in MAY_IMPORT[here], f"{here} imports {name}"
        if here in SANS_IO:
            assert parts[0] not in {"trio", "httpx", "sqlite3", "time", "random", "socket"}, name
        assert parts[0] not in {"asyncio", "threading"}, name
        assert parts[0] != "httpx" or here == "egress", "only egress.py opens HTTP clients"
        assert parts[0] not in {"sqlalchemy", "sqlite3"} or here == "store", "SQL lives in store"


def test_only_a_chat_and_an_account_catch_everything() -> None:
    found = {
        (str(path.relative_to(HOUSE)), name) for path in FILES for name in catch_alls(parse(path))
    }
    assert found == CATCH_ALL


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    long = [
        f"{each.name}: {each.end_lineno - each.lineno + 1} lines"
        for each in functions(parse(path))
        if each.end_lineno - each.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("path", RUNNING, ids=lambda path: str(path.relative_to(HOUSE)))
def test_nothing_is_imported_inside_a_function_and_no_clock_is_read_behind_our_back(
    path: Path,
) -> None:
    for function in functions(parse(path)):
        for node in ast.walk(function):
            assert not isinstance(node, ast.Import | ast.ImportFrom), function.name
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"time.time", "random.random", "datetime.now"}, called
