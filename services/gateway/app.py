"""The application: the operations below /api/v1, what stands beside them, the guard in front, what errors become."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Mount

from schemas.people import Role
from schemas.rules import InvalidField, InvalidFields
from services.gateway.enrolment.install import install_routes
from services.gateway.enrolment.wheels import folder
from services.gateway.held import Held
from services.gateway.http.dashboard import dashboard_routes
from services.gateway.http.encryption import ca_routes
from services.gateway.http.guard import Guard
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
        middleware=[Middleware(Guard, settings=held.settings)],
        exception_handlers={
            ProblemError: on_problem,
            InvalidField: on_invalid_field,
            InvalidFields: on_invalid_fields,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )
