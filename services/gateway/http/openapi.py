"""The OpenAPI 3.1 document, made from the declared operations, and the operation that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.api import Problem
from schemas.version import VERSION
from services.gateway.http.jsonschemas import Schemas
from services.gateway.http.operations import Call, Media, Nothing, Operation

PREFIX = "/api/v1"
COOKIE = "sonde_session"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
VERSION_TAG = r'^(\*|(W/)?"?[0-9]{1,9}"?)$'
_COMMON: Mapping[int, str] = {
    400: "A parameter or a field is wrong; `errors` names each.",
    401: "Nobody is logged in, or the token is not valid.",
    403: "The role or the token's scopes do not suffice, or the request comes from a page of another origin.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "What is there already is at odds with the request.",
    410: "It was there, and is gone.",
    412: "The version in If-Match is not the present one.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    421: "The gateway does not answer under that host name.",
    422: "What is asked for cannot be done.",
    428: "If-Match is required.",
    429: "Too many requests; Retry-After says when to come again.",
    502: "A service outside did not answer as it should.",
    503: "The database, the bus or what else it needs is away; Retry-After says when to come again.",
    504: "An agent did not answer in time.",
}


def with_document(operations: Iterable[Operation], at_root: Iterable[Operation] = ()) -> list[Operation]:
    """The operations, and the one that answers the document of them all and of those outside /api/v1."""

    async def get_document(_: Call[Nothing, None]) -> msgspec.Raw:
        return encoded

    own = Operation(
        "GET",
        "/openapi.json",
        get_document,
        tag="catalogue",
        summary="This document: every operation, its parameters, bodies, answers and role",
        role=None,
        answers={200: dict[str, Any]},
    )
    every = [*operations, own]
    encoded = msgspec.Raw(msgspec.json.encode(document(every, at_root)))
    return every


def document(operations: Iterable[Operation], at_root: Iterable[Operation] = ()) -> dict[str, Any]:
    """The whole document, with whole paths: `/metrics` is something else at the root. Operations in the order given."""
    below, outside = list(operations), list(at_root)
    schemas = Schemas([*below, *outside])
    paths: dict[str, dict[str, Any]] = {}
    for operation in below:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    for operation in outside:
        described = {**_operation(operation, schemas), "operationId": f"root_{operation.id}"}
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sonde",
            "version": VERSION,
            "description": (
                "A fleet monitor. Times are Unix milliseconds unless a field says otherwise; `x-role` is the least "
                "role that may make a request, null: everybody. Tags are the scopes to which a token may be "
                "restricted; what takes several has them as `x-scopes`."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "x-role": operation.role,
    }
    if operation.reaches:
        described["x-scopes"] = [operation.tag, *operation.reaches]
    if operation.description:
        described["description"] = operation.description
    if operation.role is None:
        described["security"] = []
    parameters = [*_in_path(operation, schemas), *_in_query(operation, schemas), *_in_headers(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": _content(operation.body, schemas),
        }
    described["responses"] = _responses(operation, schemas)
    return described


def _content(body: Any, schemas: Schemas) -> dict[str, Any]:
    if isinstance(body, Media):
        return {each: {"schema": {"type": "string", "description": body.meaning}} for each in body.types}
    return {JSON: {"schema": schemas.of(body)}}


def _in_path(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    return [
        _parameter(name, "path", True, schemas.of(operation.path_types.get(name, str)))
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _in_query(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    parameters = []
    for name, parameter in operation.parameters.items():
        schema = schemas.of(parameter.type)
        if parameter.default not in (msgspec.NODEFAULT, None):
            schema["default"] = parameter.default
        parameters.append(_parameter(name, "query", parameter.required, schema))
    return parameters


def _in_headers(operation: Operation) -> list[dict[str, Any]]:
    parameters = []
    if operation.match != "none":
        meaning = "The version that was read, as its ETag had it, or * for any."
        schema = {"type": "string", "pattern": VERSION_TAG, "description": meaning}
        parameters.append(_parameter("If-Match", "header", operation.match == "required", schema))
    for name, meaning in operation.headers.items():
        parameters.append(_parameter(name, "header", False, {"type": "string", "description": meaning}))
    return parameters


def _parameter(name: str, place: str, required: bool, schema: dict[str, Any]) -> dict[str, Any]:
    described = {"name": name, "in": place, "required": required}
    if "description" in schema:
        described["description"] = schema.pop("description")
    return {**described, "schema": schema}


def refusals(operation: Operation) -> list[int]:
    """The statuses of problems that it may answer."""
    statuses = {400, 413, 421, *operation.refuses}
    if operation.role is not None:
        statuses |= {401, 403, 429, 503}  # sessions and tokens are in the database, and tries of them are limited
    if operation.changes:
        statuses |= {403}
    if operation.body is not None:
        statuses |= {408, 415}
    if operation.match != "none":
        statuses |= {412}
    if operation.match == "required":
        statuses |= {428}
    if "{" in operation.path:
        statuses |= {404}
    return sorted(statuses)


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    responses = {str(status): _answer(kind, operation, schemas) for status, kind in operation.answers.items()}
    for status in refusals(operation):
        problem = {PROBLEM_JSON: {"schema": schemas.of(Problem)}}
        response = responses.setdefault(str(status), {"description": _COMMON[status]})
        response["content"] = {**response.get("content", {}), **problem}
    return responses


def _answer(kind: Any, operation: Operation, schemas: Schemas) -> dict[str, Any]:
    if kind is None:
        return {"description": "Done; no body."}
    if isinstance(kind, Media):
        events = {"x-events": {name: schemas.of(data) for name, data in kind.events.items()}} if kind.events else {}
        return {"description": kind.meaning, "content": {each: {"schema": {}} for each in kind.types}, **events}
    answer: dict[str, Any] = {"description": operation.summary, "content": {JSON: {"schema": schemas.of(kind)}}}
    if operation.match != "none":
        answer["headers"] = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
    return answer
