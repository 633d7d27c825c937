"""`/sessions`: where somebody is logged in, and ending that."""

from __future__ import annotations

from msgspec import Struct

from schemas.people import Number, Sessions
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.person import Person
from services.gateway.http.problems import ProblemError
from services.gateway.people import sql_sessions
from services.gateway.people.admit import may_end
from services.gateway.people.people import People
from services.gateway.people.shown import session_of


class Whose(Struct, frozen=True):
    """`all`: of everybody, for administrators."""

    all: bool = False


def sessions_operations(people: People) -> list[Operation]:
    async def list_sessions(call: Call[Whose, None]) -> Sessions:
        whose = whose_of(call.person, call.query)
        async with connected(people.pool) as database:
            rows = await database.fetch(sql_sessions.SESSIONS, whose)
        return Sessions([session_of(row, call.person.session_id) for row in rows])

    async def end_session(call: Call[Nothing, None]) -> Reply:
        number = call.path["session"]
        async with connected(people.pool) as database, database.transaction():
            row = await database.fetchrow(sql_sessions.SESSION_OF, number)
            if row is None or not is_theirs(call.person, row["user_id"]):
                raise ProblemError(404, f"session {number} does not exist", type="/problems/unknown-session")
            may_end(call.person)
            await database.execute(sql_sessions.END, number)
            await record(database, call, row["name"], {"session": number})
        await people.over(("session", number))
        return Reply(None)

    return [
        Operation(
            "GET",
            "/sessions",
            list_sessions,
            "people",
            "Where one is logged in",
            "viewer",
            {200: Sessions},
            query=Whose,
        ),
        Operation(
            "DELETE",
            "/sessions/{session}",
            end_session,
            "people",
            "End a session, and its live streams",
            "viewer",
            {204: None},
            path_types={"session": Number},
        ),
    ]


def whose_of(person: Person, query: Whose) -> int | None:
    """Of which user to list; None: of all. Raises ProblemError 403."""
    if query.all:
        if not person.may("admin"):
            raise ProblemError(403, "all=true needs the role admin; leave it out for your own", type="/problems/role")
        return None
    return person.user_id if person.user_id is not None else 0  # nobody has that number


def is_theirs(person: Person, user_id: int) -> bool:
    """Whether `person` may end what that user has."""
    return person.may("admin") or person.user_id == user_id
