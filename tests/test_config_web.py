"""Promises of `[web]` and `[[hooks]]`: nobody listens to the world by mistake."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from xybot.config import FromText, Hook, Loaded, Web, load
from xybot.errors import ConfigError
from xybot.secret import Secret

ACCOUNT = '[simulator]\nenabled = true\n[[accounts]]\nid = "a"\n'
ENCRYPTED = 'certificate = "tls/chain.pem"\nkey = "tls/key.pem"\n'


def load_text(folder: Path, text: str) -> Loaded:
    (folder / "bot.toml").write_text(ACCOUNT + text, encoding="utf-8")
    return load(folder / "bot.toml")


def web(folder: Path, text: str) -> Web:
    found = load_text(folder, f"[web]\n{text}").config.web
    assert found is not None
    return found


def mistake(folder: Path, text: str) -> str:
    """Load what cannot be loaded and return the one line about it."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text)
    line = str(caught.value)
    assert "\n" not in line
    assert "s3cr3t" not in line
    return line


def token(name: str, scopes: str = '["read"]', value: str = '"s3cr3t"') -> str:
    return f'[[web.tokens]]\nname = "{name}"\ntoken = {value}\nscopes = {scopes}\n'


# Who can reach it.


def test_nothing_listens_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert load_text(tmp_path, "").config.web is None


def test_what_listens_is_local_if_nothing_else_is_said(tmp_path: Path) -> None:
    found = web(tmp_path, "")
    assert found == Web()
    assert (found.listen, found.is_local, found.behind_proxy) == ("127.0.0.1:8000", True, False)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:0", "127.8.9.10:80", "localhost:8000", "[::1]:8000"]
)
def test_this_machine_may_do_without_encryption(tmp_path: Path, address: str) -> None:
    found = web(tmp_path, f'listen = "{address}"')
    assert (found.listen, found.is_local) == (address, True)


WORLD = (
    *("0.0.0.0:8000", "[::]:8000", "192.168.1.5:8000", "shop.example:443"),
    *("[2001:db8::1]:443", "[fe80::1%2]:8000", "localhost.example:80", "127.0.0.1.example:80"),
)


@pytest.mark.parametrize("address", WORLD)
def test_other_machines_need_encryption_and_the_line_says_which_keys(
    tmp_path: Path, address: str
) -> None:
    line = mistake(tmp_path, f'[web]\nlisten = "{address}"')
    assert line.startswith("bot.toml: web.listen: ")
    assert "certificate" in line
    assert "behind_proxy = true" in line


@pytest.mark.parametrize("address", WORLD)
@pytest.mark.parametrize("by", ["behind_proxy = true", ENCRYPTED])
def test_other_machines_are_welcome_where_something_encrypts(
    tmp_path: Path, address: str, by: str
) -> None:
    found = web(tmp_path, f'listen = "{address}"\n{by}')
    assert (found.listen, found.is_local) == (address, False)


@pytest.mark.parametrize(
    ("given", "missing"),
    [('certificate = "c.pem"', "key"), ('key = "k.pem"', "certificate")],
)
def test_a_certificate_and_its_key_belong_together(
    tmp_path: Path, given: str, missing: str
) -> None:
    line = mistake(tmp_path, f'[web]\nlisten = "0.0.0.0:443"\n{given}')
    assert line.startswith(f"bot.toml: web.{missing}: ")


def test_files_of_a_certificate_start_at_the_folder_of_bot_toml(tmp_path: Path) -> None:
    found = web(tmp_path, ENCRYPTED)
    assert found.certificate == str(tmp_path / "tls" / "chain.pem")
    assert found.key == str(tmp_path / "tls" / "key.pem")
    assert web(tmp_path, "").certificate == ""


# Who may enter.


