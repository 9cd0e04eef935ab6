"""The settings in force, as the console shows them: everything, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from xybot.config import Loaded, load
from xybot.config.shown import HIDDEN, Shown, shown

COOKIE = "unb=2200; _m_h5_tk=s3cr3t_1700000000000; cna=x"
ACCOUNT = f'[[accounts]]\nid = "a"\ncookie = "{COOKIE}"\n'
RULE = '[[rules]]\nkeywords = ["x"]\nreply = "y"\n'

EVERYTHING = f"""\
{ACCOUNT}haggle = {{ floor = 91.17 }}
{RULE}
[timing]
debounce = 1.5
[web]
token = "s3cr3t"
phrases = ["在的", "包邮"]
[[web.tokens]]
name = "erp"
token = "s3cr3t"
scopes = ["read"]
[[hooks]]
url = "https://x/?key=s3cr3t"
secret = "s3cr3t"
[[notify]]
url = "json://s3cr3t"
[ai]
url = "https://model.example/v1"
model = "m"
key = "s3cr3t"
[webhook]
url = "https://erp.example/"
token = "s3cr3t"
[haggle]
enabled = true
floor = 81.23
"""


def load_text(folder: Path, text: str, **extras: str) -> Loaded:
    (folder / "bot.toml").write_text(text, encoding="utf-8")
    (folder / "bot.d").mkdir(exist_ok=True)
    for name, extra in extras.items():
        (folder / "bot.d" / f"{name}.toml").write_text(extra, encoding="utf-8")
    return load(folder / "bot.toml")


def rows(loaded: Loaded) -> dict[str, Shown]:
    """Every row by its key; a key stands in its own table, once."""
    found: dict[str, Shown] = {}
    for table, shown_there in shown(loaded).items():
        for row in shown_there:
            assert row.key not in found
            assert row.key.startswith(f"{table}." if table else row.key.partition(".")[0])
            found[row.key] = row
    return found


def test_no_secret_is_ever_shown_wherever_it_stands(tmp_path: Path) -> None:
    found = shown(load_text(tmp_path, EVERYTHING))
    assert "s3cr3t" not in repr(found)
    by_key = rows(load_text(tmp_path, EVERYTHING))
    assert {by_key[key].value for key in ("web.token", "ai.key", "webhook.token")} == {HIDDEN}
    assert by_key["ai.url"].value == "https://model.example/v1"


def test_where_a_secret_stands_is_shown_when_it_stands_elsewhere(tmp_path: Path) -> None:
    text = "[web]\ntoken = { env = 'XYBOT_TOKEN' }\n[webhook]\nurl = 'http://x'\n"
    found = rows(load_text(tmp_path, ACCOUNT + text + "token = { file = 'hook.token' }\n"))
    assert found["web.token"].value == "{ env = XYBOT_TOKEN }"
    assert found["webhook.token"].value == f"{{ file = {tmp_path / 'hook.token'} }}"


@pytest.mark.parametrize("haggle", ["floor = 81.23", "floor = 81.23\nenabled = true"])
def test_the_lowest_price_is_the_sellers_alone(tmp_path: Path, haggle: str) -> None:
    loaded = load_text(tmp_path, f"{ACCOUNT}[haggle]\n{haggle}\n")
    assert rows(loaded)["haggle.floor"].value == HIDDEN
    assert "81.23" not in repr(shown(loaded))
    assert "91.17" not in repr(shown(load_text(tmp_path, EVERYTHING)))


def test_a_setting_is_shown_with_its_value_and_the_file_that_says_so(tmp_path: Path) -> None:
    text = f'{ACCOUNT}[timing]\ndebounce = 1\nmanual_pause = 60\n[replies]\nblacklist = ["1", "2"]'
    found = rows(load_text(tmp_path, text, console="[timing]\ndebounce = 2.5"))
    assert found["timing.debounce"] == Shown(
        key="timing.debounce", value="2.5", origin="bot.d/console.toml"
    )
    assert found["timing.manual_pause"].origin == "bot.toml"
    assert found["replies.blacklist"].value == "1, 2"
    assert found["replies.drafts"] == Shown(key="replies.drafts", value="false", origin=None)
    assert found["replies.dry_run_sources"].value == "–"
    assert found["simulator.seed"].value == "–"


def test_what_nobody_wrote_is_shown_as_a_default(tmp_path: Path) -> None:
    found = shown(load_text(tmp_path, ""))
    assert all(row.origin is None for table in found.values() for row in table)
    assert "timing" in found
    assert not {"web", "ai", "webhook", "default"} & found.keys()
    by_key = rows(load_text(tmp_path, ""))
    assert (by_key["data"].value, by_key["store"].value) == ("data", "sqlite")
    assert not {"web", "ai", "webhook", "default"} & by_key.keys()


def test_what_has_a_page_of_its_own_is_counted_with_every_file_that_has_some(
    tmp_path: Path,
) -> None:
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    (tmp_path / "bot.d" / "items" / "81.toml").write_text("price = 100", encoding="utf-8")
    found = rows(load_text(tmp_path, ACCOUNT + RULE * 2, more=RULE))
    assert found["rules"] == Shown(key="rules", value="3", origin="bot.toml, bot.d/more.toml")
    assert found["accounts"] == Shown(key="accounts", value="1", origin="bot.toml")
    assert found["items"].value == "1"
    assert not [key for key in found if "where" in key or "line" in key]


def test_lists_of_tables_are_counted_and_lists_of_words_are_shown(tmp_path: Path) -> None:
    found = rows(load_text(tmp_path, EVERYTHING))
    assert (found["web.tokens"].value, found["web.phrases"].value) == ("1", "在的, 包邮")
    assert (found["hooks"].value, found["notify"].value) == ("1", "1")
    assert found["web.behind_proxy"].value == "false"


def test_every_setting_of_a_table_that_is_there_has_a_row(tmp_path: Path) -> None:
    tables = shown(load_text(tmp_path, EVERYTHING))
    assert {row.key for row in tables["timing"]} >= {"timing.debounce", "timing.max_failures"}
    names = ("listen", "token", "tokens", "certificate", "key", "behind_proxy", "phrases")
    assert {row.key for row in tables["web"]} == {f"web.{name}" for name in names}


@pytest.mark.parametrize(
    "url", ["https://me:s3cr3t@erp.example/in?key=s3cr3t", "https://erp.example/in?s3cr3t"]
)
def test_what_of_an_address_may_be_a_key_is_not_shown(tmp_path: Path, url: str) -> None:
    found = rows(load_text(tmp_path, f"{ACCOUNT}[webhook]\nurl = '{url}'\n"))
    assert "s3cr3t" not in repr(found)
    assert "erp.example/in" in found["webhook.url"].value


def test_items_in_files_of_their_own_are_shown_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    (tmp_path / "bot.d" / "items" / "81.toml").write_text("price = 100", encoding="utf-8")
    assert rows(load_text(tmp_path, ACCOUNT))["items"].origin == "bot.d/items/81.toml"


def test_files_are_named_in_the_order_in_which_they_are_read(tmp_path: Path) -> None:
    extras = dict.fromkeys("gbfdac", RULE)
    found = rows(load_text(tmp_path, ACCOUNT + RULE, **extras))["rules"].origin
    assert found == "bot.toml, " + ", ".join(f"bot.d/{name}.toml" for name in sorted(extras))
