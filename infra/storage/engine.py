"""How tables are kept, behind one small interface: with TimescaleDB where it is available, natively otherwise.

Table, column and view names, and every query in the services, are the same on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from infra.storage.database import Connection
from infra.storage.engines.native import NativeEngine
from infra.storage.engines.tables import Dropped, Part, SchemaError, Table, days_between, tables_of
from infra.storage.engines.timescale import TimescaleEngine
from schemas.catalogue import CATALOGUE, Family

__all__ = [
    "Dropped",
    "Engine",
    "NativeEngine",
    "Part",
    "SchemaError",
    "Table",
    "TimescaleEngine",
    "days_between",
    "detect",
    "tables_of",
]


class Engine(Protocol):
    """What differs between the two; the implementations say how."""

    name: str

    async def create_tables(self, database: Connection, catalogue: Sequence[Family]) -> None:
        """Make missing tables, columns and views. Raises SchemaError when what is there contradicts the catalogue."""

    async def make_room(self, database: Connection, tables: Sequence[Table], times: Iterable[datetime]) -> None:
        """Have a place for rows of `times` in every one of `tables`; cheap when there is one.

        Call it in the transaction that writes the rows: then no place is dropped before that ends.
        """

    async def drop_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> list[Dropped]:
        """Drop the parts that end at or before `before`, outside any transaction; contended ones stay for next time."""

    async def compress_before(self, database: Connection, tables: Sequence[Table], before: datetime) -> int:
        """Compress the parts that end at or before `before`, where the engine can; how many it did."""

    async def parts(self, database: Connection, tables: Sequence[Table]) -> list[Part]:
        """Every partition or chunk, oldest first."""

    async def oldest(self, database: Connection, tables: Sequence[Table]) -> datetime | None:
        """Start of the oldest part; None without any."""


async def detect(database: Connection, catalogue: Sequence[Family] = CATALOGUE) -> Engine:
    """The engine of this database; of an empty one, the better that it can have.

    A database that began natively stays so, even when the extension arrives later.
    """
    native = await database.fetchval(
        """
        SELECT EXISTS (SELECT FROM unnest($1::text[]) AS name
                       JOIN pg_class c ON c.oid = to_regclass(quote_ident(name)) WHERE c.relkind = 'p')
        """,
        [family.name for family in catalogue],
    )
    if native:
        return NativeEngine()
    usable = await database.fetchval(
        """
        SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
            OR EXISTS (
                SELECT FROM pg_available_extensions e
                JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
                JOIN pg_roles r ON r.rolname = current_user
                WHERE e.name = 'timescaledb'
                  AND current_setting('shared_preload_libraries') LIKE '%timescaledb%'
                  AND (r.rolsuper OR NOT v.superuser
                       OR v.trusted AND has_database_privilege(current_database(), 'CREATE')))
        """
    )
    return TimescaleEngine() if usable else NativeEngine()
