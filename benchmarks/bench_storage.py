"""Bytes per value in the database, hot and cold, beside the entropy of the same values.

Traces of an agent's families go through the COPY encoder of ingest in the order in which agents send, are rolled up by
the retention service's job, and compressed where the engine can. The engine is that of `--database-url`, or of
SONDE_TEST_DATABASE_URL; without either, the embedded PostgreSQL.

A row costs PostgreSQL about 70 bytes before its first value: 28 for header and item pointer, 16 for its keys, 28 for
its entry in the index. So bytes per value follow from how many metrics a family has; `cpu`, with 17, has a figure of
its own. In the columnstore nearly everything is values, and of those the noise in the rates of packets, context
switches and bytes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.bench_query import fresh_database
from benchmarks.figures import Figure, figure, parser, show
from benchmarks.traces import FAMILIES, Trace, entropy_bytes, host_traces
from infra.cli import process
from infra.cli.tables import count, size, table
from infra.servers.embedded import postgres_server
from infra.storage.database import Connection, connection, ensure_hosts
from infra.storage.engine import Engine, Part, days_between, detect, tables_of
from infra.storage.migrate import migrate
from schemas.families import CPU
from services.ingest.copyformat import Field, encode_copy, timestamps
from services.retention.rollup import roll_up

COLD_TARGET = 1.1
PLAIN_TARGET = 8.0
FLUSH_S = 60
BATCH_S = 10
KINDS = ("raw", "minute", "hour")
FIGURES = (
    *(
        f"storage.{layout}_{kind}"
        for layout in ("plain", "timescale_hot")
        for kind in ("bytes_per_value", "cpu_bytes_per_value", "minute_bytes_per_metric", "hour_bytes_per_metric")
    ),
    "storage.timescale_bytes_per_value",
    "storage.timescale_minute_bytes_per_metric",
)
"""Names of what it prints, on one engine or the other."""


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--hosts", type=int, default=4)
    arguments.add_argument("--hours", type=int, default=24, help="hours of one day, at most 24")
    arguments.add_argument("--database-url", default=os.environ.get("SONDE_TEST_DATABASE_URL", ""))
    arguments.add_argument("--families", action="store_true", help="also a table by family on standard error")
    options = arguments.parse_args(argv)
    with process.runner() as loop:
        work = measure(options.hosts, min(24, options.hours), options.database_url, options.families)
        show(loop.run(work), options.json, FIGURES)
    return 0


async def measure(hosts: int, hours: int, given: str, by_family: bool) -> list[Figure]:
    """Write, measure hot, roll up, compress, measure cold."""
    async with AsyncExitStack() as stack:
        if given:
            url = await stack.enter_async_context(fresh_database(given))
        else:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = (await stack.enter_async_context(postgres_server(data / "postgres"))).url
        database = await stack.enter_async_context(connection(url, "bench"))
        engine = await detect(database)
        await migrate(database, engine)
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
        traces = {f"host-{number}": list(host_traces(number, hours * 3600)) for number in range(hosts)}
        await write(database, engine, traces, day, hours * 3600)
        await roll_up(database, engine, FAMILIES, datetime.now(UTC))
        hot = await _sizes(database, engine)
        await engine.compress_before(database, tables_of(FAMILIES), day + timedelta(days=60))
        cold = await _sizes(database, engine)
        if by_family:
            print(_by_family(traces, hot, cold), file=sys.stderr)
        return _figures(engine.name, traces, hot, cold)


async def write(
    database: Connection, engine: Engine, traces: dict[str, list[Trace]], day: datetime, seconds: int
) -> None:
    """Copy everything in flushes of a minute, in each the batches of every host one after the other, and mark it."""
    hosts = await ensure_hosts(database, list(traces))
    ids = await _instances(database, traces, hosts)
    last = day + timedelta(seconds=seconds - 1)
    await engine.make_room(database, tables_of(FAMILIES), days_between(day, last))
    day_ms = round(day.timestamp() * 1000)
    for family in FAMILIES:
        names = ["time", "host_id", *(["instance_id"] if family.instance else []), *(m.name for m in family.metrics)]
        for start in range(0, seconds, 600):
            own = [(host, trace) for host, some in traces.items() for trace in some if trace.family is family]
            picked = [(host, trace, _within(trace, start, start + 600)) for host, trace in own]
            times = np.concatenate([trace.times_s[rows] for _, trace, rows in picked])
            lengths = [rows.stop - rows.start for _, _, rows in picked]
            order = np.argsort(times // BATCH_S, kind="stable")
            keys = [[hosts[host] for host, _, _ in picked]]
            if family.instance:
                keys.append([ids[host, family.name, trace.instance] for host, trace, _ in picked])
            fields = [timestamps(times[order] * 1000 + day_ms)]
            fields += [Field("int4", np.repeat(np.array(key), lengths)[order]) for key in keys]
            for k, metric in enumerate(family.metrics):
                values = np.concatenate([trace.columns[k][rows] for _, trace, rows in picked])
                fields.append(Field(metric.column, values[order]))
            await database.copy_to_table(
                family.name, source=_chunks(encode_copy(fields)), columns=names, format="binary"
            )
    await database.execute(
        """
        INSERT INTO dirty_minutes (host_id, slot)
        SELECT id, slot FROM hosts, generate_series($1::timestamptz, $2, interval '10 min') AS slot ORDER BY 1, 2
        """,
        day,
        last,
    )


def _within(trace: Trace, start: int, end: int) -> slice:
    first, last = np.searchsorted(trace.times_s, [start, end])
    return slice(int(first), int(last))


async def _instances(
    database: Connection, traces: dict[str, list[Trace]], hosts: dict[str, int]
) -> dict[tuple[str, str, str], int]:
    ids = {}
    for host, some in traces.items():
        for trace in some:
            if trace.family.instance:
                ids[host, trace.family.name, trace.instance] = await database.fetchval(
                    "INSERT INTO instances (host_id, family, name) VALUES ($1, $2, $3) RETURNING id",
                    hosts[host],
                    trace.family.name,
                    trace.instance,
                )
    return ids


async def _sizes(database: Connection, engine: Engine) -> dict[str, tuple[int, int]]:
    """Rows, counted, and bytes with indexes of every table."""
    found = {}
    for each in tables_of(FAMILIES):
        parts: list[Part] = await engine.parts(database, [each])
        rows = await database.fetchval(f'SELECT count(*) FROM "{each.name}"')  # noqa: S608 - catalogue names
        found[each.name] = (rows, sum(part.bytes for part in parts))
    return found


def _figures(
    engine: str, traces: dict[str, list[Trace]], hot: dict[str, tuple[int, int]], cold: dict[str, tuple[int, int]]
) -> list[Figure]:
    columns = [column for some in traces.values() for trace in some for column in trace.columns]
    entropy = float(np.average([entropy_bytes(column) for column in columns], weights=[len(c) for c in columns]))
    name = "plain" if engine == "native" else "timescale_hot"
    target = PLAIN_TARGET if engine == "native" else None
    figures = [figure(f"storage.{name}_bytes_per_value", _per_value(hot, "raw"), "B/value", target, entropy)]
    rows, taken = hot[CPU.name]
    figures.append(figure(f"storage.{name}_cpu_bytes_per_value", taken / rows / len(CPU.metrics), "B/value", target))
    if engine != "native":
        value = _per_value(cold, "raw")
        figures.append(figure("storage.timescale_bytes_per_value", value, "B/value", COLD_TARGET, entropy))
        value = _per_value(cold, "minute")
        figures.append(figure("storage.timescale_minute_bytes_per_metric", value, "B per metric and minute"))
    # An hour's chunk is for four weeks, of which this is one day: compressed, it says nothing.
    for kind in ("minute", "hour"):
        label = f"storage.{name}_{kind}_bytes_per_metric"
        figures.append(figure(label, _per_value(hot, kind), f"B per metric and {kind}"))
    return figures


def _per_value(sizes: dict[str, tuple[int, int]], kind: str) -> float:
    """Bytes per metric and row of all tables of that kind."""
    own = [(sizes[each.name], len(each.family.metrics)) for each in tables_of(FAMILIES) if each.kind == kind]
    return sum(size_ for (_, size_), _ in own) / sum(rows * metrics for (rows, _), metrics in own)


def _by_family(
    traces: dict[str, list[Trace]], hot: dict[str, tuple[int, int]], cold: dict[str, tuple[int, int]]
) -> str:
    lines = []
    for each in tables_of(FAMILIES):
        rows, before = hot[each.name]
        values = rows * len(each.family.metrics)
        own = [c for some in traces.values() for trace in some if trace.family is each.family for c in trace.columns]
        entropy = float(np.average([entropy_bytes(c) for c in own], weights=[len(c) for c in own]))
        after = cold[each.name][1]
        lines.append(
            (
                *(each.name, count(rows), size(before), f"{before / values:.2f}"),
                *(size(after), f"{after / values:.2f}", f"{entropy:.2f}" if each.kind == "raw" else ""),
            )
        )
    return table(["TABLE", " ROWS", " HOT", " B/VALUE", " COLD", " B/VALUE", " ENTROPY"], lines)


async def _chunks(data: bytes | bytearray) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 256 * 1024):
        yield bytes(data[start : start + 256 * 1024])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
