"""Promises of bot.toml: what it may say, and how a mistake in it is told."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from xybot.config import Config, Haggle, Loaded, Timing, load
from xybot.errors import ConfigError

COOKIE = "unb=2200; _m_h5_tk=s3cr3t_1700000000000; cna=x"
ACCOUNT = f'[[accounts]]\nid = "a"\ncookie = "{COOKIE}"\n'
SIMULATOR = "[simulator]\nenabled = true\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d").mkdir()
    return tmp_path


def load_text(folder: Path, text: str, **extras: str) -> Loaded:
    (folder / "bot.toml").write_text(text, encoding="utf-8")
    for name, extra in extras.items():
        (folder / "bot.d" / f"{name}.toml").write_text(extra, encoding="utf-8")
    return load(folder / "bot.toml")


def mistake(folder: Path, text: str, **extras: str) -> str:
    """Load what cannot be loaded and return the one line about it."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text, **extras)
    line = str(caught.value)
    assert "\n" not in line
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    return line


def private(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


# What loads


def test_an_empty_file_is_all_defaults(folder: Path) -> None:
    assert load_text(folder, "").config == Config()


def test_whole_numbers_are_good_where_seconds_are_wanted(folder: Path) -> None:
    timing = load_text(folder, "[timing]\ndebounce = 0\nheartbeat_interval = 2.5").config.timing
    assert timing == Timing(debounce=0.0, heartbeat_interval=2.5)
    assert isinstance(timing.debounce, float)


def test_item_ids_may_be_numbers(folder: Path) -> None:
    text = '[[rules]]\nitems = [900012345678, "9"]\nkeywords = ["x"]\nreply = ""'
    assert load_text(folder, text).config.rules[0].items == ("900012345678", "9")


def test_a_rule_knows_where_it_was_written(folder: Path) -> None:
    rule = '[[rules]]\nkeywords = ["x"]\nreply = "y"\n'
    loaded = load_text(folder, rule * 2, more=rule)
    where = [rule.where for rule in loaded.config.rules]
    assert where == [
        "bot.toml: rules[0]（第 1 条）",
        "bot.toml: rules[1]（第 2 条）",
        "bot.d/more.toml: rules[0]（第 1 条）",
    ]


def test_the_bom_of_notepad_is_no_mistake(folder: Path) -> None:
    (folder / "bot.toml").write_bytes(b"\xef\xbb\xbf" + ACCOUNT.encode())
    private(folder / "a.cookie", b"\xef\xbb\xbf" + COOKIE.encode() + b"\r\n")
    assert load(folder / "bot.toml").cookies["a"].reveal() == COOKIE
    text = '[[accounts]]\nid = "a"\ncookie = { file = "a.cookie" }'
    assert load_text(folder, text).cookies["a"].reveal() == COOKIE


# Secrets


def test_a_secret_may_stand_in_the_text_the_environment_or_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XYBOT_TEST_COOKIE", COOKIE.replace("2200", "2201"))
    file = private(folder / "c.cookie", "Cookie: " + COOKIE.replace("2200", "2202"))
    text = (
        '[[accounts]]\nid = "b"\ncookie = { env = "XYBOT_TEST_COOKIE" }\n'
        '[[accounts]]\nid = "c"\ncookie = { file = "c.cookie" }\n'
    )
    loaded = load_text(folder, ACCOUNT + text)
    assert [cookie.reveal()[:8] for cookie in loaded.cookies.values()] == [
        "unb=2200",
        "unb=2201",
        "unb=2202",
    ]
    assert file in loaded.files
    assert loaded.warnings == ()


@pytest.mark.parametrize("switched", [SIMULATOR, ACCOUNT.replace('"a"', '"b"')])
def test_cookies_that_nobody_needs_are_not_looked_at(folder: Path, switched: str) -> None:
    enabled = "true" if "simulator" in switched else "false"
    text = f'[[accounts]]\nid = "a"\nenabled = {enabled}\ncookie = {{ file = "gone" }}\n'
    loaded = load_text(folder, text + switched)
    assert "a" not in loaded.cookies
    assert folder / "gone" not in loaded.files


def test_the_simulator_needs_no_cookie(folder: Path) -> None:
    loaded = load_text(folder, SIMULATOR + '[[accounts]]\nid = "a"')
    assert loaded.cookies == {}


def test_secrets_for_later_are_resolved_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[web]\ntoken = { env = "XYBOT_TEST_TOKEN" }\n[[notify]]\nurl = { file = "url" }'
    loaded = load_text(folder, text)
    assert loaded.config.web is not None
    token = loaded.config.web.token
    assert token is not None
    with pytest.raises(ConfigError, match=r"bot\.toml: web\.token: .*XYBOT_TEST_TOKEN"):
        token.resolve()
    monkeypatch.setenv("XYBOT_TEST_TOKEN", "t")
    assert token.resolve().reveal() == "t"
    private(folder / "url", "json://x")
    assert loaded.config.notify[0].url.resolve().reveal() == "json://x"
    assert folder / "url" in loaded.files


@pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")
def test_a_secret_file_that_others_can_read_is_a_warning(folder: Path) -> None:
    private(folder / "a.cookie", COOKIE).chmod(0o644)
    loaded = load_text(folder, '[[accounts]]\nid = "a"\ncookie = { file = "a.cookie" }')
    (warning,) = loaded.warnings
    assert warning.startswith("bot.toml: accounts[0].cookie: ")
    assert f"chmod 600 {folder / 'a.cookie'}" in warning


def test_nothing_that_is_printed_shows_a_secret(folder: Path) -> None:
    text = ACCOUNT + '[web]\ntoken = "s3cr3t"\n[[notify]]\nurl = "json://s3cr3t"'
    assert "s3cr3t" not in repr(load_text(folder, text))


def test_a_secret_file_that_is_absent_is_named_with_its_key(folder: Path) -> None:
    line = mistake(folder, '[[accounts]]\nid = "a"\ncookie = { file = "gone.cookie" }')
    assert line.startswith("bot.toml: accounts[0].cookie: 第 1 条：找不到文件")
    assert str(folder / "gone.cookie") in line


def test_a_variable_that_is_not_set_is_named_with_its_key(folder: Path) -> None:
    line = mistake(folder, '[[accounts]]\nid = "a"\ncookie = { env = "XYBOT_TEST_GONE" }')
    assert line.startswith("bot.toml: accounts[0].cookie: ")
    assert "环境变量 XYBOT_TEST_GONE" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "是空的"),
        ("unb=1; _m_h5_tk=s3cr3t".encode("utf-16"), "不是 UTF-8"),
    ],
)
def test_a_secret_file_of_no_use_says_why(folder: Path, content: bytes, said: str) -> None:
    private(folder / "c", content)
    assert said in mistake(folder, '[[accounts]]\nid = "a"\ncookie = { file = "c" }')


