"""Values per second from a full stream to committed rows, one ingest process, beside bare COPY of the same rows."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client

from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import nats_server, postgres_server
from infra.settings import ServerSettings
from infra.storage.database import Connection
from infra.storage.database import connection as database_connection
from infra.storage.engine import Engine, days_between, detect, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, build_batch, decode_batch, encode_batch
from schemas.messages import MESSAGE_ID, Batch
from services.ingest import service
from services.ingest.columns import FamilyRows, gather
from services.ingest.copyformat import Field, encode_copy, timestamps

FIGURES = (
    "ingest.values_per_s",
    "ingest.ratio_to_copy",
    "ingest.messages_per_s",
)
"""Names of what it prints."""
TARGET_VALUES_PER_S = 1.5e6
TARGET_RATIO = 0.7
SAMPLES = 10
DISTINCT = 50
"""Batches per host that differ by more than their times."""
PORTION_MESSAGES = 2000
"""Of one transaction of the limit; ingest takes about as many when it is behind."""


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--hosts", type=int, default=60)
    arguments.add_argument("--batches", type=int, default=400, help="10-second batches per host")
    options = arguments.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(options.hosts, options.batches)), options.json, FIGURES)
    return 0


def make_messages(hosts: int, batches: int) -> list[tuple[str, bytes]]:
    """Host and payload of every message, in the order a fleet sends them; all columns move like real ones."""
    dice = random.Random(7)
    start_ms = int(time.time()) * 1000 - batches * SAMPLES * 1000
    # Making values takes longest by far, so every host says the same again after a while.
    made = [[_make_batch(dice, f"host-{host}") for host in range(hosts)] for _ in range(min(batches, DISTINCT))]
    messages = []
    for number in range(batches):
        for batch in made[number % DISTINCT]:
            batch.seq = number + 1
            batch.times[0] = start_ms + number * SAMPLES * 1000
            messages.append((batch.host, encode_batch(batch)))
    return messages


def _make_batch(dice: random.Random, host: str) -> Batch:
    families = [family for family in CATALOGUE if family.name in ("cpu", "memory", "disk", "network")]
    instances = {"disk": ["nvme0n1", "sda"], "network": ["eth0", "eth1"]}
    level = {"int2": 3000, "int4": 5000, "int8": 2**30}
    samples = [
        Sample(
            tick * 1000,
            {
                family.name: {
                    instance: {
                        metric.name: level[metric.column] + dice.randrange(-1000, 1000) for metric in family.metrics
                    }
                    for instance in instances.get(family.name, [""])
                }
                for family in families
            },
        )
        for tick in range(SAMPLES)
    ]
    return build_batch(host, "bench", "metrics", 1, samples)


async def measure(hosts: int, batches: int) -> list[Figure]:
    """Fill a stream, ingest it, then COPY the same rows bare; medians of neither: one long run each."""
    messages = make_messages(hosts, batches)
    rows = _gathered(messages)
    values = sum(family.rows * len(family.family.metrics) for part in rows for family in part)
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        given = os.environ.get("SONDE_TEST_DATABASE_URL")
        url = given or (await stack.enter_async_context(postgres_server(data / "postgres"))).url
        database = await stack.enter_async_context(database_connection(url, "bench"))
        engine = await detect(database)
        await migrate(database, engine)
        await _make_room(database, engine, rows)
        client = await stack.enter_async_context(bus_connection(bus.url, "bench"))
        await ensure_streams(client)
        await _fill(client, messages)
        ingest_s = await _ingest(ServerSettings(nats_url=bus.url, database_url=url), database, len(messages))
        await _verify(database, rows)
        copy_s = await _bare_copy(database, rows)
    value, limit = values / ingest_s, values / copy_s
    return [
        figure("ingest.values_per_s", value, "values/s", TARGET_VALUES_PER_S, limit),
        figure("ingest.ratio_to_copy", value / limit, "", TARGET_RATIO),
        figure("ingest.messages_per_s", len(messages) / ingest_s, "messages/s"),
    ]


async def _make_room(database: Connection, engine: Engine, rows: list[list[FamilyRows]]) -> None:
    """Have the partitions that retention makes ahead."""
    times = [int(family.times_ms[at]) for part in (rows[0], rows[-1]) for family in part for at in (0, -1)]
    first, last = (datetime.fromtimestamp(at / 1000, UTC) for at in (min(times), max(times)))
    await engine.make_room(database, tables_of(CATALOGUE, "raw"), days_between(first, last))


def _gathered(messages: list[tuple[str, bytes]]) -> list[list[FamilyRows]]:
    """The rows in portions as ingest flushes them, decoded before any clock starts."""
    portions = range(0, len(messages), PORTION_MESSAGES)
    return [
        gather([decode_batch(data) for _, data in messages[start : start + PORTION_MESSAGES]], CATALOGUE)
        for start in portions
    ]


async def _fill(client: Client, messages: list[tuple[str, bytes]]) -> None:
    for number, (host, data) in enumerate(messages):
        await client.publish(f"metrics.{host}", data, headers={MESSAGE_ID: str(number)})
    await client.flush(60)
    while (await client.jetstream().stream_info("METRICS")).state.messages < len(messages):
        await asyncio.sleep(0.1)


async def _ingest(settings: ServerSettings, database: Connection, last: int) -> float:
    """Seconds from starting the service to the commit of message `last`."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        started = time.perf_counter()
        group.create_task(service.run(settings, stop))
        while await database.fetchval("SELECT seq FROM positions WHERE consumer = 'ingest'") != last:
            await asyncio.sleep(0.02)
        elapsed = time.perf_counter() - started
        stop.set()
    return elapsed


async def _verify(database: Connection, rows: list[list[FamilyRows]]) -> None:
    """A benchmark of rows that are not there would be worth nothing."""
    for name in {family.family.name for part in rows for family in part}:
        expected = sum(family.rows for part in rows for family in part if family.family.name == name)
        stored = await database.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 - a catalogue name
        assert stored == expected, (name, stored, expected)


async def _bare_copy(database: Connection, rows: list[list[FamilyRows]]) -> float:
    """Seconds to COPY buffers made beforehand into the same, emptied tables, a transaction per portion."""
    prepared = []
    for part in rows:
        for family in part:
            names = ["time", "host_id", *(["instance_id"] if family.family.instance else [])]
            keys = [Field("int4", family.series_of_row) for _ in names[1:]]
            fields = [
                Field(metric.column, column, nulls)
                for metric, column, nulls in zip(family.family.metrics, family.values, family.nulls, strict=True)
            ]
            names += [metric.name for metric in family.family.metrics]
            prepared.append((family.family.name, names, encode_copy([timestamps(family.times_ms), *keys, *fields])))
    for name in {name for name, _, _ in prepared}:
        await database.execute(f"TRUNCATE {name}")
    await database.execute("CHECKPOINT")
    per_portion = len(rows[0])
    started = time.perf_counter()
    for start in range(0, len(prepared), per_portion):
        async with database.transaction():
            for name, names, data in prepared[start : start + per_portion]:
                await database.copy_to_table(name, source=data, columns=names, format="binary")  # type: ignore[arg-type]
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
