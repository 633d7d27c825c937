"""`POST /hosts` and `PATCH /hosts/{host}`: hosts made to wait for their machines, and what people say of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from infra.storage.database import Pool
from schemas.api import HostDetail
from schemas.enrolment import NewToken, name_fault
from schemas.hosts import TENDED_KEY, HostChange, MadeHost, NewHost
from schemas.rules import InvalidField
from schemas.subjects import HostId
from services.gateway.agents import sql_hosts as sql
from services.gateway.agents.tending import as_asked, shown, take_in, tend, tended
from services.gateway.enrolment.api_tokens import make_token, shown_once
from services.gateway.fleet.memory import Fleet
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError
from services.gateway.identities.reach import Reach


def tending_operations(
    pool: Pool,
    fleet: Fleet,
    announce: Callable[[str, int], Awaitable[None]],
    tell: Callable[[str], None],
    reach: Callable[[], Reach],
) -> list[Operation]:
    """`tell` spreads to viewers that something of a host is news."""

    async def make_host(call: Call[Nothing, NewHost]) -> MadeHost:
        wanted, host = call.body, call.body.name
        fault = name_fault(host)
        if fault:
            raise InvalidField("name", host, fault)
        async with connected(pool) as database, database.transaction():
            row = await database.fetchrow(sql.ADD_HOST, host, wanted.label.strip(), list(dict.fromkeys(wanted.tags)))
            if row is None:
                detail = f"there is a host {host!r} already; POST /api/v1/hosts/{host}/rotate makes a token for it"
                raise ProblemError(409, detail, type="/problems/host-exists")
            token, secret = await make_token(
                database, NewToken(note=f"for {host}", expires_s=wanted.expires_s, host=host)
            )
            await record(database, call, host, None, wanted)
        take_in(fleet, tell, tended(host, row, changed=True))
        made, answer = shown_once(token, secret, reach()), shown(fleet, host)
        await announce(TENDED_KEY, 0)
        return MadeHost(answer, token, secret, made.line, made.obstacle)

    async def change_host(call: Call[Nothing, HostChange]) -> Reply:
        host = call.path["host"]
        async with connected(pool) as database, database.transaction():
            changed = await tend(database, call, host, as_asked(call.body))
        take_in(fleet, tell, changed)
        answer = Reply.versioned(shown(fleet, host), changed.given.version)
        if changed.changed:
            await announce(TENDED_KEY, 0)
        return answer

    return [
        Operation(
            "POST",
            "/hosts",
            make_host,
            tag="hosts",
            summary="Make a host that waits for its machine, with the token and the line for that",
            role="admin",
            reaches=("identities",),
            answers={201: MadeHost},
            body=NewHost,
            refuses=(409,),
        ),
        Operation(
            "PATCH",
            "/hosts/{host}",
            change_host,
            tag="hosts",
            summary="Change label, tags, note or muting of a host",
            role="operator",
            answers={200: HostDetail},
            body=HostChange,
            path_types={"host": HostId},
            match="optional",
        ),
    ]
