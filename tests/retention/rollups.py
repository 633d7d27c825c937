"""Raw rows written as ingest writes them, and what their roll-ups must be, computed in plain Python."""

# ruff: noqa: S608 -- names of the catalogue

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from infra.storage.database import Connection, ensure_hosts
from infra.storage.engine import Engine, Table, tables_of
from infra.storage.sketch import sketch
from schemas.catalogue import Family
from services.retention.rollup import HOUR, SLOT
from tests.infra.families import HOUSE, ROOM, SHELF, instance

Row = tuple[str, datetime, int | None]
"""Host, time and the first metric's count; the second one is always null."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def write(database: Connection, engine: Engine, rows: Sequence[Row]) -> None:
    """Put rows into both families, with the marks that belong to them, in one transaction."""
    async with database.transaction():
        hosts = await ensure_hosts(database, {host for host, _, _ in rows})
        times = [time for _, time, _ in rows]
        await engine.make_room(database, tables_of(HOUSE, "raw"), times)
        shelves = {host: await instance(database, number, SHELF) for host, number in hosts.items()}
        room = [(time, hosts[host], count) for host, time, count in rows]
        shelf = [(time, hosts[host], shelves[host], count) for host, time, count in rows]
        await database.copy_records_to_table("room", records=room, columns=["time", "host_id", "temperature"])
        await database.copy_records_to_table("shelf", records=shelf, columns=["time", "host_id", "instance_id", "load"])
        for host, slot in sorted({(hosts[host], floor(time, SLOT)) for host, time, _ in rows}):
            await database.execute(
                "INSERT INTO dirty_minutes VALUES ($1, $2) "
                "ON CONFLICT (host_id, slot) DO UPDATE SET version = dirty_minutes.version + 1",
                host,
                slot,
            )


def floor(time: datetime, length: timedelta) -> datetime:
    return time - (time - _EPOCH) % length


def expected(rows: Iterable[Row], length: timedelta) -> list[tuple[Any, ...]]:
    """Time, host, count, sum, least, greatest, ascending."""
    held: dict[tuple[datetime, str], list[int]] = {}
    for host, time, count in rows:
        of_bucket = held.setdefault((floor(time, length), host), [])
        if count is not None:
            of_bucket.append(count)
    return [
        (time, host, len(counts), sum(counts) if counts else None, min(counts, default=None), max(counts, default=None))
        for (time, host), counts in sorted(held.items())
    ]


async def stored(database: Connection, table: Table) -> list[tuple[Any, ...]]:
    """The same of a roll-up's first metric."""
    name = table.family.metrics[0].name
    rows = await database.fetch(
        f"SELECT time, h.name, {name}_n, {name}_sum, {name}_min, {name}_max FROM {table.name} "
        f"JOIN hosts h ON h.id = host_id ORDER BY 1, 2"
    )
    return [(*row[:3], None if row[3] is None else int(row[3]), *row[4:]) for row in map(tuple, rows)]


async def check(database: Connection, rows: Sequence[Row]) -> None:
    """Both roll-ups of both families are those of `rows`, and so are the sketches."""
    for family in HOUSE:
        assert await stored(database, Table(family, "minute")) == expected(rows, MINUTE)
        assert await stored(database, Table(family, "hour")) == expected(rows, HOUR)
        assert await _sketches(database, family) == _expected_sketches(rows)


async def _sketches(database: Connection, family: Family) -> dict[tuple[datetime, str], bytes | None]:
    rows = await database.fetch(
        f"SELECT time, h.name, {family.metrics[0].name}_sketch FROM {family.name}_1h JOIN hosts h ON h.id = host_id"
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _expected_sketches(rows: Iterable[Row]) -> dict[tuple[datetime, str], bytes | None]:
    held: dict[tuple[datetime, str], list[int]] = {}
    for host, time, count in rows:
        of_hour = held.setdefault((floor(time, HOUR), host), [])
        if count is not None:
            of_hour.append(count)
    return {key: sketch(np.array(counts)) if counts else None for key, counts in held.items()}


async def snapshot(database: Connection) -> list[list[tuple[Any, ...]]]:
    """Everything that the roll-ups hold."""
    tables = tables_of((ROOM, SHELF), "minute", "hour")
    return [[tuple(row) for row in await database.fetch(f"SELECT * FROM {t.name} ORDER BY 1, 2, 3")] for t in tables]
