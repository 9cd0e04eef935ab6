"""Files of codes, as sellers get them from suppliers, from Excel and from Notepad."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.errors import ConfigError
from xybot.tools import codefile

CODES = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(str.strip)


def read(tmp_path: Path, raw: bytes, name: str = "codes.txt") -> list[tuple[int, str]]:
    path = tmp_path / name
    path.write_bytes(raw)
    return [(entry.line, entry.code) for entry in codefile.read(path)]


def refusal(tmp_path: Path, raw: bytes, name: str = "codes.csv") -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, raw, name)
    (line,) = str(caught.value).splitlines()
    return line


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_is_a_code_in_whatever_encoding(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ["卡号一----密码一", "", "  ", ' "b",c ', "d\u3000", "e 密"]
    found = read(tmp_path, end.join(lines).encode(encoding))
    assert found == [(1, "卡号一----密码一"), (4, '"b",c'), (5, "d"), (6, "e 密")]


@pytest.mark.parametrize("code", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb", "🎁", "=1+1"])
def test_only_the_end_of_a_line_ends_a_code(tmp_path: Path, code: str) -> None:
    assert read(tmp_path, f"{code}\nnext".encode()) == [(1, code), (2, "next")]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("a\nb\n", [(1, "a"), (2, "b")]),
        ("code\r\na\r\n\r\nb", [(2, "a"), (4, "b")]),
        ("Code\n a ", [(2, " a ")]),
        (
            '"a,1"\n"say ""hi"""\n"two\nlines"\nlast',
            [(1, "a,1"), (2, 'say "hi"'), (3, "two\nlines"), (5, "last")],
        ),
        ("序号,卡密,面值\n1,AAA,50\n,,\n2,BBB,50", [(2, "AAA"), (4, "BBB")]),
    ],
)
def test_a_table_has_its_codes_in_one_column(
    tmp_path: Path, table: str, found: list[tuple[int, str]]
) -> None:
    assert read(tmp_path, table.encode(), "codes.CSV") == found
    assert read(tmp_path, table.encode("utf-8-sig"), "codes.csv") == found
    assert read(tmp_path, table.encode("gb18030"), "codes.csv") == found


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("1,S3CRET\n2,BBB", "有 2 列，请把卡密那列的标题写成「卡密」"),
        ("卡密,code\nS3CRET,BBB", "有 2 列"),
        ("S3CRET\nS3CRET,1\n", "第 2 行"),
        ("卡密,面值\nAAA,1\n,50\n", "第 3 行"),
        ("卡密,面值\nS3CRET\n", "第 2 行"),
        ('AAA\n"S3CRET', "第 2 行的引号不对"),
        ('AAA\n"S3"CRET\n', "第 2 行的引号不对"),
        ("code\n", "里面没有卡密"),
    ],
)
def test_a_table_that_could_be_misread_is_refused_with_its_line(
    tmp_path: Path, table: str, words: str
) -> None:
    said = refusal(tmp_path, table.encode())
    assert words in said
    assert "S3CRET" not in said


@pytest.mark.parametrize("name", ["codes.txt", "codes.csv"])
@pytest.mark.parametrize("raw", [b"", b"\n \r\n\n", "\ufeff".encode(), b"\xff\xfe"])
def test_a_file_without_codes_is_refused(tmp_path: Path, name: str, raw: bytes) -> None:
    assert "里面没有卡密" in refusal(tmp_path, raw, name)


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04\x14\0\x06\0", b"\xff\xff"])
def test_what_is_no_text_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert "不是文本" in refusal(tmp_path, raw, "codes.txt")


def test_a_whole_file_that_would_be_one_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("fits" * 1250 + "\n" + "secret" * 1000)
    with pytest.raises(ConfigError, match=r"line 2: more than 5000 characters") as caught:
        codefile.read(path)
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_or_made_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(ConfigError, match="读不了"):
            codefile.read(path)
    with pytest.raises(ConfigError, match="写不了"):
        codefile.write(tmp_path / "none" / "codes.csv", ["a"])


@given(codes=st.lists(CODES, min_size=1))
def test_what_we_write_we_read(codes: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("codes") / "codes.csv"
    codefile.write(path, codes)
    assert [entry.code for entry in codefile.read(path)] == codes


def test_a_table_of_codes_is_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    codefile.write(path, ["a"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="已经有了"):
        codefile.write(path, ["b"])
    assert [entry.code for entry in codefile.read(path)] == ["a"]


def test_an_entry_does_not_show_its_code(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("S3CRET")
    assert "S3CRET" not in repr(codefile.read(path))