def test_programs_have_tokens_with_names_and_scopes(tmp_path: Path) -> None:
    found = web(tmp_path, token("erp", '["read", "send"]') + token("owner 2", '["admin"]'))
    assert [(each.name, each.scopes) for each in found.tokens] == [
        ("erp", ("read", "send")),
        ("owner 2", ("admin",)),
    ]
    assert [each.token.resolve().reveal() for each in found.tokens] == ["s3cr3t", "s3cr3t"]
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize("names", [("erp", "erp"), ("token",), ("a", "b", "a")])
def test_tokens_need_names_of_their_own_and_none_is_the_sellers(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    line = mistake(tmp_path, "".join(map(token, names)))
    assert line.startswith("bot.toml: web.tokens: ")
    assert "needs a name of its own" in line


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (token(" "), "web.tokens[0].name"),
        (token("a") + token("b", "[]"), "web.tokens[1].scopes"),
        (token("a", '["read", "read"]'), "web.tokens[0].scopes"),
        (token("a", '["write"]'), "web.tokens[0].scopes[0]"),
        (token("a", value='""'), "web.tokens[0].token"),
        ('[[web.tokens]]\nname = "a"\nscopes = ["read"]', "web.tokens[0].token"),
        ('[[web.tokens]]\nname = "a"\ntoken = "s3cr3t"', "web.tokens[0].scopes"),
        ('[web]\nphrases = ["在的", " "]', "web.phrases"),
        ('[web]\nlisten = "8000"', "web.listen"),
    ],
)
def test_a_mistake_in_web_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    assert mistake(tmp_path, text).startswith(f"bot.toml: {key}: ")


def test_a_token_may_stand_in_a_file_which_is_watched_and_is_named_when_it_is_gone(
    tmp_path: Path,
) -> None:
    owner = "[web]\ntoken = { file = 'owner' }\n"
    found = load_text(tmp_path, owner + token("erp", value="{ file = 'erp' }"))
    assert {tmp_path / "owner", tmp_path / "erp"} <= {*found.files}
    assert found.config.web is not None
    (erp,) = found.config.web.tokens
    with pytest.raises(ConfigError, match=r"^bot\.toml: web\.tokens\[0\]\.token: "):
        erp.token.resolve()
    (tmp_path / "erp").write_text("s3cr3t\n", encoding="utf-8")
    assert erp.token.resolve().reveal() == "s3cr3t"


@pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")
@pytest.mark.parametrize(
    ("text", "key"),
    [
        (token("erp", value="{ file = 'open' }"), "web.tokens[0].token"),
        ("[[hooks]]\nurl = 'http://x'\nsecret = { file = 'open' }", "hooks[0].secret"),
    ],
)
def test_a_secret_that_others_can_read_is_a_warning(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "open").write_text("s3cr3t")
    (tmp_path / "open").chmod(0o644)
    (warning,) = load_text(tmp_path, text).warnings
    assert warning.startswith(f"bot.toml: {key}: ")


# Who is told.

HOOK = Hook(url="https://me:s3cr3t@erp.example:8443/in?key=s3cr3t", secret=FromText(Secret("x")))


def test_a_hook_is_told_of_everything_unless_it_says_of_what(tmp_path: Path) -> None:
    text = '[[hooks]]\nurl = "https://x/"\nsecret = "s3cr3t"\n'
    all_of_it, some = load_text(
        tmp_path, f'{text}{text}events = ["reply.sent"]\naccounts = ["a"]\ntimeout = 3'
    ).config.hooks
    assert (all_of_it.events, all_of_it.accounts, all_of_it.timeout) == ((), (), 10)
    assert (some.events, some.accounts, some.timeout) == (("reply.sent",), ("a",), 3)
    assert some.secret.resolve().reveal() == "s3cr3t"
    assert "s3cr3t" not in repr(some)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('url = "x"\nsecret = "s3cr3t"', "url"),
        ('url = "https://x"', "secret"),
        ('url = "https://x"\nsecret = "s3cr3t"\nevents = [" "]', "events"),
        ('url = "https://x"\nsecret = "s3cr3t"\ntimeout = 0', "timeout"),
    ],
)
def test_a_mistake_in_a_hook_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    assert mistake(tmp_path, f"[[hooks]]\n{text}").startswith(f"bot.toml: hooks[0].{key}: ")


def test_a_hook_is_known_by_where_it_posts_what_and_by_nothing_else() -> None:
    both = attrs.evolve(HOOK, events=("a", "b"))
    assert both.name == attrs.evolve(both, events=("b", "a")).name
    assert HOOK.name == attrs.evolve(HOOK, secret=FromText(Secret("y")), timeout=3).name
    names = {
        HOOK.name,
        both.name,
        attrs.evolve(HOOK, accounts=("a",)).name,
        attrs.evolve(HOOK, url="https://other.example/").name,
    }
    assert len(names) == 4


def test_the_host_of_a_hook_tells_nothing_that_may_be_a_key() -> None:
    assert HOOK.host == "erp.example:8443"
    assert attrs.evolve(HOOK, url="http://erp").host == "erp"
