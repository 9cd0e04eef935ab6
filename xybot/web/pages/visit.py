"""One request of a browser that is signed in, and how it is answered with a page."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import quote, urlencode

import attrs
from jinja2 import Environment
from starlette.datastructures import URL, FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from xybot.config import Scope
from xybot.store import overview, sales
from xybot.web.door import Door
from xybot.web.house import House
from xybot.web.languages import Language, language_of, translator
from xybot.web.metrics import Metrics
from xybot.web.pages import words
from xybot.web.pictures import LARGEST
from xybot.web.problems import Problem
from xybot.web.render import environment
from xybot.web.visitors import Visitor

CSRF_FIELD: Final = "csrf"
_LARGEST_FORM: Final = LARGEST + 100_000

Handler: TypeAlias = Callable[["Visit"], Awaitable[Response]]


@functools.cache
def templates(language: Language) -> Environment:
    """Return the templates in a language, made once."""
    return environment(language)


@attrs.define(eq=False, kw_only=True)
class Visit:
    """A request of a browser."""

    door: Door
    metrics: Metrics
    request: Request
    visitor: Visitor
    form: FormData = attrs.Factory(FormData)
    """What was sent along."""

    @property
    def house(self) -> House:
        """The bot, as far as the web side knows it."""
        return self.door.house

    @property
    def language(self) -> Language:
        """In which the visitor reads."""
        return language_of(self.request)

    def translate(self, text: str) -> str:
        """Return a text of ours in the visitor's language."""
        return translator(self.language)(text)

    def may(self, scope: Scope) -> bool:
        """Tell whether the visitor may do something."""
        return scope in self.visitor.scopes

    def need(self, scope: Scope) -> None:
        """Make sure that the visitor may do something.

        Raises:
          Problem: they may not.
        """
        if not self.may(scope):
            raise Problem(403, "forbidden", "这个令牌没有权限做这件事 (this token may not do that)")

    @property
    def here(self) -> str:
        """The page that the visitor sees, which a browser can ask for again."""
        url = self.request.url
        if self.request.method == "GET":
            return f"{url.path}?{url.query}" if url.query else url.path
        came_from = URL(self.request.headers.get("referer", ""))
        if came_from.netloc == url.netloc and came_from.path:
            return came_from.path
        return f"/{url.path.split('/')[1]}"

    def path(self, name: str) -> str:
        """Return a variable of the path."""
        return str(self.request.path_params[name])

    def field(self, name: str) -> str:
        """Return a field of the form, "" when it is not there."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    async def file(self, name: str) -> bytes:
        """Return a file of the form, empty when none was chosen."""
        value = self.form.get(name)
        return await value.read() if isinstance(value, UploadFile) else b""

    async def page(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page."""
        depths = await self.house.store.read(overview.depths)
        common = {
            "visit": self,
            "csrf": self.visitor.csrf if self.visitor.session else "",
            "waiting_drafts": sum(depth.drafts for depth in depths.values()),
            "held_orders": sum((await self.house.store.read(sales.held)).values()),
            "notice": words.NOTICES.get(self.request.query_params.get("notice", ""), ""),
            "simulated": self.house.loaded().config.simulator.enabled,
        }
        text = templates(self.language).get_template(template).render(common | values)
        return HTMLResponse(text, status, headers={"cache-control": "no-store"})


def to(path: str, **query: str) -> Response:
    """Send a browser to another page, after a change."""
    asked = {name: value for name, value in query.items() if value}
    url = f"{path}?{urlencode(asked)}" if asked else path
    return RedirectResponse(url, 303, headers={"cache-control": "no-store"})


def chat_path(account: str, chat: str) -> str:
    """Return where the page of a chat is."""
    return f"/chats/{quote(account, safe='')}/{quote(chat, safe='')}"


@attrs.frozen(kw_only=True)
class Page:
    """One page of the console, or one thing that can be done there."""

    method: Literal["GET", "POST"]
    path: str
    run: Handler
    scope: Scope


def page(path: str) -> Callable[[Handler], Page]:
    """Declare a page."""
    return lambda run: Page(method="GET", path=path, run=run, scope="read")


def action(path: str, scope: Scope) -> Callable[[Handler], Page]:
    """Declare what a form does."""
    return lambda run: Page(method="POST", path=path, run=run, scope=scope)


async def read_form(request: Request) -> FormData:
    """Read the form of a request.

    Raises:
      Problem: it is too large, or no form.
    """
    kind = request.headers.get("content-type", "")
    read = MultiPartParser if kind.startswith("multipart/form-data") else FormParser
    try:
        async with aclosing(request.stream()) as pieces:
            # The parser only goes through it.
            limited = cast("AsyncGenerator[bytes, None]", _Limited(pieces))
            return await read(request.headers, limited).parse()
    except _TooLarge as exc:
        raise Problem(413, "too_large", "请求太大 (the request is too large)") from exc
    except MultiPartException as exc:
        raise Problem(400, "bad_form", f"不是表单 (no form): {exc.message}") from exc


class _TooLarge(MultiPartException):
    """One of the parser's own, for then it closes what it has opened."""


@attrs.define(eq=False)
class _Limited(AsyncIterator[bytes]):
    """The pieces of a form; too many of them are an error."""

    _pieces: AsyncGenerator[bytes, None]
    _size: int = attrs.field(default=0, init=False)

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self._size += len(piece)
        if self._size > _LARGEST_FORM:
            raise _TooLarge("too large")
        return piece


@contextmanager
def closing_files(form: FormData) -> Iterator[None]:
    """Close the files of a form in the end."""
    try:
        yield
    finally:
        for value in form.values():
            if isinstance(value, UploadFile):
                value.file.close()  # Its own `close` might wait for a thread.


def values_of(form: FormData) -> Mapping[str, Any]:
    """Return the texts of a form, to be shown again in it."""
    return {name: value for name, value in form.items() if isinstance(value, str)}