@pytest.mark.parametrize(
    "value",
    [
        "5",
        '["s3cr3t"]',
        '""',
        '{ text = "s3cr3t" }',
        "{ env = 5 }",
        '{ env = "s3cr3t", file = "s3cr3t" }',
        '{ file = "" }',
        '{ env = "unb=1; _m_h5_tk=s3cr3t_1" }',
        '{ file = "unb=1; _m_h5_tk=s3cr3t_1" }',
    ],
)
def test_a_secret_of_another_shape_is_refused_unseen(folder: Path, value: str) -> None:
    line = mistake(folder, f'[[accounts]]\nid = "a"\ncookie = {value}')
    assert line.startswith("bot.toml: accounts[0].cookie: ")


@pytest.mark.parametrize("value", ['"a\\u0000b"', '"a\\nb"', '"."', '"bot.toml/x"'])
def test_a_secret_file_that_cannot_be_a_file_is_a_clear_error(folder: Path, value: str) -> None:
    line = mistake(folder, f'[[accounts]]\nid = "a"\ncookie = {{ file = {value} }}')
    assert line.startswith("bot.toml: accounts[0].cookie: ")


# Accounts


@pytest.mark.parametrize(
    ("cookie", "absent"),
    [
        ("_m_h5_tk=s3cr3t_1", "缺少 unb："),
        ("unb=1; cna=s3cr3t", "缺少 _m_h5_tk："),
        ("s3cr3t", "缺少 unb、_m_h5_tk："),
    ],
)
def test_a_cookie_of_no_use_says_what_is_missing_and_where_to_copy_it(
    folder: Path, cookie: str, absent: str
) -> None:
    line = mistake(folder, f'[[accounts]]\nid = "a"\ncookie = "{cookie}"')
    assert absent in line
    assert "goofish.com → 按 F12" in line


