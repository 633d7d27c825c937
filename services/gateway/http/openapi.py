"""The OpenAPI 3.1 document, made from the declared operations. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.api import Problem
from schemas.version import VERSION
from services.gateway.http.operations import Media, Operation, given_type

PREFIX = "/api/v1"
COOKIE = "sonde_session"
_REF = "#/components/schemas/{name}"
_COMMON: Mapping[int, str] = {
    400: "A parameter or a field is wrong; `errors` names each.",
    401: "Nobody is logged in, or the token is not valid.",
    403: "The role does not suffice, or the request comes from a page of another origin.",
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


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document. Operations are in the order given."""
    listed = list(operations)
    schemas = _Schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sonde", "version": VERSION, "description": "A fleet monitor. Times are Unix milliseconds."},
        "servers": [{"url": PREFIX}],
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


class _Schemas:
    """JSON Schemas of every type that an operation names; Structs are components."""

    def __init__(self, operations: list[Operation]) -> None:
        types: list[Any] = [Problem]
        for operation in operations:
            types += [each for each in operation.answers.values() if each is not None and not isinstance(each, Media)]
            types += [operation.body] if operation.body is not None else []
            types += [given_type(field.type) for field in operation.parameters.values()]
            types += operation.path_types.values()
        self._types = list(dict.fromkeys([*types, str]))
        schemas, components = msgspec.json.schema_components(self._types, ref_template=_REF)
        self._schemas = [_ecma(schema) for schema in schemas]
        self.components = {name: _ecma(schema) for name, schema in sorted(components.items())}

    def of(self, type: Any) -> dict[str, Any]:
        return dict(self._schemas[self._types.index(type)])


def _ecma(schema: Any) -> Any:
    """`schema` with its patterns as ECMA-262 has them: ^ and $ for \\A and \\Z, which are unknown there."""
    if isinstance(schema, dict):
        return {
            key: _ecma_pattern(value) if key == "pattern" and isinstance(value, str) else _ecma(value)
            for key, value in schema.items()
        }
    return [_ecma(each) for each in schema] if isinstance(schema, list) else schema


def _ecma_pattern(pattern: str) -> str:
    return re.sub(r"\\A", "^", re.sub(r"\\Z", "$", pattern))


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "x-role": operation.role,
    }
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
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    described["responses"] = {
        **{str(status): _answer(kind, operation, schemas) for status, kind in operation.answers.items()},
        **{str(status): _problem(status, schemas) for status in refusals(operation)},
    }
    return described


def _in_path(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schemas.of(operation.path_types.get(name, str))}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _in_query(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    parameters = []
    for name, field in operation.parameters.items():
        schema = schemas.of(given_type(field.type))
        if field.default not in (msgspec.NODEFAULT, None):
            schema["default"] = field.default
        parameters.append({"name": name, "in": "query", "required": field.required, "schema": schema})
    return parameters


def _in_headers(operation: Operation) -> list[dict[str, Any]]:
    headers = dict(operation.headers)
    if operation.match != "none":
        headers["If-Match"] = "The version that was read, as its ETag had it, or * for any."
    return [
        {
            "name": name,
            "in": "header",
            "required": name == "If-Match" and operation.match == "required",
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in headers.items()
    ]


def refusals(operation: Operation) -> list[int]:
    """The statuses of problems that it may answer."""
    statuses = {400, 421, *operation.refuses}
    if operation.role is not None:
        statuses |= {401, 403, 503}  # sessions and tokens are in the database
    if operation.changes:
        statuses |= {403, 413}
    if operation.body is not None:
        statuses |= {408, 413, 415}
    if operation.match != "none":
        statuses |= {412}
    if operation.match == "required":
        statuses |= {428}
    if "{" in operation.path:
        statuses |= {404}
    return sorted(statuses)


def _answer(kind: Any, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    if kind is None:
        return {"description": "Done; no body."}
    if isinstance(kind, Media):
        return {"description": kind.meaning, "content": {each: {"schema": {}} for each in kind.types}}
    answer: dict[str, Any] = {
        "description": operation.summary,
        "content": {"application/json": {"schema": schemas.of(kind)}},
    }
    if operation.match != "none":
        answer["headers"] = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
    return answer


def _problem(status: int, schemas: _Schemas) -> dict[str, Any]:
    return {
        "description": _COMMON[status],
        "content": {"application/problem+json": {"schema": schemas.of(Problem)}},
    }
