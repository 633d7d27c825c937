"""Tables as TimescaleDB hypertables: chunks of one UTC day (raw) or several, in columnar form once they are cold.

No policies of Timescale's own: retention decides, on both engines alike, and says what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg

from infra.storage.database import Connection
from infra.storage.engines.locks import with_patience
from infra.storage.engines.tables import (
    Dropped,
    Part,
    SchemaError,
    Table,
    create_index,
    create_table,
    ensure_columns,
    existing,
    quoted,
    tables_of,
)
from infra.storage.engines.views import ensure_views
from schemas.catalogue import Family

COMPRESS_S = 6 * 3600.0
"""Most that one chunk may take; 0.6 M rows a second were measured. Late rows for it wait as long."""
_PARTIAL = 8
"""Bit of a chunk's status in Timescale's catalogue: compressed, and rows came since."""


class TimescaleEngine:
    """PostgreSQL with the timescaledb extension."""

    name = "timescale"

    async def create_tables(self, database: Connection, catalogue: Sequence[Family]) -> None:
        """Make the extension, missing tables, columns and views. Raises SchemaError."""
        if not await database.fetchval("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
            await database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        tables = tables_of(catalogue)
        there = await existing(database, tables)
        for table in tables:
            if table.name not in there:
                async with database.transaction():
                    await _create_hypertable(database, table)
        await _check_hypertables(database, tables)
        await ensure_columns(database, tables)
        await ensure_views(database, catalogue)

    async def make_room(self, database: Connection, tables: Sequence[Table], times: Iterable[datetime]) -> None:
        """Chunks make themselves."""

    async def drop_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> list[Dropped]:
        """Drop every chunk that ends at or before `before`, a table at a time; contended ones stay for next time."""
        dropped = []
        for table in tables:
            old = [part for part in await self.parts(database, [table]) if part.last <= before]
            statement = f"SELECT drop_chunks('{quoted(table.name)}', older_than => $1::timestamptz)"
            if old and await with_patience(database, statement, before):
                dropped += [Dropped(part.table, part.name, part.bytes, part.rows_estimate) for part in old]
        return dropped

    async def compress_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> int:
        """Turn chunks that end at or before `before` columnar, those again that got late rows since; how many."""
        rows = await database.fetch(
            """
            SELECT format('%I.%I', c.chunk_schema, c.chunk_name) AS chunk
            FROM timescaledb_information.chunks c
            JOIN _timescaledb_catalog.chunk own ON own.id = substring(c.chunk_name FROM '_([0-9]+)_chunk$')::int
            WHERE c.hypertable_schema = current_schema AND c.hypertable_name = ANY($1) AND c.range_end <= $2
              AND (NOT c.is_compressed OR own.status & $3 > 0)
            ORDER BY c.range_start
            """,
            [table.name for table in tables],
            before,
            _PARTIAL,
        )
        done = 0
        for row in rows:
            done += await _compress(database, row["chunk"])
        return done

    async def parts(self, database: Connection, tables: Sequence[Table]) -> list[Part]:
        """Every chunk, oldest first. As long as nobody has counted its rows, they are estimated from its size.

        A chunk dropped meanwhile is left out: nothing here fails for a table that is in the snapshot and gone.
        """
        rows = await database.fetch(
            """
            WITH s AS MATERIALIZED (  -- once per table: the function looks at every chunk
                SELECT wanted, row_bytes, sizes.* FROM unnest($1::text[], $2::int[]) AS w (wanted, row_bytes)
                CROSS JOIN LATERAL chunks_detailed_size(quote_ident(wanted)::regclass) AS sizes)
            SELECT wanted AS table, c.chunk_name AS name, c.range_start, c.range_end, c.is_compressed,
                   format('%I.%I', c.chunk_schema, c.chunk_name) AS relation, s.total_bytes AS bytes,
                   cold.uncompressed_heap_size + cold.uncompressed_toast_size + cold.uncompressed_index_size
                       AS bytes_before,
                   own.status & $3 > 0 AS stale,
                   coalesce(cold.numrows_pre_compression, nullif(approximate_row_count(here), 0),
                            s.table_bytes / row_bytes) AS rows_estimate
            FROM s
            JOIN timescaledb_information.chunks c
                ON c.hypertable_schema = current_schema AND c.hypertable_name = s.wanted
                AND c.chunk_schema = s.chunk_schema AND c.chunk_name = s.chunk_name
            CROSS JOIN to_regclass(format('%I.%I', c.chunk_schema, c.chunk_name)) AS here
            JOIN _timescaledb_catalog.chunk own  -- by the id in a chunk's name: in every version
                ON own.id = substring(c.chunk_name FROM '_([0-9]+)_chunk$')::int
            LEFT JOIN _timescaledb_catalog.compression_chunk_size cold ON cold.chunk_id = own.id
            WHERE here IS NOT NULL
            ORDER BY c.range_start, wanted
            """,
            [table.name for table in tables],
            [table.row_bytes for table in tables],
            _PARTIAL,
        )
        return [
            Part(
                row["table"],
                row["name"],
                row["range_start"],
                row["range_end"],
                row["bytes"] or 0,
                row["rows_estimate"] or 0,
                row["is_compressed"],
                row["bytes_before"],
                row["stale"],
                row["relation"],
            )
            for row in rows
        ]

    async def oldest(self, database: Connection, tables: Sequence[Table]) -> datetime | None:
        """Where the oldest chunk begins; None without any."""
        start: datetime | None = await database.fetchval(
            """
            SELECT min(range_start) FROM timescaledb_information.chunks
            WHERE hypertable_schema = current_schema AND hypertable_name = ANY($1)
            """,
            [table.name for table in tables],
        )
        return start


async def _compress(database: Connection, chunk: str) -> bool:
    """Turn one chunk columnar; False when others hold it, or when it was dropped meanwhile."""
    try:
        return await with_patience(database, f"CALL convert_to_columnstore('{chunk}')", timeout_s=COMPRESS_S)
    except asyncpg.PostgresError:
        if await database.fetchval("SELECT to_regclass($1)", chunk) is None:
            return False
        raise


async def _create_hypertable(database: Connection, table: Table) -> None:
    name = quoted(table.name)
    segments = ",".join(key for key in table.keys if key != "time")
    await database.execute(create_table(table))
    await database.execute(
        f"SELECT create_hypertable('{name}', by_range('time', INTERVAL '{table.days} days'), "
        f"create_default_indexes => false)"
    )
    await database.execute(create_index(table))
    await database.execute(
        f"ALTER TABLE {name} SET (timescaledb.enable_columnstore, timescaledb.segmentby = '{segments}', "
        f"timescaledb.orderby = 'time')"
    )


async def _check_hypertables(database: Connection, tables: Sequence[Table]) -> None:
    rows = await database.fetch(
        """
        SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (
            SELECT FROM timescaledb_information.hypertables
            WHERE hypertable_schema = current_schema AND hypertable_name = name)
        """,
        [table.name for table in tables],
    )
    if rows:
        names = ", ".join(row["name"] for row in rows)
        raise SchemaError(f"{names}: not made by the Timescale engine; give Sonde a database of its own")
