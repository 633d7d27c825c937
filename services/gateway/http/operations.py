"""Operations: what a request may carry, who may make it and what it answers, each declared once.

From a declaration come routing, reading and validating, the check of the role, and the OpenAPI document. A handler gets
a `Call` in which everything has its declared type, and returns the body of its declared answer, a `Reply` with headers,
or a Response of its own such as a stream.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from schemas.people import Role
from schemas.rules import InvalidField, InvalidFields
from schemas.validation import allowed
from services.gateway.http.person import Admit, Person
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import answer, has_body, if_match, read_json

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Tag = Literal[
    "hosts", "history", "live", "agents", "identities", "alerting", "settings", "people", "health", "catalogue"
]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


NOTHING = Nothing()
Q = TypeVar("Q", bound=Struct)
B = TypeVar("B")


class Call(Generic[Q, B]):
    """One request to an operation, read and validated."""

    def __init__(
        self,
        operation: Operation,
        request: Request,
        person: Person | None,
        query: Q,
        body: B,
        path: Mapping[str, Any],
        expected: int | None,
    ) -> None:
        self.operation = operation
        self.request = request
        self._person = person
        self.query = query
        self.body = body
        self.path = path
        """Parameters in the path by name, each of its declared type."""
        self.expected = expected
        """The version that If-Match names; None for any."""

    @property
    def person(self) -> Person:
        """Who asks; only operations that everybody may ask have nobody."""
        assert self._person is not None, "an operation without a role asked who calls"  # noqa: S101
        return self._person


class Reply(Struct, frozen=True):
    """A body with a status other than the declared one, or with headers."""

    body: Any
    status: int = 0
    """0: the one declared first."""
    headers: Mapping[str, str] = {}

    @classmethod
    def versioned(cls, body: Any, version: int, status: int = 0) -> Reply:
        """`body` with its version as ETag."""
        return cls(body, status, {"ETag": f'"{version}"'})


class Media(Struct, frozen=True):
    """An answer that is not JSON."""

    types: tuple[str, ...]
    meaning: str


class Operation(Struct, frozen=True):
    """One method of one path below /api/v1."""

    method: Method
    path: str
    run: Callable[[Call[Any, Any]], Awaitable[Any]]
    tag: Tag
    summary: str
    """What it does, in one line without a full stop."""
    role: Role | None
    """The least one that may; None: everybody, without a login."""
    answers: Mapping[int, Any]
    """Status -> type of the body, None for none, or Media; the first is what a bare body is answered with."""
    query: type[Struct] = Nothing
    """A Struct of which each field is a query parameter; all are optional or have defaults unless required."""
    body: Any = None
    """The type of the JSON body; None: no body is read."""
    body_required: bool = True
    path_types: Mapping[str, Any] = {}
    """Types of parameters in the path, `str` for those that are not named."""
    match: Literal["none", "optional", "required"] = "none"
    """Whether a version in If-Match is heeded, or demanded (428 without one)."""
    refuses: tuple[int, ...] = ()
    """Statuses of problems besides those that the other fields imply."""
    headers: Mapping[str, str] = {}
    """Further request headers that are heeded, with their meaning."""
    audited: bool = True
    """Whether a change by it is in the audit log; reading never is."""
    description: str = ""

    @property
    def id(self) -> str:
        """Its name in OpenAPI, such as `get_hosts_host_series`."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "_").strip("/").split("/")
        return "_".join([self.method.lower(), *words])

    @property
    def name(self) -> str:
        """Its name in the audit log, such as `PATCH /hosts/{host}`."""
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method != "GET"


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
    """Admit, read, run and answer one request. Raises ProblemError and InvalidFields."""
    person = None if operation.role is None else await admit(request, operation.role)
    query = read_query(request, operation.query)
    path = _read_path(request, operation)
    expected = _expected(request, operation)
    body: Any = None
    if operation.body is not None and (operation.body_required or has_body(request)):
        body = await read_json(request, operation.body)
    result = await operation.run(Call(operation, request, person, query, body, path, expected))
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(result)
    status = reply.status or next(iter(operation.answers))
    if reply.body is None:
        return Response(status_code=status, headers=dict(reply.headers))
    return answer(reply.body, status, dict(reply.headers))


def read_query(request: Request, type: type[Q]) -> Q:
    """The query parameters as `type`. Raises InvalidFields, naming each that is unknown, repeated or wrong."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(type)}
    values: dict[str, Any] = {}
    faults: list[InvalidField] = []
    for name, text in request.query_params.multi_items():
        field = fields.get(name)
        if field is None:
            known = f"known parameters are {', '.join(fields)}" if fields else "this path takes none"
            faults.append(InvalidField(name[:100], text[:100], f"unknown parameter; {known}"))
        elif field.name in values:
            faults.append(InvalidField(name, text[:100], "must be given once"))
        else:
            try:
                values[field.name] = _plain(text, field.type)
            except msgspec.ValidationError:
                faults.append(InvalidField(name, text[:100], f"must be {allowed(field.type)}"))
    for name, field in fields.items():
        if field.required and not any(fault.field == name for fault in faults) and field.name not in values:
            faults.append(InvalidField(name, None, f"required; must be {allowed(field.type)}"))
    if faults:
        raise InvalidFields(faults[:50])
    return type(**values)


def _plain(text: str, type: Any) -> Any:
    """A parameter's text as its type. Raises msgspec.ValidationError."""
    value = msgspec.convert(text, type, strict=False)
    if isinstance(value, float) and not math.isfinite(value):
        raise msgspec.ValidationError("not a finite number")
    return value


def _read_path(request: Request, operation: Operation) -> dict[str, Any]:
    """Raises ProblemError 404: what is not of its type names nothing."""
    read: dict[str, Any] = {}
    for name, text in request.path_params.items():
        kind = operation.path_types.get(name, str)
        try:
            read[name] = _plain(text, kind)
        except msgspec.ValidationError:
            detail = f"{name} {text[:60]!r} does not exist; it must be {allowed(kind)}"
            raise ProblemError(404, detail, type="/problems/unknown") from None
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
