"""Tables as native range partitions: one per table and UTC day (raw), named `<table>_p20261121`, or several days.

Locks. Rows go to the table under ROW EXCLUSIVE; dropping a partition needs ACCESS EXCLUSIVE on that table; making one
needs SHARE UPDATE EXCLUSIVE, which disturbs neither readers nor writers (it is attached rather than created in place).
A drop holds locks of one table only and gives up soon, so it can neither deadlock with a flush, which holds several,
nor hold up the queue behind it for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from infra.storage.database import Connection
from infra.storage.engines.locks import with_patience
from infra.storage.engines.tables import (
    Dropped,
    Part,
    SchemaError,
    Table,
    begin_of,
    create_index,
    create_table,
    ensure_columns,
    existing,
    midnight,
    quoted,
    tables_of,
)
from infra.storage.engines.views import ensure_views
from schemas.catalogue import Family


class NativeEngine:
    """PostgreSQL without extensions."""

    name = "native"

    async def create_tables(self, database: Connection, catalogue: Sequence[Family]) -> None:
        """Make missing tables, columns and views. Raises SchemaError."""
        tables = tables_of(catalogue)
        there = await existing(database, tables)
        for table in tables:
            if table.name not in there:
                async with database.transaction():
                    await database.execute(f"{create_table(table)} PARTITION BY RANGE (time)")
                    await database.execute(create_index(table))
        await _check_partitioned(database, tables)
        await ensure_columns(database, tables)
        await ensure_views(database, catalogue)

    async def make_room(self, database: Connection, tables: Sequence[Table], times: Iterable[datetime]) -> None:
        """Make the partitions that rows of `times` need; one query when they are there.

        Inside a transaction it also keeps every partition from being dropped until that ends, so that rows copied
        in it find their place for certain.
        """
        if database.is_in_transaction():
            names = ", ".join(f"ONLY {quoted(table.name)}" for table in tables)
            await database.execute(f"LOCK TABLE {names} IN ROW EXCLUSIVE MODE")
        moments = set(times)
        wanted = {
            _partition_name(table, day): (table, day)
            for table in tables
            for day in sorted({begin_of(at, table.days) for at in moments})
        }
        if not await _missing(database, wanted):
            return
        async with database.transaction():
            await database.execute("SELECT pg_advisory_xact_lock(hashtext('sonde partitions'))")
            for name in await _missing(database, wanted):
                await _create_partition(database, *wanted[name])

    async def drop_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> list[Dropped]:
        """Drop every partition that ends at or before `before`, each by itself; a contended one stays for next time."""
        dropped = []
        for part in await self.parts(database, tables):
            if part.last > before:
                continue
            if await with_patience(database, f"DROP TABLE IF EXISTS {quoted(part.name)}"):
                dropped.append(Dropped(part.table, part.name, part.bytes, part.rows_estimate))
        return dropped

    async def compress_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> int:
        """Native partitions are not compressed."""
        return 0

    async def parts(self, database: Connection, tables: Sequence[Table]) -> list[Part]:
        """Every partition, oldest first; others, which somebody attached by hand, are not ours to touch.

        As long as nobody has counted its rows, they are estimated from its size.
        """
        by_name = {table.name: table for table in tables}
        rows = await database.fetch(
            """
            SELECT wanted AS table, c.relname AS name, coalesce(pg_total_relation_size(c.oid), 0) AS bytes,
                   CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint
                        ELSE coalesce(pg_relation_size(c.oid), 0) / row_bytes END AS rows_estimate,
                   to_date(right(c.relname, 8), 'YYYYMMDD') AS day
            FROM unnest($1::text[], $2::int[]) AS w (wanted, row_bytes)
            JOIN pg_inherits i ON i.inhparent = to_regclass(quote_ident(wanted))
            JOIN pg_class c ON c.oid = i.inhrelid
            WHERE c.relname ~ ('^' || wanted || '_p[0-9]{8}$')
            ORDER BY day, wanted
            """,
            list(by_name),
            [table.row_bytes for table in tables],
        )
        return [
            Part(
                row["table"],
                row["name"],
                midnight(row["day"]),
                midnight(row["day"] + timedelta(days=by_name[row["table"]].days)),
                row["bytes"],
                row["rows_estimate"],
                relation=quoted(row["name"]),
            )
            for row in rows
        ]

    async def oldest(self, database: Connection, tables: Sequence[Table]) -> datetime | None:
        """Where the oldest partition begins; None without any."""
        day: date | None = await database.fetchval(
            """
            SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD'))
            FROM unnest($1::text[]) AS wanted
            JOIN pg_inherits i ON i.inhparent = to_regclass(quote_ident(wanted))
            JOIN pg_class c ON c.oid = i.inhrelid
            WHERE c.relname ~ ('^' || wanted || '_p[0-9]{8}$')
            """,
            [table.name for table in tables],
        )
        return None if day is None else midnight(day)


def _partition_name(table: Table, day: date) -> str:
    return f"{table.name}_p{day:%Y%m%d}"


async def _missing(database: Connection, names: dict[str, tuple[Table, date]]) -> list[str]:
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


async def _create_partition(database: Connection, table: Table, day: date) -> None:
    parent = quoted(table.name)
    name = quoted(_partition_name(table, day))
    bounds = f"FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=table.days)} 00:00:00+00')"
    await database.execute(f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await database.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES {bounds}")


async def _check_partitioned(database: Connection, tables: Sequence[Table]) -> None:
    rows = await database.fetch(
        """
        SELECT name FROM unnest($1::text[]) AS name
        JOIN pg_class c ON c.oid = to_regclass(quote_ident(name)) WHERE c.relkind <> 'p'
        """,
        [table.name for table in tables],
    )
    if rows:
        names = ", ".join(row["name"] for row in rows)
        raise SchemaError(f"{names}: not made by the native engine; give Sonde a database of its own")
