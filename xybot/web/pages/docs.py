"""The API, as a page that people can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import msgspec
from starlette.responses import Response

from xybot.web.api.all import ENDPOINTS
from xybot.web.endpoint import Endpoint
from xybot.web.examples import EXAMPLES
from xybot.web.languages import N_
from xybot.web.openapi import document
from xybot.web.pages.visit import Visit, page

_GROUPS: Final = (
    ("/xianyu/", N_("一个调用")),
    ("/api/v1/accounts/{account}/chats", N_("会话")),
    ("/api/v1/accounts/{account}/drafts", N_("草稿")),
    ("/api/v1/accounts/{account}/messages", N_("会话")),
    ("/api/v1/accounts/{account}/orders", N_("订单")),
    ("/api/v1/accounts", N_("账号")),
    ("/api/v1/chats", N_("会话")),
    ("/api/v1/rules", N_("规则")),
    ("/api/v1/drafts", N_("草稿")),
    ("/api/v1/orders", N_("订单")),
    ("/api/v1/stock", N_("库存")),
    ("/api/v1/codes", N_("库存")),
    ("/api/v1/events", N_("事件")),
    ("/api/v1/", N_("报告")),
    ("/", N_("程序")),
)


@attrs.frozen(kw_only=True)
class Shown:
    """An endpoint, as the page shows it."""

    endpoint: Endpoint
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    """The schema of what is sent."""
    answer: str | None
    """The name of the schema of what is answered."""


@page("/docs")
async def docs(visit: Visit) -> Response:
    """Show every endpoint, every shape and every event."""
    whole = document(ENDPOINTS)
    schemas = whole["components"]["schemas"]
    groups: dict[str, list[Shown]] = {}
    for each in ENDPOINTS:
        groups.setdefault(_group(each), []).append(_shown(each, whole))
    events = [
        (
            each.name,
            type(each).__doc__ or "",
            msgspec.json.format(msgspec.json.encode(each), indent=2),
        )
        for each in EXAMPLES
    ]
    kinds = {type(each).__name__ for each in EXAMPLES}
    return await visit.page(
        "docs.html",
        groups=groups,
        schemas={name: each for name, each in schemas.items() if name not in kinds},
        events=[(name, about, text.decode()) for name, about, text in events],
        kind_of=kind_of,
        url=str(visit.request.base_url).rstrip("/"),
    )


def _group(endpoint: Endpoint) -> str:
    return next(name for start, name in _GROUPS if endpoint.path.startswith(start))


def _shown(endpoint: Endpoint, whole: Mapping[str, Any]) -> Shown:
    operation = whole["paths"][endpoint.path][endpoint.method.lower()]
    body, answers = endpoint.parameters.get("body"), endpoint.answers
    return Shown(
        endpoint=endpoint,
        parameters=tuple(operation["parameters"]),
        body=whole["components"]["schemas"][body.__name__] if body else None,
        answer=answers.__name__ if attrs.has(answers) else None,
    )


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " · ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(map(kind_of, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"[{kind_of(schema.get('items', {}))}]"
    return "".join(_limits(schema)) or "object"


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    yield str(schema.get("type", schema.get("const", "")))
    for key, sign in (("minimum", " ≥ "), ("maximum", " ≤ "), ("maxLength", " ≤ ")):
        if key in schema:
            yield f"{sign}{schema[key]}"


PAGES: Final = (docs,)
