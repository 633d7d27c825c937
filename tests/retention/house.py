"""A small catalogue's database, with rows as ingest writes them, at times told from now: clocks are compared here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from infra.storage.database import Connection
from infra.storage.engine import Engine
from schemas.catalogue import Family
from services.retention.guard import ReadSpace, Space
from tests.infra import families
from tests.infra.families import HOUSE

_moments = [datetime.now(UTC).replace(microsecond=0)]

DISK_BYTES = 5 * 2**20


def now() -> datetime:
    """One moment for the whole of a test, in the past of every clock that is asked during it."""
    return _moments[-1]


def today() -> datetime:
    """When the UTC day of that moment began."""
    return now().replace(hour=0, minute=0, second=0)


def next_test() -> None:
    """Let another moment begin: the run of all tests may go on over midnight."""
    _moments[:] = [datetime.now(UTC).replace(microsecond=0)]


def ago(days: int, hour: int = 12) -> datetime:
    """An hour of a UTC day before today; of today itself only what is over."""
    return today() - timedelta(days=days) + timedelta(hours=hour)


async def put(database: Connection, engine: Engine, *times: datetime, catalogue: tuple[Family, ...] = HOUSE) -> None:
    """A row per time in every family, marked for the roll-up; the host's newest sample is the newest of them."""
    await families.put(database, engine, *times, catalogue=catalogue)
    async with database.transaction():
        await mark(database, times)
        await database.execute("UPDATE hosts SET last_sample = greatest(last_sample, $1)", max(times))


async def mark(database: Connection, times: Sequence[datetime]) -> None:
    """What ingest writes beside the rows."""
    await database.execute(
        """
        INSERT INTO dirty_minutes (host_id, slot)
        SELECT DISTINCT h.id, date_bin('10 min', time, '1970-01-01Z') FROM hosts h, unnest($1::timestamptz[]) AS time
        ORDER BY 1, 2 ON CONFLICT (host_id, slot) DO UPDATE SET version = dirty_minutes.version + 1
        """,
        list(times),
    )


async def set_(database: Connection, **settings: float) -> None:
    """Store runtime settings."""
    await database.executemany(
        "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(key, str(value)) for key, value in settings.items()],
    )


async def times_of(database: Connection, table: str) -> list[datetime]:
    """Every time in a table, ascending."""
    return [row["time"] for row in await database.fetch(f'SELECT time FROM "{table}" ORDER BY time')]  # noqa: S608


def a_disk(*free_percent: float) -> ReadSpace:
    """A disk of 5 MiB that has so much free at one reading after the other, the last one for ever."""
    left = list(free_percent)

    async def read(_: Connection) -> Space:
        free = left.pop(0) if len(left) > 1 else left[0]
        return Space(database_bytes=2**19, free_bytes=int(free * DISK_BYTES / 100), disk_bytes=DISK_BYTES)

    return read


PLENTY = a_disk(50)
