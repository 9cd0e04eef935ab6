"""What the README promises, a test proves; a promise that names none fails here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
SECTION = "## 承诺 · What xybot promises"


def promises() -> list[str]:
    """The entries of the section; an entry goes on over lines that are indented."""
    text = (HOME / "README.md").read_text(encoding="utf-8").partition(f"{SECTION}\n")[2]
    section = re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]
    return [entry.strip() for entry in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]


def proofs(promise: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", promise)


def defined_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


def test_there_are_promises() -> None:
    assert len(promises()) >= 12


def test_every_picture_of_the_readme_is_there() -> None:
    text = (HOME / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r'src="([^"]+)"', text)
    assert pictures
    assert [each for each in pictures if not (HOME / each).is_file()] == []


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise[:20])
def test_a_promise_names_a_test_that_exists(promise: str) -> None:
    named = proofs(promise)
    assert named, f"names no test: {promise}"
    for file, test in named:
        assert test in defined_in(HOME / file), f"{file} has no {test}"
