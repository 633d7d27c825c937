"""`sonde doctor`: walk the data's way from agent to browser, check each link, name the broken one and what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from infra.bus.connection import connection as bus_connection
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, Connection
from infra.storage.database import connection as database_connection
from schemas.subjects import METRICS, STREAMS

FRESH_S = 60.0
LAG_MESSAGES = 2000
FAULTS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError, httpx.HTTPError)

POSITIONS = "SELECT consumer, seq FROM positions WHERE stream = $1"
NEWEST = "SELECT name, last_sample FROM hosts ORDER BY last_sample DESC NULLS LAST LIMIT 1"
RETENTION = "SELECT started FROM retention_runs ORDER BY id DESC LIMIT 1"
DUE = """
SELECT (SELECT count(*) FROM dirty_minutes WHERE slot < now() - interval '12 min'), (SELECT count(*) FROM hosts)
"""
WAITING = "SELECT count(*), min(made) FROM outbox WHERE status = 'waiting' AND channel = 'slack'"


class Broken(Exception):
    """A link does not hold; the text says what was found and what to do."""


async def doctor(settings: ServerSettings) -> int:
    """Print one line per link; returns 1 when any is broken."""
    print(f"bus {settings.nats_url}, gateway http://{settings.http_host}:{settings.port}")
    broken = 0
    broken += await _report("bus answers", lambda: _bus(settings.nats_url))
    broken += await _report("streams exist", lambda: _with_bus(settings, _streams))
    broken += await _report("agents publish", lambda: _with_bus(settings, _agents))
    broken += await _report("database answers, schema current", lambda: _with_database(settings, _schema))
    broken += await _report("ingest keeps up", lambda: _lag(settings, "ingest", "start `sonde ingest`"))
    broken += await _report("rows are fresh", lambda: _with_database(settings, _rows))
    broken += await _report("alerts keep up", lambda: _lag(settings, "alerts", "start `sonde alerts`"))
    broken += await _report("notifications leave", lambda: _with_database(settings, _outbox))
    broken += await _report("retention runs", lambda: _with_database(settings, _retention))
    broken += await _report("gateway is ready", lambda: _gateway(settings))
    broken += await _report("live stream delivers", lambda: _live(settings))
    print("every link holds" if not broken else f"{broken} of 11 links broken; mend the first one first")
    return 1 if broken else 0


async def _report(link: str, check: Callable[[], Awaitable[str]]) -> int:
    """Run one check, print its line; 1 when it is broken."""
    try:
        async with asyncio.timeout(15):
            found = await check()
    except Broken as broken:
        print(f"  BROKEN  {link}: {broken}")
        return 1
    except FAULTS as error:
        print(f"  BROKEN  {link}: {type(error).__name__}: {error}".rstrip(": "))
        return 1
    print(f"  ok      {link}: {found}")
    return 0


async def _with_bus(settings: ServerSettings, check: Callable[[Client], Awaitable[str]]) -> str:
    async with bus_connection(settings.nats_url, "doctor") as client:
        return await check(client)


async def _with_database(settings: ServerSettings, check: Callable[[Connection], Awaitable[str]]) -> str:
    async with database_connection(settings.database_url, "doctor") as database:
        return await check(database)


async def _bus(url: str) -> str:
    try:
        async with bus_connection(url, "doctor") as client:
            rtt = await client.rtt()
            version = client.connected_server_version
            return f"nats-server {version.major}.{version.minor}.{version.patch}, round trip {rtt * 1000:.1f} ms"
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise Broken(f"nothing at {url} ({error}); start nats-server or set SONDE_NATS_URL") from None


async def _streams(client: Client) -> str:
    for stream in STREAMS:
        try:
            await client.jetstream().stream_info(stream.name)
        except nats.js.errors.NotFoundError:
            raise Broken(f"stream {stream.name} is missing; run `sonde migrate`") from None
    return f"{len(STREAMS)} of {len(STREAMS)}"


async def _agents(client: Client) -> str:
    state = (await client.jetstream().stream_info(METRICS.name)).state
    if not state.messages:
        raise Broken("no batch was ever published; start an agent: `sonde agent`")
    stored = await client.jetstream().get_msg(METRICS.name, state.last_seq)
    age = (datetime.now(UTC) - stored.time).total_seconds() if stored.time else 0.0
    if age > FRESH_S:
        raise Broken(f"the last batch ({stored.subject}) came {age:.0f} s ago; look at the agents' logs")
    return f"last batch {age:.0f} s ago on {stored.subject}, {state.messages} kept"


async def _schema(database: Connection) -> str:
    version = await database.fetchval("SHOW server_version")
    applied = await database.fetchval("SELECT max(name) FROM schema_migrations WHERE name ~ '^[0-9]'")
    return f"PostgreSQL {version}, migration {applied}"


async def _lag(settings: ServerSettings, consumer: str, remedy: str) -> str:
    async def stored(client: Client) -> int:
        return int((await client.jetstream().stream_info(METRICS.name)).state.last_seq)

    async with bus_connection(settings.nats_url, "doctor") as client:
        last = await stored(client)
    async with database_connection(settings.database_url, "doctor") as database:
        positions: dict[str, int] = {
            row["consumer"]: row["seq"] for row in await database.fetch(POSITIONS, METRICS.name)
        }
    if consumer not in positions:
        raise Broken(f"it has never run on this database; {remedy}")
    lag = last - positions[consumer]
    if lag > LAG_MESSAGES:
        raise Broken(f"{lag} messages behind; {remedy} or look at its log")
    return f"{max(lag, 0)} messages behind"


async def _rows(database: Connection) -> str:
    row = await database.fetchrow(NEWEST)
    if row is None or row["last_sample"] is None:
        raise Broken("no rows yet; ingest writes them within seconds of a batch")
    age = (datetime.now(UTC) - row["last_sample"]).total_seconds()
    if age > FRESH_S:
        raise Broken(f"the newest row ({row['name']}) is {age:.0f} s old; look at the first broken link above")
    return f"newest {age:.0f} s old, from {row['name']}"


async def _outbox(database: Connection) -> str:
    row = await database.fetchrow(WAITING)
    waiting, oldest = (row["count"], row["min"]) if row else (0, None)
    if oldest and (datetime.now(UTC) - oldest).total_seconds() > 120:
        raise Broken(f"{waiting} messages to Slack wait since {oldest:%H:%M}; press Test on the settings page")
    return f"{waiting} waiting"


async def _retention(database: Connection) -> str:
    started = await database.fetchval(RETENTION)
    if started is None:
        raise Broken("it has never run; start `sonde retention`")
    age = (datetime.now(UTC) - started).total_seconds()
    if age > 3 * 3600:
        raise Broken(f"last run {age / 3600:.1f} h ago, it should be hourly; start `sonde retention`")
    due, hosts = await database.fetchrow(DUE) or (0, 0)
    if due > 1000 + 12 * hosts:
        raise Broken(f"{due} stretches of ten minutes wait for their roll-up; look at the log of `sonde retention`")
    return f"last run {age / 60:.0f} min ago, {due} stretches of ten minutes wait for their roll-up"


async def _gateway(settings: ServerSettings) -> str:
    async with httpx.AsyncClient(base_url=_base(settings), timeout=5) as http:
        try:
            answer = await http.get("/api/v1/health/ready")
        except httpx.TransportError as error:
            raise Broken(f"{error or type(error).__name__}; start `sonde gateway` or set SONDE_PORT") from None
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise Broken(f"it answers {answer.status_code}: {json.dumps(body.get('checks', body))}")
    return "ready"


async def _live(settings: ServerSettings) -> str:
    async with (
        httpx.AsyncClient(base_url=_base(settings), timeout=10) as http,
        http.stream("GET", "/api/v1/live", params={"metrics": "cpu.total"}) as answer,
    ):
        if answer.status_code != 200:
            raise Broken(f"it answers {answer.status_code}")
        started = asyncio.get_running_loop().time()
        async for line in answer.aiter_lines():
            if line == "event: frame":
                return f"first frame after {asyncio.get_running_loop().time() - started:.1f} s"
    raise Broken("the stream ended without a frame")


def _base(settings: ServerSettings) -> str:
    return f"http://{settings.http_host}:{settings.port}"
