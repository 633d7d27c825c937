"""A small catalogue and rows for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from infra.storage.database import Connection, connection, ensure_hosts
from infra.storage.engine import Engine, detect, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import Family, Metric

ROOM = Family(
    "room",
    "Air of a room.",
    1,
    (
        Metric(1, "temperature", "°C", 0.1, "int2", "Temperature at the door."),
        Metric(2, "user", "", 1, "int4", "A word that SQL reserves."),
    ),
)
SHELF = Family("shelf", "Load of a shelf.", 10, (Metric(1, "load", "g", 250, "int8", "Mass on it."),), instance="shelf")
HOUSE = (ROOM, SHELF)


@asynccontextmanager
async def house(url: str) -> AsyncIterator[tuple[Connection, Engine]]:
    """A database with the small catalogue's tables."""
    async with connection(url, "test") as database:
        engine = await detect(database, HOUSE)
        await migrate(database, engine, HOUSE)
        yield database, engine


def at(day: int, hour: int = 12) -> datetime:
    """A time on that day of November 2026, UTC."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)


async def put(database: Connection, engine: Engine, *times: datetime, catalogue: tuple[Family, ...] = HOUSE) -> None:
    """A row per time in every family, for the host web-1, as ingest would write it."""
    async with database.transaction():
        host = (await ensure_hosts(database, ["web-1"]))["web-1"]
        await engine.make_room(database, tables_of(catalogue, "raw"), times)
        for family in catalogue:
            names = ["time", "host_id", *(["instance_id"] if family.instance else []), family.metrics[0].name]
            keys = [host]
            if family.instance:
                keys.append(await instance(database, host, family))
            rows = [(time, *keys, 215) for time in times]
            await database.copy_records_to_table(family.name, records=rows, columns=names)


async def instance(database: Connection, host: int, family: Family) -> int:
    """Id of the host's instance `a` of a family."""
    number: int = await database.fetchval(
        """
        INSERT INTO instances (host_id, family, name, labels) VALUES ($1, $2, 'a', '{"colour": "red"}')
        ON CONFLICT (host_id, family, name) DO UPDATE SET labels = excluded.labels RETURNING id
        """,
        host,
        family.name,
    )
    return number


async def times_in(database: Connection, family: Family) -> list[datetime]:
    """Every time in a family's table, ascending."""
    return [row["time"] for row in await database.fetch(f"SELECT time FROM {family.name} ORDER BY time")]  # noqa: S608
