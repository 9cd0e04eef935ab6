"""The document of the API holds all that there is, and the page about it shows all of that."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from typing import Any

import attrs
import msgspec
import pytest

from tests.conftest import SHOP
from tests.web.office import ADMIN, READ, Office
from xybot import __version__
from xybot.events import KINDS, Event
from xybot.web.api.all import ENDPOINTS
from xybot.web.endpoint import Endpoint
from xybot.web.examples import EXAMPLES
from xybot.web.openapi import document

DOCUMENT = document(ENDPOINTS)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
METHODS = {"get", "post", "patch", "delete"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}

each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)


def operation(endpoint: Endpoint) -> dict[str, Any]:
    return DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]


def everything(node: object) -> Iterator[dict[str, Any]]:
    """Every object in the document, but for examples, which are data."""
    if isinstance(node, dict):
        yield node
        for name, each in node.items():
            if name != "example":
                yield from everything(each)
    elif isinstance(node, list):
        for each in node:
            yield from everything(each)


def schemas(node: object) -> Iterator[dict[str, Any]]:
    """Every schema in the document that names a type, those inside of others too."""
    for each in everything(node):
        yield from (each[name] for name in ("schema", "items") if name in each)
        yield from each.get("properties", {}).values()
        yield from each.get("anyOf", ())


async def test_the_document_is_served_as_json_to_whoever_may_read(
    autojump_clock, office: Office
) -> None:
    answer = await office.get("/openapi.json", token=READ)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(DOCUMENT))


def test_it_says_what_it_is_and_how_to_come_in() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] == "xybot"
    assert DOCUMENT["info"]["version"] == __version__
    assert "Authorization: Bearer" in DOCUMENT["info"]["description"]
    ((scheme, told),) = DOCUMENT["components"]["securitySchemes"].items()
    assert told == {"type": "http", "scheme": "bearer"}
    assert DOCUMENT["security"] == [{scheme: []}]
    assert set(DOCUMENT) <= {"openapi", "info", "security", "paths", "components", "servers"}


def test_it_has_every_endpoint_and_nothing_else() -> None:
    wanted = {(each.path, each.method.lower()) for each in ENDPOINTS}
    found = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert found == wanted
    assert len(wanted) == len(ENDPOINTS)
    assert all(path.startswith("/") for path in DOCUMENT["paths"])
    assert {method for _, method in found} <= METHODS


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for item in DOCUMENT["paths"].values() for each in item.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to() -> None:
    found = {each["$ref"] for each in everything(DOCUMENT) if "$ref" in each}
    start = "#/components/schemas/"
    assert all(each.startswith(start) for each in found)
    named = {each.removeprefix(start) for each in found}
    assert named <= set(SCHEMAS)
    assert set(SCHEMAS) - named == {kind.__name__ for kind in KINDS}  # Those are events.


def test_every_schema_is_of_a_type_that_json_has() -> None:
    for each in schemas(DOCUMENT):
        assert {"type", "$ref", "anyOf", "enum"} & set(each), each
        assert each.get("type", "object") in TYPES
    for name, each in SCHEMAS.items():
        assert each.get("type") == "object" or each.get("enum"), name
        assert set(each.get("required", ())) <= set(each.get("properties", ())), name


@each_endpoint
def test_every_variable_of_a_path_is_a_parameter_that_is_needed(endpoint: Endpoint) -> None:
    found = [each for each in operation(endpoint)["parameters"] if each["in"] == "path"]
    assert sorted(each["name"] for each in found) == sorted(re.findall(r"{(\w+)}", endpoint.path))
    assert all(each["required"] is True for each in found)


@each_endpoint
def test_every_parameter_is_described_by_a_schema_and_named_once(endpoint: Endpoint) -> None:
    parameters = operation(endpoint)["parameters"]
    names = [(each["in"], each["name"]) for each in parameters]
    assert len(names) == len(set(names))
    assert {where for where, _ in names} <= {"path", "query", "header"}
    assert all(each["schema"] for each in parameters)


@each_endpoint
def test_every_operation_says_what_it_does_what_it_needs_and_what_it_answers(
    endpoint: Endpoint,
) -> None:
    told = operation(endpoint)
    assert re.fullmatch(r".*[\u4e00-\u9fff].* \(.+\)\.", told["summary"])  # In both languages.
    assert f"`{endpoint.scope}`" in told["description"]
    answers = told["responses"]
    assert {str(endpoint.status), "401", "403", "503"} <= set(answers)
    assert all(re.fullmatch(r"[1-5][0-9][0-9]", status) for status in answers)
    assert all(each["description"] for each in answers.values())
    assert "content" in answers[str(endpoint.status)] or endpoint.status == 204
    errors = [each for status, each in answers.items() if status in {"401", "404", "409", "422"}]
    for each in errors:
        schema = each["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorBody"}


@each_endpoint
def test_a_body_is_required_where_there_is_one_and_takes_no_unknown_fields(
    endpoint: Endpoint,
) -> None:
    body = operation(endpoint).get("requestBody")
    if "body" not in endpoint.parameters:
        assert body is None or list(body["content"]) == [endpoint.takes]
        return
    assert body["required"] is True
    name = endpoint.parameters["body"].__name__
    schema = body["content"]["application/json"]["schema"]
    assert schema == {"$ref": f"#/components/schemas/{name}"}
    assert SCHEMAS[name]["additionalProperties"] is False
    fields = [each.name for each in attrs.fields(endpoint.parameters["body"])]
    assert list(SCHEMAS[name]["properties"]) == fields


def test_limits_of_fields_are_told() -> None:
    limit = next(
        each
        for each in DOCUMENT["paths"]["/api/v1/chats"]["get"]["parameters"]
        if each["name"] == "limit"
    )
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 200)
    assert limit["schema"]["default"] == 50
    assert SCHEMAS["TextMessage"]["properties"]["text"]["maxLength"] == 5000
    assert SCHEMAS["NewRule"]["properties"]["mode"]["enum"] == [
        "contains",
        "exact",
        "expression",
        "regex",
    ]


def test_there_is_one_example_of_every_event() -> None:
    assert {type(each) for each in EXAMPLES} == set(KINDS)
    assert len(EXAMPLES) == len(KINDS)


@each_kind
def test_every_event_has_a_schema_with_an_example_that_round_trips(kind: type[Event]) -> None:
    schema = SCHEMAS[kind.__name__]
    fields = {each.name for each in attrs.fields(kind)}
    assert set(schema["properties"]) == set(schema["example"]) == fields
    event = msgspec.convert(schema["example"], kind)
    assert event in EXAMPLES
    assert msgspec.json.decode(msgspec.json.encode(event)) == schema["example"]
    assert schema["description"] == inspect.getdoc(kind)


@each_kind
def test_every_field_of_an_example_is_of_the_type_that_its_schema_says(
    kind: type[Event],
) -> None:
    schema = SCHEMAS[kind.__name__]
    for name, value in schema["example"].items():
        assert _is_of(value, schema["properties"][name]), name


def _is_of(value: object, schema: dict[str, Any]) -> bool:
    """Tell whether a value is of a schema's type; limits are not looked at."""
    if "$ref" in schema:
        return _is_of(value, SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(_is_of(value, each) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    wanted: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    return isinstance(value, wanted[schema["type"]])


@pytest.fixture
async def docs(office: Office) -> str:
    """The text of the page of the API, as a browser shows it."""
    await office.client.post("/sign-in", data={"token": ADMIN})
    answer = await office.client.get("/docs")
    assert answer.status_code == 200
    return html.unescape(answer.text)


async def test_the_page_names_every_endpoint_and_links_to_what_each_answers(
    autojump_clock, docs: str
) -> None:
    for each in ENDPOINTS:
        assert f"{each.method} {each.path}<" in docs
        assert f'id="{each.name}"' in docs
        assert each.summary in docs
    for schema in re.findall(r'href="#(schema-\w+)"', docs):
        assert f'id="{schema}"' in docs


async def test_the_page_names_every_event_with_its_example(autojump_clock, docs: str) -> None:
    for each in EXAMPLES:
        assert f">{each.name}<" in docs
        assert (type(each).__doc__ or "").splitlines()[0] in docs
        assert f'"account": "{SHOP}"' in docs
    assert docs.count(f'"account": "{SHOP}"') >= len(EXAMPLES)


async def test_the_page_names_every_parameter_and_every_field_of_a_body(
    autojump_clock, docs: str
) -> None:
    for each in ENDPOINTS:
        begins = docs.index(f'id="{each.name}"')
        shown = docs[begins : docs.index("</details>", begins)]
        names = [parameter["name"] for parameter in operation(each)["parameters"]]
        if (body := each.parameters.get("body")) is not None:
            names += [field.name for field in attrs.fields(body)]
        for name in names:
            assert f"<code>{name}</code>" in shown
