"""Promises of `[[goods]]` in bot.toml: what may be sold, and how a mistake in it is told."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from xybot.config import FromEnv, Goods, Loaded, Supplier, load
from xybot.config.shown import HIDDEN, shown
from xybot.errors import ConfigError
from xybot.reload import changed

SHIPPED = Path(__file__).parent.parent / "bot.toml"
ACCOUNTS = '[simulator]\nenabled = true\n[[accounts]]\nid = "a"\n[[accounts]]\nid = "b"\n'
CODES = 'kind = "codes"\nbatch = "vip"\ntext = "{codes}"\n'
TEXT = 'kind = "text"\ntext = "谢谢"\n'
SUPPLIER = 'kind = "supplier"\ntext = "{codes}"\n[goods.supplier]\n'
ERP = 'url = "https://erp.example/orders"\nanswer = "data.code"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    (tmp_path / "pic.jpg").write_bytes(b"\xff\xd8")
    return tmp_path


def load_text(folder: Path, text: str, **extras: str) -> Loaded:
    (folder / "bot.toml").write_text(ACCOUNTS + text, encoding="utf-8")
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


def goods(what: str, name: str = "月卡", where: str = 'items = ["81"]') -> str:
    return f'[[goods]]\nname = "{name}"\n{where}\n{what}'


def only(folder: Path, text: str) -> Goods:
    (found,) = load_text(folder, text).config.goods
    return found


# What may be sold.


def test_codes_take_what_is_not_written_from_the_defaults(folder: Path) -> None:
    assert only(folder, goods(CODES)) == Goods(
        name="月卡",
        items=("81",),
        kind="codes",
        batch="vip",
        text="{codes}",
        where="bot.toml: goods[0]（第 1 条）",
    )
    found = only(folder, goods(CODES))
    assert (found.delay, found.confirm, found.limit_per_buyer) == (0, True, 0)
    assert found.min_amount is None
    assert (found.spec, found.accounts, found.title) == ("", (), "")


def test_every_key_of_goods_is_read(folder: Path) -> None:
    more = (
        'accounts = ["a"]\ntitle = "/月卡|季卡/"\nspec = " 颜色:白;容量:64G "\ndelay = 5\n'
        "confirm = false\nlimit_per_buyer = 2\nmin_amount = 9.9\n"
    )
    found = only(folder, goods(more + CODES, where="items = [81]"))
    assert (found.accounts, found.items, found.title) == (("a",), ("81",), "/月卡|季卡/")
    assert found.spec == "颜色:白;容量:64G"
    assert (found.delay, found.confirm, found.limit_per_buyer) == (5, False, 2)
    assert found.min_amount == 9.9


@pytest.mark.parametrize("spec", ["颜色：白；容量：64G", " 颜色:白 ; 容量:64G;"])
def test_a_specification_is_read_as_those_of_orders_are(folder: Path, spec: str) -> None:
    assert only(folder, goods(f'spec = "{spec}"\n{CODES}')).spec == "颜色:白;容量:64G"


@pytest.mark.parametrize("item", ["https://www.goofish.com/item?id=81", "８１", "耳机"])
def test_what_can_be_no_id_of_an_item_is_told(folder: Path, item: str) -> None:
    line = mistake(folder, goods(CODES, where=f'items = ["81", "{item}"]'))
    assert line.startswith("bot.toml: goods[0].items[1]: ")
    assert "digits behind id=" in line


def test_blanks_around_the_name_of_a_batch_do_not_count(folder: Path) -> None:
    assert only(folder, goods(CODES.replace("vip", " vip "))).batch == "vip"


def test_a_supplier_is_read_with_its_key_out_of_sight(folder: Path) -> None:
    text = SUPPLIER + ERP + 'key = "s3cr3t"\ntimeout = 3\nretries = 0\n'
    loaded = load_text(folder, goods(text))
    supplier = loaded.config.goods[0].supplier
    assert supplier is not None
    assert (supplier.url, supplier.answer) == ("https://erp.example/orders", "data.code")
    assert (supplier.timeout, supplier.retries) == (3, 0)
    assert supplier.key is not None
    assert supplier.key.resolve().reveal() == "s3cr3t"
    assert "s3cr3t" not in repr(loaded)


def test_a_picture_is_a_file_that_is_watched_or_one_of_the_platform(folder: Path) -> None:
    loaded = load_text(folder, goods('kind = "image"\nimage = "pic.jpg"\ntext = "请扫码"\n'))
    assert loaded.config.goods[0].image == str(folder / "pic.jpg")
    assert folder / "pic.jpg" in loaded.files
    address = "https://img.alicdn.com/1.jpg"
    assert only(folder, goods(f'kind = "image"\nimage = "{address}"\n')).image == address


@pytest.mark.parametrize(
    "url",
    [
        *("https://erp.example:8443/in?x=1", "http://127.0.0.1:9000/x", "http://localhost/x"),
        *("http://[::1]:9/x", "http://127.9.8.7/"),
    ],
)
def test_goods_come_encrypted_or_from_this_machine(folder: Path, url: str) -> None:
    found = only(folder, goods(f'{SUPPLIER}url = "{url}"\nanswer = "code"\n'))
    assert found.supplier is not None
    assert found.supplier.url == url


# Where it may stand.


def test_goods_of_all_files_stand_together_and_know_where_they_were_written(folder: Path) -> None:
    item = folder / "bot.d" / "items" / "83.toml"
    item.write_text(goods(TEXT, "三", where=""), encoding="utf-8")
    loaded = load_text(folder, goods(TEXT, "一"), more=goods(TEXT, "二", where='items = ["82"]'))
    assert [(each.name, each.items, each.where) for each in loaded.config.goods] == [
        ("一", ("81",), "bot.toml: goods[0]（第 1 条）"),
        ("二", ("82",), "bot.d/more.toml: goods[0]（第 1 条）"),
        ("三", ("83",), "bot.d/items/83.toml: goods[0]（第 1 条）"),
    ]
    assert item in loaded.files


def test_a_change_of_goods_takes_effect_without_a_restart(folder: Path) -> None:
    before = load_text(folder, goods(TEXT)).config
    after = load_text(folder, goods(TEXT.replace("谢谢", "多谢"))).config
    assert changed(before, after) == ("goods",)


def test_the_key_of_a_supplier_may_stand_in_a_file_which_is_watched(folder: Path) -> None:
    (folder / "key").write_text("s3cr3t")
    (folder / "key").chmod(0o644)
    loaded = load_text(folder, goods(SUPPLIER + ERP + 'key = { file = "key" }'))
    assert folder / "key" in loaded.files
    (warning,) = loaded.warnings
    assert warning.startswith("bot.toml: goods[0].supplier.key: ")
    assert "chmod 600" in warning


def test_a_key_that_is_nowhere_is_told_with_its_place(folder: Path) -> None:
    text = SUPPLIER + ERP + 'key = { env = "XYBOT_TEST_NO_SUCH_KEY" }'
    found = only(folder, goods(text)).supplier
    assert found is not None
    assert isinstance(found.key, FromEnv)
    with pytest.raises(ConfigError, match=r"^bot\.toml: goods\[0\]\.supplier\.key: "):
        found.key.resolve()


def test_no_goods_are_shown_but_their_number(folder: Path) -> None:
    url = "https://erp.example/s3cr3t?s3cr3t"
    text = f'{SUPPLIER}url = "{url}"\nanswer = "code"\nkey = "s3cr3t"\n'
    found = shown(load_text(folder, goods(text)))
    (row,) = [row for row in found[""] if row.key == "goods"]
    assert (row.value, row.origin) == ("1", "bot.toml")
    assert "s3cr3t" not in repr(found)
    assert HIDDEN not in row.value


# Mistakes.

TWO_KINDS = "请删去它，或者改 kind"


@pytest.mark.parametrize(
    ("what", "key", "words"),
    [
        ('kind = "gift"', "kind", "只能是 text, codes, image, supplier 之一"),
        ("", "kind", "缺少这一项"),
        ('kind = "text"', "text", 'kind = "text" 需要写上 text'),
        ('kind = "text"\ntext = " "', "text", 'kind = "text" 需要写上 text'),
        ('kind = "text"\ntext = "{spec} "', "text", "除了变量还要有字"),
        ('kind = "text"\ntext = "给您 {codes}"', "text", 'kind = "text" 没有 {codes}'),
        ('kind = "text"\ntext = "{price}"', "text", "未知的变量 {price}，可用：{codes} {order_id}"),
        (TEXT + 'batch = "vip"', "batch", TWO_KINDS),
        (TEXT + 'image = "pic.jpg"', "image", TWO_KINDS),
        (TEXT + "[goods.supplier]\n" + ERP, "supplier", TWO_KINDS),
        ('kind = "codes"\ntext = "{codes}"', "batch", 'kind = "codes" 需要写上 batch'),
        ('kind = "codes"\nbatch = "vip"', "text", 'kind = "codes" 需要写上 text'),
        ('kind = "codes"\nbatch = "vip"\ntext = "谢谢"', "text", "要写上一次 {codes}"),
        ('kind = "codes"\nbatch = "vip"\ntext = "{{codes}}"', "text", "要写上一次 {codes}"),
        ('kind = "codes"\nbatch = "vip"\ntext = "{codes}{codes}"', "text", "要写上一次 {codes}"),
        (CODES + 'image = "pic.jpg"', "image", TWO_KINDS),
        ('kind = "image"', "image", 'kind = "image" 需要写上 image'),
        ('kind = "image"\nimage = "pic.jpg"\ntext = "{codes}"', "text", "没有 {codes}"),
        ('kind = "image"\nimage = "https://x.example/1.jpg"', "image", "闲鱼自己的图片"),
        ('kind = "supplier"\ntext = "{codes}"', "supplier", "需要写上 supplier"),
        (SUPPLIER + 'answer = "code"', "supplier.url", "缺少这一项"),
        (SUPPLIER + 'url = "https://x"', "supplier.answer", "缺少这一项"),
        (SUPPLIER + ERP + 'method = "GET"', "supplier.method", "未知的设置"),
        (SUPPLIER + ERP + "timeout = 0", "supplier.timeout", "必须大于 0"),
        (SUPPLIER + ERP + "retries = 11", "supplier.retries", "应在 0 到 10 之间"),
        (SUPPLIER + ERP + 'key = ""', "supplier.key", "应为文字本身"),
        (CODES + "delay = -1", "delay", "不能是负数"),
        (CODES + "delay = 1e300", "delay", "at most 2592000 seconds"),
        (CODES + "limit_per_buyer = -1", "limit_per_buyer", "不能是负数"),
        (CODES + "min_amount = 0.001", "min_amount", "最多两位小数"),
        (CODES + 'confirm = "no"', "confirm", "应为 true 或 false"),
        (CODES + 'accounts = ["a", "c"]', "accounts", '没有叫 "c" 的账号'),
        (CODES + 'where = "x"', "where", "未知的设置"),
        (CODES + 'title = "/(/"', "title", "正则表达式有误"),
        (CODES + 'title = "//"', "title", "两个 / 之间要有正则表达式"),
        (CODES + 'title = " "', "title", "不能为空"),
    ],
)
def test_a_mistake_in_goods_names_its_key_and_says_what_to_do(
    folder: Path, what: str, key: str, words: str
) -> None:
    line = mistake(folder, goods(what))
    assert line.startswith(f"bot.toml: goods[0].{key}: 第 1 条：")
    assert words in line
    assert line.count("bot.toml") == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://erp.example/s3cr3t", "http://192.168.1.2/s3cr3t", "ftp://127.0.0.1/s3cr3t"),
        *("https://", "https://[::1/s3cr3t", "https://x:port/", "http://localhost.example/", ""),
    ],
)
def test_goods_never_come_unencrypted_over_a_network(folder: Path, url: str) -> None:
    line = mistake(folder, goods(f'{SUPPLIER}url = "{url}"\nanswer = "code"\n'))
    assert line.startswith("bot.toml: goods[0].supplier.url: ")
    assert "https://" in line


@pytest.mark.parametrize("url", ["https://me:s3cr3t@x", "https://s3cr3t@x", "http://a:b@[::1]/"])
def test_a_password_in_the_address_of_a_supplier_would_displace_the_key(
    folder: Path, url: str
) -> None:
    line = mistake(folder, goods(f'{SUPPLIER}url = "{url}"\nanswer = "code"\n'))
    assert line.startswith("bot.toml: goods[0].supplier.url: ")
    assert "use key" in line


@pytest.mark.parametrize("answer", ["", ".", "data.", ".code", "data..code", "a. .b"])
def test_the_way_to_the_goods_in_an_answer_has_no_gaps(folder: Path, answer: str) -> None:
    line = mistake(folder, goods(f'{SUPPLIER}url = "https://x"\nanswer = "{answer}"\n'))
    assert line.startswith("bot.toml: goods[0].supplier.answer: ")


def test_goods_are_for_items_or_titles_and_never_for_everything_by_mistake(folder: Path) -> None:
    line = mistake(folder, goods(TEXT, where=""))
    assert line.startswith("bot.toml: goods[0].items: 第 1 条：写上 items（商品编号）或 title")


def test_a_name_is_needed_and_is_not_blank(folder: Path) -> None:
    line = mistake(folder, goods(TEXT, " "))
    assert line.startswith("bot.toml: goods[0].name: 第 1 条：不能为空")
    line = mistake(folder, f'[[goods]]\nitems = ["81"]\n{TEXT}')
    assert line.startswith("bot.toml: goods[0].name: 第 1 条：缺少这一项")


def test_a_missing_picture_names_the_file_that_wants_it(folder: Path) -> None:
    more = goods('kind = "image"\nimage = "gone.png"\n')
    line = mistake(folder, "", more=more)
    assert line.startswith("bot.d/more.toml: goods[0].image（第 1 条）: 找不到图片 ")


def test_items_stay_out_of_the_goods_in_the_file_of_an_item(folder: Path) -> None:
    (folder / "bot.d" / "items" / "83.toml").write_text(goods(TEXT), encoding="utf-8")
    line = mistake(folder, "")
    assert line.startswith("bot.d/items/83.toml: goods: 第 1 条：这里的只用于这个商品，删去 items")


@pytest.mark.parametrize("text", ["goods = 1", "[goods]\nname = 'x'"])
def test_goods_that_are_no_array_are_a_clear_error(folder: Path, text: str) -> None:
    assert mistake(folder, "", more=text).startswith("bot.d/more.toml: goods: 应为数组")
    (folder / "bot.d" / "items" / "83.toml").write_text(text, encoding="utf-8")
    (folder / "bot.d" / "more.toml").unlink()
    assert mistake(folder, "").startswith("bot.d/items/83.toml: goods: 应为 [[goods]]")


# Goods that do not fit together.


def test_two_goods_of_one_name_are_an_error_that_names_both_places(folder: Path) -> None:
    line = mistake(folder, goods(TEXT), more=goods(TEXT, " 月卡", where='items = ["82"]'))
    assert line.startswith("bot.d/more.toml: goods[0].name: ")
    assert "bot.toml: goods[0]（第 1 条）" in line


SAME = [
    ('items = ["81"]', 'items = ["80", "81"]', "items"),
    ('items = ["81"]\nspec = "白"', 'items = [81]\nspec = " 白 "', "items"),
    ('items = ["81"]\nspec = "*"', 'items = ["81"]\nspec = "白"', "items"),
    ('items = ["81"]\nspec = "*"', 'items = ["81"]', "items"),
    ('items = ["81"]\naccounts = ["a"]', 'items = ["81"]', "items"),
    ('items = ["81"]\naccounts = ["a"]', 'items = ["81"]\naccounts = ["b", "a"]', "items"),
    ('title = "月卡 VIP"', 'title = "月卡 vip "', "title"),
]
OTHERS = [
    ('items = ["81"]', 'items = ["82"]'),
    ('items = ["81"]\nspec = "白"', 'items = ["81"]\nspec = "黑"'),
    ('items = ["81"]\nspec = "白"', 'items = ["81"]'),
    ('items = ["81"]\naccounts = ["a"]', 'items = ["81"]\naccounts = ["b"]'),
    ('title = "月卡"', 'title = "季卡"'),
    ('title = "月卡"', 'items = ["81"]'),
]


@pytest.mark.parametrize(("one", "other", "key"), SAME)
def test_two_goods_for_one_item_and_spec_are_an_error_that_names_both_places(
    folder: Path, one: str, other: str, key: str
) -> None:
    line = mistake(folder, goods(TEXT, "一", one), more=goods(TEXT, "二", other))
    assert line.startswith(f"bot.d/more.toml: goods[0].{key}: ")
    assert "bot.toml: goods[0]（第 1 条）" in line
    assert "keep one" in line


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_goods_that_cannot_be_told_to_clash_load(folder: Path, one: str, other: str) -> None:
    loaded = load_text(folder, goods(TEXT, "一", one) + goods(TEXT, "二", other))
    assert len(loaded.config.goods) == 2


# What ships.


def test_the_bot_toml_that_ships_names_every_setting_of_goods() -> None:
    text = (
        SHIPPED.read_text(encoding="utf-8").partition("发货 goods")[2].partition("# ── 订单跟进")[0]
    )
    for cls in (Goods, Supplier):
        names = {field.name for field in cls.__attrs_attrs__ if field.name != "where"}
        assert [name for name in sorted(names) if name not in text] == []
