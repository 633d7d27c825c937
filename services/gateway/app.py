"""The application: the operations below /api/v1, what stands beside them, the guard in front, what errors become."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from schemas.rules import InvalidField, InvalidFields
from services.gateway.held import Held
from services.gateway.http.counting import Counting
from services.gateway.http.dashboard import dashboard_routes
from services.gateway.http.guard import Guard
from services.gateway.http.openapi import PREFIX, with_document
from services.gateway.http.problems import (
    ProblemError,
    on_bug,
    on_http_error,
    on_invalid_field,
    on_invalid_fields,
    on_problem,
)
from services.gateway.http.routing import routes
from services.gateway.people.admit import admission
from services.gateway.resources import operations, root_operations


def create_app(held: Held) -> Starlette:
    """The application on top of what the service holds."""
    admit = admission(held.people)
    at_root = root_operations(held)
    return Starlette(
        routes=[
            Mount(PREFIX, routes=routes(with_document(operations(held), at_root), admit)),
            *routes(at_root, admit),
            *dashboard_routes(),
        ],
        middleware=[Middleware(Counting, answered=held.answered), Middleware(Guard, settings=held.settings)],
        exception_handlers={
            ProblemError: on_problem,
            InvalidField: on_invalid_field,
            InvalidFields: on_invalid_fields,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )
