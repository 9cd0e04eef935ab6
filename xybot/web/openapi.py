"""The document of the API (OpenAPI 3.1), made of the declarations of its endpoints."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs
import msgspec
from starlette.responses import Response

from xybot import __version__
from xybot.web.endpoint import MEDIA_TYPE, Endpoint
from xybot.web.examples import EXAMPLES
from xybot.web.fields import texts_of
from xybot.web.problems import ErrorBody

_REF: Final = "#/components/schemas/{name}"
_ERROR: Final = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="ErrorBody")}}}
_WHY: Final = {
    400: "不是 JSON (the body is no JSON)",
    401: "没有令牌，或令牌不对 (no token, or none of ours)",
    403: "令牌没有这个权限 (the token may not do that)",
    404: "没有这个东西 (no such thing)",
    409: "现在不行，原因在 message 里 (not just now; `message` tells why)",
    413: "请求太大 (the request is too large)",
    422: "内容不对，fields 里逐项说明 (not valid; `fields` tells each wrong part)",
    503: "数据库暂时不能用 (the database cannot be used just now)",
}
_DESCRIPTION: Final = """\
xybot 的接口。每个请求都带 `Authorization: Bearer 令牌`；令牌有三种权限：read、send、admin。
时间都是毫秒。列表用 `cursor` 翻页：把上一页的 `next` 原样传回来。

The API of xybot.  Every request carries `Authorization: Bearer <token>`; a token is good for
reading, for sending, or for everything.  Times are milliseconds.  Lists go on with `cursor`: hand
back the `next` of the page before.
"""


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the document of some endpoints."""
    listed = list(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for each in listed:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "xybot", "version": __version__, "description": _DESCRIPTION},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(listed),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(cls: type, schemas: dict[str, Any]) -> None:
    """Add to the fields of a schema what their class says of them."""
    properties = schemas[cls.__name__].get("properties", {})
    for name, text in texts_of(cls).items():
        if name in properties and "$ref" not in properties[name]:
            properties[name].setdefault("description", text)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told = endpoint.description
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"{told}\n\n权限 (scope): `{endpoint.scope}`".strip(),
        "parameters": [*_parameters(endpoint), *_headers(endpoint)],
        "responses": dict(_responses(endpoint)),
    }
    if (body := endpoint.parameters.get("body")) is not None:
        content = {MEDIA_TYPE: {"schema": _schema(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.takes != MEDIA_TYPE:
        binary = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {endpoint.takes: binary}}
    return operation


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for where in ("path", "query"):
        cls = endpoint.parameters.get(where)
        if cls is None:
            continue
        shape = msgspec.json.schema(cls)["$defs"][cls.__name__]
        for name, schema in shape["properties"].items():
            yield {
                "name": name,
                "in": where,
                "required": where == "path" or name in shape.get("required", ()),
                "description": schema.get("description", ""),
                "schema": schema,
            }


def _headers(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name, schema in endpoint.headers.items():
        told = schema["description"]
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": told,
            "schema": schema,
        }


def _responses(endpoint: Endpoint) -> Iterator[tuple[str, Any]]:
    yield str(endpoint.status), _answer(endpoint)
    for status, cls in endpoint.others.items():
        yield (
            str(status),
            {"description": inspect.getdoc(cls), "content": {MEDIA_TYPE: {"schema": _schema(cls)}}},
        )
    refusals = {401, 403, *endpoint.refusals}
    if {"path", "query", "body"} & endpoint.parameters.keys() or endpoint.headers:
        refusals |= {422}
    if "body" in endpoint.parameters:
        refusals |= {400, 413}
    if endpoint.takes != MEDIA_TYPE:
        refusals |= {413}
    if 503 not in endpoint.others:
        refusals |= {503}
    for status in sorted(refusals):
        yield str(status), {"description": _WHY[status], "content": _ERROR}


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "OK"}
    if endpoint.answers is Response:
        answer["content"] = {endpoint.media: {"schema": {"type": "string"}}}
    elif endpoint.answers is not type(None):
        answer["content"] = {MEDIA_TYPE: {"schema": _schema(endpoint.answers)}}
    return answer


def _schema(cls: type) -> dict[str, str]:
    return {"$ref": _REF.format(name=cls.__name__)}


def _schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    classes: dict[str, type] = {"ErrorBody": ErrorBody}
    bodies: set[str] = set()
    for each in endpoints:
        for cls in (each.answers, each.parameters.get("body"), *each.others.values()):
            if isinstance(cls, type) and attrs.has(cls):
                classes[cls.__name__] = cls
        if (body := each.parameters.get("body")) is not None:
            bodies.add(body.__name__)
    kinds = [type(example) for example in EXAMPLES]
    _, schemas = msgspec.json.schema_components([*classes.values(), *kinds], ref_template=_REF)
    for cls in {*classes.values(), *kinds}:
        _describe(cls, schemas)
    for name in bodies:
        schemas[name]["additionalProperties"] = False  # As `reading` has it.
    for example in EXAMPLES:
        schema = schemas[type(example).__name__]
        schema |= {"title": example.name, "example": msgspec.to_builtins(example)}
    return dict(schemas)
