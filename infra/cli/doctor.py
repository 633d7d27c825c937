"""`sonde doctor`: check each link from agent to browser, name the broken ones and what to do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import nats.js.errors
from msgspec import Struct
from nats.aio.client import Client

from infra.addresses import redact
from infra.bus.ordered import timestamp_ns
from infra.certificates.listening import local_gateway, local_trust
from infra.cli.people import lent
from infra.cli.process import say
from infra.cli.reach import Unreachable, bus, database, reason
from infra.settings import ServerSettings, SettingError
from infra.storage.database import TRANSIENT, Connection
from schemas.subjects import METRICS, STREAMS

FRESH_S = 60.0
LAG_MESSAGES = 2000
FAULTS: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError, httpx.HTTPError)

POSITIONS = "SELECT consumer, seq FROM positions WHERE stream = $1"
NEWEST = "SELECT name, last_sample FROM hosts WHERE state = 'active' ORDER BY last_sample DESC NULLS LAST LIMIT 1"
RETENTION = "SELECT started FROM retention_runs ORDER BY id DESC LIMIT 1"
DUE = """
SELECT (SELECT count(*) FROM dirty_minutes WHERE slot < now() - interval '12 min'),
       (SELECT count(*) FROM hosts WHERE state = 'active')
"""
WAITING = "SELECT count(*), min(made) FROM outbox WHERE status = 'waiting' AND channel = 'slack'"


class Broken(Exception):
    """A link does not hold; the text says what was found and what to do."""


class Link(Struct, frozen=True):
    """One check. It is left out when a server that it needs was found broken before."""

    name: str
    check: Callable[[], Awaitable[str]]
    needs: tuple[str, ...] = ()


async def doctor(settings: ServerSettings) -> int:
    """Print one line per link; returns 1 when any is broken."""
    servers = f"bus {redact(settings.nats_url)}, database {redact(settings.database_url)}"
    say(f"{servers}, gateway {local_gateway(settings)}")
    every = links(settings)
    broken: list[str] = []
    for link in every:
        missing = [server for server in link.needs if server in broken]
        if missing:
            say(f"  --      {link.name}: not checked, it needs the {' and the '.join(missing)}")
        elif not await _holds(link):
            broken.append(link.name.split()[0])
    say("every link holds" if not broken else f"{len(broken)} of {len(every)} links broken; repair the first one first")
    return 1 if broken else 0


def links(settings: ServerSettings) -> list[Link]:
    """In the order of the data's way, after the two servers that most of them need."""

    def of_bus(check: Callable[[Client], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        return lambda: _with_bus(settings, check)

    def of_database(check: Callable[[Connection], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        return lambda: _with_database(settings, check)

    both = ("bus", "database")
    return [
        Link("bus answers", of_bus(_bus)),
        Link("database answers, schema current", of_database(_schema)),
        Link("streams exist", of_bus(_streams), ("bus",)),
        Link("agents publish", of_bus(_agents), ("bus",)),
        Link("ingest keeps up", lambda: _lag(settings, "ingest", "start `sonde ingest`"), both),
        Link("rows are fresh", of_database(_rows), ("database",)),
        Link("alerts keep up", lambda: _lag(settings, "alerts", "start `sonde alerts`"), both),
        Link("notifications leave", of_database(_outbox), ("database",)),
        Link("retention runs", of_database(_retention), ("database",)),
        Link("gateway answers", lambda: _answers(settings)),
        Link("every part is ready", lambda: _ready(settings), ("database", "gateway")),
        Link("live stream delivers", lambda: _live(settings), ("database", "gateway")),
    ]


async def _holds(link: Link) -> bool:
    """Run one check and print its line."""
    try:
        async with asyncio.timeout(15):
            found = await link.check()
    except (Broken, Unreachable) as broken:
        say(f"  BROKEN  {link.name}: {broken}")
        return False
    except FAULTS as error:
        say(f"  BROKEN  {link.name}: {'no answer within 15 s' if isinstance(error, TimeoutError) else reason(error)}")
        return False
    say(f"  ok      {link.name}: {found}")
    return True


async def _with_bus(settings: ServerSettings, check: Callable[[Client], Awaitable[str]]) -> str:
    async with bus(settings, "doctor") as client:
        return await check(client)


async def _with_database(settings: ServerSettings, check: Callable[[Connection], Awaitable[str]]) -> str:
    async with database(settings.database_url, "doctor") as connection:
        return await check(connection)


async def _bus(client: Client) -> str:
    rtt = await client.rtt()
    version = client.connected_server_version
    return f"nats-server {version.major}.{version.minor}.{version.patch}, round trip {rtt * 1000:.1f} ms"


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
        raise Broken("no batch was ever published; start an agent with `sonde agent`")
    stored = await client.jetstream().get_msg(METRICS.name, state.last_seq, direct=True)
    age = time.time() - timestamp_ns(stored) / 1e9
    if age > FRESH_S:
        raise Broken(f"the last batch ({stored.subject}) is {age:.0f} s old; check the logs of the agents")
    return f"last batch {age:.0f} s ago on {stored.subject}, {state.messages} batches in the stream"


async def _schema(database: Connection) -> str:
    version = await database.fetchval("SHOW server_version")
    applied = await database.fetchval("SELECT max(name) FROM schema_migrations WHERE name ~ '^[0-9]'")
    return f"PostgreSQL {version}, migration {applied}"


async def _lag(settings: ServerSettings, consumer: str, remedy: str) -> str:
    async def stored(client: Client) -> int:
        return int((await client.jetstream().stream_info(METRICS.name)).state.last_seq)

    async with bus(settings, "doctor") as client:
        last = await stored(client)
    async with database(settings.database_url, "doctor") as connection:
        positions: dict[str, int] = {
            row["consumer"]: row["seq"] for row in await connection.fetch(POSITIONS, METRICS.name)
        }
    if consumer not in positions:
        raise Broken(f"{consumer} has never run on this database; {remedy}")
    lag = last - positions[consumer]
    if lag > LAG_MESSAGES:
        raise Broken(f"{lag} messages behind; {remedy}, or check its log")
    return f"{max(lag, 0)} messages behind"


async def _rows(database: Connection) -> str:
    row = await database.fetchrow(NEWEST)
    if row is None or row["last_sample"] is None:
        raise Broken("no rows yet; ingest writes them within seconds after a batch")
    age = (datetime.now(UTC) - row["last_sample"]).total_seconds()
    if age > FRESH_S:
        raise Broken(f"the newest row ({row['name']}) is {age:.0f} s old; repair the first broken link above")
    return f"newest {age:.0f} s old, from {row['name']}"


async def _outbox(database: Connection) -> str:
    row = await database.fetchrow(WAITING)
    waiting, oldest = (row["count"], row["min"]) if row else (0, None)
    if oldest and (datetime.now(UTC) - oldest).total_seconds() > 120:
        raise Broken(f"{waiting} Slack messages waiting since {oldest:%H:%M} UTC; press Test on the settings page")
    return f"{waiting} waiting"


async def _retention(database: Connection) -> str:
    started = await database.fetchval(RETENTION)
    if started is None:
        raise Broken("retention has never run; start `sonde retention`")
    age = (datetime.now(UTC) - started).total_seconds()
    if age > 3 * 3600:
        raise Broken(f"last run {age / 3600:.1f} h ago, expected hourly; start `sonde retention`")
    due, hosts = await database.fetchrow(DUE) or (0, 0)
    if due > 1000 + 12 * hosts:
        raise Broken(f"{due} 10-minute slots wait for their roll-up; check the log of `sonde retention`")
    return f"last run {age / 60:.0f} min ago, {due} 10-minute slots wait for their roll-up"


async def _answers(settings: ServerSettings) -> str:
    async with _client(settings, 5) as http:
        try:
            answer = await http.get("/api/v1/health/live")
        except httpx.TransportError as error:
            why = _http_reason(error)
            remedy = "start `sonde gateway`, or set SONDE_PORT"
            raise Broken(f"no gateway at {local_gateway(settings)}: {why}; {remedy}") from None
    if answer.status_code != 200:
        raise Broken(f"it answers {answer.status_code}; is something else at {local_gateway(settings)}?")
    return "it runs"


async def _ready(settings: ServerSettings) -> str:
    async with lent(settings) as token, _client(settings, 5) as http:
        answer = await http.get("/api/v1/health/ready", headers=token)
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise Broken(f"it answers {answer.status_code}: {json.dumps(body.get('checks', body))}; repair what this names")
    return "ready"


async def _live(settings: ServerSettings) -> str:
    async with (
        lent(settings) as token,
        _client(settings, 10) as http,
        http.stream("GET", "/api/v1/live", params={"metrics": "cpu.total"}, headers=token) as answer,
    ):
        if answer.status_code != 200:
            raise Broken(f"it answers {answer.status_code}; check the log of `sonde gateway`")
        started = asyncio.get_running_loop().time()
        async for line in answer.aiter_lines():
            if line == "event: frame":
                return f"first frame after {asyncio.get_running_loop().time() - started:.1f} s"
    raise Broken("the stream ended without a frame; check the log of `sonde gateway`")


def _client(settings: ServerSettings, timeout_s: float) -> httpx.AsyncClient:
    """Raises Broken."""
    try:
        trusted = local_trust(settings)
        return httpx.AsyncClient(base_url=local_gateway(settings), timeout=timeout_s, verify=trusted, trust_env=False)
    except SettingError as error:
        raise Broken(str(error)) from None
    except OSError as error:
        facts = f"certificate of the gateway not readable: {reason(error)}"
        raise Broken(f"{facts}; start `sonde gateway`, or run this as its user") from None


def _http_reason(error: httpx.TransportError) -> str:
    """As for the other servers; httpx says why only in what it was caused by."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    return reason(cause or error)
