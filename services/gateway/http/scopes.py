"""Scopes: the parts of the API to which a token may be restricted."""

from __future__ import annotations

from schemas.people import Scope
from services.gateway.http.person import Person
from services.gateway.http.problems import ProblemError

CHALLENGE = 'Bearer realm="Sonde"'


def demand_scope(person: Person, scope: Scope) -> None:
    """Raises ProblemError 403 for a token that is restricted to other parts (RFC 6750, 3.1).

    Each operation's own is asked for before it runs; one that reaches into another part asks for that, too.
    """
    if person.uses(scope):
        return
    raise ProblemError(
        403,
        f"this needs the scope {scope}, and the token has only {', '.join(person.scopes)}; make one that has it, as "
        f"by `sonde token add --scope {scope}`",
        type="/problems/scope",
        headers={"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
    )
