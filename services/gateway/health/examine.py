"""`GET /health`: asks database, bus, disk and what was heard, and names what is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import nats.js.errors
from msgspec import Struct

from infra.bus.connection import BUS_TRANSIENT
from infra.clock import now_ms
from infra.storage.database import Pool
from infra.storage.migrate import Migration, read_migrations
from infra.storage.schema import schema_fault
from schemas.api import HostState
from schemas.catalogue import Family
from schemas.health import SERVICES, Component, Disk, Health, StreamFill
from schemas.rules import InvalidField
from schemas.subjects import STREAMS
from schemas.version import VERSION
from services.gateway.health import components, sql
from services.gateway.health.components import Delivering, Silence
from services.gateway.health.heartbeats import Heard
from services.gateway.health.vitals import Vitals
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError

ASYNCPG_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""All that the driver raises: what the database refuses, and what it cannot even be asked."""
WITHIN_S = 2
"""Every question's."""


@dataclass(frozen=True)
class Examination:
    """What the examiner looks at."""

    pool: Pool
    bus: Bus
    vitals: Vitals
    catalogue: Sequence[Family]
    states: Callable[[], dict[str, HostState]]
    """Of every host."""
    viewers: Callable[[], int]
    counts: Callable[[], tuple[int, int, int]]
    """Of the live stream: events viewers were given, those they were too slow for, and samples left out of frames."""
    complete: Callable[[], bool] = lambda: True
    """Whether every host is among them, as the table was read."""
    invalid: Callable[[], Mapping[str, InvalidField]] = dict
    """Stored settings that cannot be used, and why."""
    migrations: Sequence[Migration] = field(default_factory=lambda: tuple(read_migrations()))


class _Tables(Struct):
    """What the database answered."""

    component: Component
    notifications: Component | None = None
    pruned_s: float | None = None
    due_slots: int = 0
    hosts: int = 0
    guard: str = ""


async def examine(it: Examination) -> Health:
    """Everything, the parts at the same time; what does not answer is told, never raised."""
    (tables, (on_bus, fills)) = await asyncio.gather(_tables(it), _on_bus(it.bus))
    services = {name: _service(it, name) for name in SERVICES}
    retention = components.retention(services["retention"], tables.pruned_s, tables.due_slots, tables.hosts)
    unknown = Component("notifications", "unknown", "the database does not answer")
    every = [
        tables.component,
        on_bus,
        services["ingest"],
        services["alerts"],
        tables.notifications or unknown,
        retention,
        services["gateway"],
        components.settings(it.invalid()),
        components.agents(it.states()),
        components.disk(_disks(it), fills, tables.guard),
    ]
    return Health(components.overall(every), VERSION, now_ms(), every, fills)


def _service(it: Examination, name: str) -> Component:
    heartbeats = it.vitals.heartbeats
    heard, silence = heartbeats.of(name), Silence(heartbeats.silent_s(name), heartbeats.was_heard(name))
    if name != "gateway":
        return components.service(name, heard, silence)
    own = it.vitals.pulse.heartbeat(it.vitals.work(it.viewers()))
    others = [one for one in heard if one.heartbeat.instance != own.instance]
    # Ourselves we know without the bus.
    alone = components.service(name, [Heard(own, 0.0)], Silence(0.0, True))
    if silence.seconds is None:
        return alone
    return components.service(name, [Heard(own, 0.0), *others], Silence(0.0, True)) if others else alone


def _disks(it: Examination) -> list[Disk]:
    told = [one.heartbeat.work.disk for one in it.vitals.heartbeats.of("retention") if not one.missing]
    return [disk for disk in (it.vitals.disk(), *told) if disk is not None]


async def _tables(it: Examination) -> _Tables:
    started_s = time.perf_counter()
    try:
        async with asyncio.timeout(WITHIN_S), connected(it.pool, WITHIN_S) as database:
            fault = await schema_fault(database, it.migrations, it.catalogue)
            if fault:
                unread = Component("notifications", "unknown", "not looked at: the tables are of another version")
                return _Tables(Component("database", "degraded", fault), unread)
            ms = (time.perf_counter() - started_s) * 1000
            found = _Tables(Component("database", "ok", f"answered in {ms:.0f} ms; {it.migrations[-1].name}"))
            row = await database.fetchrow(sql.RETENTION)
            assert row is not None  # noqa: S101  # it begins with a row of its own
            found.pruned_s, found.guard = row["pruned_s"], row["guard"] or ""
            found.due_slots, found.hosts = row["due_slots"], row["hosts"]
            found.notifications = notifications(await database.fetch(sql.NOTIFICATIONS))
            return found
    except TimeoutError:
        return _Tables(Component("database", "down", f"no answer within {WITHIN_S:g} s; check PostgreSQL and its log"))
    except ProblemError as problem:
        return _Tables(Component("database", "down", f"{problem.detail}; check PostgreSQL and its log"))
    except ASYNCPG_ERRORS as error:
        refused = f"it answers {type(error).__name__}: {error}"[:300]
        return _Tables(
            Component("database", "degraded", f"{refused}; check PostgreSQL and its log"),
            Component("notifications", "unknown", "the database refuses what it is asked"),
        )


def notifications(rows: Sequence[Any]) -> Component:
    return components.notifications([_delivering(row) for row in rows])


def _delivering(row: Mapping[str, Any]) -> Delivering:
    answer = row["last_answer"] or ""
    return Delivering(
        row["channel"],
        row["held"],
        answer or "no answer" if row["last_status"] == "refused" else "",
        row["since_s"] if row["failures"] and row["last_status"] == "failed" else 0,
        answer,
        row["lost"],
    )


async def _on_bus(bus: Bus) -> tuple[Component, list[StreamFill]]:
    client = bus.client
    if client is None or not bus.connected:
        detail = "the gateway is not connected to the bus; check nats-server and its log"
        return Component("bus", "down", detail), []

    async def fill(name: str) -> StreamFill:
        info = await client.jetstream(timeout=WITHIN_S).stream_info(name)
        return StreamFill(name, info.state.messages, info.state.bytes, max(0, info.config.max_bytes or 0))

    try:
        async with asyncio.timeout(WITHIN_S):
            round_trip_s = await client.rtt(WITHIN_S)
            fills = await asyncio.gather(*(fill(stream.name) for stream in STREAMS))
    except nats.js.errors.NotFoundError:
        return Component("bus", "degraded", "a stream is missing; run `sonde migrate`"), []
    except TimeoutError:
        return Component("bus", "down", f"no answer within {WITHIN_S:g} s; check nats-server and its log"), []
    except BUS_TRANSIENT as error:
        return Component("bus", "down", f"{type(error).__name__}: {error}; check nats-server and its log"), []
    detail = f"round trip {round_trip_s * 1000:.0f} ms; {bus.messages} messages, {bus.unreadable} of them invalid"
    return Component("bus", "ok", detail), fills
