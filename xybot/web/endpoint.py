"""An endpoint of the API, declared once: the route, the document and the check come from it.

A handler is an async function whose parameters say what it needs, by their names: `house`,
`metrics`, `visitor`, `request`; and `path`, `query` and `body`, whose classes say what may
stand in them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from types import UnionType
from typing import Any, Final, Literal, TypeAlias, get_args, get_type_hints

import attrs
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from xybot.config import Scope
from xybot.web import reading
from xybot.web.problems import NO_SCOPE, Problem, misfit
from xybot.web.visitors import Visitor

Handler: TypeAlias = Callable[..., Awaitable[Any]]
Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]

LARGEST: Final = 1024 * 1024
"""Bytes of a body that is JSON."""
MEDIA_TYPE: Final = "application/json"


@attrs.frozen(kw_only=True)
class Endpoint:
    """One thing that the API can do."""

    method: Method
    path: str
    scope: Scope
    """What a token must be good for."""
    run: Handler
    status: int = 200
    """Of an answer that is as asked for."""
    parameters: dict[str, Any]
    """Name of a parameter of the handler -> its type."""
    answers: Any
    """What it returns: a class, Response, or None."""
    refusals: tuple[int, ...] = ()
    """Further statuses, of errors that it may answer with."""
    media: str = MEDIA_TYPE
    """Of its answer."""
    others: Mapping[int, Any] = attrs.Factory(dict)
    """Further statuses, with what it answers then."""
    headers: Mapping[str, Mapping[str, Any]] = attrs.Factory(dict)
    """Those of a request that it heeds, each with its JSON Schema."""
    takes: str = MEDIA_TYPE
    """Of the body of a request that is read by the handler itself: `image/*`."""

    @property
    def name(self) -> str:
        """What it is called in the document."""
        return self.run.__name__

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    @property
    def description(self) -> str:
        """What else there is to say of it."""
        return (inspect.getdoc(self.run) or "").partition("\n")[2].strip()

    async def answer(
        self, visitor: Visitor, request: Request, given: Mapping[str, object]
    ) -> Response:
        """Grant a request.

        Args:
          visitor: who asks.
          request: what for.
          given: what else handlers may ask for, by the names of their parameters.

        Raises:
          Problem: it cannot be granted.
        """
        if self.scope not in visitor.scopes:
            raise Problem(403, "forbidden", NO_SCOPE)
        given = {**given, "visitor": visitor, "request": request}
        arguments = {name: given[name] for name in self.parameters if name in given}
        if "path" in self.parameters:
            arguments["path"] = reading.texts(request.path_params, self.parameters["path"], "path")
        if "query" in self.parameters:
            arguments["query"] = reading.texts(_query(request), self.parameters["query"], "query")
        if "body" in self.parameters:
            content = await limited(request, LARGEST)
            arguments["body"] = reading.json_body(content, self.parameters["body"])
        result = await self.run(**arguments)
        if isinstance(result, Response):
            return result
        others = (status for status, cls in self.others.items() if isinstance(result, cls))
        return json_response(result, next(others, self.status))


def json_response(value: object, status: int = 200) -> Response:
    """Return a value as JSON; None is an answer without a body."""
    if value is None:
        return Response(status_code=status)
    return Response(msgspec.json.encode(value), status, media_type=MEDIA_TYPE)


def _query(request: Request) -> Mapping[str, str]:
    """Return what a query says, each thing once.

    Raises:
      Problem: it says something twice, which can mean this or that.
    """
    said = request.query_params.multi_items()
    found = dict(said)
    if len(found) < len(said):
        twice = next(name for name in found if len(request.query_params.getlist(name)) > 1)
        raise misfit(f"query.{twice}", "只能写一次 (must not be there twice)")
    return found


async def limited(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises:
      Problem: it is larger than so many bytes.
    """
    body = bytearray()
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > most:
                wrong = f"请求太大，最多 {most} 字节 (the request is larger than that)"
                raise Problem(413, "too_large", wrong)
    return bytes(body)


def endpoint(
    method: Method,
    path: str,
    scope: Scope,
    **more: Any,  # noqa: ANN401  # fields of Endpoint
) -> Callable[[Handler], Endpoint]:
    """Declare an endpoint; its docstring is its text in the document.

    Args:
      method: of the request.
      path: with variables in braces, which are the fields of the `path` parameter.
      scope: what a token must be good for.
      **more: further fields of `Endpoint`; a `status` of 204 goes with a handler of None.
    """

    def declare(run: Handler) -> Endpoint:
        hints = get_type_hints(run, include_extras=True)
        answers = hints.pop("return")
        if isinstance(answers, UnionType):
            answers = get_args(answers)[0]  # The other ones are named in `others`.
        return Endpoint(
            method=method,
            path=path,
            scope=scope,
            run=run,
            parameters=hints,
            answers=answers,
            **more,
        )

    return declare
