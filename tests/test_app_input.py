"""Bad input: one line that names what is wrong and where, exit code 2, and no traceback."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from tests.app.program import XYBOT, ended
from xybot.cli import amain

SIMULATED = '[[accounts]]\nid = "a"\n[simulator]\nenabled = true\n'
COOKIE = "unb=2200; _m_h5_tk=s3cr3t_1700000000000; cookie2=s3cr3t"


def account(id_: str, cookie: str = f'"{COOKIE}"') -> str:
    return f'[[accounts]]\nid = "{id_}"\ncookie = {cookie}\n'


RULE = '[[rules]]\nkeywords = ["{}"]\nmode = "{}"\nreply = "{}"\n'
#: bot.toml -> words of the one line about it.
WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "no TOML": ("[timing\n", ("bot.toml: ",)),
    "unknown key": ("[timing]\ndebonce = 3\n", ("bot.toml: timing.debonce", "debounce")),
    "unknown table": ("[timings]\n", ("bot.toml: timings", "timing")),
    "wrong type": ('[timing]\ndebounce = "x"\n', ("bot.toml: timing.debounce",)),
    "one id twice": (account("a") + account("a"), ("bot.toml: accounts[1].id", '"a"')),
    "one unb twice": (account("a") + account("b"), ("bot.toml: accounts[1].cookie", "unb", '"a"')),
    "no unb": (account("a", '"_m_h5_tk=s3cr3t_1"'), ("accounts[0].cookie", "unb", "F12")),
    "no _m_h5_tk": (account("a", '"unb=1; x=s3cr3t"'), ("accounts[0].cookie", "_m_h5_tk", "F12")),
    "no cookie": ('[[accounts]]\nid = "a"\n', ("bot.toml: accounts[0].cookie", "F12")),
    "no cookie file": (account("a", '{ file = "a.cookie" }'), ("accounts[0].cookie", "a.cookie")),
    "no variable": (account("a", '{ env = "XY_NO" }'), ("accounts[0].cookie", "XY_NO")),
    "bad variable": (SIMULATED + RULE.format("x", "exact", "{you}"), ("rules[0].reply", "{you}")),
    "no address": ('[simulator]\nlisten = "x"\n', ("bot.toml: simulator.listen",)),
}


def wrong_file(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "bot.toml").write_text(text, encoding="utf-8")

    return write


def not_writable(folder: Path) -> None:
    (folder / "bot.toml").write_text(SIMULATED, encoding="utf-8")
    (folder / "data").write_text("a file in its place")


def damaged(folder: Path) -> None:
    (folder / "bot.toml").write_text(SIMULATED, encoding="utf-8")
    (folder / "data").mkdir()
    (folder / "data" / "simulator.db").write_bytes(b"\xffgarbage\x00" * 1000)


def initialized(folder: Path) -> None:
    (folder / "bot.toml").write_text("mine = true", encoding="utf-8")


def nothing(_: Path) -> None:
    """Leave the folder empty."""


BAD_PATTERN = SIMULATED + RULE.format("(x", "regex", "")
#: What is typed, what is there -> words of the one line.
SITUATIONS: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "no bot.toml": ("run", nothing, ("bot.toml", "xybot init")),
    "no cookie": ("run", wrong_file('[[accounts]]\nid = "a"'), ("bot.toml: accounts[0].cookie",)),
    "bad pattern": ("run", wrong_file(BAD_PATTERN), ("bot.toml: rules[0]", "(x")),
    "data folder": ("run", not_writable, ("data: 数据目录不可写",)),
    "damaged database": ("run", damaged, ("simulator.db: 数据库打不开",)),
    "init on a file": ("init", initialized, ("bot.toml: 已经存在",)),
    "decode": ("decode nowhere.jsonl", nothing, ("nowhere.jsonl",)),
    "replay": ("replay nowhere.jsonl", wrong_file(SIMULATED), ("nowhere.jsonl",)),
    "unknown command": ("rnu", nothing, ("rnu", "run", "--help")),
    "unknown option": ("run --confg x", nothing, ("--confg", "--help")),
}
#: The same for words that are refused before anything is started.
WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a folder": ("run --config .", ("是文件夹",)),
    "init nowhere": ("init --config no/where.toml", ("no/where.toml",)),
    "replay nobody": ("replay --account x .", ("--account x",)),
    "replay without rules": ("replay . --config no.toml", ("no.toml", "xybot init")),
    "unknown option of no command": ("--confg x", ("--confg", "--help")),
    "unknown choice": ("--log-format xml", ("xml", "json", "--help")),
    "an option without its value": ("--config", ("--config", "--help")),
    "a word too many": ("run x", ("x", "--help")),
    "sim without an address": ("sim --listen x", ("--listen x",)),
}


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Run in a folder of its own, and leave logging as it was."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert "s3cr3t" not in err
    return err


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_bot_toml_is_told_with_file_and_key(
    unconfigured: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text, words = WRONG[name]
    wrong_file(text)(unconfigured)
    assert await amain([]) == 2
    line = one_line(capsys)
    assert all(word in line for word in words), line


@pytest.mark.parametrize("name", WORDS)
async def test_wrong_words_are_told_in_one_line(
    unconfigured: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    wrong_file(SIMULATED)(unconfigured)
    typed, words = WORDS[name]
    assert await amain(typed.split()) == 2
    line = one_line(capsys)
    assert all(word in line for word in words), line


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """What the program said in every situation; two at a time, for the sake of the clock."""
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(end, tmp_path_factory.mktemp("x"), name) for name in SITUATIONS}
        pool.shutdown(cancel_futures=True)


def end(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    typed, prepare, _ = SITUATIONS[name]
    prepare(folder)
    return ended(*XYBOT, *typed.split(), cwd=folder)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_wrong_is_said_in_one_line(
    told: dict[str, Future[subprocess.CompletedProcess[str]]], name: str
) -> None:
    *_, words = SITUATIONS[name]
    found = told[name].result()
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1, found.stderr
    assert all(word in found.stderr for word in words), found.stderr
    assert "s3cr3t" not in found.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (tmp_path / "bot.toml").write_text(f'{SIMULATED}listen = "{address}"\n', encoding="utf-8")
        found = ended(*XYBOT, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert f"simulator.listen: {address}" in found.stderr


async def test_init_leaves_an_existing_file_as_it_was(
    unconfigured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    initialized(unconfigured)
    assert await amain(["init"]) == 2
    assert "bot.toml" in one_line(capsys)
    assert (unconfigured / "bot.toml").read_text(encoding="utf-8") == "mine = true"
    assert not (unconfigured / "shop-a.cookie").exists()


async def test_what_init_writes_lacks_the_cookie_and_nothing_else(
    unconfigured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["init", "--config", "my.toml"]) == 0
    out, err = capsys.readouterr()
    assert ("shop-a.cookie" in out, err) == (True, "")
    assert await amain(["--config", "my.toml"]) == 2
    line = one_line(capsys)
    assert "my.toml: accounts[0].cookie: " in line
    assert str(unconfigured / "shop-a.cookie") in line
