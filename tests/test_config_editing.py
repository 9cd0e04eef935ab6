"""Settings that the program writes: what is added comes back, and a mistake leaves no trace."""

from __future__ import annotations

import stat
from pathlib import Path

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xybot.config import Loaded, Rule, load
from xybot.config.cookies import check
from xybot.config.editing import (
    Files,
    console_file,
    own_rules,
    settings_of,
    with_account,
    with_cookie,
    with_rule,
    without_rule,
    written,
)
from xybot.config.problems import Misfit
from xybot.errors import ConfigError
from xybot.model import AccountId

TOKEN = "0123456789abcdef" * 2
COOKIE = f"unb=2200; _m_h5_tk={TOKEN}_1700000000000; cna=x"
ACCOUNT = f'[[accounts]]\nid = "a"\ncookie = "{COOKIE}"\n'
RULE = '[[rules]]\nkeywords = ["x"]\nreply = "y"\n'
POSTAGE = Rule(keywords=("包邮",), reply="包的")
SIMULATED = "[simulator]\nenabled = true\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.toml").write_text(ACCOUNT + RULE, encoding="utf-8")
    return tmp_path


def loaded(folder: Path) -> Loaded:
    return load(folder / "bot.toml")


def save(files: Files | None) -> None:
    assert files is not None
    with written(files):
        pass


