"""Settings that keep the bot quiet, and the service that may answer for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_config import load_text, mistake, private
from xybot.config import FromFile, Guard, Replies, Webhook


def test_every_setting_of_keeping_quiet_can_be_written(tmp_path: Path) -> None:
    text = """
        [replies]
        dry_run = true
        dry_run_sources = ["ai"]
        drafts = true
        draft_sources = ["webhook", "ai"]
        blacklist = ["2201", "小王"]
        chat_limit = 0
        buyer_limit = 7
        seconds_per_char = 0.2
        longest_delay = 10
        [guard]
        contacts = false
        banned = ["假货"]
        allowed = ["QQ飞车"]
        longest = 200
        [webhook]
        url = "http://127.0.0.1:9000/xianyu/reply"
        timeout = 3
    """
    config = load_text_in(tmp_path, text)
    assert config.replies == Replies(
        dry_run=True,
        dry_run_sources=("ai",),
        drafts=True,
        draft_sources=("webhook", "ai"),
        blacklist=("2201", "小王"),
        chat_limit=0,
        buyer_limit=7,
        seconds_per_char=0.2,
        longest_delay=10.0,
    )
    assert config.guard == Guard(contacts=False, banned=("假货",), allowed=("QQ飞车",), longest=200)
    assert config.webhook == Webhook(url="http://127.0.0.1:9000/xianyu/reply", timeout=3.0)


def load_text_in(folder: Path, text: str):
    (folder / "bot.d").mkdir()
    return load_text(folder, text).config


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[replies]\nchat_limit = -1", "replies.chat_limit"),
        ("[replies]\nbuyer_limit = 1.5", "replies.buyer_limit"),
        ("[replies]\nseconds_per_char = -0.1", "replies.seconds_per_char"),
        ("[replies]\nseconds_per_char = inf", "replies.seconds_per_char"),
        ("[replies]\nlongest_delay = nan", "replies.longest_delay"),
        ('[replies]\ndry_run_sources = ["magic"]', "replies.dry_run_sources[0]"),
        ('[replies]\ndraft_sources = ["magic"]', "replies.draft_sources[0]"),
        ('[replies]\nblacklist = [""]', "replies.blacklist"),
        ('[replies]\ndry_run = "yes"', "replies.dry_run"),
        ("[guard]\nlongest = 0", "guard.longest"),
        ('[guard]\nbanned = [" "]', "guard.banned"),
        ('[guard]\nallowed = ["", "QQ"]', "guard.allowed"),
        ('[webhook]\nurl = "127.0.0.1:9000"', "webhook.url"),
        ("[webhook]\ntimeout = 3", "webhook.url"),
        ('[webhook]\nurl = "http://x"\ntimeout = 0', "webhook.timeout"),
    ],
)
def test_a_mistake_in_them_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "bot.d").mkdir()
    assert mistake(tmp_path, text).startswith(f"bot.toml: {key}: ")


def test_the_token_of_the_webhook_may_be_in_a_file_which_is_watched(tmp_path: Path) -> None:
    (tmp_path / "bot.d").mkdir()
    private(tmp_path / "token.txt", "t0ken\n")
    text = '[webhook]\nurl = "http://x"\ntoken = { file = "token.txt" }'
    loaded = load_text(tmp_path, text)
    assert loaded.config.webhook is not None
    token = loaded.config.webhook.token
    assert isinstance(token, FromFile)
    assert token.path in loaded.files
    assert token.resolve().reveal() == "t0ken"
    assert "t0ken" not in repr(loaded)
