"""Many agents that enrol at once, renew while they publish, and one that is revoked: how long, and is a sample lost?

The agents are those of bench_agents with identities of their own: each enrols over HTTP with its own key, in threads
that share a few cores with the gateway. The life of a JWT is seconds instead of days, so that all renew in the run.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import numpy as np

from agent.identity.enrol import Wish, enrol_once
from agent.identity.gateway import Gateway, NotNow
from agent.identity.member import Member as Identified
from agent.identity.renew import keep_renewed
from agent.identity.state import Identity
from benchmarks.bearer import bearer
from benchmarks.bench_agents import DESCRIPTORS_EACH, SETTLE_S, STORED, Fleet, allow_descriptors
from benchmarks.figures import Figure, figure, parser, show
from benchmarks.processes import running
from infra.authority.authority import ensure_authority
from infra.bus.connection import connection as bus_connection
from infra.bus.patience import access_of
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import guarded_nats_server, postgres_server
from infra.servers.process import free_port
from infra.settings import AgentSettings
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.enrolment import CHALLENGE, Challenge

FIGURES = (
    "identities.enrolled",
    "identities.enrol_s",
    "identities.enrol_p99_ms",
    "identities.renewed",
    "identities.lost",
    "identities.doubled",
    "identities.revoked_ms",
    "identities.longest_gap_s",
)
"""Names of what it prints."""
AT_ONCE = 100
"""Agents whose request is under way at a time, as threads of this process."""
DAY_S = 86_400
OTHERS = """
SELECT count(*), max(gap) FROM (
    SELECT host_id, extract(epoch FROM time - lag(time) OVER (PARTITION BY host_id ORDER BY time)) AS gap FROM cpu
) gaps WHERE host_id <> (SELECT id FROM hosts WHERE name = 'bench-0')
"""
"""Samples of all but the one that is revoked, and the longest time between two of one host."""


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--agents", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=120)
    arguments.add_argument("--life", type=float, default=120, help="seconds that a JWT is good for")
    options = arguments.parse_args(argv)
    allow_descriptors(options.agents * (DESCRIPTORS_EACH + 3) + 500)
    with process.runner() as loop:
        show(loop.run(measure(options.agents, options.seconds, options.life)), options.json, FIGURES)
    return 0


async def measure(agents: int, seconds: float, life_s: float) -> list[Figure]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = ensure_authority(data / "authority")
        bus = await stack.enter_async_context(guarded_nats_server(data / "nats", authority))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        database = await stack.enter_async_context(database_connection(postgres.url, "bench"))
        await migrate(database, await detect(database))
        users = {role: str(authority.credentials_path(role)) for role in ("migrate", "ingest", "gateway")}
        async with bus_connection(bus.url, "bench", access_of(users["migrate"])) as client:
            await ensure_streams(client)
        port = free_port()
        own = {
            "SONDE_NATS_URL": bus.url,
            "SONDE_DATABASE_URL": postgres.url,
            "SONDE_AUTHORITY": str(authority.directory),
            "SONDE_PORT": str(port),
            "SONDE_IDENTITY_DAYS": str(life_s / DAY_S),
        }
        for service in ("ingest", "gateway"):
            command = [sys.executable, "-m", "infra.cli.main", service]
            await stack.enter_async_context(running(command, own | {"SONDE_NATS_CREDENTIALS": users[service]}))
        gateway = f"http://127.0.0.1:{port}"
        async with database_connection(postgres.url, "bench") as database:
            token = await bearer(database)
        people = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{gateway}/api/v1", headers=token, timeout=30)
        )
        await _serves(people)
        made = await people.post("/enrolment-tokens", json={"uses": agents, "expires_s": 3600})
        wish = Wish(gateway, made.json()["secret"], "")
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        homes = [str(data / "agents" / str(number)) for number in range(agents)]
        limit_s, _ = await _all(pool, [lambda: Gateway(gateway).get(CHALLENGE, Challenge)] * agents)
        enrol_s, identities = await _all(pool, [_enrolling(home, wish, n) for n, home in enumerate(homes)])
        took_ms = [spent_ms for spent_ms, _ in identities]
        members = _members(homes, [identity for _, identity in identities])
        fleet = Fleet(AgentSettings(data=str(data / "spools"), nats_url=bus.url))
        began = int(time.time())
        async with asyncio.TaskGroup() as group:
            await fleet.start(group, agents, lambda host: members[host].access)
            renewing = [group.create_task(_renewed(members, member, fleet)) for member in members.values()]
            revoking = group.create_task(_revoked_ms(people, fleet, seconds / 2))
            given = await fleet.feed(seconds)
            revoked_ms = await revoking
            for task in renewing:
                task.cancel()
            fleet.members = fleet.members[1:]  # what the revoked one still has stays in its spool
            await fleet.finish()
        await _settled(database, given)
        rows, distinct = await database.fetchrow(STORED)  # type: ignore[misc]
        stored, longest_s = await database.fetchrow(OTHERS)  # type: ignore[misc]
        each = given // agents
        renewed = sum(member.identity.issued > began for member in members.values() if member.identity)
        return [
            figure("identities.enrolled", len(members), "hosts, none twice", agents),
            figure("identities.enrol_s", enrol_s, "s for all", limit=limit_s),
            figure("identities.enrol_p99_ms", float(np.percentile(took_ms, 99)), "ms"),
            figure("identities.renewed", renewed, "agents", agents - 1),
            figure("identities.lost", each * (agents - 1) - stored, "samples of the others", 0),
            figure("identities.doubled", rows - distinct, "rows", 0),
            figure("identities.revoked_ms", revoked_ms, "ms from the request to the broken connection", 1000),
            figure("identities.longest_gap_s", float(longest_s), "s between two samples of another host", 1),
        ]


async def _serves(people: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await people.get("/health/live")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def _all(pool: ThreadPoolExecutor, calls: Sequence[object]) -> tuple[float, list[tuple[float, Identity]]]:
    """Seconds for all calls, as many at once as the pool has threads, and what each returned."""
    loop, began_s = asyncio.get_running_loop(), time.monotonic()
    done = await asyncio.gather(*(loop.run_in_executor(pool, call) for call in calls))  # type: ignore[arg-type]
    return time.monotonic() - began_s, done


def _enrolling(home: str, wish: Wish, number: int) -> object:
    def enrol() -> tuple[float, Identity]:
        began_s = time.monotonic()
        while True:
            try:
                identity = enrol_once(home, Wish(wish.gateway, wish.token, f"bench-{number}"))
            except NotNow as error:
                time.sleep(error.wait_s)
            else:
                return 1000 * (time.monotonic() - began_s), identity

    return enrol


def _members(homes: Sequence[str], identities: Sequence[Identity]) -> dict[str, Identified]:
    """By host; fewer than identities if a host was given twice."""
    return {
        identity.host: Identified(AgentSettings(data=home), identity.host, identity)
        for home, identity in zip(homes, identities, strict=True)
    }


async def _renewed(members: dict[str, Identified], member: Identified, fleet: Fleet) -> None:
    """As agents do; connects anew with the new JWT."""

    async def reconnect() -> None:
        for each in fleet.members:
            if each.lanes.host == member.host and each.lanes.client is not None:
                await each.lanes.client.force_reconnect()

    await keep_renewed(member, reconnect)


async def _revoked_ms(people: httpx.AsyncClient, fleet: Fleet, after_s: float) -> float:
    """Milliseconds from asking until the first agent is disconnected."""
    await asyncio.sleep(after_s)
    first = next(member for member in fleet.members if member.lanes.host == "bench-0")
    fleet.members.remove(first)
    fleet.members.insert(0, first)
    assert first.lanes.client is not None
    client, began_s = first.lanes.client, time.monotonic()
    answer = asyncio.ensure_future(people.post("/hosts/bench-0/revoke"))
    while client.is_connected:
        await asyncio.sleep(0.001)
    spent_ms = 1000 * (time.monotonic() - began_s)
    (await answer).raise_for_status()
    return spent_ms


async def _settled(database: object, given: int) -> None:
    """Ingest has stored what the agents sent, or `SETTLE_S` have passed without an end."""
    before, deadline_s = -1, time.monotonic() + SETTLE_S
    while time.monotonic() < deadline_s:
        rows = await database.fetchval("SELECT count(*) FROM cpu")  # type: ignore[attr-defined]
        if rows >= given or (rows == before and rows):
            return
        before = rows
        await asyncio.sleep(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
