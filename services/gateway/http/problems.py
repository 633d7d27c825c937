"""Errors as RFC 9457 problem documents: one exception that routes raise, and what every other error becomes."""

from __future__ import annotations

import http
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.api import FieldError, Problem
from schemas.rules import InvalidField, InvalidFields
from services.gateway.http.problemtypes import BLANK, PROBLEM_TYPES

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
SHOWN_CHARACTERS = 60
"""Most of a value that the detail of a problem repeats; the field's error has it whole."""


class ProblemError(Exception):
    """A request that ends with this problem document; `type` is of `PROBLEM_TYPES`, with its status."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        type: str = BLANK,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.type = type
        self.errors = errors or []
        self.headers = dict(headers or {})


def unknown(what: str, name: str) -> ProblemError:
    """404: `what` is the singular of the collection that lists what there is, such as host of /api/v1/hosts."""
    detail = f"{what} {name[:60]!r} does not exist; GET /api/v1/{what}s lists the known {what}s"
    return ProblemError(404, detail, type=f"/problems/unknown-{what}")


def invalid(field: str, value: Any, reason: str) -> ProblemError:
    return refusal([InvalidField(field, value, reason)])


def refusal(faults: Sequence[InvalidField]) -> ProblemError:
    """400 with all `faults`: the detail spells the first one out and names the others."""
    first, *others = faults
    detail = f"{first.field}: {_shown(first.value)}{first.remedy}"
    if others:
        detail += f"; also invalid: {', '.join(fault.field for fault in others)}"
    errors = [FieldError(fault.field, fault.value, fault.remedy) for fault in faults]
    return ProblemError(400, detail, type="/problems/invalid", errors=errors)


def _shown(value: Any) -> str:
    """A plain value as JSON has it, cut to one line's length; nothing for any other."""
    if not isinstance(value, bool | int | float | str):
        return ""
    text = value[:SHOWN_CHARACTERS] if isinstance(value, str) else value
    return f"{json.dumps(text, ensure_ascii=False)}: "


def conflict(what: str, name: str, version: int) -> ProblemError:
    """412: the version that If-Match names is not the present one."""
    return ProblemError(
        412,
        f"{what} {name} is at version {version}, not at the one in If-Match; read it again, then repeat the change",
        type="/problems/version-conflict",
        headers={"ETag": f'"{version}"'},
    )


def unavailable(detail: str, type: str, retry_after_s: int = RETRY_AFTER_S) -> ProblemError:
    return ProblemError(503, detail, type=type, headers={"Retry-After": str(retry_after_s)})


def problem_response(problem: ProblemError) -> Response:
    known = PROBLEM_TYPES.get(problem.type)
    title = known.title if known else http.HTTPStatus(problem.status).phrase
    body = Problem(problem.type, title, problem.status, problem.detail, problem.errors)
    content = msgspec.json.encode(body, enc_hook=repr)
    return Response(content, problem.status, problem.headers, media_type=MEDIA_TYPE)


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 -- Starlette's signature is wider than its registration
    return problem_response(error)


async def on_invalid_field(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidField)  # noqa: S101 -- as above
    return problem_response(refusal([error]))


async def on_invalid_fields(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidFields)  # noqa: S101 -- as above
    return problem_response(refusal(error.faults))


async def on_http_error(request: Request, error: Exception) -> Response:
    """What Starlette itself raises: no such path, or a method the path does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 -- as above
    path, allow = request.url.path[:200], (error.headers or {}).get("Allow", "other methods")
    detail = {
        404: f"no resource at {path}",
        405: f"{path} does not allow {request.method[:20]}, only {allow}",
    }.get(error.status_code, error.detail)
    return problem_response(ProblemError(error.status_code, detail, headers=error.headers))


async def on_bug(request: Request, error: Exception) -> Response:
    """An error of ours: Starlette raises it again after this answer, and uvicorn logs it with its traceback."""
    return problem_response(ProblemError(500, "internal error of the gateway; its log has the traceback"))
