"""What a picture's file tells of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures import gif, jpeg, png, webp
from xybot.wire.pictures import Picture, look

sizes = st.integers(1, 0x3FFF)
FILES = {
    "png": png,
    "gif": gif,
    "jpg": jpeg,
    "webp": lambda width, height: webp(width, height, b"VP8X"),
    "webp lossless": lambda width, height: webp(width, height, b"VP8L"),
    "webp lossy": lambda width, height: webp(width, height, b"VP8 "),
}


@pytest.mark.parametrize("kind", FILES)
@given(width=sizes, height=sizes)
def test_kind_and_size_of_a_picture_are_read(kind: str, width: int, height: int) -> None:
    found = look(FILES[kind](width, height))
    assert found == Picture(kind.split()[0], width, height)


def test_progressive_pictures_have_a_size_and_tables_have_none() -> None:
    assert look(jpeg(640, 480, frame=0xC2)) == Picture("jpg", 640, 480)
    assert look(jpeg(640, 480, frame=0xC4)) is None


@pytest.mark.parametrize("file", [png(0, 5), gif(5, 0), jpeg(0, 0), webp(0x4000, 5, b"VP8 ")])
def test_a_picture_without_a_size_is_none(file: bytes) -> None:
    assert look(file) is None


@pytest.mark.parametrize("kind", FILES)
@given(cut=st.integers(0, 24), noise=st.binary(max_size=40))
def test_what_is_cut_off_or_damaged_is_a_picture_or_none(kind: str, cut: int, noise: bytes) -> None:
    found = look(FILES[kind](640, 480)[:cut] + noise)
    assert found is None or (found.width > 0 and found.height > 0)


@given(st.binary())
def test_what_is_no_picture_is_none(noise: bytes) -> None:
    assert look(b"[[accounts]]\n" + noise) is None


def test_kinds_have_the_names_that_http_gives_them() -> None:
    found = [look(file(3, 4)) for file in FILES.values()]
    names = [each.media_type for each in found if each]
    assert names == ["image/png", "image/gif", "image/jpeg", *3 * ["image/webp"]]
