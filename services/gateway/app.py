"""The application: the operations below /api/v1, what stands beside them, the guard in front, what errors become."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Mount

from infra.addresses import is_loopback
from infra.certificates.names import machine_names
from schemas.people import Role
from schemas.rules import InvalidField, InvalidFields
from services.gateway.enrolment.install import install_routes
from services.gateway.enrolment.wheels import folder
from services.gateway.held import Held
from services.gateway.http.dashboard import dashboard_routes
from services.gateway.http.encryption import ca_routes
from services.gateway.http.guard import LOOPBACK_NAMES, Guard, Names, host_name
from services.gateway.http.person import Admit, Person
from services.gateway.http.problems import (
    ProblemError,
    on_bug,
    on_http_error,
    on_invalid_field,
    on_invalid_fields,
    on_problem,
)
from services.gateway.http.routing import routes
from services.gateway.resources import operations


async def somebody_here(request: Request, role: Role) -> Person:
    """Whoever the guard lets through is at this machine, and may all."""
    return Person("anonymous", "admin", "anonymous", request.client.host if request.client else "")


def create_app(held: Held, admit: Admit = somebody_here) -> Starlette:
    """The application on top of what the service holds; `admit` says who asks and whether they may."""
    declared = operations(held)
    at_root = [operation for operation in declared if operation.path.startswith("/health/")]
    return Starlette(
        routes=[
            Mount("/api/v1", routes=routes(declared, admit)),
            *routes(at_root, admit),
            *ca_routes(held.settings),
            *install_routes(folder(held.settings), held.reach),
            *dashboard_routes(),
        ],
        middleware=[Middleware(Guard, names=_names(held), in_front=held.settings.tls == "in-front")],
        exception_handlers={
            ProblemError: on_problem,
            InvalidField: on_invalid_field,
            InvalidFields: on_invalid_fields,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )


def _names(held: Held) -> Callable[[], Names]:
    """Where the gateway is opened: at its address, and at those that the settings name."""
    reachable = not is_loopback(held.settings.http_host)
    always = LOOPBACK_NAMES | frozenset(machine_names() if reachable else ())

    def names() -> Names:
        told = (urlsplit(url).netloc for url in (held.settings.public_url, held.runtime.settings.dashboard_url))
        more = filter(None, map(host_name, (held.settings.http_host, *told)))
        return Names(always | frozenset(more), addresses=reachable)

    return names
