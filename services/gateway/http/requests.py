"""Reading requests and writing answers: bodies of bounded size, typed by msgspec; query parameters; versions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from schemas.rules import InvalidFields
from schemas.validation import invalid_fields, json_fault
from services.gateway.http.problems import ProblemError, invalid

T = TypeVar("T")

MAX_BODY_BYTES = 64 * 1024
"""Of JSON."""
MOST_BODY_BYTES = 512 * 1024
"""Of anything."""
BODY_WITHIN_S = 30.0
_VERSION = re.compile(r'(?:W/)?"?(\d{1,9})"?\Z')


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`body`, a Struct or plain data, as JSON."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def too_large(most: int = MAX_BODY_BYTES) -> ProblemError:
    return ProblemError(413, f"the request body must be at most {most} bytes", type="/problems/too-large")


def has_body(request: Request) -> bool:
    """Whether anything comes with the request."""
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


async def read_bytes(request: Request, types: Sequence[str], most: int) -> bytes:
    """The request's body, of one of the media types. Raises ProblemError 408, 413 or 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in types:
        raise ProblemError(415, f"the Content-Type must be {' or '.join(types)}", type="/problems/media-type")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise too_large(most)
    except TimeoutError:
        detail = f"the request body did not arrive within {BODY_WITHIN_S:g} s"
        raise ProblemError(408, detail, type="/problems/too-slow", headers={"Connection": "close"}) from None
    return bytes(body)


async def read_json(request: Request, type: type[T]) -> T:
    """The request's JSON body as `type`. Raises ProblemError 400, 408, 413 or 415, and InvalidFields."""
    body = await read_bytes(request, ("application/json",), MAX_BODY_BYTES)
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise invalid("body", None, json_fault(error)) from None
    try:
        return msgspec.convert(data, type)
    except msgspec.ValidationError:
        raise InvalidFields(invalid_fields(data, type)) from None


def if_match(request: Request) -> int | None:
    """The version that `If-Match` names; None when any will do. Raises ProblemError 400."""
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    match = _VERSION.match(text)
    if match is None:
        raise invalid("If-Match", text[:100], 'must be a version such as "3", or * for any version')
    return int(match[1])
