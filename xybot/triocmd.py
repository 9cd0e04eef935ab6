"""The `trio` command: `trio run APP [ARGUMENTS]`.

Trio has no console script of its own.  An application names itself in the entry point group
`trio.apps`, as an async function that takes its arguments and returns its exit code.
Without arguments this is Trio's own shell, as `python -m trio` is.
"""

from __future__ import annotations

import atexit
import gc
import importlib.metadata
import runpy
import sys
from collections.abc import Sequence

import trio

_USAGE = """\
Usage: trio run APP [ARGUMENTS]   运行一个 Trio 程序 (run an application)
       trio                       Trio 的交互环境 (Trio's own shell)
"""


def main() -> None:
    """Run an application that is installed beside us."""
    match sys.argv[1:]:
        case []:
            runpy.run_module("trio", run_name="__main__", alter_sys=True)
        case ["run", name, *arguments]:
            sys.exit(_run(name, arguments))
        case ["-h" | "--help"]:
            sys.stdout.write(_USAGE + _known())
        case _:
            sys.stderr.write(_USAGE + _known())
            sys.exit(2)


def _run(name: str, arguments: Sequence[str]) -> int:
    found = [each for each in _apps() if each.name == name]
    if not found:
        sys.stderr.write(f"trio: 没有叫 {name} 的程序 (no such application)\n{_known()}")
        return 2
    atexit.register(gc.freeze)  # As in __main__: the end is quicker by half a second.
    try:
        code: int = trio.run(found[0].load(), arguments)
    except KeyboardInterrupt:
        return 130
    return code


def _apps() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group="trio.apps")


def _known() -> str:
    return f"APP: {', '.join(sorted({each.name for each in _apps()})) or '-'}\n"
