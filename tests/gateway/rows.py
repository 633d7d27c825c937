"""Rows in family tables as ingest would have written them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from infra.storage import database
from infra.storage.database import ensure_hosts
from infra.storage.engine import detect, tables_of
from schemas.catalogue import CATALOGUE, Family, family_named

Row = tuple[int, str, Mapping[str, int | None]]
"""Unix milliseconds, instance, metric -> count."""


def utc(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


async def put(
    database_url: str,
    family_name: str,
    rows: Sequence[Row],
    host: str = "web-1",
    catalogue: tuple[Family, ...] = CATALOGUE,
) -> None:
    """Store `rows` of one host and mark them for the roll-up; instances carry the label `colour`."""
    family = family_named(family_name, catalogue)
    async with database.connection(database_url, "test rows") as connection, connection.transaction():
        engine = await detect(connection, catalogue)
        times = [utc(time_ms) for time_ms, _, _ in rows]
        await engine.make_room(connection, tables_of([family], "raw"), times)
        host_id = (await ensure_hosts(connection, [host]))[host]
        await connection.execute(
            "UPDATE hosts SET last_sample = greatest(last_sample, $2) WHERE id = $1", host_id, max(times)
        )
        ids: dict[str, int] = {}
        for name in sorted({instance for _, instance, _ in rows if family.instance}):
            ids[name] = await connection.fetchval(
                """
                INSERT INTO instances (host_id, family, name, labels) VALUES ($1, $2, $3, '{"colour": "red"}')
                ON CONFLICT (host_id, family, name) DO UPDATE SET labels = excluded.labels RETURNING id
                """,
                host_id,
                family.name,
                name,
            )
        names = [metric.name for metric in family.metrics]
        records = [
            (utc(time_ms), host_id, *([ids[instance]] if family.instance else []), *(values.get(n) for n in names))
            for time_ms, instance, values in rows
        ]
        keys = ["time", "host_id", *(["instance_id"] if family.instance else [])]
        await connection.copy_records_to_table(family.name, records=records, columns=[*keys, *names])
        await connection.execute(
            """
            INSERT INTO dirty_minutes (host_id, slot)
            SELECT DISTINCT $1::integer, date_bin('10 min', time, '1970-01-01Z') FROM unnest($2::timestamptz[]) AS time
            ORDER BY 1, 2 ON CONFLICT (host_id, slot) DO UPDATE SET version = dirty_minutes.version + 1
            """,
            host_id,
            times,
        )


async def execute(database_url: str, statement: str, *arguments: object) -> None:
    async with database.connection(database_url, "test") as connection:
        await connection.execute(statement, *arguments)


async def once_there(database_url: str, family_name: str, count: int, host: str = "web-1") -> None:
    """So many instances of a host that were there long ago, and of which no row is left."""
    await execute(
        database_url,
        "INSERT INTO instances (host_id, family, name) SELECT h.id, $1, 'old-' || n "
        "FROM hosts h, generate_series(1, $2::int) AS n WHERE h.name = $3",
        family_name,
        count,
        host,
    )
