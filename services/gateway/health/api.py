"""`/health`: the state of Sonde; `/health/live`, `/health/ready`, also at the root: of this gateway.

Supervisors and load balancers have no login: they hear whether it is ready, and viewers also what is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request

from infra.bus.connection import BUS_TRANSIENT
from infra.storage.database import Pool
from schemas.health import Health
from schemas.subjects import METRICS
from services.gateway.health import sql
from services.gateway.health.examine import ASYNCPG_ERRORS, Examination, examine
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError

CHECK_S = 2
FAULTS: tuple[type[Exception], ...] = (*BUS_TRANSIENT, *ASYNCPG_ERRORS)
"""Told as what a check found."""
NOT_CONNECTED = "the gateway is not connected to the bus (NATS)"
KEPT_S = 1.0
"""Whoever is not logged in may be told what was found so long ago, so that asking often is no work for the database."""
INGEST_BEHIND_S = 60.0
"""Ingest that has not reached the stream's end is fine as long as what it reads is younger than this."""


class Liveness(Struct):
    status: str = "ok"


class Check(Struct):
    name: str
    ok: bool
    detail: str


class Readiness(Struct):
    status: str
    checks: list[Check] | UnsetType = UNSET
    """For viewers."""


IsViewer = Callable[[Request], Awaitable[bool]]
"""Whether somebody who may read makes the request."""


def health_operations(it: Examination, is_viewer: IsViewer) -> list[Operation]:
    pool, bus = it.pool, it.bus
    checking = asyncio.Lock()
    kept: tuple[float, list[Check]] = (-KEPT_S, [])

    async def health(_: Call[Nothing, None]) -> Health:
        return await examine(it)

    async def live(_: Call[Nothing, None]) -> Liveness:
        return Liveness()

    async def check() -> list[Check]:
        found = await asyncio.gather(
            _check("database", lambda: _database(it)),
            _check("bus", lambda: _bus(bus)),
            _check("ingest", lambda: _ingest(pool, bus)),
        )
        return list(found)

    async def recent() -> list[Check]:
        nonlocal kept
        async with checking:
            if time.monotonic() - kept[0] >= KEPT_S:
                found = await check()
                kept = (time.monotonic(), found)
            return kept[1]

    async def ready(call: Call[Nothing, None]) -> Reply:
        viewer = await is_viewer(call.request)
        checks = await check() if viewer else await recent()
        ok = all(check.ok for check in checks)
        answer = Readiness("ok" if ok else "unavailable", checks if viewer else UNSET)
        return Reply(answer, 200 if ok else 503)

    return [
        Operation(
            "GET",
            "/health",
            health,
            tag="health",
            summary="The state of Sonde: every part, what is wrong with it, and what to do",
            role="viewer",
            answers={200: Health},
        ),
        Operation(
            "GET",
            "/health/live",
            live,
            tag="health",
            summary="Whether the gateway runs",
            role=None,
            answers={200: Liveness},
        ),
        Operation(
            "GET",
            "/health/ready",
            ready,
            tag="health",
            summary="Whether database, bus and ingest do their work; each of them by itself for viewers",
            role=None,
            answers={200: Readiness, 503: Readiness},
        ),
    ]


async def _check(name: str, run: Callable[[], Awaitable[tuple[bool, str]]]) -> Check:
    """One check, given two seconds."""
    try:
        async with asyncio.timeout(CHECK_S):
            ok, detail = await run()
    except TimeoutError:
        return Check(name, False, f"no answer within {CHECK_S:g} s")
    except ProblemError as problem:
        return Check(name, False, problem.detail)
    except FAULTS as error:
        return Check(name, False, f"{type(error).__name__}: {error}")
    return Check(name, ok, detail)


async def _database(it: Examination) -> tuple[bool, str]:
    started = time.perf_counter()
    async with connected(it.pool, CHECK_S) as database:
        await database.fetchval(sql.NEWEST_SAMPLE)
    if not it.complete():
        return False, "the hosts are being read; until then lists of them lack some"
    return True, f"query answered in {(time.perf_counter() - started) * 1000:.0f} ms"


async def _bus(bus: Bus) -> tuple[bool, str]:
    if bus.client is None or not bus.connected:
        return False, NOT_CONNECTED
    round_trip_s = await bus.client.rtt(CHECK_S)
    return (
        True,
        f"round trip {round_trip_s * 1000:.0f} ms; {bus.messages} messages received, {bus.unreadable} of them invalid",
    )


async def _ingest(pool: Pool, bus: Bus) -> tuple[bool, str]:
    """Where ingest is in the stream, against where the stream is."""
    client = bus.client  # which may be gone when the database has answered
    if client is None or not bus.connected:
        return False, NOT_CONNECTED
    async with connected(pool, CHECK_S) as database:
        row = await database.fetchrow(sql.INGEST_POSITION, METRICS.name)
        newest = await database.fetchval(sql.NEWEST_SAMPLE)
    state = (await client.jetstream(timeout=CHECK_S).stream_info(METRICS.name)).state
    age = "no sample stored yet" if newest is None else f"newest sample {time.time() - newest.timestamp():.0f} s old"
    if row is None:
        return state.last_seq == 0, f"ingest has not started; {state.last_seq} messages are waiting"
    behind = state.last_seq - row["seq"]
    behind_s = time.time() - row["time_ns"] / 1e9
    if behind > 0 and behind_s > INGEST_BEHIND_S:
        return False, f"{behind} messages and {behind_s:.0f} s behind; {age}; check that ingest runs"
    return True, f"{max(behind, 0)} messages behind; {age}"
