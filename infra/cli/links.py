"""The links from agent to browser, as `sonde doctor` checks them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
import httpx
import msgspec
import nats.errors
import nats.js.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.ordered import timestamp_ns
from infra.certificates.listening import local_gateway, local_trust
from infra.cli.people import lent
from infra.cli.reach import WITHIN_S, Unreachable, bus, database, reason
from infra.settings import ServerSettings, SettingError
from infra.storage.database import Connection
from infra.storage.migrate import read_migrations
from infra.storage.schema import schema_fault
from schemas.api import SeriesAnswer
from schemas.health import HEARTBEAT_EVERY_S, MISSING_AFTER_S, Component, Health, Heartbeat, Instance
from schemas.messages import HostFacts
from schemas.subjects import METRICS, STREAMS, ask_health, host_of, micro_name
from services.gateway.fleet.liveness import late_after_s
from services.gateway.health import components, sql
from services.gateway.health.components import Silence
from services.gateway.health.examine import notifications
from services.gateway.health.heartbeats import Heard

FRESH_S = 60.0
"""At least; longer where an agent sends more seldom."""
ASK_WITHIN_S = 3
ALL_WITHIN_S = 1.0
FRAME_WITHIN_S = 10
HEARD_WITHIN_S = HEARTBEAT_EVERY_S + 1
"""Until then a gateway that has just started has heard every service that runs."""
HEARD_EVERY_S = 0.5
CHART_S = 900
"""Batches of an agent may be five minutes apart."""
CHARTED = "cpu.total,agent.cpu"
"""Agents sample both unless they are told otherwise."""
T = TypeVar("T", bound=Struct)

NEWEST = (
    "SELECT name, last_sample, facts FROM hosts WHERE state = 'active' ORDER BY last_sample DESC NULLS LAST LIMIT 1"
)
FACTS = "SELECT facts FROM hosts WHERE name = $1 AND state = 'active'"
QUICKEST = "SELECT min((facts ->> 'sample_interval_s')::float8) FROM hosts WHERE state = 'active'"


class Broken(Exception):
    """A link does not hold; the text says what was found and what to do."""


class Link(Struct, frozen=True):
    """One check."""

    key: str
    name: str
    check: Callable[[], Awaitable[str]]
    """What was found. Raises Broken, and what servers raise."""
    needs: tuple[str, ...] = ()
    """Keys of the links without which it cannot be checked; they stand before it."""


def links(settings: ServerSettings) -> list[Link]:
    """In the order of the data's way, after the servers that most of them need."""

    def of_bus(check: Callable[[Client], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        return lambda: _with_bus(settings, check)

    def of_database(check: Callable[[Connection], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        return lambda: _with_database(settings, check)

    def of_service(name: str) -> Callable[[], Awaitable[str]]:
        return of_bus(lambda client: _service(client, name))

    return [
        Link("bus", "bus answers", of_bus(_bus)),
        Link("database", "database answers", of_database(_database)),
        Link("tables", "tables are those of this version", of_database(_schema), ("database",)),
        Link("gateway", "gateway answers", lambda: _gateway(settings)),
        Link("streams", "streams exist", of_bus(_streams), ("bus",)),
        Link("agents", "agents publish", of_bus(lambda client: _agents(client, settings)), ("streams",)),
        Link("ingest", "ingest keeps up", of_service("ingest"), ("bus",)),
        Link("rows", "rows are fresh", of_database(_rows), ("tables",)),
        Link("alerts", "alerts keep up", of_service("alerts"), ("bus",)),
        Link("notifications", "notifications leave", of_database(_notifications), ("tables",)),
        Link("retention", "retention works", of_service("retention"), ("bus",)),
        Link("runs", "roll-ups and pruning are in time", of_database(_retention), ("tables",)),
        Link("health", "gateway finds all well", lambda: _health(settings), ("tables", "gateway")),
        Link("chart", "charts have points", lambda: _chart(settings), ("tables", "gateway", "rows")),
        Link("live", "live stream delivers", lambda: _live(settings), ("tables", "gateway", "agents")),
    ]


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


async def _database(database: Connection) -> str:
    return f"PostgreSQL {await database.fetchval('SHOW server_version')}"


async def _schema(database: Connection) -> str:
    migrations = read_migrations()
    fault = await schema_fault(database, migrations)
    if fault:
        raise Broken(fault)
    return f"{len(migrations)} migrations, the last one {migrations[-1].name}; all columns are there"


async def _streams(client: Client) -> str:
    for stream in STREAMS:
        try:
            await client.jetstream().stream_info(stream.name)
        except nats.js.errors.NotFoundError:
            raise Broken(f"stream {stream.name} is missing; run `sonde migrate`") from None
    return f"{len(STREAMS)} of {len(STREAMS)}"


async def _agents(client: Client, settings: ServerSettings) -> str:
    state = (await client.jetstream().stream_info(METRICS.name)).state
    if not state.messages:
        raise Broken("no batch was ever published; start an agent with `sonde agent`")
    stored = await client.jetstream().get_msg(METRICS.name, state.last_seq, direct=True)
    age = time.time() - timestamp_ns(stored) / 1e9
    if age > FRESH_S and age > fresh_s(await _facts(settings, host_of(stored.subject or ""))):
        raise Broken(f"the last batch ({stored.subject}) is {age:.0f} s old; check the logs of the agents")
    return f"last batch {age:.0f} s ago on {stored.subject}, {state.messages} batches in the stream"


def fresh_s(facts: str | None) -> float:
    """How old the newest of a host with those facts, JSON, may be; where they make no sense, the usual ones count."""
    try:
        known = msgspec.json.decode(facts or "{}", type=HostFacts)
    except msgspec.MsgspecError:
        known = HostFacts()
    return max(FRESH_S, late_after_s(False, known))


async def _facts(settings: ServerSettings, host: str) -> str | None:
    """What the table has of a host; None when it has nothing, or does not answer, which is told elsewhere."""
    with contextlib.suppress(Unreachable, asyncpg.PostgresError):
        async with database(settings.database_url, "doctor") as connection:
            facts: str | None = await connection.fetchval(FACTS, host)
            return facts
    return None


async def _service(client: Client, name: str) -> str:
    """Ask an instance how it is; where that one only stands by, all of them."""
    try:
        answer = await client.request(ask_health(name), timeout=ASK_WITHIN_S)
    except nats.errors.NoRespondersError:
        raise Broken(f"it does not run; start `sonde {name}`") from None
    except nats.errors.TimeoutError:
        raise Broken(f"it does not answer within {ASK_WITHIN_S} s; see the log of `sonde {name}`") from None
    said = [msgspec.json.decode(answer.data, type=Heartbeat)]
    if said[0].standby:
        said = await _instances(client, name)
    return _well(components.service(name, [Heard(one, 0.0) for one in said], Silence(0.0, True)))


async def _instances(client: Client, name: str) -> list[Heartbeat]:
    """What every instance says, as far as it answers at once: the statistics of NATS micro services carry it."""
    inbox = client.new_inbox()
    said: list[Heartbeat] = []

    async def hear(message: Msg) -> None:
        stats = msgspec.json.decode(message.data, type=_Stats)
        said.extend(endpoint.data for endpoint in stats.endpoints)

    subscription = await client.subscribe(inbox, cb=hear)
    await client.publish(f"$SRV.STATS.{micro_name(name)}", b"", reply=inbox)
    await asyncio.sleep(ALL_WITHIN_S)
    await subscription.unsubscribe()
    return said


class _Endpoint(Struct):
    data: Heartbeat


class _Stats(Struct):
    """The part that matters of what `$SRV.STATS` is answered."""

    endpoints: list[_Endpoint]


def _well(component: Component) -> str:
    """What was found of it. Raises Broken unless it is ok."""
    if component.status != "ok":
        raise Broken(component.detail)
    return component.detail


async def _rows(database: Connection) -> str:
    row = await database.fetchrow(NEWEST)
    if row is None or row["last_sample"] is None:
        raise Broken("no rows yet; ingest writes them within seconds after a batch")
    age = (datetime.now(UTC) - row["last_sample"]).total_seconds()
    if age > fresh_s(row["facts"]):
        raise Broken(f"the newest row ({row['name']}) is {age:.0f} s old; repair the first broken link above")
    return f"newest {age:.0f} s old, from {row['name']}"


async def _notifications(database: Connection) -> str:
    return _well(notifications(await database.fetch(sql.NOTIFICATIONS)))


async def _retention(database: Connection) -> str:
    row = await database.fetchrow(sql.RETENTION)
    assert row is not None  # noqa: S101  # it begins with a row of its own
    if row["pruned_s"] is None:
        raise Broken("retention has never run; start `sonde retention`")
    beats = Component(
        "retention", "ok", f"last pruned {row['pruned_s'] / 60:.0f} min ago; {row['due_slots']} slots wait"
    )
    return _well(components.retention(beats, row["pruned_s"], row["due_slots"], row["hosts"]))


async def _gateway(settings: ServerSettings) -> str:
    async with _client(settings) as http:
        try:
            answer = await http.get("/api/v1/health/live")
        except httpx.TransportError as error:
            why = _http_reason(error)
            remedy = "start `sonde gateway`, or set SONDE_PORT"
            raise Broken(f"no gateway at {local_gateway(settings)}: {why}; {remedy}") from None
    if answer.status_code != 200:
        raise Broken(f"it answers {answer.status_code}; is another program at {local_gateway(settings)}?")
    return "it runs"


async def _health(settings: ServerSettings) -> str:
    """What the gateway finds; where something has just started, once that has had the time to settle."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + HEARD_WITHIN_S
    async with lent(settings) as token, _client(settings) as http:
        while True:
            found = await _asked(http, token, "/health", Health)
            unheard = [f"{part.name} ({part.detail})" for part in found.components if part.status == "unknown"]
            wrong = [part for part in found.components if part.status not in ("ok", "unknown")]
            settling = unheard or any(_is_young(one) for part in found.components for one in part.instances)
            if not (wrong or unheard) or not settling or loop.time() > until_s:
                break
            await asyncio.sleep(HEARD_EVERY_S)
    if wrong:
        raise Broken("; ".join(f"{part.name}: {part.detail}" for part in wrong))
    well = ", ".join(part.name for part in found.components if part.status == "ok")
    return f"{well}; not known yet: {', '.join(unheard)}" if unheard else well


def _is_young(instance: Instance) -> bool:
    """Whether it started so short a time ago that much may not be known yet, such as who has which work."""
    return instance.heartbeat.uptime_s < MISSING_AFTER_S


async def _chart(settings: ServerSettings) -> str:
    """What a chart of the last minutes shows of the host that was heard last."""
    async with lent(settings) as token, _client(settings) as http:
        newest = {"state": "up,late", "sort": "-last_sample", "limit": "1", "metrics": CHARTED}
        heard = await _asked(http, token, "/hosts", _Hosts, newest)
        if not heard.hosts:
            raise Broken("the gateway knows no host that sends; see the log of `sonde gateway`")
        host = heard.hosts[0].id
        asked = {"metrics": CHARTED, "from": f"-{CHART_S}s", "points": str(CHART_S)}
        series = await _asked(http, token, f"/hosts/{host}/series", SeriesAnswer, asked)
    columns = [column.avg for column in series.series]
    known = [at_ms for at_ms, *values in zip(series.times, *columns, strict=True) if set(values) - {None}]
    if not known:
        remedy = "see the log of `sonde ingest`, and whether the settings of agents turned these metrics off"
        raise Broken(f"{host} has no value of {CHARTED} in the last {CHART_S} s; {remedy}")
    age_s = max(0.0, time.time() - max(known) / 1000)
    return f"{host}: {len(known)} points of {CHARTED} in the last {CHART_S} s, the newest {age_s:.0f} s old"


class _Host(Struct):
    id: str


class _Hosts(Struct):
    """The part that matters of `GET /hosts`."""

    hosts: list[_Host]


async def _asked(
    http: httpx.AsyncClient, token: Mapping[str, str], path: str, kind: type[T], query: Mapping[str, str] | None = None
) -> T:
    """The gateway's answer. Raises Broken unless it is one of that kind."""
    answer = await http.get(f"/api/v1{path}", headers=token, params=query)
    if answer.status_code != 200:
        raise Broken(f"it answers {answer.status_code}; see the log of `sonde gateway`")
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise Broken(f"its answer is not understood ({error}); run the same version everywhere") from None


async def _live(settings: ServerSettings) -> str:
    """Await a frame; where every agent samples too seldom for that, what comes first is enough."""
    async with database(settings.database_url, "doctor") as connection:
        sampling_s = await connection.fetchval(QUICKEST) or 0.0
    wanted = "snapshot" if 2 * sampling_s > FRAME_WITHIN_S else "frame"
    started = asyncio.get_running_loop().time()
    try:
        async with (
            asyncio.timeout(FRAME_WITHIN_S),
            lent(settings) as token,
            _client(settings) as http,
            http.stream("GET", "/api/v1/live", params={"metrics": "cpu.total"}, headers=token) as answer,
        ):
            if answer.status_code != 200:
                raise Broken(f"it answers {answer.status_code}; see the log of `sonde gateway`")
            async for line in answer.aiter_lines():
                if line == f"event: {wanted}":
                    return f"first {wanted} after {asyncio.get_running_loop().time() - started:.1f} s"
    except TimeoutError:
        raise Broken(f"no {wanted} within {FRAME_WITHIN_S} s; see the log of `sonde gateway`") from None
    raise Broken(f"the stream ended without a {wanted}; see the log of `sonde gateway`")


@contextlib.asynccontextmanager
async def _client(settings: ServerSettings) -> AsyncIterator[httpx.AsyncClient]:
    """Raises Broken."""
    try:
        trusted = local_trust(settings)
        client = httpx.AsyncClient(base_url=local_gateway(settings), timeout=WITHIN_S, verify=trusted, trust_env=False)
    except SettingError as error:
        raise Broken(str(error)) from None
    except OSError as error:
        facts = f"certificate of the gateway not readable: {reason(error)}"
        raise Broken(f"{facts}; start `sonde gateway`, or run this as its user") from None
    async with client:
        yield client


def _http_reason(error: httpx.TransportError) -> str:
    """As for the other servers; httpx says why only in what it was caused by."""
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {WITHIN_S} s"
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    return reason(cause or error)
