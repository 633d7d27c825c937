"""Family tables as native range partitions: one per family and UTC day, named `<family>_p20261121`.

Locks. Rows go to the family's table under ROW EXCLUSIVE; dropping a partition needs ACCESS EXCLUSIVE on that table;
making one needs SHARE UPDATE EXCLUSIVE, which disturbs neither readers nor writers (it is attached rather than created
in place). A drop holds locks of one family only and gives up soon, so it can neither deadlock with a flush, which holds
several, nor hold up the queue behind it for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from infra.database import Connection
from infra.engines.locks import with_patience
from infra.engines.tables import (
    Dropped,
    SchemaError,
    TableSize,
    create_index,
    create_table,
    days_of,
    ensure_columns,
    ensure_views,
    existing,
    midnight,
    quoted,
)
from schemas.catalogue import Family


class _Partition(Struct, frozen=True):
    family: str
    name: str
    day: date
    bytes: int
    rows_estimate: int


class NativeEngine:
    """PostgreSQL without extensions."""

    name = "native"

    async def create_tables(self, database: Connection, catalogue: Sequence[Family]) -> None:
        """Make missing tables, columns and views. Raises SchemaError."""
        there = await existing(database, catalogue)
        for family in catalogue:
            if family.name not in there:
                async with database.transaction():
                    await database.execute(f"{create_table(family)} PARTITION BY RANGE (time)")
                    await database.execute(create_index(family))
        await _check_partitioned(database, catalogue)
        await ensure_columns(database, catalogue)
        await ensure_views(database, catalogue)

    async def make_room(
        self, database: Connection, catalogue: Sequence[Family], first: datetime, last: datetime
    ) -> None:
        """Make the partitions that `first` to `last` need; one query when they are there.

        Inside a transaction it also keeps every partition from being dropped until that ends, so that rows copied
        in it find their place for certain.
        """
        if database.is_in_transaction():
            tables = ", ".join(f"ONLY {quoted(family.name)}" for family in catalogue)
            await database.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
        wanted = {
            _partition_name(family.name, day): (family, day) for day in days_of(first, last) for family in catalogue
        }
        if not await _missing(database, wanted):
            return
        async with database.transaction():
            await database.execute("SELECT pg_advisory_xact_lock(hashtext('sonde partitions'))")
            for name in await _missing(database, wanted):
                family, day = wanted[name]
                await _create_partition(database, family, day)

    async def drop_before(self, database: Connection, catalogue: Sequence[Family], before: datetime) -> list[Dropped]:
        """Drop every partition that ends at or before `before`, each by itself; a contended one stays for next time."""
        dropped = []
        for part in await _partitions(database, catalogue):
            if midnight(part.day + timedelta(days=1)) > before:
                continue
            if await with_patience(database, f"DROP TABLE IF EXISTS {quoted(part.name)}"):
                dropped.append(Dropped(part.family, part.name, part.bytes, part.rows_estimate))
        return dropped

    async def compress_before(self, database: Connection, catalogue: Sequence[Family], before: datetime) -> int:
        """Native partitions are not compressed."""
        return 0

    async def sizes(self, database: Connection, catalogue: Sequence[Family]) -> list[TableSize]:
        """Size of each family, in catalogue order."""
        parts = await _partitions(database, catalogue)
        sizes = []
        for family in catalogue:
            own = [part for part in parts if part.family == family.name]
            rows = sum(part.rows_estimate for part in own)
            sizes.append(TableSize(family.name, sum(part.bytes for part in own), rows, len(own)))
        return sizes

    async def oldest(self, database: Connection, catalogue: Sequence[Family]) -> datetime | None:
        """Where the oldest partition begins; None without any."""
        days = [part.day for part in await _partitions(database, catalogue)]
        return midnight(min(days)) if days else None


def _partition_name(family: str, day: date) -> str:
    return f"{family}_p{day:%Y%m%d}"


async def _missing(database: Connection, names: dict[str, tuple[Family, date]]) -> list[str]:
    """Those partitions that are not there, in order.

    Asked of pg_class and not of to_regclass, whose cache is not renewed by waiting for an advisory lock.
    """
    rows = await database.fetch(
        """
        SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, number)
        WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = current_schema()::regnamespace)
        ORDER BY number
        """,
        list(names),
    )
    return [row["name"] for row in rows]


async def _create_partition(database: Connection, family: Family, day: date) -> None:
    parent = quoted(family.name)
    name = quoted(_partition_name(family.name, day))
    bounds = f"FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
    await database.execute(f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await database.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES {bounds}")


async def _check_partitioned(database: Connection, catalogue: Sequence[Family]) -> None:
    rows = await database.fetch(
        """
        SELECT family FROM unnest($1::text[]) AS family
        JOIN pg_class c ON c.oid = to_regclass(quote_ident(family)) WHERE c.relkind <> 'p'
        """,
        [family.name for family in catalogue],
    )
    if rows:
        names = ", ".join(row["family"] for row in rows)
        raise SchemaError(f"{names}: not made by the native engine; give Sonde a database of its own")


async def _partitions(database: Connection, catalogue: Sequence[Family]) -> list[_Partition]:
    """Every daily partition, oldest first; others, which somebody attached by hand, are not ours to touch."""
    rows = await database.fetch(
        """
        SELECT family, c.relname AS name, coalesce(pg_total_relation_size(c.oid), 0) AS bytes,
               greatest(c.reltuples, 0)::bigint AS rows_estimate,
               to_date(right(c.relname, 8), 'YYYYMMDD') AS day
        FROM unnest($1::text[]) AS family
        JOIN pg_inherits i ON i.inhparent = to_regclass(quote_ident(family))
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE c.relname ~ ('^' || family || '_p[0-9]{8}$')
        ORDER BY day, family
        """,
        [family.name for family in catalogue],
    )
    return [_Partition(row["family"], row["name"], row["day"], row["bytes"], row["rows_estimate"]) for row in rows]
