"""Time that the gateway takes for series and statistics over HTTP, beside the bare SQL, on a fleet's week at 1 Hz.

The fleet is generated: columns that move like real ones are copied in binary, an hour of all hosts at a time, and the
roll-up job does its work on them. Hour rows of the weeks before are copies of these, so that 30 days are 30 days. With
fewer --hosts or --days it is a quick look.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit, urlunsplit

import numpy as np
from msgspec import Struct

from benchmarks.bearer import bearer
from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.clock import to_time
from infra.servers.embedded import Server, nats_server, postgres_server
from infra.settings import ServerSettings
from infra.storage.database import Connection, ensure_hosts
from infra.storage.database import connection as database_connection
from infra.storage.engine import Engine, days_between, detect, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from schemas.families import CPU, MEMORY
from services.gateway import service
from services.gateway.history.resolution import HOUR_MS, choose_grid
from services.ingest.copyformat import Field, encode_copy, timestamps
from services.retention.policy import cold_before
from services.retention.rollup import roll_up

FAMILIES = (CPU, MEMORY)
METRICS = ",".join(
    f"cpu.{name}" for name in ("total", "user", "nice", "system", "irq", "softirq", "steal", "iowait", "load1")
)
"""One request of the host's page: its charts of a family come with one."""
TWO_FAMILIES = "cpu.total,cpu.iowait,cpu.load1,memory.used_percent,memory.used"
DAY_MS = 24 * HOUR_MS
POINTS = 600
LONGEST_DAYS = 31
WARM_UP = 6
"""Requests of a kind that fill caches and plans, and are not counted."""
SERIES_P95_MS = 20.0
STATS_P95_MS = 50.0


class Case(Struct, frozen=True):
    """One kind of request."""

    name: str
    span_ms: int
    target_ms: float | None
    path: str = "hosts/{host}/series"
    metrics: str = METRICS
    more: str = f"&points={POINTS}"


CPU_METRICS = ",".join(f"cpu.{metric.name}" for metric in CPU.metrics)
CASES = (
    Case("series_1h", HOUR_MS, SERIES_P95_MS),
    Case("series_24h", DAY_MS, SERIES_P95_MS),
    Case("series_7d", 7 * DAY_MS, SERIES_P95_MS),
    Case("series_30d", 30 * DAY_MS, SERIES_P95_MS),
    Case("series_7d_one_metric", 7 * DAY_MS, None, metrics="cpu.total"),
    Case("series_7d_all_cpu", 7 * DAY_MS, None, metrics=CPU_METRICS),
    Case("series_7d_two_families", 7 * DAY_MS, None, metrics=TWO_FAMILIES),
    Case("stats_7d", 7 * DAY_MS, STATS_P95_MS, path="hosts/{host}/stats", more=""),
    Case("stats_7d_two_families", 7 * DAY_MS, None, path="hosts/{host}/stats", metrics=TWO_FAMILIES, more=""),
    Case("fleet_24h", DAY_MS, None, path="series", metrics="cpu.total"),
    Case("fleet_7d_top", 7 * DAY_MS, None, path="series", metrics="cpu.total", more=f"&points={POINTS}&top=10"),
)
FIGURES = tuple(f"query.{case.name}_{part}_ms" for case in CASES for part in ("p95", "p50"))
"""Names of what it prints."""


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--hosts", type=int, default=20)
    arguments.add_argument("--days", type=int, default=7, help="days of raw rows")
    arguments.add_argument("--requests", type=int, default=60, help="requests of each kind")
    options = arguments.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(options.hosts, options.days, options.requests)), options.json, FIGURES)
    return 0


async def measure(hosts: int, days: int, requests: int) -> list[Figure]:
    """Generate, serve, ask: p95 and p50 of every case, and the median of its bare SQL."""
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        await ensure_streams(await stack.enter_async_context(bus_connection(bus.url, "bench")))
        given = os.environ.get("SONDE_TEST_DATABASE_URL")
        url = await stack.enter_async_context(
            fresh_database(given) if given else _address(postgres_server(data / "postgres"))
        )
        database = await stack.enter_async_context(database_connection(url, "bench"))
        engine = await detect(database)
        await migrate(database, engine)
        until_ms = int(time.time()) // 60 * 60_000
        note(f"generating {hosts} hosts x {days} days on {engine.name}")
        ids = await generate(database, engine, hosts, days, until_ms)
        settings = ServerSettings(nats_url=bus.url, database_url=url, port=0)
        note("rolling up")
        await mark(database, ids, until_ms - days * DAY_MS, until_ms)
        await roll_up(database, engine, FAMILIES, to_time(until_ms))
        await lengthen(database, days)
        await engine.compress_before(database, tables_of(FAMILIES), cold_before(to_time(until_ms)))
        note("asking")
        return await _ask(settings, database, ids, days, until_ms, requests)


