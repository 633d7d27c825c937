"""Whether the tables are those of this version."""

from __future__ import annotations

from collections.abc import Sequence

from infra.storage.database import Connection
from infra.storage.engines.tables import Table, tables_of
from infra.storage.migrate import DEFAULT_RULES, Migration, MigrationError, pending
from schemas.catalogue import CATALOGUE, Family

_APPLIED = "SELECT name, checksum FROM schema_migrations"
_COLUMNS = """
SELECT c.relname AS table, a.attname AS name
FROM unnest($1::text[]) AS wanted
JOIN pg_class c ON c.oid = to_regclass(quote_ident(wanted))
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
"""
_REMEDY = "run `sonde migrate`"


async def schema_fault(
    database: Connection, migrations: Sequence[Migration], catalogue: Sequence[Family] = CATALOGUE
) -> str:
    """What is missing or another than this version knows it, with the remedy; empty when nothing is.

    `migrations` are those of this version. Raises what the database raises that was never migrated (UNMIGRATED).
    """
    applied = {row["name"]: row["checksum"] for row in await database.fetch(_APPLIED)}
    applied.pop(DEFAULT_RULES, None)
    try:
        waiting = pending(migrations, applied)
    except MigrationError as error:
        return str(error)
    if waiting:
        return f"migration {', '.join(migration.name for migration in waiting)} not applied; {_REMEDY}"
    tables = tables_of(catalogue)
    found = {(row["table"], row["name"]) for row in await database.fetch(_COLUMNS, [it.name for it in tables])}
    missing = [f"{table.name}.{name}" for table in tables for name in _lacking(table, found)]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        return f"column {', '.join(missing[:5])}{more} missing; {_REMEDY}"
    return ""


def _lacking(table: Table, found: set[tuple[str, str]]) -> list[str]:
    return [name for name in table.columns if (table.name, name) not in found]
