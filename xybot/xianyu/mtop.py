"""One signed call of the platform's HTTP gateway, and what its answers mean.

protocol.md §5: a stale signing token is renewed by the very answer that complains about
it, so the call is signed again once; what needs a person is never tried again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urljoin

import attrs

from xybot.egress import Answer, Http
from xybot.errors import (
    Busy,
    Cause,
    LoginRequired,
    TransientError,
    VerificationRequired,
    WireError,
    XybotError,
)
from xybot.wire import jsontext, sign
from xybot.wire.fields import dig, text_at
from xybot.wire.requests import BROWSER
from xybot.xianyu.session import Session

_RESIGN: Final = (
    "FAIL_SYS_TOKEN_EXOIRED",  # the server's own spelling
    "FAIL_SYS_TOKEN_EXPIRED",
    "FAIL_SYS_TOKEN_EMPTY",
    "FAIL_SYS_TOKEN_ILLEGAL",
)
_RISK: Final = ("FAIL_SYS_USER_VALIDATE", "RGV587_ERROR")
#: The address of a check for people, wherever it stands (§5, capture 75); of the characters
#: that an address may have.
_PUNISH: Final = re.compile(r"[!#-&(-;=?-\[\]-~]{0,300}_____tmd_____/punish[!#-&(-;=?-\[\]-~]*")


_NO_HEADERS: Final[Mapping[str, str]] = {}


class _StaleSignature(TransientError):
    """The signing token was stale; the answer brought a fresh one."""

    cause = Cause.GATEWAY


class NotFound(TransientError):
    """What the call is about does not exist; to wait for it is of no use (§5)."""

    cause = Cause.GATEWAY


class Forbidden(TransientError):
    """This account may not make the call; to wait for it is of no use (§5)."""

    cause = Cause.GATEWAY


class AlreadyShipped(TransientError):
    """The platform knows the order as shipped: what was asked for is done (§5)."""

    cause = Cause.GATEWAY


class SessionExpired(LoginRequired):
    """`FAIL_SYS_SESSION_EXPIRED`: a keep-alive may wake the login; only once (§5)."""


#: How a code ends -> what to raise, and its words.  Clients know some with and without
#: `FAIL_BIZ_`; nobody recorded how an order that does not exist is refused.
_REFUSALS: Final[Mapping[str, tuple[type[TransientError], str]]] = {
    "ITEM_DEL_NOT_FOUND": (NotFound, "平台上没有 (not there)"),
    "ORDER_NOT_FOUND": (NotFound, "平台上没有 (not there)"),
    "PERMISSION_EXCEPTION": (Forbidden, "平台不许这个账号这样做 (not allowed to this account)"),
    "ORDER_ALREADY_DELIVERY": (AlreadyShipped, "平台说已经发货 (shipped already)"),
    "FAIL_SYS_TRAFFIC_LIMIT": (Busy, "平台要求稍候 (the platform asks for patience)"),
    "FAIL_SYS_ILLEGAL_ACCESS": (Busy, "平台要求稍候 (the platform asks for patience)"),
}


@attrs.define(eq=False, kw_only=True)
class Mtop:
    """Signed calls for one account; keeps its session up to date with every answer."""

    gateway: str
    http: Http
    session: Session
    save: Callable[[Session], Awaitable[None]]
    now_ms: Callable[[], int]

    async def call(
        self,
        api: str,
        data: Mapping[str, Any],
        *,
        version: str = "1.0",
        site: Mapping[str, str] = _NO_HEADERS,
    ) -> Any:
        """Make one call and return the `data` of its answer.

        Args:
          api: its name.
          data: what is asked.
          version: of the api.
          site: headers of another page than that of the messages.

        Raises:
          TransientError: the network or the platform had a bad moment.
          NotFound: there is no such thing.
          Forbidden: the account may not make it.
          AlreadyShipped: it asked to ship what is shipped.
          LoginRequired: the cookies are no longer good; `SessionExpired` says so as well.
          VerificationRequired: the platform wants a person; do not call again.
        """
        try:
            return await self._once(api, data, version, site)
        except _StaleSignature:
            return await self._once(api, data, version, site)

    async def _once(
        self, api: str, data: Mapping[str, Any], version: str, site: Mapping[str, str]
    ) -> Any:
        text = jsontext.dumps(data)
        url = f"{self.gateway.rstrip('/')}/h5/{api}/{version}/"
        answer = await self.http.post_form(
            url,
            query=self._query(api, version, text),
            form={"data": text},
            headers={**self.headers(), **site},
        )
        await self.keep_cookies(answer)
        return _read(api, answer, url)

    def _query(self, api: str, version: str, data: str) -> dict[str, str]:
        now = self.now_ms()
        token = sign.h5_token(self.session.cookies)
        return {
            "jsv": "2.7.2",
            "appKey": sign.APP_KEY,
            "t": str(now),
            "sign": sign.signature(token, now, data),
            "v": version,
            "type": "originaljson",
            "accountSite": "xianyu",
            "dataType": "json",
            "timeout": "20000",
            "api": api,
            "sessionOption": "AutoLoginOnly",
            "spm_cnt": "a21ybx.im.0.0",
        }

    def headers(self) -> dict[str, str]:
        """Return the headers of a call by this account; its cookies are among them."""
        return {
            "Cookie": sign.cookie_header(self.session.cookies),
            "User-Agent": BROWSER,
            "Origin": "https://www.goofish.com",
            "Referer": "https://www.goofish.com/",
            "Accept": "application/json",
            "Accept-Language": "zh-CN,zh;q=0.9",
        }

    async def keep_cookies(self, answer: Answer) -> None:
        """Take over what an answer set."""
        cookies = sign.merged(self.session.cookies, answer.set_cookies)
        if cookies != self.session.cookies:
            # An answer that drops our own id would leave an account without a name.
            cookies = {"unb": self.session.user, **cookies}
            await self.keep(attrs.evolve(self.session, cookies=cookies))

    async def keep(self, session: Session) -> None:
        """Use a changed session from now on, and after the next restart."""
        self.session = session
        await self.save(session)


def _read(api: str, answer: Answer, asked: str) -> Any:
    try:
        fields = jsontext.loads(answer.body)
    except WireError as exc:
        punish = check_address(answer, asked)
        said = f"{api}: HTTP {answer.status}, no JSON"
        if punish is not None:
            raise VerificationRequired(said, url=punish) from exc
        raise _failed(said) from exc
    ret = dig(fields, "ret")
    rets = [str(each) for each in ret] if isinstance(ret, list) else [str(ret)]
    if any(each.startswith("SUCCESS") for each in rets):
        return dig(fields, "data")
    url, punish = text_at(fields, "data", "url"), check_address(answer, asked)
    raise _refusal(f"{api}: {'; '.join(rets)}", rets, url, punish)


def check_address(answer: Answer, asked: str) -> str | None:
    """Return where the platform wants a person to prove that they are one; None if nowhere."""
    try:
        texts = _texts(jsontext.loads(answer.body))
    except WireError:
        texts = iter([html.unescape(answer.body.decode("utf-8", "replace"))])
    return _punish(texts, asked)


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a JSON value, at whatever depth."""
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                yield text
            case list(values):
                rest += values
            case dict(fields):
                rest += fields.values()


def _punish(texts: Iterable[str], asked: str) -> str | None:
    """Return the first address of a check for people, whole; it may be given in part."""
    found = (_PUNISH.search(text) for text in texts)
    return next((urljoin(asked, each[0]) for each in found if each), None)


def _refusal(said: str, rets: Sequence[str], url: str | None, punish: str | None) -> XybotError:
    """Return what the `ret` texts ask to raise; any of them may hold the code (§5)."""
    codes = [each.partition("::")[0] for each in rets]
    if punish is not None or any(code in _RISK for code in codes):
        # The same code means two things; the address tells which.
        if punish is None and url and "mini_login" in url:
            return LoginRequired(said)
        return VerificationRequired(said, url=punish or url)
    if "FAIL_SYS_SESSION_EXPIRED" in codes:
        return SessionExpired(said)
    if any(code in _RESIGN for code in codes):
        return _StaleSignature(f"平台接口不认签名 (a stale signature): {said}")
    for end, (error, words) in _REFUSALS.items():
        if any(code.endswith(end) for code in codes):
            return error(f"{words}: {said}")
    return _failed(said)


def _failed(said: str) -> TransientError:
    return TransientError(f"平台接口出错 (the gateway failed): {said}", cause=Cause.GATEWAY)