def test_an_enabled_account_without_a_cookie_is_told_where_to_get_one(folder: Path) -> None:
    line = mistake(folder, '[[accounts]]\nid = "a"')
    assert line.startswith("bot.toml: accounts[0].cookie: 第 1 条：缺少 Cookie：在电脑浏览器登录")


def test_two_accounts_with_one_id_are_refused(folder: Path) -> None:
    line = mistake(folder, SIMULATOR + ACCOUNT, more='[[accounts]]\nid = "a"\nenabled = false')
    assert line.startswith('bot.d/more.toml: accounts[0].id: 第 1 条：账号名 "a"')
    assert "bot.toml: accounts[0]" in line


def test_two_accounts_of_one_seller_are_refused(folder: Path) -> None:
    line = mistake(folder, ACCOUNT + ACCOUNT.replace('"a"', '"b"'))
    assert line.startswith('bot.toml: accounts[1].cookie: 第 2 条：与账号 "a" 是同一个')
    assert "2200" not in line


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\\tb", "店　铺"])
def test_an_account_id_must_fit_a_command_and_a_url(folder: Path, name: str) -> None:
    line = mistake(folder, f'{SIMULATOR}[[accounts]]\nid = "{name}"')
    assert line.startswith("bot.toml: accounts[0].id: ")


def test_no_account_and_rules_for_nobody_are_warned_of(folder: Path) -> None:
    rule = '[[rules]]\naccounts = ["shop-b"]\nkeywords = ["x"]\nreply = "y"'
    nobody, unknown = load_text(folder, rule).warnings
    assert "no account is enabled" in nobody
    assert unknown.startswith('bot.toml: rules[0].accounts: 第 1 条：没有叫 "shop-b" 的账号')


# Mistakes in one setting

