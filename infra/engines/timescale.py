"""Family tables as TimescaleDB hypertables: chunks of one UTC day, in columnar form once they are cold.

No policies of Timescale's own: retention decides, on both engines alike, and says what it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from infra.database import Connection
from infra.engines.locks import with_patience
from infra.engines.tables import (
    Dropped,
    SchemaError,
    TableSize,
    create_index,
    create_table,
    ensure_columns,
    ensure_views,
    existing,
    key_columns,
    quoted,
)
from schemas.catalogue import Family


class TimescaleEngine:
    """PostgreSQL with the timescaledb extension."""

    name = "timescale"

    async def create_tables(self, database: Connection, catalogue: Sequence[Family]) -> None:
        """Make the extension, missing tables, columns and views. Raises SchemaError."""
        if not await database.fetchval("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"):
            await database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        there = await existing(database, catalogue)
        for family in catalogue:
            if family.name not in there:
                async with database.transaction():
                    await _create_hypertable(database, family)
        await _check_hypertables(database, catalogue)
        await ensure_columns(database, catalogue)
        await ensure_views(database, catalogue)

    async def make_room(
        self, database: Connection, catalogue: Sequence[Family], first: datetime, last: datetime
    ) -> None:
        """Chunks make themselves."""

    async def drop_before(self, database: Connection, catalogue: Sequence[Family], before: datetime) -> list[Dropped]:
        """Drop every chunk that ends at or before `before`, a family at a time; contended ones stay for next time."""
        dropped = []
        for family in catalogue:
            rows = await database.fetch(
                """
                SELECT c.chunk_name AS name, s.total_bytes AS bytes,
                       approximate_row_count(format('%I.%I', c.chunk_schema, c.chunk_name)::regclass) AS rows_estimate
                FROM timescaledb_information.chunks c
                JOIN chunks_detailed_size($1::text::regclass) s USING (chunk_schema, chunk_name)
                WHERE c.hypertable_schema = current_schema AND c.hypertable_name = $2 AND c.range_end <= $3
                ORDER BY c.range_start
                """,
                quoted(family.name),
                family.name,
                before,
            )
            statement = f"SELECT drop_chunks('{quoted(family.name)}', older_than => $1::timestamptz)"
            if rows and await with_patience(database, statement, before):
                dropped += [Dropped(family.name, row["name"], row["bytes"], row["rows_estimate"]) for row in rows]
        return dropped

    async def compress_before(self, database: Connection, catalogue: Sequence[Family], before: datetime) -> int:
        """Turn chunks that end at or before `before` columnar, those again that got late rows since; how many."""
        rows = await database.fetch(
            """
            SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk
            FROM timescaledb_information.chunks
            WHERE hypertable_schema = current_schema AND hypertable_name = ANY($1) AND range_end <= $2
              AND (NOT is_compressed OR 'PARTIAL' = ANY(_timescaledb_functions.chunk_status_text(
                       format('%I.%I', chunk_schema, chunk_name)::regclass)))
            ORDER BY range_start
            """,
            [family.name for family in catalogue],
            before,
        )
        done = 0
        for row in rows:
            done += await with_patience(database, f"CALL convert_to_columnstore('{row['chunk']}')")
        return done

    async def sizes(self, database: Connection, catalogue: Sequence[Family]) -> list[TableSize]:
        """Size of each family, in catalogue order."""
        rows = await database.fetch(
            """
            SELECT name, coalesce(hypertable_size(quote_ident(name)::regclass), 0) AS bytes,
                   approximate_row_count(quote_ident(name)::regclass) AS rows_estimate,
                   (SELECT count(*) FROM timescaledb_information.chunks
                    WHERE hypertable_schema = current_schema AND hypertable_name = name) AS parts
            FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, number) ORDER BY number
            """,
            [family.name for family in catalogue],
        )
        return [TableSize(row["name"], row["bytes"], row["rows_estimate"], row["parts"]) for row in rows]

    async def oldest(self, database: Connection, catalogue: Sequence[Family]) -> datetime | None:
        """Where the oldest chunk begins; None without any."""
        start: datetime | None = await database.fetchval(
            """
            SELECT min(range_start) FROM timescaledb_information.chunks
            WHERE hypertable_schema = current_schema AND hypertable_name = ANY($1)
            """,
            [family.name for family in catalogue],
        )
        return start


async def _create_hypertable(database: Connection, family: Family) -> None:
    name = quoted(family.name)
    segments = ",".join(key for key in key_columns(family) if key != "time")
    await database.execute(create_table(family))
    await database.execute(
        f"SELECT create_hypertable('{name}', by_range('time', INTERVAL '1 day'), create_default_indexes => false)"
    )
    await database.execute(create_index(family))
    await database.execute(
        f"ALTER TABLE {name} SET (timescaledb.enable_columnstore, timescaledb.segmentby = '{segments}', "
        f"timescaledb.orderby = 'time')"
    )


async def _check_hypertables(database: Connection, catalogue: Sequence[Family]) -> None:
    rows = await database.fetch(
        """
        SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (
            SELECT FROM timescaledb_information.hypertables
            WHERE hypertable_schema = current_schema AND hypertable_name = name)
        """,
        [family.name for family in catalogue],
    )
    if rows:
        names = ", ".join(row["name"] for row in rows)
        raise SchemaError(f"{names}: not made by the Timescale engine; give Sonde a database of its own")
