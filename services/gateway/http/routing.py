"""From declared operations to routes: who asks is admitted, what they send is read, what comes of it is answered."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from schemas.rules import InvalidField, InvalidFields
from schemas.validation import allowed, is_secret
from services.gateway.http.counting import note_operation, note_person
from services.gateway.http.operations import Call, Media, Operation, Reply
from services.gateway.http.person import Admit
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import answer, has_body, if_match, read_bytes, read_json
from services.gateway.http.scopes import demand_scope

_WHOLE = re.compile(r"-?[0-9]{1,18}\Z")


def routes(operations: Iterable[Operation], admit: Admit) -> list[BaseRoute]:
    """A route for each path with all its methods, so that 405 answers can name them; plain paths before patterns."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods = by_path.setdefault(operation.path, {})
        assert operation.method not in methods, f"{operation.method} {operation.path} is declared twice"  # noqa: S101
        methods[operation.method] = operation
    return [_route(path, by_path[path], admit) for path in sorted(by_path, key=lambda path: (path.count("{"), path))]


def _route(path: str, methods: Mapping[str, Operation], admit: Admit) -> BaseRoute:
    async def endpoint(request: Request) -> Response:
        return await perform(methods["GET" if request.method == "HEAD" else request.method], request, admit)

    return Route(path, endpoint, methods=list(methods))


async def perform(operation: Operation, request: Request, admit: Admit) -> Response:
    """Admit, read, run and answer one request. Raises ProblemError, InvalidField and InvalidFields."""
    note_operation(request.scope, f"{operation.method} {request.scope.get('root_path', '')}{operation.path}")
    async with operation.around(request) if operation.around else contextlib.nullcontext():
        result = await operation.run(await _call(operation, request, admit))
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(result)
    status = reply.status or next(iter(operation.answers))
    if reply.body is None:
        return Response(status_code=status, headers=dict(reply.headers))
    return answer(reply.body, status, dict(reply.headers))


async def _call(operation: Operation, request: Request, admit: Admit) -> Call[Any, Any]:
    person = None if operation.role is None else await admit(request, operation.role, operation.tag)
    if person is not None:
        if person.by != "anonymous":
            note_person(request.scope, person.name)
        for scope in operation.reaches:
            demand_scope(person, scope)
    query = _read_query(request, operation)
    path = _read_path(request, operation)
    expected = _expected(request, operation)
    body: Any = None
    if operation.body is not None and (operation.body_required or has_body(request)):
        body = await _read_body(request, operation.body)
    return Call(operation, request, person, query, body, path, expected)


async def _read_body(request: Request, kind: Any) -> Any:
    """Raises ProblemError and InvalidFields."""
    if isinstance(kind, Media):
        return await read_bytes(request, kind.types, kind.most_bytes)
    return await read_json(request, kind)


def _read_query(request: Request, operation: Operation) -> Struct:
    """The query parameters. Raises InvalidFields, naming each that is unknown, repeated or wrong."""
    known = operation.parameters
    values: dict[str, Any] = {}
    faults: list[InvalidField] = []
    for name, text in request.query_params.multi_items():
        parameter = known.get(name)
        if parameter is None and operation.ignores_unknown:
            continue
        if parameter is None:
            # Without its text: a misspelt or misplaced one may be a secret.
            listed = f"known parameters are {', '.join(known)}" if known else "this path takes none"
            faults.append(InvalidField(name[:100], None, f"unknown parameter; {listed}"))
        elif parameter.field in values:
            faults.append(InvalidField(name, _shown(text, parameter.type), "must be given once"))
        else:
            try:
                values[parameter.field] = _plain(text, parameter.type)
            except msgspec.ValidationError:
                remedy = f"must be {allowed(parameter.type)}"
                faults.append(InvalidField(name, _shown(text, parameter.type), remedy))
    wrong = {fault.field for fault in faults}
    for name, parameter in known.items():
        if parameter.required and parameter.field not in values and name not in wrong:
            faults.append(InvalidField(name, None, f"required; must be {allowed(parameter.type)}"))
    if faults:
        raise InvalidFields(faults[:50])
    return operation.query(**values)


def _shown(text: str, type: Any) -> str | None:
    """What a fault repeats of a parameter's text."""
    return None if is_secret(type) else text[:100]


def _plain(text: str, type: Any) -> Any:
    """A parameter's text as its type. Raises msgspec.ValidationError."""
    value = msgspec.convert(text, type, strict=False)
    if isinstance(value, float) and not math.isfinite(value):
        raise msgspec.ValidationError("not a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and not _WHOLE.match(text):
        raise msgspec.ValidationError("not written as a whole number")
    return value


def _read_path(request: Request, operation: Operation) -> dict[str, Any]:
    """Raises ProblemError 404: what is not of its type names nothing."""
    read: dict[str, Any] = {}
    for name, text in request.path_params.items():
        kind = operation.path_types.get(name, str)
        try:
            read[name] = _plain(text, kind)
        except msgspec.ValidationError:
            what = name.replace("_", "-")
            detail = f"{what} {text[:60]!r} does not exist; it must be {allowed(kind)}"
            raise ProblemError(404, detail, type=f"/problems/unknown-{what}") from None
    return read


def _expected(request: Request, operation: Operation) -> int | None:
    """Raises ProblemError 400 and 428."""
    if operation.match == "none":
        return None
    if operation.match == "required" and "if-match" not in request.headers:
        raise ProblemError(
            428,
            'If-Match is required: give the version that was read, such as "3" from its ETag, or * to replace any',
            type="/problems/version-required",
        )
    return if_match(request)
