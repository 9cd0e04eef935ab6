"""Settings of the HTTP side: `[web]`, its tokens, and `[[hooks]]`, which are told of events."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.files import Merged
from xybot.config.problems import Misfit
from xybot.config.secrets import SecretSource, settle
from xybot.model import AccountId

Scope: TypeAlias = Literal["read", "send", "admin"]
"""Look at everything; say something; and all that, and change things."""

OWNER: Final = "token"
"""What the seller's own token is called, since it stands at `web.token`."""


@attrs.frozen(kw_only=True)
class WebToken:
    """A token for a program, and what it may do."""

    name: str = field(validator=by(checks.not_blank))
    token: SecretSource
    scopes: tuple[Scope, ...] = field(validator=by(checks.some))


@attrs.frozen(kw_only=True)
class Web:
    """Where the console and the API are, and who may enter."""

    listen: str = field(default="127.0.0.1:8000", validator=by(checks.listen_address))
    token: SecretSource | None = None
    """The seller's own, for everything; without one, one is made at the first start."""
    tokens: tuple[WebToken, ...] = ()
    """Further ones, for programs."""
    certificate: str = ""
    """The certificate chain as PEM: then it is HTTPS."""
    key: str = ""
    """Its private key as PEM."""
    behind_proxy: bool = False
    """Whether something in front of us does the encryption."""
    phrases: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """What the seller often says, for a click in the console."""

    def __attrs_post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            wrong = "certificate 和 key 要一起写 (certificate and key belong together)"
            raise Misfit(wrong, key="key" if self.certificate else "certificate")
        if not (self.is_local or self.certificate or self.behind_proxy):
            raise Misfit(
                "只有本机地址可以不加密；要让别的电脑访问，请写 certificate 和 key，"
                "或在前面放好 HTTPS 反向代理后写 behind_proxy = true (not a local address: "
                "needs certificate and key, or behind_proxy = true when a proxy does HTTPS)",
                key="listen",
            )
        names = {each.name for each in self.tokens}
        if len(names) < len(self.tokens) or OWNER in names:
            wrong = f'令牌的名字不能重复，也不能叫 "{OWNER}" (each needs a name of its own)'
            raise Misfit(wrong, key="tokens")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return checks.is_loopback(self.listen.rpartition(":")[0].strip("[]"))


@attrs.frozen(kw_only=True)
class Hook:
    """Where events are posted to; no accounts and no events means all of them."""

    url: str = field(validator=by(checks.http_url))
    secret: SecretSource
    """What the posts are signed with."""
    events: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    accounts: tuple[AccountId, ...] = ()
    timeout: float = field(default=10.0, validator=by(checks.above_zero))

    @property
    def name(self) -> str:
        """What it is known by, wherever it stands: where it posts, and what."""
        what = json.dumps([self.url, sorted(self.events), sorted(self.accounts)])
        return hashlib.sha256(what.encode()).hexdigest()[:16]

    @property
    def host(self) -> str:
        """Where it posts, without what of the address may be a key."""
        return self.url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def placed(web: Web, merged: Merged, folder: Path) -> Web:
    """Tell the secrets where they were written, and have files start at the folder."""
    tokens = (
        attrs.evolve(x, token=settle(x.token, merged.place(("web", "tokens", n, "token")), folder))
        for n, x in enumerate(web.tokens)
    )
    place = merged.place(("web", "token"))
    return attrs.evolve(
        web,
        token=settle(web.token, place, folder) if web.token else None,
        tokens=tuple(tokens),
        certificate=str(folder / web.certificate) if web.certificate else "",
        key=str(folder / web.key) if web.key else "",
    )
