"""Every endpoint of the API, and its document."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from xybot.web import reply
from xybot.web.api import (
    accounts,
    chats,
    drafts,
    events,
    messages,
    orders,
    reports,
    rules,
    service,
    stock,
)
from xybot.web.endpoint import MEDIA_TYPE, Endpoint, endpoint, json_response
from xybot.web.openapi import document


@endpoint("GET", "/openapi.json", "read", media=MEDIA_TYPE)
async def openapi_document() -> Response:
    """这份接口文档 (the document of this API, as OpenAPI 3.1)."""
    return json_response(document(ENDPOINTS))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    reply.xianyu_reply,
    *accounts.ENDPOINTS,
    *chats.ENDPOINTS,
    *messages.ENDPOINTS,
    *rules.ENDPOINTS,
    *drafts.ENDPOINTS,
    *orders.ENDPOINTS,
    *stock.ENDPOINTS,
    *reports.ENDPOINTS,
    *events.ENDPOINTS,
    *service.ENDPOINTS,
    openapi_document,
)
