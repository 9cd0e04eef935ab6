"""Goods as messages: every code whole, in its place, in as few messages as there can be."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.orders.samples import goods, sale
from xybot.model import Image, Photo, Text
from xybot.orders.contents import LONGEST, Part, messages

FRAME = "{send_user_name}，您的卡密：{codes}，请查收"
WORDS = ("小王，您的卡密：", "，请查收")


def texts(parts: tuple[Part, ...]) -> list[str]:
    found = [part.content for part in parts]
    assert all(isinstance(each, Text) for each in found)
    return [each.text for each in found if isinstance(each, Text)]


def test_one_code_stands_where_its_place_is() -> None:
    (part,) = messages(goods(text=FRAME), ("ABC-123",), sale())
    assert part == Part(Text("小王，您的卡密：ABC-123，请查收"), (0,))


def test_every_variable_is_filled_in_with_what_is_known_of_the_order() -> None:
    text = "{order_id}|{send_user_name}|{item_title}|{spec}|{quantity}|{codes}|{{codes}}"
    (said,) = texts(messages(goods(text=text), ("X",), sale(quantity=2)))
    assert said == "4400111222333|小王|会员月卡|时长:月卡|2|X|{codes}"


def test_many_codes_fill_message_after_message_and_the_words_are_said_once() -> None:
    codes = tuple(f"{n:0>99}" for n in range(9))
    parts = messages(goods(text=FRAME), codes, sale())
    assert texts(parts) == [
        WORDS[0] + "\n".join(codes[:3]) + WORDS[1],
        "\n".join(codes[3:7]),
        "\n".join(codes[7:]),
    ]
    assert [part.codes for part in parts] == [(0, 1, 2), (3, 4, 5, 6), (7, 8)]


def test_a_code_that_is_longer_than_a_message_stands_whole_in_its_own() -> None:
    long = "x" * 1000
    parts = messages(goods(text=FRAME), ("A", long, "B", "C"), sale())
    assert texts(parts) == [WORDS[0] + "A" + WORDS[1], long, "B\nC"]
    assert texts(messages(goods(text=FRAME), (long,), sale())) == ["".join(WORDS), long]
    assert texts(messages(goods(), (long,), sale())) == [long]


def test_words_that_leave_no_room_are_said_before_the_codes() -> None:
    words = "这是使用说明。" * 60
    parts = messages(goods(text=f"{words}{{codes}}"), ("x" * 50, "y" * 50), sale())
    *before, last = texts(parts)
    assert "".join(before) == words
    assert all(len(each) <= LONGEST for each in before)
    assert last == "x" * 50 + "\n" + "y" * 50
    assert [part.codes for part in parts] == [(), (), (0, 1)]


def test_a_longest_message_of_the_sellers_is_kept_to() -> None:
    parts = messages(goods(), ("abc", "def", "ghi"), sale(), longest=7)
    assert texts(parts) == ["abc\ndef", "ghi"]


@pytest.mark.parametrize(
    "code", ['a,b"c', "账号：x\n密码：y", "{codes}", "{{x}}", "{order_id}", "%s\\1", " a ", "'"]
)
def test_a_code_is_said_as_it_is(code: str) -> None:
    (part,) = messages(goods(text=FRAME), (code,), sale())
    assert part.content == Text(f"{WORDS[0]}{code}{WORDS[1]}")
    (alone,) = messages(goods(text="\n{codes}\n"), (code,), sale())
    assert alone.content == Text(code)


@pytest.mark.parametrize("name", ["{codes}", "{order_id}", "{{", "}}", "{nobody}"])
def test_what_a_buyer_is_called_is_no_template(name: str) -> None:
    text = "{send_user_name}：{codes}"
    (said,) = texts(messages(goods(text=text), ("X",), sale(send_user_name=name)))
    assert said == f"{name}：X"


def test_no_code_is_seen_where_a_message_is_shown() -> None:
    assert "s3cr3t" not in repr(messages(goods(text=FRAME), ("s3cr3t",), sale()))


def test_codes_are_never_given_empty_handed_nor_for_what_takes_none() -> None:
    with pytest.raises(ValueError, match="0 codes for goods of the kind codes"):
        messages(goods(), (), sale())
    with pytest.raises(ValueError, match="1 codes for goods of the kind text"):
        messages(goods(kind="text", text="谢谢"), ("s3cr3t",), sale())


# Words and pictures.


def test_the_same_words_are_said_to_everybody() -> None:
    text = "\n{send_user_name}，《{item_title}》：\nhttps://pan.example/s/1?pwd=x\n"
    said = texts(messages(goods(kind="text", text=text), (), sale()))
    assert said == ["小王，《会员月卡》：\nhttps://pan.example/s/1?pwd=x"]


def test_long_words_are_split_and_no_link_is_cut() -> None:
    link = f"https://pan.example/s/{'x' * 40}?pwd=abcd"
    text = f"{'谢谢购买。' * 70}{link} 请保存。{'祝您愉快。' * 60}"
    said = texts(messages(goods(kind="text", text=text), (), sale()))
    assert len(said) > 1
    assert all(len(each) <= LONGEST for each in said)
    assert any(link in each for each in said)


def test_a_picture_comes_after_its_words() -> None:
    address = "https://img.alicdn.com/1.jpg"
    parts = messages(goods(kind="image", text="请扫码", image=address), (), sale())
    assert parts == (Part(Text("请扫码")), Part(Image(address)))
    alone = messages(goods(kind="image", text="", image="/shop/pic.jpg"), (), sale())
    assert alone == (Part(Photo("/shop/pic.jpg")),)


# Properties.

some_codes = st.lists(st.text("ab{}\n, \"'%\\", min_size=1, max_size=12), min_size=1, max_size=9)
frames = st.tuples(st.text("字。 x", max_size=8), st.text("字。 x", max_size=8))


@given(some_codes, frames, st.integers(1, 20))
@example(["{codes}", "{x}"], ("", ""), 3)
def test_all_codes_are_given_once_in_order_and_whole(codes, frame, longest) -> None:
    before, after = frame
    parts = messages(goods(text=f"{before}{{codes}}{after}"), codes, sale(), longest=longest)
    assert [n for part in parts for n in part.codes] == list(range(len(codes)))
    with_codes = [part for part in parts if part.codes]
    for n, (part, said) in enumerate(zip(with_codes, texts(tuple(with_codes)), strict=True)):
        lines = "\n".join(codes[n] for n in part.codes)
        if n == 0 and part is parts[0]:
            assert said in (lines, f"{before.lstrip()}{lines}{after.rstrip()}")
        else:
            assert said == lines
        assert len(said) <= longest or len(part.codes) == 1


@given(some_codes, frames, st.integers(1, 20))
def test_there_are_as_few_messages_as_there_can_be(codes, frame, longest) -> None:
    before, after = frame
    parts = messages(goods(text=f"{before}{{codes}}{after}"), codes, sale(), longest=longest)
    around = len(before.lstrip()) + len(after.rstrip())
    if parts[0].codes:
        assert len(parts) == fewest_messages(codes, longest, longest - around)
    else:
        assert around + len(codes[0]) > longest
        with_codes = [part for part in parts if part.codes]
        assert len(with_codes) == fewest_messages(codes, longest, longest)


def fewest_messages(codes: list[str], longest: int, first_room: int) -> int:
    """Try every way to spread codes over messages, from the last to the first."""
    behind = [0] * (len(codes) + 1)
    for start in range(len(codes) - 1, 0, -1):
        behind[start] = 1 + min(behind[end] for end in ends(codes, start, longest))
    return 1 + min(behind[end] for end in ends(codes, 0, first_room))


def ends(codes: list[str], start: int, room: int) -> list[int]:
    found = range(start + 1, len(codes) + 1)
    return [end for end in found if end == start + 1 or len("\n".join(codes[start:end])) <= room]
