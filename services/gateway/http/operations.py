"""Operations: what a request may carry, who may make it and what it answers, each declared once.

From a declaration come routing, reading and validating, the check of the role (`routing`), and the OpenAPI document
(`openapi`). A handler gets a `Call` in which everything has its declared type, and returns the body of its declared
answer, a `Reply` with headers, or a Response of its own such as a stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct
from starlette.requests import Request

from schemas.people import Role, Scope
from services.gateway.http.person import Person
from services.gateway.http.requests import MAX_BODY_BYTES

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


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
    """An answer, or a body, that is not JSON."""

    types: tuple[str, ...]
    meaning: str
    most_bytes: int = MAX_BODY_BYTES
    """Of a body."""
    events: Mapping[str, Any] = {}
    """Of a stream of events: the type of the data of each, by its name."""


class Operation(Struct, frozen=True):
    """One method of one path: below /api/v1, or of the few at the root."""

    method: Method
    path: str
    run: Callable[[Call[Any, Any]], Awaitable[Any]]
    tag: Scope
    """What it belongs to: a token may be restricted to some of them."""
    summary: str
    """What it does, in one line without a full stop."""
    role: Role | None
    """The least one that may; None: everybody, without a login."""
    answers: Mapping[int, Any]
    """Status -> type of the body, None for none, or Media; the first is what a bare body is answered with."""
    query: type[Struct] = Nothing
    """A Struct of which each field is a query parameter; all are optional or have defaults unless required."""
    body: Any = None
    """The type of the JSON body, or Media for one that is read as bytes; None: no body is read."""
    body_required: bool = True
    ignores_unknown: bool = False
    """Whether query parameters that it does not know are passed over: its addresses are made by others."""
    reaches: tuple[Scope, ...] = ()
    """Further parts of the API whose things it shows or changes: a restricted token needs those scopes, too."""
    path_types: Mapping[str, Any] = {}
    """Types of parameters in the path, `str` for those that are not named."""
    match: Literal["none", "optional", "required"] = "none"
    """Whether a version in If-Match is heeded, or demanded (428 without one)."""
    refuses: tuple[int, ...] = ()
    """Statuses of problems besides those that the other fields imply."""
    headers: Mapping[str, str] = {}
    """Further request headers that are heeded, with their meaning."""
    around: Callable[[Request], AbstractAsyncContextManager[None]] | None = None
    """Entered before anything is read and left with what was raised, such as to count failures."""
    audited: bool = True
    """Whether a change by it is in the audit log; reading never is."""
    description: str = ""

    @property
    def id(self) -> str:
        """Its name in OpenAPI, such as `get_hosts_host_series`."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "_").strip("/").split("/")
        return "_".join([self.method.lower(), *words])

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Its query parameters by the names they have in requests."""
        return parameters_of(self.query)

    @property
    def name(self) -> str:
        """Its name in the audit log, such as `PATCH /hosts/{host}`."""
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method != "GET"


class Parameter(Struct, frozen=True):
    """One query parameter."""

    field: str
    """Its name in the Struct."""
    type: Any
    """Of the value that is given."""
    required: bool
    default: Any


@cache
def parameters_of(query: type[Struct]) -> Mapping[str, Parameter]:
    """Made once for each type: reading its annotations takes half a millisecond."""
    return {
        field.encode_name: Parameter(field.name, _given(field.type), field.required, field.default)
        for field in msgspec.structs.fields(query)
    }


def _given(kind: Any) -> Any:
    """The type of a parameter that is given: `kind` without the None of one that is left out."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    return Union[tuple(part for part in get_args(kind) if part is not NoneType)]  # noqa: UP007  (of a tuple)
