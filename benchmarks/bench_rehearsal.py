"""Time that a rehearsal of a rule takes over a fleet's week at 1 Hz, beside the bare SQL over its minutes.

The processor of each host idles and is busy for ten minutes several times a day, with short spikes in between; rules
that fire on that are played by the process that the alerts service starts. With fewer --hosts or --days it is a quick
look.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import numpy as np
from nats.aio.client import Client

from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection as bus_connection
from infra.cli import process
from infra.clock import to_time
from infra.servers.embedded import nats_server, postgres_server
from infra.settings import ServerSettings
from infra.storage.database import Connection, ensure_hosts
from infra.storage.database import connection as database_connection
from infra.storage.engine import Engine, days_between, detect, tables_of
from infra.storage.migrate import migrate
from schemas.families import CPU
from schemas.rehearsals import REHEARSAL_ASK, Outcome, Rehearsal, RehearsalOrder, rehearsal_told
from schemas.rules import Rule, Threshold, Window
from services.alerts.rehearsal.desk import rehearse
from services.ingest.copyformat import Field, encode_copy, timestamps
from services.retention.rollup import roll_up

TARGET_S = 10.0
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BUSY_S, BURSTS_A_DAY, SPIKES_A_DAY = 600, 4, 50
LEVELS = Threshold(75, 65), Threshold(90, 80)
RULES = {
    "last": Rule("last", "Busy", "cpu.total", warning=LEVELS[0], critical=LEVELS[1], for_s=300, recover_for_s=60),
    "quick": Rule("quick", "Any spike", "cpu.total", critical=LEVELS[1]),
    "avg": Rule("avg", "Busy on average", "cpu.total", warning=LEVELS[0], window=Window("avg", 300)),
    "min": Rule("min", "Busy throughout", "cpu.total", warning=LEVELS[0], window=Window("min", 300)),
    "max": Rule("max", "A spike lately", "cpu.total", warning=LEVELS[0], window=Window("max", 300)),
    "p95": Rule("p95", "Busy mostly", "cpu.total", warning=LEVELS[0], window=Window("p95", 300)),
    "rate": Rule("rate", "Rising", "cpu.total", warning=Threshold(0.2, 0.1), window=Window("rate", 300)),
    "time-left": Rule(
        "time-left",
        "Full soon",
        "cpu.total",
        comparison="below",
        warning=Threshold(600, 1200),
        window=Window("time_left", 3600, 100),
    ),
}
"""One for each function of a window; `max` and `rate` change with every spike, `time-left` with every wave of noise."""
FIGURES = tuple(f"rehearsal.{name}_s" for name in RULES)
"""Names of what it prints."""


def main(argv: Sequence[str]) -> int:
    arguments = parser((__doc__ or "").splitlines()[0])
    arguments.add_argument("--hosts", type=int, default=100)
    arguments.add_argument("--days", type=int, default=7)
    options = arguments.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(options.hosts, options.days)), options.json, FIGURES)
    return 0


async def measure(hosts: int, days: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        client = await stack.enter_async_context(bus_connection(bus.url, "bench"))
        database = await stack.enter_async_context(database_connection(postgres.url, "bench"))
        engine = await detect(database)
        await migrate(database, engine)
        until_ms = int(time.time()) // 60 * 60_000
        await _generate(database, engine, hosts, days, until_ms)
        settings = ServerSettings(nats_url=bus.url, database_url=postgres.url)
        stop = asyncio.Event()
        figures = []
        async with asyncio.TaskGroup() as group:
            group.create_task(rehearse(client, settings, stop))
            await asyncio.sleep(0.5)  # until it listens
            for name, rule in RULES.items():
                bare_s = await _bare(database)
                started = time.perf_counter()
                outcome = await _rehearsed(client, rule, days)
                seconds = time.perf_counter() - started
                facts = f"fired {outcome.fired} times, {outcome.samples_read} raw samples read"
                print(f"{name}: {facts}, complete: {outcome.complete}", file=sys.stderr)
                figures.append(figure(f"rehearsal.{name}_s", seconds, "s", TARGET_S, bare_s))
            stop.set()
    return figures


async def _rehearsed(client: Client, rule: Rule, days: int) -> Outcome:
    told: asyncio.Queue[Rehearsal] = asyncio.Queue()
    order = RehearsalOrder(f"{time.time_ns():016x}", rule, days)

    async def hear(message: object) -> None:
        told.put_nowait(msgspec.json.decode(message.data, type=Rehearsal))  # type: ignore[attr-defined]

    await client.subscribe(rehearsal_told(order.id), cb=hear)
    await client.publish(REHEARSAL_ASK, msgspec.json.encode(order))
    while (last := await told.get()).state not in ("done", "failed"):
        pass
    assert last.outcome is not None, last.reason
    return last.outcome


async def _bare(database: Connection) -> float:
    """Seconds to read the least and the greatest value of every minute, as plainly as SQL allows."""
    started = time.perf_counter()
    await database.fetchrow("SELECT count(*), sum(total_min), sum(total_max), sum(total_n) FROM cpu_1m")
    return time.perf_counter() - started


async def _generate(database: Connection, engine: Engine, hosts: int, days: int, until_ms: int) -> None:
    """A week of the family cpu, rolled up to minutes."""
    ids = np.array(sorted((await ensure_hosts(database, [f"host-{number}" for number in range(hosts)])).values()))
    from_ms = until_ms // HOUR_MS * HOUR_MS - days * DAY_MS
    room = days_between(to_time(from_ms), to_time(until_ms))
    await engine.make_room(database, tables_of([CPU], "raw", "minute", "hour"), room)
    dice = np.random.default_rng(7)
    names = ["time", "host_id", *(metric.name for metric in CPU.metrics)]
    busy_until = np.zeros(hosts, np.int64)
    for start_ms in range(from_ms, until_ms, HOUR_MS):
        seconds = min(3600, (until_ms - start_ms) // 1000)
        at = start_ms // 1000 + np.arange(seconds)
        total = dice.integers(500, 3000, (seconds, hosts))
        begins = np.where(dice.random(hosts) < BURSTS_A_DAY / 24, at[0] + dice.integers(0, 3600, hosts), 2**40)
        ends = np.where(begins < 2**40, begins + BUSY_S, busy_until)
        busy = ((at[:, None] >= begins) & (at[:, None] < ends)) | (at[:, None] < busy_until)
        total = np.where(busy, total // 4 + 9200, total)
        busy_until = ends
        total[dice.random((seconds, hosts)) < SPIKES_A_DAY / 86400] = 9900
        columns = [timestamps(np.repeat(start_ms + 1000 * np.arange(seconds), hosts))]
        columns.append(Field("int4", np.tile(ids, seconds)))
        values = {"total": total.ravel()}
        others = (total // 2).ravel()
        columns += [Field(metric.column, values.get(metric.name, others)) for metric in CPU.metrics]
        data = bytes(encode_copy(columns))
        await database.copy_to_table("cpu", source=_chunks(data), columns=names, format="binary")
    await database.execute(
        """
        INSERT INTO dirty_minutes (host_id, slot)
        SELECT host, slot FROM unnest($1::int[]) AS host,
            generate_series(date_trunc('hour', $2::timestamptz), $3::timestamptz, interval '10 min') AS slot
        """,
        ids.tolist(),
        to_time(from_ms),
        to_time(until_ms),
    )
    await roll_up(database, engine, [CPU], to_time(until_ms))
    await database.execute("ANALYZE cpu, cpu_1m, dirty_minutes")


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 2**20):
        yield data[start : start + 2**20]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
