"""The command line: what there is, said quickly, by every name it goes by."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.app.program import BIN, WAYS, XYBOT, ended
from xybot import __version__
from xybot.cli import amain

TRIO = str(BIN / "trio")
OPTIONS = {
    "run": ("--config", "--log-format", "--log-level"),
    "init": ("--config",),
    "decode": ("FILES", "--self", "--config"),
    "replay": (
        "PATHS",
        "--config",
        "--since",
        "--all",
        "--self",
        "--account",
        "--format",
    ),
    "try": ("TEXT", "--item", "--account", "--buyer", "--at", "--config", "--outside"),
    "codes": ("import", "list", "export", "quarantine", "history"),
    "books": ("--config", "--account", "--days", "--format", "--verify"),
    "why": ("ID", "--config", "--account", "--format", "--last"),
    "items": ("--config", "--account", "--fetch"),
    "resume": ("IDS", "--all", "--config"),
    "sim": ("--config", "--listen", "--accounts", "--buyers", "--seed"),
}


def test_help_names_every_command(tmp_path: Path) -> None:
    found = ended(*XYBOT, "--help", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert all(name in found.stdout for name in OPTIONS)
    again = ended(*WAYS["trio run xybot"], "--help", cwd=tmp_path)
    assert (again.returncode, again.stderr, again.stdout) == (0, "", found.stdout)


@pytest.mark.parametrize("command", OPTIONS)
async def test_help_of_a_command_names_its_options(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert await amain([command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(option in out for option in OPTIONS[command])


def test_help_imports_nothing_that_only_a_running_bot_needs(tmp_path: Path) -> None:
    code = (
        "import sys; from xybot.cli import main; sys.argv[1:] = ['--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted(sys.modules.keys() & {'xybot.app', 'sqlalchemy', 'httpx', 'hypercorn'}))"
    )
    found = ended(sys.executable, "-c", code, cwd=tmp_path)
    assert found.stdout.splitlines()[-1] == "[]", found.stderr


async def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert await amain(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_trio_tells_how_to_use_it_and_what_can_be_run(tmp_path: Path) -> None:
    found = ended(TRIO, "--help", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert "trio run APP" in found.stdout
    assert "APP: xybot" in found.stdout


@pytest.mark.parametrize("typed", ["run nobody", "run", "rnu xybot"])
def test_trio_refuses_what_it_does_not_know(tmp_path: Path, typed: str) -> None:
    found = ended(TRIO, *typed.split(), cwd=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert "APP: xybot" in found.stderr
    assert "Traceback" not in found.stderr


def test_trio_runs_whatever_is_in_its_entry_point_group(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(
        "import trio\n"
        "async def main(argv):\n"
        "    await trio.sleep(0)\n"
        "    print('hello', *argv)\n"
        "    return 7\n"
    )
    info = tmp_path / "hello-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hello\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[trio.apps]\nhello = hello:main\n")
    found = ended(TRIO, "run", "hello", "a", "--b", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (found.returncode, found.stdout, found.stderr) == (7, "hello a --b\n", "")


def test_trio_alone_is_the_shell_of_trio(tmp_path: Path) -> None:
    found = ended(TRIO, cwd=tmp_path)  # Standard input is at its end: it says hello and leaves.
    assert found.returncode == 0
    assert "trio REPL" in found.stdout + found.stderr
