"""Who asks: a person with a session, a program with a token, or anybody where reading is open to all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from msgspec import Struct
from starlette.requests import Request

from schemas.people import Role, Scope, may

By = Literal["session", "token", "proxy", "anonymous"]


class Person(Struct, frozen=True):
    """Who a request is made by, as far as it is known to be true."""

    name: str
    """What the audit log and the list of viewers call them."""
    role: Role
    by: By
    address: str = ""
    """Where the request comes from, as trusted proxies tell it."""
    user_id: int | None = None
    session_id: int | None = None
    token_id: int | None = None
    scopes: tuple[str, ...] = ()
    """Of a token: the parts of the API that it may use; empty: all of them."""

    def may(self, role: Role) -> bool:
        return may(self.role, role)

    def uses(self, scope: Scope) -> bool:
        return not self.scopes or scope in self.scopes


Admit = Callable[[Request, Role, Scope], Awaitable[Person]]
"""Who makes the request. Raises ProblemError 401 when that is not known, 403 for too low a role or a missing scope."""


def address_of(request: Request) -> str:
    """Where a request comes from; empty when that is not known."""
    return address_in(request.scope)


def address_in(scope: Mapping[str, Any]) -> str:
    """The same by the request's scope of ASGI."""
    client = scope.get("client")
    return str(client[0]) if client else ""
