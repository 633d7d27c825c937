"""Who makes a request: by `Authorization: Bearer`, by the session of its cookie, whom a proxy names, else anybody."""

from __future__ import annotations

from starlette.requests import Request

from schemas.people import Role, Scope
from services.gateway.http.person import Admit, Person, address_of
from services.gateway.http.problems import ProblemError
from services.gateway.http.scopes import CHALLENGE, demand_scope
from services.gateway.people.byproxy import by_proxy
from services.gateway.people.cookies import secret_in
from services.gateway.people.people import People
from services.gateway.people.sessions import find

ANYBODY = "anybody"
"""What somebody without a login is called."""


def admission(people: People) -> Admit:
    """What every operation asks first."""

    async def admit(request: Request, role: Role, scope: Scope) -> Person:
        person = await identify(people, request)
        if person is None:
            raise unknown_person()
        if not person.may(role):
            raise too_low(person, role)
        demand_scope(person, scope)
        return person

    return admit


async def identify(people: People, request: Request) -> Person | None:
    """Who makes the request; None when nobody in particular, who may not read either.

    Changes by a cookie come from our own pages: the guard sees to that. Raises ProblemError: 401 for a wrong token, 429
    and 503 as `sessions.find` does.
    """
    address = address_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":  # other schemes are for a proxy in front of us
        held = await find(people, "token", secret.strip(), address)
        if held is None:
            raise wrong_token()
        return held.person(address)
    secret = secret_in(request, people.secure)
    held = await find(people, "session", secret, address) if secret else None
    if held is not None:
        return held.person(address)
    person = await by_proxy(people, request)
    if person is not None:
        return person
    return Person(ANYBODY, "viewer", "anonymous", address) if people.anonymous else None


def unknown_person() -> ProblemError:
    return ProblemError(
        401,
        "log in at the dashboard, or send an API token: Authorization: Bearer ...; `sonde token add` makes one",
        type="/problems/login-required",
        headers={"WWW-Authenticate": CHALLENGE},
    )


def wrong_token() -> ProblemError:
    return ProblemError(
        401,
        "the API token is unknown, expired or revoked; make one with `sonde token add` or in the dashboard",
        type="/problems/token",
        headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
    )


def too_low(person: Person, role: Role) -> ProblemError:
    if person.by == "anonymous":
        return unknown_person()
    kind = "token" if person.by == "token" else "account"
    return ProblemError(
        403,
        f"this needs the role {role}, and the {kind} {person.name!r} has the role {person.role}; "
        "an administrator can change that",
        type="/problems/role",
    )


def may_end(person: Person) -> None:
    """Raises ProblemError 403 for programs that do not manage people: they end no session, and no other token."""
    if person.by == "token" and not person.may("admin"):
        own_account(person)


def in_person(person: Person, instead: str) -> None:
    """Raises ProblemError 403 for programs, which makes nobody more than they are; `instead`: what to do."""
    if person.by == "token":
        raise ProblemError(403, f"API tokens may not do this: {instead}", type="/problems/needs-login")


def no_account() -> ProblemError:
    return ProblemError(409, "this account was just deleted or disabled", type="/problems/no-account")


def own_account(person: Person) -> int:
    """The number of the user who asks in person. Raises ProblemError 403 for programs and anybody."""
    if person.user_id is None or person.by == "token":
        raise ProblemError(403, "this needs a login: API tokens may not do it", type="/problems/needs-login")
    return person.user_id


def some_account(person: Person) -> int:
    """The number of the user who asks, in person or by a token of theirs. Raises ProblemError 403 for all others."""
    if person.user_id is None:
        detail = "this needs an account: log in, or send a token of a user"
        raise ProblemError(403, detail, type="/problems/needs-login")
    return person.user_id
