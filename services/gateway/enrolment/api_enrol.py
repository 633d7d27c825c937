"""`/enrol` and `/identity/...`: what machines ask, without a login.

Anybody may try, so each try costs little, failures are counted and limited by address, and only so many are served at
once; the others wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from msgspec import Struct
from starlette.requests import Request

from infra.addresses import neighbourhood
from infra.authority.authority import Authority
from infra.authority.keys import is_public_user_key
from infra.storage.database import Pool
from schemas.enrolment import Challenge, Enrolment, EnrolRequest, IdentityState, Proof, name_fault
from schemas.rules import InvalidField, InvalidFields
from services.gateway.enrolment.admission import admit
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, unavailable
from services.gateway.identities.challenge import make_challenge
from services.gateway.identities.issuing import enrolled, open_authority, renew, require_proof, secret_of, state_of
from services.gateway.identities.reach import Reach
from services.gateway.identities.refused import Refusals
from services.gateway.identities.throttle import Throttle

AT_ONCE = 4
"""Of the pool's connections; people have the others."""
MOST_WAITING = 5000
WAIT_S = 20.0
"""For a connection to the database, of which there are enough unless it is slow."""
_COUNTED = (400, 401, 403, 413, 415)
"""Answers that count as failures of whoever asked."""


class Desk(Struct):
    """What these operations share."""

    pool: Pool
    authority: Path
    """Directory of the keys."""
    reach: Callable[[], Reach]
    identity_days: float
    refusals: Refusals
    revoked: asyncio.Event
    """Set when servers are to be told of a revocation."""
    joined: asyncio.Event
    """Set when a machine has joined: until hosts are read again, one of that name may count as removed or archived."""


def enrol_operations(desk: Desk) -> list[Operation]:
    gate = Gate(desk)
    life_s = max(1, round(desk.identity_days * 86_400))

    async def enrol(call: Call[Nothing, EnrolRequest]) -> Reply:
        wanted = call.body
        async with gate.turn():
            check_request(wanted)
            authority = open_authority(desk.authority)
            async with connected(desk.pool, WAIT_S) as database:
                admitted = await admit(database, wanted, int(time.time()), life_s)
            if admitted.replaced:
                desk.revoked.set()
            if admitted.new:
                desk.joined.set()
            return Reply(enrolled(authority, admitted.issue, desk.reach()), 201 if admitted.new else 200)

    async def challenge(_: Call[Nothing, None]) -> Challenge:
        secret = secret_of(open_authority(desk.authority))
        return Challenge(make_challenge(secret, time.time()))

    async def renewal(call: Call[Nothing, Proof]) -> Enrolment:
        async with gate.turn():
            authority = proven(call.request, call.body)
            async with connected(desk.pool, WAIT_S) as database:
                issue = await renew(database, call.body.public_key, int(time.time()), life_s)
            return enrolled(authority, issue, desk.reach())

    async def state(call: Call[Nothing, Proof]) -> IdentityState:
        async with gate.turn():
            proven(call.request, call.body)
            async with connected(desk.pool, WAIT_S) as database:
                return await state_of(database, call.body.public_key, desk.reach())

    def proven(request: Request, proof: Proof) -> Authority:
        authority = open_authority(desk.authority)
        require_proof(secret_of(authority), proof, time.time())
        request.state.public_key = proof.public_key
        gate.check("identity", proof.public_key)
        return authority

    return [
        Operation(
            "POST",
            "/enrol",
            enrol,
            tag="identities",
            summary="Trade an enrolment token for the identity of a host",
            role=None,
            answers={201: Enrolment, 200: Enrolment},
            body=EnrolRequest,
            refuses=(401, 403, 429, 503),
            around=gate.tried("enrol"),
            audited=False,
        ),
        Operation(
            "GET",
            "/identity/challenge",
            challenge,
            tag="identities",
            summary="What an agent signs to prove that it has its key",
            role=None,
            answers={200: Challenge},
            refuses=(503,),
        ),
        Operation(
            "POST",
            "/identity/renew",
            renewal,
            tag="identities",
            summary="Renew the identity of a host",
            role=None,
            answers={200: Enrolment},
            body=Proof,
            refuses=(401, 403, 429, 503),
            around=gate.tried("renew"),
            audited=False,
        ),
        Operation(
            "POST",
            "/identity/state",
            state,
            tag="identities",
            summary="What the fleet knows of the host whose key is proven",
            role=None,
            answers={200: IdentityState},
            body=Proof,
            refuses=(401, 403, 429, 503),
            around=gate.tried("state"),
            audited=False,
        ),
    ]


def check_request(wanted: EnrolRequest) -> None:
    """Raise InvalidFields unless key and name may be signed: a name fills the template of permissions."""
    faults = []
    if not is_public_user_key(wanted.public_key):
        remedy = "must be the public key of a user as NATS writes it: U and 55 more characters"
        faults.append(InvalidField("public_key", wanted.public_key[:100], remedy))
    fault = name_fault(wanted.name) if wanted.name else ""
    if fault:
        faults.append(InvalidField("name", wanted.name[:100], fault))
    if faults:
        raise InvalidFields(faults)


class Gate:
    """Who may try now, and how many are at it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._throttles = {kind: Throttle() for kind in ("enrol", "identity")}
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    def check(self, kind: str, who: str) -> None:
        """Raise ProblemError 429 when `who`, an address or a proven key, failed too often."""
        wait_s = self._throttles[kind].wait_s(who, time.monotonic())
        if wait_s:
            raise ProblemError(
                429,
                f"too many failed tries from {who}; try again in {wait_s} s",
                type="/problems/too-many-tries",
                headers={"Retry-After": str(wait_s)},
            )

    def tried(self, what: str) -> Callable[[Request], contextlib.AbstractAsyncContextManager[None]]:
        """Around a request whose failures are counted and limited: by address, or once that is proven, by key."""
        kind = "enrol" if what == "enrol" else "identity"

        @contextlib.asynccontextmanager
        async def tried(request: Request) -> AsyncIterator[None]:
            peer = neighbourhood(request.client.host if request.client else "")
            try:
                self.check(kind, peer)
                yield
            except (ProblemError, InvalidField, InvalidFields) as error:
                status = error.status if isinstance(error, ProblemError) else 400
                who = getattr(request.state, "public_key", peer)
                if status in (*_COUNTED, 429):
                    self._desk.refusals.note(who, what, str(error))
                if status in _COUNTED:
                    self._throttles[kind].failed(who, time.monotonic())
                raise

        return tried

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until it is our turn. Raises ProblemError 503 when too many wait.

        Not while a body is read: whoever sends it slowly would keep others out.
        """
        if self._waiting >= MOST_WAITING:
            raise unavailable("too many machines at once; retry", "/problems/busy", 5)
        self._waiting += 1
        try:
            async with self._free:
                yield
        finally:
            self._waiting -= 1
