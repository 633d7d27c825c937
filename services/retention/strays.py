"""Tables of families that the catalogue no longer has: nobody rolls them up, prunes or reads them."""

from __future__ import annotations

from collections.abc import Sequence

from infra.storage.database import Connection
from infra.storage.engine import Engine, Table, tables_of
from infra.storage.engines.tables import SUFFIX, quoted
from schemas.catalogue import Family
from schemas.storage import Stray
from services.retention import sql


async def strays(database: Connection, engine: Engine, catalogue: Sequence[Family]) -> list[Stray]:
    """Families that have tables made as ours are, and are not in `catalogue`; by name."""
    there = await _there(database, catalogue)
    names = sorted({_family_of(name) for name in there})
    return [await _stray(database, engine, name, there) for name in names]


async def stray_tables(database: Connection, catalogue: Sequence[Family]) -> list[Table]:
    """Their tables."""
    there = await _there(database, catalogue)
    return [table for name in sorted({_family_of(name) for name in there}) for table in _tables(name, there)]


async def _there(database: Connection, catalogue: Sequence[Family]) -> set[str]:
    rows = await database.fetch(sql.LIKE_OURS, [table.name for table in tables_of(catalogue)])
    return {row["name"] for row in rows}


def _family_of(name: str) -> str:
    """The family of a table; a roll-up may be all that is left of it."""
    return next((name.removesuffix(suffix) for suffix in SUFFIX.values() if suffix and name.endswith(suffix)), name)


async def _stray(database: Connection, engine: Engine, name: str, there: set[str]) -> Stray:
    tables = _tables(name, there)
    parts = await engine.parts(database, tables)
    return Stray(name, [table.name for table in tables], sum(part.bytes for part in parts), _remedy(name, tables))


def _tables(name: str, there: set[str]) -> list[Table]:
    return [table for table in tables_of([Family(name, "", 1, ())]) if table.name in there]


def _remedy(name: str, tables: Sequence[Table]) -> str:
    drops = [f"DROP VIEW IF EXISTS {quoted(f'metrics_{name}')};"]
    drops += [f"DROP TABLE {quoted(table.name)};" for table in tables]
    literal = name.replace("'", "''")
    return " ".join([*drops, f"DELETE FROM instances WHERE family = '{literal}';"])  # noqa: S608 - for people to read
