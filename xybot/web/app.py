"""All routes in one list, and what becomes of an error on the way to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xybot import __version__
from xybot.config.checks import PICTURE_HOSTS
from xybot.errors import StoreUnavailable
from xybot.web import reply
from xybot.web.api.all import ENDPOINTS
from xybot.web.door import CSRF_HEADER, Door
from xybot.web.endpoint import Endpoint, json_response
from xybot.web.languages import language_of
from xybot.web.metrics import Metrics
from xybot.web.pages import (
    accounts,
    chats,
    docs,
    drafts,
    live,
    orders,
    overview,
    reports,
    rules,
    settings,
    sign_in,
    static,
    stock,
)
from xybot.web.pages.sign_in import SignIn
from xybot.web.pages.visit import CSRF_FIELD, Page, Visit, closing_files, read_form, templates, to
from xybot.web.problems import ErrorBody, Problem

log = structlog.get_logger()

D = TypeVar("D", bound=Endpoint | Page)
"""Something declared, with a path and a method."""

PAGES: Final[tuple[Page, ...]] = (
    *overview.PAGES,
    *chats.PAGES,
    *drafts.PAGES,
    *orders.PAGES,
    *stock.PAGES,
    *rules.PAGES,
    *reports.PAGES,
    *accounts.PAGES,
    *settings.PAGES,
    *docs.PAGES,
    *live.PAGES,
    *sign_in.PAGES,
    *static.PAGES,
)
_PICTURES: Final = " ".join(f"https://*{end}" for end in PICTURE_HOSTS)
_HEADERS: Final = {
    # Nothing of another host but the platform's pictures, and no script but our own files.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src 'self' data: {_PICTURES}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SEED: Final = reply.xianyu_reply.path


async def health(_: Request) -> JSONResponse:
    """Answer that we live: the loop that runs the accounts is the one that answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def application(door: Door, metrics: Metrics) -> ASGIApp:
    """Return everything that is served."""
    entrance = SignIn(door)
    app = Starlette(
        routes=[
            Route("/health", health),
            Route(sign_in.PATH, entrance.show, methods=["GET"]),
            Route(sign_in.PATH, entrance.take, methods=["POST"]),
            Route(f"{sign_in.PATH}/{{name}}", entrance.asset),
            *_routes(ENDPOINTS, partial(_answer, door, metrics)),
            *_routes(PAGES, partial(_show, door, metrics)),
        ],
        exception_handlers={
            Problem: _problem,
            StoreUnavailable: _unavailable,
            HTTPException: _http,
            Exception: _bug,
        },
    )
    return Guarded(app)


def _routes(
    declared: Iterable[D], answer: Callable[[D, Request], Awaitable[Response]]
) -> Iterator[Route]:
    """Make one route for each path: so a wrong method is told which ones are right."""
    by_path: dict[str, dict[str, D]] = {}
    for each in declared:
        by_path.setdefault(each.path, {})[each.method] = each
    for path, methods in by_path.items():
        yield Route(path, _dispatcher(methods, answer), methods=[*methods])


def _dispatcher(
    methods: Mapping[str, D], answer: Callable[[D, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def dispatch(request: Request) -> Response:
        # Starlette adds HEAD to GET.
        return await answer(methods[request.method.replace("HEAD", "GET")], request)

    return dispatch


async def _answer(door: Door, metrics: Metrics, each: Endpoint, request: Request) -> Response:
    visitor = await door.admit(request)
    if visitor is None:
        raise Problem(401, "unauthorized", "需要令牌 (a token is needed)")
    door.check_origin(request, visitor, request.headers.get(CSRF_HEADER, ""))
    return await each.answer(visitor, request, {"house": door.house, "metrics": metrics})


async def _show(door: Door, metrics: Metrics, each: Page, request: Request) -> Response:
    visitor = await door.admit(request)
    if visitor is None:
        return to(sign_in.PATH)
    visit = Visit(door=door, metrics=metrics, request=request, visitor=visitor)
    try:
        if each.method == "POST":
            visit.form = await read_form(request)
        with closing_files(visit.form):
            if each.method == "POST":
                door.check_origin(request, visitor, visit.field(CSRF_FIELD))
            visit.need(each.scope)
            return await each.run(visit)
    except Problem as exc:
        return await visit.page("wrong.html", exc.status, wrong=exc.words)


class Guarded:
    """Adds to every answer what keeps a browser from being used against its owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of ASGI."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                more = [
                    (name.encode(), value.encode())
                    for name, value in _HEADERS.items()
                    if name.encode() not in known
                ]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, guarded)


_Handler = Callable[[Request, Exception], Awaitable[Response]]


async def _problem(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    response: Response
    if _is_for_people(request):
        page = templates(language_of(request)).get_template("alone.html")
        response = HTMLResponse(page.render(wrong=exc.words), exc.status)
    elif request.url.path == _SEED:
        body = {"code": exc.status, "msg": str(exc), "error": exc.details}
        response = json_response(body, exc.status)
    else:
        response = json_response(ErrorBody(error=exc.details), exc.status)
    if exc.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _is_for_people(request: Request) -> bool:
    """Tell whether a browser is going to show the answer as a page."""
    path = request.url.path
    if path == _SEED or path.startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")


async def _unavailable(request: Request, exc: Exception) -> Response:
    return await _problem(request, Problem(503, "store", str(exc)))


async def _http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    words = {404: "没有这个地址 (no such address)", 405: "不能这样请求 (not by this method)"}
    text = words.get(exc.status_code, exc.detail)
    response = await _problem(request, Problem(exc.status_code, "http", text))
    response.headers.update(exc.headers or {})
    return response


async def _bug(request: Request, exc: Exception) -> Response:
    log.error("web.failed", path=request.url.path, exc_info=exc)
    return await _problem(request, Problem(500, "bug", "程序出错，日志里有详情 (an error of ours)"))