@asynccontextmanager
async def fresh_database(given: str) -> AsyncIterator[str]:
    """A database of our own on the server of `given`, dropped on leaving."""
    name = f"sonde_bench_{os.getpid()}"
    async with database_connection(given, "bench") as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _address(starting: AbstractAsyncContextManager[Server]) -> AsyncIterator[str]:
    async with starting as server:
        yield server.url


def note(text: str) -> None:
    """Progress for people, beside the figures."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


async def _ask(
    settings: ServerSettings, database: Connection, ids: dict[str, int], days: int, until_ms: int, requests: int
) -> list[Figure]:
    stop = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    figures = []
    token = await bearer(database)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run(settings, stop, on_bound=bound.set_result))
        client = http.client.HTTPConnection("127.0.0.1", await bound, timeout=60)
        while not await asyncio.to_thread(_ready, client, token):
            await asyncio.sleep(0.1)
        for case in CASES:
            dice = random.Random(7)
            taken: list[float] = []
            bare: list[float] = []
            for number in range(requests + WARM_UP):
                host = dice.choice(sorted(ids))
                last_ms = until_ms - dice.randrange(max(HOUR_MS, days * DAY_MS - case.span_ms)) // 1000 * 1000
                span = (last_ms - case.span_ms, last_ms)
                asked = sorted(ids.values()) if case.path == "series" else [ids[host]]
                work = [
                    (taken, asyncio.to_thread(_get, client, token, case, host, span)),
                    (bare, _bare(database, asked, case, span)),
                ]
                for kept, awaited in work[:: 1 if number % 2 else -1]:  # each goes first, on cold pages, in turn
                    kept.append(await _milliseconds(awaited))
            del taken[:WARM_UP], bare[:WARM_UP]
            p95 = sorted(taken)[round(0.95 * len(taken)) - 1]
            figures.append(figure(f"query.{case.name}_p95_ms", p95, "ms", case.target_ms, median(bare)))
            figures.append(figure(f"query.{case.name}_p50_ms", median(taken), "ms", None, median(bare)))
        client.close()
        stop.set()
    return figures


async def _milliseconds(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


def _ready(client: http.client.HTTPConnection, token: dict[str, str]) -> bool:
    try:
        client.request("GET", "/api/v1/health/ready", headers=token)
        response = client.getresponse()
        response.read()
    except OSError:
        client.close()
        return False
    return response.status == 200


def _get(
    client: http.client.HTTPConnection, token: dict[str, str], case: Case, host: str, span: tuple[int, int]
) -> None:
    named = "metric" if case.path == "series" else "metrics"
    query = urlencode({named: case.metrics, "from": span[0], "to": span[1]}) + case.more
    client.request("GET", f"/api/v1/{case.path.format(host=host)}?{query}", headers=token)
    response = client.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{case.name}: {response.status} {body[:300]!r}")


async def _bare(database: Connection, host_ids: list[int], case: Case, span: tuple[int, int]) -> None:
    """The same numbers as rows, asked as plainly as SQL allows and of one table only; no percentiles for statistics."""
    grid = choose_grid(*span, POINTS, 1000)
    stats = case.path.endswith("stats")
    suffix = "_1h" if stats else {"raw": "", "minute": "_1m", "hour": "_1h"}[grid.resolution]
    step = timedelta(days=3650) if stats else timedelta(milliseconds=grid.step_ms)
    for family in FAMILIES:
        names = [path.partition(".")[2] for path in case.metrics.split(",") if path.startswith(f"{family.name}.")]
        if not names:
            continue
        if suffix:
            columns = ", ".join(
                f'sum("{n}_n"), sum("{n}_sum")::float8, min("{n}_min"), max("{n}_max")'
                + (f', array_agg("{n}_sketch")' if stats else "")
                for n in names
            )
        else:
            columns = ", ".join(f'avg("{n}")::float8, min("{n}"), max("{n}")' for n in names)
        await database.fetch(
            f"""
            SELECT host_id, date_bin($4, time, '1970-01-01Z'::timestamptz), {columns} FROM {family.name}{suffix}
            WHERE host_id = ANY($1) AND time >= $2 AND time < $3 GROUP BY 1, 2
            """,  # noqa: S608 - catalogue names
            host_ids,
            to_time(span[0]),
            to_time(span[1]),
            step,
        )


async def generate(database: Connection, engine: Engine, hosts: int, days: int, until_ms: int) -> dict[str, int]:
    """Fill the tables of FAMILIES up to `until_ms` and roll them up; name and id of every host."""
    ids = await ensure_hosts(database, [f"host-{number}" for number in range(hosts)])
    from_ms = until_ms // HOUR_MS * HOUR_MS - days * DAY_MS
    until, longest = to_time(until_ms), to_time(until_ms - LONGEST_DAYS * DAY_MS)
    await engine.make_room(database, tables_of(CATALOGUE, "raw"), days_between(to_time(from_ms), until))
    await engine.make_room(database, tables_of(CATALOGUE, "hour"), days_between(longest, until))
    rng = np.random.default_rng(7)
    for start_ms in range(from_ms, until_ms, HOUR_MS):
        seconds = min(3600, (until_ms - start_ms) // 1000)
        times = np.repeat(start_ms + 1000 * np.arange(seconds), hosts)
        for family in FAMILIES:
            fields = [timestamps(times), Field("int4", np.tile(np.array(sorted(ids.values())), seconds))]
            fields += [Field(metric.column, _values(rng, metric.column, hosts, seconds)) for metric in family.metrics]
            names = ["time", "host_id", *(metric.name for metric in family.metrics)]
            data = encode_copy(fields)
            await database.copy_to_table(family.name, source=_chunks(bytes(data)), columns=names, format="binary")
    return ids


async def mark(database: Connection, ids: dict[str, int], from_ms: int, until_ms: int) -> None:
    """Mark everything for the roll-up, as ingest does."""
    await database.execute(
        """
        INSERT INTO dirty_minutes (host_id, slot)
        SELECT host, slot FROM unnest($1::int[]) AS host,
            generate_series(date_trunc('hour', $2::timestamptz), $3::timestamptz, interval '10 min') AS slot
        ORDER BY 1, 2
        """,
        sorted(ids.values()),
        to_time(from_ms),
        to_time(until_ms),
    )


async def lengthen(database: Connection, days: int) -> None:
    """Copy the hour rows into the past until there are LONGEST_DAYS of them; let the planner know all."""
    for family in FAMILIES:
        names = [
            "host_id",
            *(f'"{m.name}_{part}"' for m in family.metrics for part in ("n", "sum", "min", "max", "sketch")),
        ]
        columns = ", ".join(names)
        for back in range(days, LONGEST_DAYS, days):
            await database.execute(
                f"""
                INSERT INTO {family.name}_1h (time, {columns}) SELECT time - $1::interval, {columns}
                FROM {family.name}_1h WHERE time >= $2 AND time - $1::interval >= $3
                """,  # noqa: S608 - catalogue names
                timedelta(days=back),
                datetime.now(UTC) - timedelta(days=days),
                datetime.now(UTC) - timedelta(days=LONGEST_DAYS),
            )
        for table in tables_of([family]):
            await database.execute(f"ANALYZE {table.name}")


def _values(rng: np.random.Generator, column: str, hosts: int, seconds: int) -> np.ndarray:
    """A level per host that wanders, with bursts; row by row, all hosts of a second together."""
    scale = {"int2": 10_000, "int4": 50_000, "int8": 2**34}[column]
    wander = np.abs(np.cumsum(rng.normal(0, 0.01, (seconds, hosts)), axis=0) + rng.random(hosts))
    bursts = (rng.random((seconds, hosts)) < 0.01) * rng.random((seconds, hosts))
    return (np.clip(wander * 0.3 + bursts, 0, 1) * scale).astype(np.int64).ravel()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 256 * 1024):
        yield data[start : start + 256 * 1024]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