def replies(found: Loaded) -> list[str]:
    return [rule.reply[0] for rule in found.config.rules]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def texts(folder: Path) -> dict[str, str]:
    """Everything in a folder, hidden files too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


# Rules.


def test_a_rule_that_is_added_is_the_last_one_and_stands_in_the_consoles_file(
    folder: Path,
) -> None:
    before = (folder / "bot.toml").read_text(encoding="utf-8")
    save(with_rule(loaded(folder), POSTAGE))
    save(with_rule(loaded(folder), Rule(keywords=("a+",), reply=("一", "二"), mode="regex")))
    found = loaded(folder)
    assert replies(found) == ["y", "包的", "一"]
    assert found.config.rules[2].reply == ("一", "二")
    assert found.config.rules[1].where == "bot.d/console.toml: rules[0]（第 1 条）"
    assert own_rules(found) == {1: 0, 2: 1}
    assert (folder / "bot.toml").read_text(encoding="utf-8") == before


def test_a_rule_that_is_taken_out_again_is_gone_and_the_others_stay(folder: Path) -> None:
    for reply in ("一", "二", "三"):
        save(with_rule(loaded(folder), Rule(keywords=("x",), reply=reply)))
    found = loaded(folder)
    save(without_rule(found, found.config.rules[2].fingerprint))
    assert replies(loaded(folder)) == ["y", "一", "三"]


def test_only_rules_of_the_console_can_be_taken_out(folder: Path) -> None:
    found = loaded(folder)
    assert own_rules(found) == {}
    assert without_rule(found, found.config.rules[0].fingerprint) is None
    assert without_rule(found, "unknown") is None


def test_of_two_equal_rules_one_is_taken_out_at_a_time(folder: Path) -> None:
    for _ in range(2):
        save(with_rule(loaded(folder), POSTAGE))
    for left in (["y", "包的"], ["y"]):
        found = loaded(folder)
        save(without_rule(found, found.config.rules[-1].fingerprint))
        assert replies(loaded(folder)) == left


def test_a_rule_that_somebody_has_just_taken_out_by_hand_is_not_there(folder: Path) -> None:
    save(with_rule(loaded(folder), POSTAGE))
    found = loaded(folder)
    console_file(found).write_text("", encoding="utf-8")
    assert without_rule(found, found.config.rules[-1].fingerprint) is None


def test_what_somebody_wrote_into_the_consoles_file_survives_but_for_comments(
    folder: Path,
) -> None:
    (folder / "bot.d").mkdir()
    by_hand = f'# mine\n[timing]\ndebounce = 1.5  # quick\n{RULE}priority = 3\ntitles = ["耳机"]\n'
    (folder / "bot.d" / "console.toml").write_text(by_hand, encoding="utf-8")
    before = loaded(folder)
    save(with_rule(before, POSTAGE))
    found = loaded(folder)
    assert replies(found) == ["y", "y", "包的"]
    assert found.config.rules[1].titles == ("耳机",)
    assert found.config.timing == before.config.timing
    text = console_file(found).read_text(encoding="utf-8")
    assert "# mine" not in text
    assert text.startswith("# 控制台里添加的账号和规则")


words = st.text("a{}\"'\\\n\r\t\x00\u2028#[]😀包", max_size=9)
several = st.lists(words.filter(str.strip), min_size=1, max_size=3).map(tuple)
#: With the braces doubled: in a reply a lone one begins a variable.
plain = words.map(lambda said: said.replace("{", "{{").replace("}", "}}"))
rules = st.builds(
    Rule,
    keywords=several | st.tuples(st.text(min_size=1).filter(str.strip)),
    reply=st.tuples(plain) | st.lists(plain.filter(str.strip), min_size=2, max_size=3).map(tuple),
    mode=st.sampled_from(["contains", "exact"]),
    titles=st.just(()) | several,
    accounts=st.sampled_from([(), ("a",)]),
    items=st.sampled_from([(), ("81", "82")]),
    hours=st.sampled_from([(), ("22:00-08:00",)]),
    priority=st.integers(-9, 9),
    hand_over=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(rules)
@example(Rule(keywords=("x",), reply="一\r\n[[rules]]\n二\r"))
@example(Rule(keywords=("x",), reply=(), hand_over=True))
def test_any_rule_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rule: Rule
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "bot.toml").write_text(ACCOUNT, encoding="utf-8")
    found = load(folder / "bot.toml", instead=with_rule(loaded(folder), rule)).config.rules[-1]
    assert attrs.evolve(found, where="", line=None) == rule
    assert found.fingerprint == rule.fingerprint


# Accounts.


def test_an_account_that_is_added_has_its_cookie_in_a_file_of_its_own(folder: Path) -> None:
    other = COOKIE.replace("2200", "2201")
    files = with_account(loaded(folder), AccountId("店b"), other)
    assert files is not None
    assert settings_of(files).keys() == {folder / "bot.d" / "console.toml"}
    save(files)
    found = loaded(folder)
    assert [account.id for account in found.config.accounts] == ["a", "店b"]
    assert found.cookies[AccountId("店b")].reveal() == other
    assert TOKEN not in console_file(found).read_text(encoding="utf-8")
    assert found.warnings == ()
    assert mode(folder / "bot.d" / "店b.cookie") == mode(console_file(found)) == 0o600
    assert mode(folder / "bot.d") == 0o700


@pytest.mark.parametrize("id_", ["a=b", "店 b".replace(" ", "·"), "%41", "a\\b", "a:b", "?"])
def test_every_name_of_an_account_makes_a_file(folder: Path, id_: str) -> None:
    other = COOKIE.replace("2200", "2201")
    save(with_account(loaded(folder), AccountId(id_), other))
    assert loaded(folder).cookies[AccountId(id_)].reveal() == other


def test_an_account_of_the_simulator_needs_no_cookie_and_rules_stay_beside_it(
    folder: Path,
) -> None:
    save(with_rule(loaded(folder), POSTAGE))
    (folder / "bot.toml").write_text(SIMULATED + RULE, encoding="utf-8")
    save(with_account(loaded(folder), AccountId("b"), None))
    found = loaded(folder)
    assert [(account.id, account.cookie) for account in found.config.accounts] == [("b", None)]
    assert replies(found) == ["y", "包的"]


def test_an_account_that_is_there_is_not_added_again(folder: Path) -> None:
    assert with_account(loaded(folder), AccountId("a"), COOKIE) is None
    save(with_account(loaded(folder), AccountId("b"), COOKIE.replace("2200", "2201")))
    assert with_account(loaded(folder), AccountId("b"), COOKIE) is None


def test_an_account_takes_another_cookie_if_it_has_a_file_for_it(folder: Path) -> None:
    save(with_account(loaded(folder), AccountId("b"), COOKIE.replace("2200", "2201")))
    found, new = loaded(folder), COOKIE.replace("2200", "2202")
    files = with_cookie(found, AccountId("b"), new)
    assert files is not None
    assert files.keys() == {folder / "bot.d" / "b.cookie"}
    save(files)
    assert loaded(folder).cookies[AccountId("b")].reveal() == new
    assert with_cookie(found, AccountId("a"), new) is None
    assert with_cookie(found, AccountId("nobody"), new) is None


# Writing, and putting everything back.


@pytest.fixture
def files(folder: Path) -> Files:
    """One file that is there, and one that is not."""
    (folder / "old.txt").write_text("old", encoding="utf-8")
    (folder / "old.txt").chmod(0o644)
    return {folder / "old.txt": "changed", folder / "bot.d" / "new.txt": "新"}


def test_what_is_written_stays_and_is_for_its_owner_only(folder: Path, files: Files) -> None:
    with written(files):
        pass
    assert (folder / "old.txt").read_text() == "changed"
    assert (folder / "bot.d" / "new.txt").read_text(encoding="utf-8") == "新"
    assert [mode(path) for path in files] == [0o600, 0o600]
    assert texts(folder).keys() == {"bot.toml", "old.txt", "bot.d/new.txt"}


@pytest.mark.parametrize("bug", [ValueError, KeyboardInterrupt])
def test_whatever_goes_wrong_leaves_everything_as_it_was(
    folder: Path, files: Files, bug: type[BaseException]
) -> None:
    before = texts(folder)
    with pytest.raises(bug), written(files):
        raise bug
    assert texts(folder) == before


def test_a_folder_in_the_place_of_a_file_is_told(folder: Path) -> None:
    place = folder / "bot.d" / "console.toml"
    place.mkdir(parents=True)
    with pytest.raises(Misfit, match="cannot be written"), written({place: "x"}):
        raise AssertionError("it was written")


def test_a_link_goes_on_being_one_and_what_it_leads_to_is_for_its_owner(folder: Path) -> None:
    (folder / "real.cookie").write_text("old", encoding="utf-8")
    (folder / ".real.cookie.new").write_text("left over", encoding="utf-8")
    (folder / "a.cookie").symlink_to(folder / "real.cookie")
    with written({folder / "a.cookie": "new"}):
        pass
    assert (folder / "a.cookie").is_symlink()
    assert (folder / "real.cookie").read_text(encoding="utf-8") == "new"
    assert mode(folder / "real.cookie") == 0o600


def refuse(folder: Path, seen: list[dict[str, str]]) -> None:
    """Look at what is there, and find it of no use."""
    seen.append(texts(folder))
    raise ConfigError("no use")


def test_settings_that_are_refused_leave_everything_as_it_was(folder: Path, files: Files) -> None:
    before, inside = texts(folder), []
    with pytest.raises(ConfigError, match="no use"), written(files):
        refuse(folder, inside)
    assert inside == [before | {"old.txt": "changed", "bot.d/new.txt": "新"}]
    assert texts(folder) == before


def test_a_file_that_cannot_be_written_is_told_and_those_before_it_are_put_back(
    folder: Path, files: Files
) -> None:
    before = texts(folder)
    nowhere = folder / "no" / "such" / "folder.txt"
    with (
        pytest.raises(Misfit, match="cannot be written") as caught,
        written({**files, nowhere: ""}),
    ):
        raise AssertionError("it was written")
    assert str(nowhere) in str(caught.value)
    assert texts(folder) == before


# As it would be.


def test_settings_are_tried_before_they_are_written(folder: Path) -> None:
    before = texts(folder)
    found = load(folder / "bot.toml", instead=with_rule(loaded(folder), POSTAGE))
    assert replies(found) == ["y", "包的"]
    assert console_file(found) in found.files
    assert texts(folder) == before
    wrong = {console_file(found): RULE.replace('"y"', '"{nonsense}"')}
    with pytest.raises(ConfigError, match=r"^bot\.d/console\.toml: rules\[0\]\.reply: "):
        load(folder / "bot.toml", instead=wrong)


def test_what_would_be_written_is_taken_instead_of_what_is_there(folder: Path) -> None:
    save(with_rule(loaded(folder), POSTAGE))
    instead = {console_file(loaded(folder)): RULE.replace('"y"', '"z"')}
    assert replies(load(folder / "bot.toml", instead=instead)) == ["y", "z"]


def test_a_file_that_would_be_empty_counts_as_empty(folder: Path) -> None:
    save(with_rule(loaded(folder), POSTAGE))
    instead = {console_file(loaded(folder)): ""}
    assert replies(load(folder / "bot.toml", instead=instead)) == ["y"]


# What tells a rule, and on which line it stands.


def test_a_rule_has_its_fingerprint_wherever_it_stands(folder: Path) -> None:
    (folder / "bot.d").mkdir()
    (folder / "bot.d" / "more.toml").write_text(f"\n{RULE}priority = 9\n", encoding="utf-8")
    one, other = loaded(folder).config.rules
    assert one.fingerprint == other.fingerprint
    assert (one.where, one.line) != (other.where, other.line)


@pytest.mark.parametrize(
    "change",
    [
        {"keywords": ("x", "y")},
        {"reply": ("y", "z")},
        {"mode": "exact"},
        {"items": ("81",)},
        {"titles": ("耳机",)},
        {"accounts": ("a",)},
        {"hours": ("22:00-08:00",)},
        {"image": "/p.jpg"},
        {"hand_over": True},
    ],
)
def test_a_rule_that_does_something_else_has_another_fingerprint(change) -> None:
    rule = Rule(keywords=("x",), reply=("y",))
    assert attrs.evolve(rule, **change).fingerprint != rule.fingerprint


def test_a_rule_knows_its_line_in_its_own_file_unless_it_is_one_of_an_inline_array(
    folder: Path,
) -> None:
    (folder / "bot.toml").write_text(
        f'{ACCOUNT}[default]\nreply = """\n[[rules]]\n"""\n# [[rules]]\n{RULE}\n  {RULE}',
        encoding="utf-8",
    )
    (folder / "bot.d" / "items").mkdir(parents=True)
    (folder / "bot.d" / "items" / "81.toml").write_text(f"price = 5\n\n{RULE}", encoding="utf-8")
    inline = 'rules = [{ keywords = ["x"], reply = "y" }]'
    (folder / "bot.d" / "inline.toml").write_text(inline, encoding="utf-8")
    lines = {rule.where.partition("（")[0]: rule.line for rule in loaded(folder).config.rules}
    assert lines == {
        "bot.toml: rules[0]": 9,
        "bot.toml: rules[1]": 13,
        "bot.d/inline.toml: rules[0]": None,
        "bot.d/items/81.toml: rules[0]": 3,
    }


# A pasted cookie.


def test_a_pasted_line_is_told_field_by_field_the_needed_ones_first() -> None:
    fields = check(f" Cookie: {COOKIE}\n")
    assert [field.name for field in fields[:2]] == ["unb", "_m_h5_tk"]
    assert [field.needed for field in fields[:3]] == [True, True, False]
    assert {field.name for field in fields if field.found} == {"unb", "_m_h5_tk", "cna"}
    assert all(field.is_good for field in fields)
    assert TOKEN not in repr(fields)


@pytest.mark.parametrize(
    ("cookie", "bad"),
    [
        ("", ["unb", "_m_h5_tk"]),
        ("cna=x; t=1", ["unb", "_m_h5_tk"]),
        (COOKIE.replace("unb=2200", "unb="), ["unb"]),
        (COOKIE.replace("unb=2200", "unb=22a0"), ["unb"]),
        (COOKIE.replace(TOKEN, TOKEN[:31]), ["_m_h5_tk"]),
        (COOKIE.replace("_1700000000000", ""), ["_m_h5_tk"]),
    ],
)
def test_what_is_missing_or_cut_of_a_pasted_line_is_named(cookie: str, bad: list[str]) -> None:
    assert [field.name for field in check(cookie) if not field.is_good] == bad
