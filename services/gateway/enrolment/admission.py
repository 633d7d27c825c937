"""Enrolment: a token and a public key for a host id, in one transaction.

Idempotent by the public key: an agent that was killed between our commit and its reading of the answer asks again.
The JWT is signed after the commit, from what the transaction noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from infra.storage.database import Connection
from schemas.enrolment import EnrolRequest, matches
from services.gateway.enrolment.tokens import free_name, token_hash, token_state, wished_name
from services.gateway.http.problems import ProblemError
from services.gateway.identities import sql
from services.gateway.identities.issuing import Issue, refuse_unless_issuable
from services.gateway.identities.revocation import revoke_host

MOST_TRIES = 20
"""Names that others may take from under us, one after the other, before we give up."""
_LOOK_AT = 30
"""Names that begin with so many characters of the wished one are looked at for a free number."""


class Admitted(Struct, frozen=True):
    """What enrolment came to."""

    issue: Issue
    replaced: bool
    """Whether the host's former identity was revoked: servers have to be told."""
    new: bool
    """False when it had enrolled before and asked again."""


async def admit(database: Connection, request: EnrolRequest, issued_s: int, life_s: int) -> Admitted:
    """Make `request`, whose key and name are valid, a host. Raises ProblemError, and what the database raises."""
    async with database.transaction():
        token = await database.fetchrow(sql.LOCK_TOKEN, token_hash(request.token))
        if token is None:
            raise ProblemError(
                401, "the token is not known; ask whoever runs Sonde for a new one", type="/problems/enrolment-unknown"
            )
        state = token_state(token["uses"], token["used"], token["expires"], token["withdrawn"], token["asked"])
        if state == "withdrawn":
            raise ProblemError(
                403,
                "the token was withdrawn; ask whoever runs Sonde for a new one",
                type="/problems/enrolment-withdrawn",
            )
        known = await database.fetchrow(sql.LOCK_IDENTITY, request.public_key)
        if known is not None:
            return await _again(database, known, token["id"], issued_s, life_s)
        if await database.fetchval(sql.IS_REVOKED, request.public_key):
            raise ProblemError(403, "the key was revoked; make a new one", type="/problems/enrolment-key")
        if state == "expired":
            raise ProblemError(
                403, "the token has expired; ask whoever runs Sonde for a new one", type="/problems/enrolment-expired"
            )
        if state == "used":
            raise ProblemError(
                403, "the token was used already; ask whoever runs Sonde for a new one", type="/problems/enrolment-used"
            )
        if token["host_id"] is None:
            host_id, host = await _new_host(database, token, request.name)
            replaced = False
        else:
            host_id, host, replaced = await _rejoin(database, token)
        issue = Issue(request.public_key, host, issued_s, issued_s + life_s)
        await database.execute(
            sql.ADD_IDENTITY, issue.public_key, host_id, host, token["id"], issue.issued_s, issue.expires_s
        )
        await database.fetchval(sql.USE_TOKEN, token["id"])
        return Admitted(issue, replaced, new=True)


async def _again(database: Connection, known: Any, token_id: int, issued_s: int, life_s: int) -> Admitted:
    """The same key once more: with the token that it used, the same answer."""
    refuse_unless_issuable(known)
    if known["token_id"] != token_id:
        raise ProblemError(
            403,
            "the key has an identity by another token; make a new key, or renew its identity",
            type="/problems/enrolment-key",
        )
    issue = Issue.of(known, issued_s, life_s)
    await database.execute(sql.ISSUE, issue.public_key, issue.issued_s, issue.expires_s)
    return Admitted(issue, replaced=False, new=False)


async def _new_host(database: Connection, token: Any, name: str) -> tuple[int, str]:
    """A host of a name that nobody has. Raises ProblemError."""
    pattern, tags = token["name_pattern"], token["tags"]
    wished = wished_name(name, pattern)
    if not matches(wished, pattern):
        raise ProblemError(
            403,
            f"the token is for names like {pattern}, not for {wished!r}; set another name",
            type="/problems/enrolment-name",
        )
    for _ in range(MOST_TRIES):
        taken = {row["name"] for row in await database.fetch(sql.NAMES_LIKE, wished[:_LOOK_AT])}
        host = free_name(wished, taken, pattern)
        if not host:
            raise ProblemError(
                403,
                f"{wished!r} is taken, and the token is for names like {pattern} only",
                type="/problems/enrolment-name",
            )
        host_id = await database.fetchval(sql.ADD_HOST, host, tags)
        if host_id is not None:
            return host_id, host
    raise ProblemError(503, "too many machines of that name at once; retry", headers={"Retry-After": "2"})


async def _rejoin(database: Connection, token: Any) -> tuple[int, str, bool]:
    """The host that the token is for, whose former identity ends here. Raises ProblemError."""
    host = await database.fetchrow(sql.LOCK_HOST, token["host_id"])
    if host is None or host["state"] == "removing":
        raise ProblemError(
            403, "the host that the token is for is being removed; ask for a new token", type="/problems/enrolment-host"
        )
    replaced: Sequence[str] = await revoke_host(database, host["id"], "replaced by a new identity")
    await database.execute(sql.REJOIN_HOST, host["id"], token["tags"])
    return host["id"], host["name"], bool(replaced)
