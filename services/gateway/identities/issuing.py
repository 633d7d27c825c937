"""Identities of agents: who gets a JWT, proven by the key; signing it; and asking how things stand."""

from __future__ import annotations

import base64
import binascii
import math
from pathlib import Path
from typing import Any

from msgspec import Struct

from infra.authority.authority import SIGNING, Authority, AuthorityError
from infra.authority.keys import verifies
from infra.clock import to_ms
from infra.storage.database import Connection
from schemas.enrolment import Enrolment, HostIdentity, IdentityState, Proof, proof_text
from services.gateway.http.problems import ProblemError, unavailable
from services.gateway.identities import sql
from services.gateway.identities.challenge import challenge_secret, is_good
from services.gateway.identities.reach import Reach

ROLE = "agent"


class Issue(Struct, frozen=True):
    """A JWT to be signed."""

    public_key: str
    host: str
    issued_s: int
    expires_s: int

    @classmethod
    def of(cls, identity: Any, issued_s: int, life_s: int) -> Issue:
        """One more for a known identity, issued after whatever was revoked of it."""
        revoked_at = identity["revoked_at"]
        issued_s = issued_s if revoked_at is None else max(issued_s, int(revoked_at.timestamp()) + 1)
        return cls(identity["public_key"], identity["host"], issued_s, issued_s + life_s)


def open_authority(directory: Path) -> Authority:
    """The authority as it is now: keys are replaced while we run. Raises ProblemError 503."""
    try:
        authority = Authority(directory)
        authority.role_key(ROLE)
    except AuthorityError as error:
        detail = f"the gateway makes no identities: {error}; or set SONDE_AUTHORITY to its directory"
        raise unavailable(detail, "/problems/no-authority", 60) from None
    return authority


def enrolled(authority: Authority, issue: Issue, reach: Reach) -> Enrolment:
    """The answer to an agent: its JWT, signed, and where everything is."""
    jwt = authority.sign_user(ROLE, issue.public_key, issue.host, issue.issued_s, issue.expires_s)
    page = reach.page(issue.host)
    return Enrolment(issue.host, jwt, issue.issued_s, issue.expires_s, list(reach.bus), reach.ca_pem, page)


def secret_of(authority: Authority) -> bytes:
    """Behind the challenges of every gateway with this authority. Raises ProblemError 503."""
    try:
        return challenge_secret(authority.key(SIGNING).seed)
    except AuthorityError as error:
        raise unavailable(str(error), "/problems/no-authority", 60) from None


def require_proof(secret: bytes, proof: Proof, now_s: float) -> None:
    """Raise ProblemError 401 unless the owner of the key answered a challenge of ours in time."""
    if not is_good(secret, proof.challenge, now_s):
        raise ProblemError(401, "the challenge is not ours or too old; ask for a new one", type="/problems/challenge")
    try:
        signature = base64.b64decode(proof.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not verifies(proof.public_key, signature, proof_text(proof.challenge)):
        detail = "the signature does not fit key and challenge; sign proof_text(challenge) with the agent's seed"
        raise ProblemError(401, detail, type="/problems/proof")


def refuse_unless_issuable(identity: Any) -> None:
    """Raise ProblemError unless the identity may get a JWT: 403 when it is revoked, 429 while it is suspended."""
    suspended = identity["suspended"]
    gone = identity["revoked"] is not None or identity["host_id"] is None
    if gone or (identity["revoked_at"] is not None and suspended is None):
        reason = f" ({identity['reason']})" if identity["reason"] else ""
        detail = f"the identity of {identity['host']} was revoked{reason}; enrol with a new token and a new key"
        raise ProblemError(403, detail, type="/problems/identity-revoked")
    if suspended is not None and suspended > identity["asked"]:
        wait_s = math.ceil((suspended - identity["asked"]).total_seconds())
        raise ProblemError(
            429,
            f"{identity['host']} flooded the bus and is suspended for {wait_s} s more",
            type="/problems/identity-suspended",
            headers={"Retry-After": str(wait_s)},
        )


async def renew(database: Connection, public_key: str, issued_s: int, life_s: int) -> Issue:
    """One more JWT for the owner of the key. Raises ProblemError 403 and 429, and what databases raise."""
    async with database.transaction():
        identity = await _identity(database, public_key)
        refuse_unless_issuable(identity)
        issue = Issue.of(identity, issued_s, life_s)
        await database.execute(sql.ISSUE, public_key, issue.issued_s, issue.expires_s)
    return issue


async def state_of(database: Connection, public_key: str, reach: Reach) -> IdentityState:
    """How the owner of the key stands. Raises ProblemError 403, and what databases raise."""
    identity = await _identity(database, public_key)
    if identity["suspended"] is None:
        refuse_unless_issuable(identity)
    last = identity["last_sample"]
    return IdentityState(identity["host"], None if last is None else to_ms(last), reach.page(identity["host"]))


async def _identity(database: Connection, public_key: str) -> Any:
    identity = await database.fetchrow(sql.LOCK_IDENTITY, public_key)
    if identity is None:
        raise ProblemError(403, "the key has no identity here; enrol with a token", type="/problems/identity-unknown")
    return identity


def as_people_see(row: Any, now_ms: int) -> HostIdentity:
    """A row of `identities`."""
    suspended = None if row["suspended"] is None else to_ms(row["suspended"])
    return HostIdentity(
        public_key=row["public_key"],
        enrolled=to_ms(row["enrolled"]),
        issued=to_ms(row["issued"]),
        expires=to_ms(row["expires"]),
        revoked=None if row["revoked"] is None else to_ms(row["revoked"]),
        cloned=None if row["cloned"] is None else to_ms(row["cloned"]),
        refused=row["refused"],
        suspended=suspended if suspended is not None and suspended > now_ms else None,
    )
