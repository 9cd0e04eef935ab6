"""The HTTP side: the signed gateway `POST /h5/<api>/<version>/`.

Assumptions about the platform:

* the signature is md5 of token, t, app key and data (protocol.md §5); a wrong one is
  answered like a stale token (unknown; it may be FAIL_SYS_ILLEGAL_ACCESS);
* a stale or missing token brings new `_m_h5_tk` and `_m_h5_tk_enc` cookies along (§5);
  whose they are goes by `unb` (unknown), their life is 40 minutes (§5: 10 to 40);
* a session is dead when `cookie2` is not that of the newest login (unknown), and the token
  is looked at before the session (unknown);
* a session may doze: every call is answered FAIL_SYS_SESSION_EXPIRED until one of
  `loginuser.get` succeeds, which wakes it (§5 "keepalive once, else login needed"; that this
  is the call, and that it brings no new cookies: unknown);
* human verification refuses every call with capture 75 (recorded for the token call only);
* a token call binds the IM token to `deviceId` and renews a session cookie (§1.1; which
  cookies: unknown);
* calls about orders: see `orders_api`;
* item facts have the form of capture 79, those of variants the form that §5 names; that an
  item without variants has no `skuList`: as in the capture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import attrs
import msgspec
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xybot.model import ItemId, UserId
from xybot.simulator import orders_api
from xybot.simulator.calls import Result
from xybot.simulator.desk import Desks
from xybot.simulator.orders_api import Orders
from xybot.simulator.upload import Uploads
from xybot.simulator.world import SimAccount, SimItem, World, made_hex

_APP_KEY: Final = "34839810"
_KEEP_ALIVE: Final = "mtop.taobao.idlemessage.pc.loginuser.get"
_H5_EMPTY: Final = "FAIL_SYS_TOKEN_EMPTY::令牌为空"
_H5_STALE: Final = "FAIL_SYS_TOKEN_EXOIRED::令牌过期"
_SESSION_DEAD: Final = "FAIL_SYS_SESSION_EXPIRED::Session过期"
_ILLEGAL: Final = "FAIL_SYS_ILLEGAL_ACCESS::非法请求"
_NO_API: Final = "FAIL_SYS_API_NOT_FOUNDED::请求API不存在"
_NO_ITEM: Final = "FAIL_BIZ_ITEM_DEL_NOT_FOUND::您要看的宝贝不存在或已被删除啦!"
_VERIFY: Final = ("FAIL_SYS_USER_VALIDATE", "RGV587_ERROR::SM::哎哟喂,被挤爆啦,请稍后重试")


_Method: TypeAlias = Callable[["Gateway", SimAccount, Mapping[str, Any]], Result]


@attrs.define(eq=False)
class Gateway:
    """Answers signed calls."""

    world: World
    desks: Desks

    def app(self) -> Starlette:
        """Return the ASGI application."""
        calls = Route("/h5/{api}/{version}/", self.call, methods=["POST"])
        return Starlette(routes=[calls, Uploads(self.world, self.desks).route()])

    async def call(self, request: Request) -> Response:
        """Answer one call over HTTP."""
        cookies = _cookies(request.headers.get("cookie", ""))
        account = self.world.by_user.get(UserId(cookies.get("unb", "")))
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        api, data = request.path_params["api"], form.get("data", [""])[0]
        if account is not None:
            account.calls[api] += 1
            if not await self._arrives(account, api):
                return _bad_gateway()
        signed = _Signed(
            api=api,
            version=request.path_params["version"],
            data=data,
            query=dict(request.query_params),
            cookies=cookies,
            site=request.headers.get("idle_site_biz_code"),
        )
        result = self._result(account, signed)
        if account is not None and self._is_lost(account, api):
            return _bad_gateway()
        return _response(signed, result)

    async def _arrives(self, account: SimAccount, api: str) -> bool:
        """Take the time that a call takes; False: it got no further than the door."""
        switches = self.desks.of(account).switches
        about_orders = api in orders_api.APIS
        await trio.sleep(switches.slow + (switches.slow_orders if about_orders else 0))
        if about_orders and switches.happens("fail_orders"):
            return False
        return not switches.happens("fail_calls")

    def _is_lost(self, account: SimAccount, api: str) -> bool:
        """Tell whether the answer to a call gets lost, after all was done."""
        switches = self.desks.of(account).switches
        return api in orders_api.APIS and switches.happens("lose_order_answers")

    def _result(self, account: SimAccount | None, signed: _Signed) -> Result:
        if account is None:
            return Result(ret=(_SESSION_DEAD,))
        if not signed.consistent:
            return Result(ret=(_ILLEGAL,))
        if (refused := self._token_refused(account, signed)) is not None:
            return refused
        if signed.cookies.get("cookie2") != account.session:
            return Result(ret=(_SESSION_DEAD,))
        switches = self.desks.of(account).switches
        if switches.dozing and signed.api != _KEEP_ALIVE:
            return Result(ret=(_SESSION_DEAD,))
        if switches.verification:
            return Result(ret=_VERIFY, data={"url": _punish(signed)})
        return self._answer(account, signed)

    def _answer(self, account: SimAccount, signed: _Signed) -> Result:
        """Answer a call that is allowed."""
        try:
            wanted = msgspec.json.decode(signed.data or "{}")
        except msgspec.DecodeError:
            return Result(ret=(_ILLEGAL,))
        if signed.api in orders_api.APIS and signed.version == "1.0":
            orders = Orders(self.world, self.desks)
            return orders.answer(signed.api, account, wanted, signed.site)
        method = _METHODS.get((signed.api, signed.version))
        return Result(ret=(_NO_API,)) if method is None else method(self, account, wanted)

    def _token_refused(self, account: SimAccount, signed: _Signed) -> Result | None:
        """Return the refusal of a stale, missing or wrongly used token, with a fresh one."""
        token = signed.cookies.get("_m_h5_tk", "").partition("_")[0]
        good = account.h5.get(token, 0) > self.world.now_ms()
        if token and good and signed.by(token):
            return None
        fresh = self.world.renew_h5(account)
        cookies = {"_m_h5_tk": fresh, "_m_h5_tk_enc": made_hex(f"enc {fresh}")}
        return Result(ret=(_H5_STALE if token else _H5_EMPTY,), cookies=cookies)

    def token(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Give out an IM token for a device."""
        device = wanted.get("deviceId")
        if not isinstance(device, str) or not device:
            return Result(ret=("FAIL_BIZ_PARAM_INVALID::参数错误",))
        token = self.world.grant(account, device)
        data = {
            "accessToken": token,
            "accessTokenExpiredTime": "86400000",
            "refreshToken": made_hex(f"refresh {token}"),
        }
        sgcookie = f"E100{made_hex(token)}"
        return Result(data=data, cookies={"sgcookie": sgcookie, "tfstk": made_hex(sgcookie)})

    def login_user(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Tell who is logged in, and wake a session that dozes."""
        self.desks.of(account).switches.dozing = False
        return Result(data={"userId": account.user_id, "nick": account.user.nick})

    def detail(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Tell the facts of an item; ids are numbers here, prices text (capture 79)."""
        item = self.world.items.get(ItemId(str(wanted.get("itemId"))))
        if item is None:
            return Result(ret=(_NO_ITEM,))
        nick = self.world.users[item.seller].nick
        seller = {"sellerId": int(item.seller), "nick": nick, "city": "杭州"}
        return Result(data={"itemDO": _told(item), "sellerDO": seller})


def _told(item: SimItem) -> dict[str, Any]:
    told: dict[str, Any] = {
        "itemId": int(item.id),
        "title": item.title,
        "desc": item.description,
        "soldPrice": item.price,
        "originalPrice": "0",
        "transportFee": "0.00",
        "quantity": item.quantity,
        "itemStatus": 0 if item.on_sale else -2,
        "itemStatusStr": "在线" if item.on_sale else "已下架",
        "soldCnt": 0,
        "browseCnt": 3,
        "wantCnt": 0,
        "collectCnt": 0,
        "imageInfos": [{"url": f"http://img.alicdn.com/bao/uploaded/{item.id}.jpg"}],
        "commonTags": [{"text": "包邮"}],
        "cpvLabels": [{"propertyName": "成色", "valueName": "几乎全新"}],
    }
    if item.skus:
        told["skuList"] = [
            {
                "skuId": sku.id,
                "price": sku.price,
                "quantity": sku.quantity,
                "propertyList": [
                    {"propertyText": name, "valueText": value}
                    for name, value in sku.properties.items()
                ],
            }
            for sku in item.skus
        ]
    return told


_METHODS: Final[Mapping[tuple[str, str], _Method]] = {
    ("mtop.taobao.idlemessage.pc.login.token", "1.0"): Gateway.token,
    (_KEEP_ALIVE, "1.0"): Gateway.login_user,
    ("mtop.taobao.idle.pc.detail", "1.0"): Gateway.detail,
}


@attrs.frozen(kw_only=True)
class _Signed:
    """A call as it came."""

    api: str
    version: str
    data: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    site: str | None
    """The page that the call comes from, where it says so."""

    @property
    def consistent(self) -> bool:
        """Tell whether the query names the api of the path, and the right app."""
        named = (self.query.get("api"), self.query.get("v"), self.query.get("appKey"))
        return named == (self.api, self.version, _APP_KEY)

    def by(self, token: str) -> bool:
        """Tell whether the signature is that of this token."""
        text = f"{token}&{self.query.get('t', '')}&{_APP_KEY}&{self.data}"
        signature = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return signature == self.query.get("sign")


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, sep, value in pairs if sep}


def _punish(signed: _Signed) -> str:
    return (
        f"https://h5api.m.goofish.com:443//h5/{signed.api}/{signed.version}/_____tmd_____/punish"
        "?x5secdata=simulated&x5step=2&action=captcha&pureCaptcha="
    )


def _bad_gateway() -> Response:
    return Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")


def _response(signed: _Signed, result: Result) -> Response:
    body = {
        "api": signed.api,
        "v": signed.version,
        "ret": result.ret,
        "data": result.data,
        "traceId": "0",
    }
    response = Response(msgspec.json.encode(body), media_type="application/json")
    for name, value in result.cookies.items():
        response.headers.append(
            "set-cookie", f"{name}={value};Path=/;Domain=goofish.com;Max-Age=86400;Secure"
        )
    return response
