"""Everything that REST offers about people."""

from __future__ import annotations

from collections.abc import Callable

from services.gateway.http.operations import Operation
from services.gateway.people.api_audit import audit_operations
from services.gateway.people.api_oidc import oidc_operations
from services.gateway.people.api_preferences import preference_operations
from services.gateway.people.api_second import second_factor_operations
from services.gateway.people.api_session import session_operations
from services.gateway.people.api_sessions import sessions_operations
from services.gateway.people.api_tokens import api_token_operations
from services.gateway.people.api_users import user_operations
from services.gateway.people.api_views import view_operations
from services.gateway.people.people import People


def people_operations(people: People, address: Callable[[], str]) -> list[Operation]:
    """`address`: where people open the dashboard, for the links that they send on."""
    return [
        *session_operations(people),
        *oidc_operations(people, people.provider),
        *second_factor_operations(people),
        *sessions_operations(people),
        *user_operations(people, address),
        *api_token_operations(people),
        *view_operations(people),
        *preference_operations(people),
        *audit_operations(people),
    ]