RULE = '[[rules]]\nkeywords = ["x"]\nreply = "y"\n'
MISTAKES = {
    "[timing]\ndebonce = 1": (
        'timing.debonce: 未知的设置，是不是 debounce？ (unknown key; did you mean "debounce"?)'
    ),
    "tming = 1": "tming: 未知的设置，是不是 timing？",
    '[timing]\n"a\\n b" = 1': 'timing."a\\n b": 未知的设置，这里可用：heartbeat_interval,',
    '[[accounts]]\nid = "a"\ncookies = "s3cr3t"': "accounts[0].cookies: 第 1 条：未知的设置，",
    RULE + 'where = "x"': "rules[0].where: 第 1 条：未知的设置",
    '[timing]\ndebounce = "abc"': (
        'timing.debounce: 应为数字，现在是字符串 "abc" (want a number, got a string)'
    ),
    "[timing]\ndebounce = true": "timing.debounce: 应为数字，现在是布尔值",
    "[timing]\ndebounce = nan": "timing.debounce: 应为有限的数字",
    "[timing]\ndebounce = inf": "timing.debounce: 应为有限的数字",
    f"[timing]\ndebounce = 1{'0' * 400}": "timing.debounce: 应为有限的数字",
    "[timing]\ndebounce = -1": "timing.debounce: 不能是负数",
    "[timing]\ndebounce = 60": "timing.debounce_max: 不能小于 debounce",
    "[timing]\nheartbeat_timeout = 0": "timing.heartbeat_timeout: 必须大于 0",
    "[timing]\nmax_failures = 0": "timing.max_failures: 必须大于 0",
    "[timing]\nmax_failures = 2.0": "timing.max_failures: 应为整数，现在是小数",
    "[timing]\ndebounce = 2020-01-01": "timing.debounce: 应为数字，现在是日期或时间",
    "timing = 3": "timing: 应为表（方括号标题），现在是整数",
    '[simulator]\nenabled = "true"': (
        'simulator.enabled: 应为 true 或 false（不加引号），现在是字符串 "true" (want'
    ),
    "[simulator]\nenabled = 1": "simulator.enabled: 应为 true 或 false",
    "[simulator]\nseed = true": "simulator.seed: 应为整数",
    '[simulator]\nlisten = "here"': 'simulator.listen: 应为 "地址:端口"',
    '[web]\nlisten = "127.0.0.1:65536"': 'web.listen: 应为 "地址:端口"',
    '[platform]\nwebsocket = "http://x"': "platform.websocket: 应以 wss:// 或 ws:// 开头",
    '[platform]\ngateway = "x"': "platform.gateway: 应以 https:// 或 http:// 开头",
    "[data]": "data: 应为字符串（加引号），现在是表",
    'data = " "': "data: 不能为空",
    'store = "postgresql://u:s3cr3t@h/d"': 'store: 这个版本只支持 "sqlite"',
    'store = "mysql://u:s3cr3t@h/d"': 'store: 应为 "sqlite"',
    'accounts = "s3cr3t"': "accounts: 应为数组（方括号），现在是字符串 (",
    'accounts = ["s3cr3t"]': "accounts[0]: 第 1 条：应为表",
    '[accounts]\nid = "a"': "accounts: 应为数组",
    "[[accounts]]": "accounts[0].id: 第 1 条：缺少这一项 (missing)",
    '[[rules]]\nkeywords = ["x"]': "rules[0].reply: 第 1 条：缺少这一项",
    '[[rules]]\nkeywords = []\nreply = ""': "rules[0].keywords: 第 1 条：至少要有一个关键词",
    '[[rules]]\nkeywords = ["x", " "]\nreply = ""': "rules[0].keywords: 第 1 条：至少要有一个",
    '[[rules]]\nkeywords = "x"\nreply = ""': "rules[0].keywords: 第 1 条：应为数组",
    '[[rules]]\nkeywords = ["x", 5]\nreply = ""': "rules[0].keywords[1]: 第 1 条：应为字符串",
    RULE + "items = [true]": "rules[0].items[0]: 第 1 条：应为整数",
    RULE + RULE + 'mode = "fuzzy"': (
        "rules[1].mode: 第 2 条：只能是 contains, exact, regex, expression"
    ),
    RULE.replace('"y"', '"{price} {item_id}"'): (
        "rules[0].reply: 第 1 条：未知的变量 {price}，"
        "可用：{send_user_name} {send_user_id} {send_message} {item_id} {item_title} {item_price} "
        "{item_stock} {date} {time}；"
    ),
    '[default]\nreply = "{name}"': "default.reply: 未知的变量 {name}",
    "[default]\nonce = true": "default.reply: 缺少这一项",
    '[replies]\norder = ["magic"]': "replies.order[0]: 只能是 item_rules, rules, haggle, ai,",
    '[replies]\norder = ["ai", "ai"]': "replies.order: 有重复",
    "[[notify]]\nevents = []": "notify[0].url: 第 1 条：缺少这一项",
}


@pytest.mark.parametrize(("text", "line"), MISTAKES.items())
def test_a_mistake_is_told_with_its_file_and_key(folder: Path, text: str, line: str) -> None:
    assert mistake(folder, text).startswith(f"bot.toml: {line}")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    line = mistake(folder, '[timing]\ndebounce = -1\nx = 1\nmanual_pause = "1"', more="[web]\ny=1")
    keys = ("timing.debounce: ", "timing.x: ", "timing.manual_pause: ", "bot.d/more.toml: web.y: ")
    assert all(key in line for key in keys)


# Haggling

HAGGLE = "[haggle]\nenabled = true\n"


def test_settings_of_haggling_are_read_at_every_level(folder: Path) -> None:
    (folder / "bot.d" / "items").mkdir()
    item = folder / "bot.d" / "items" / "81.toml"
    item.write_text("price = 99.5\n[haggle]\nmax_percent = 0\nsteps = [50, 30.5]", encoding="utf-8")
    text = ACCOUNT + "haggle = { enabled = true, max_yuan = 20, postage_included = true }\n"
    config = load_text(folder, text + "[haggle]\nfloor = 80.50").config
    assert config.haggle == Haggle(floor=80.5)
    assert config.accounts[0].haggle == Haggle(enabled=True, max_yuan=20, postage_included=True)
    assert config.items["81"].haggle == Haggle(max_percent=0, steps=(50, 30.5))
    assert config.items["81"].price == 99.5


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("floor = -1", "floor", "two decimals"),
        ("floor = 80.555", "floor", "two decimals"),
        ('floor = "80"', "floor", "want a number"),
        ("max_yuan = 1e300", "max_yuan", "two decimals"),
        ("max_percent = 101", "max_percent", "0 to 100"),
        ("rounds = -1", "rounds", "0 to 100"),
        ("rounds = 2.5", "rounds", "want an integer"),
        ("steps = []", "steps", "numbers above 0"),
        ("steps = [50, 0]", "steps", "numbers above 0"),
        ("steps = [1, 2]\nrounds = 3", "steps", "has 2 numbers, and rounds is 3"),
        ('reply = "太低了"', "reply", "must contain {price}"),
        ('reply = "{{price}}"', "reply", "must contain {price}"),
        ('reply = "{price} {prise}"', "reply", "unknown variable {prise}"),
        ('accept = ""', "accept", "must not be empty"),
        ('last = "{floor}"', "last", "unknown variable {floor}"),
        ("enabled = true", "enabled", "also needs floor, max_percent or max_yuan"),
        ("flor = 80", "flor", 'did you mean "floor"'),
    ],
)
def test_a_mistake_in_haggling_names_its_key(folder: Path, text: str, key: str, words: str) -> None:
    line = mistake(folder, f"[haggle]\n{text}\n")
    assert line.startswith(f"bot.toml: haggle.{key}: ")
    assert words in line
    assert line.count("bot.toml") == 1


def test_a_floor_above_the_price_of_an_item_is_refused_wherever_it_is_inherited_from(
    folder: Path,
) -> None:
    (folder / "bot.d" / "items").mkdir()
    item = folder / "bot.d" / "items" / "81.toml"
    item.write_text("price = 50\n", encoding="utf-8")
    words = "the floor is above the price of this item"
    line = mistake(folder, HAGGLE + "floor = 70")
    assert line.startswith("bot.toml: haggle.floor: ")
    assert words in line
    line = mistake(folder, ACCOUNT + "haggle = { floor = 70 }")
    assert line.startswith("bot.toml: accounts[0].haggle.floor: ")
    item.write_text("price = 50\n[haggle]\nfloor = 50.01", encoding="utf-8")
    line = mistake(folder, HAGGLE + "max_yuan = 5")
    assert line.startswith("bot.d/items/81.toml: haggle.floor: ")
    assert words in line
    item.write_text("price = 50\n[haggle]\nfloor = 50", encoding="utf-8")
    assert load_text(folder, HAGGLE + "max_yuan = 5").config.items["81"].price == 50


def test_steps_and_rounds_of_different_levels_must_fit_together(folder: Path) -> None:
    line = mistake(folder, ACCOUNT + "haggle = { steps = [2, 1] }\n[haggle]\nrounds = 3")
    assert line.startswith("bot.toml: accounts[0].haggle.steps: ")
