"""Bringing a database to this version: numbered SQL files, then the engine's tables, then the first start's rules.

Everything happens under an advisory lock, so several processes may try at once; each step is one transaction, so an
interrupted run goes on where it stopped. What was done is kept in `schema_migrations`.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.storage.database import Connection
from infra.storage.engine import Engine
from schemas.catalogue import CATALOGUE, Family
from schemas.rules import default_rules

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")
_NUMBERED = re.compile(r"\d{4}_[a-z0-9_]+\Z")
DEFAULT_RULES = "default rules"
"""The step that is done once, so that a deleted rule stays deleted."""


class MigrationError(Exception):
    """The database and this version's migrations do not fit; the text says which and what to do."""


class Migration(Struct, frozen=True):
    """One numbered SQL file."""

    name: str
    sql: str
    checksum: str


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """Every migration in order. Raises MigrationError for a file whose name has no number."""
    migrations = []
    for file in sorted(directory.glob("*.sql")):
        if not _NUMBERED.match(file.stem):
            raise MigrationError(f"{file}: not a migration name; name it like 0001_what_it_does.sql")
        sql = file.read_text()
        migrations.append(Migration(file.stem, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return migrations


def pending(migrations: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    """The migrations to apply, given name -> checksum of those that were. Raises MigrationError when the two differ."""
    known = {migration.name: migration for migration in migrations}
    for name, checksum in applied.items():
        if name not in known:
            raise MigrationError(f"migration {name} of the database is unknown to this version; run a newer sonde")
        if known[name].checksum != checksum:
            raise MigrationError(
                f"migration {name} was changed after it was applied; restore the file and add a new migration instead"
            )
    waiting = [migration for migration in migrations if migration.name not in applied]
    last = max(applied, default="")
    for migration in waiting:
        if migration.name < last:
            raise MigrationError(
                f"migration {migration.name} comes before {last}, which is already applied; give it a higher number"
            )
    return waiting


async def migrate(
    database: Connection, engine: Engine, catalogue: Sequence[Family] = CATALOGUE, directory: Path = MIGRATIONS
) -> None:
    """Bring `database` to this version; usually nothing is to do. Raises MigrationError or SchemaError."""
    migrations = read_migrations(directory)
    await database.execute("SELECT pg_advisory_lock(hashtext('sonde migrate'))")
    try:
        applied = await _applied(database)
        rules_made = applied.pop(DEFAULT_RULES, None)
        for migration in pending(migrations, applied):
            async with database.transaction():
                await database.execute(migration.sql)
                await _note(database, migration.name, migration.checksum)
            logger.info("migrated", extra={"migration": migration.name})
        await engine.create_tables(database, catalogue)
        if rules_made is None:
            async with database.transaction():
                await _insert_default_rules(database)
                await _note(database, DEFAULT_RULES, "")
    finally:
        if not database.is_closed():
            await database.execute("SELECT pg_advisory_unlock(hashtext('sonde migrate'))")


async def _applied(database: Connection) -> dict[str, str]:
    """Name -> checksum of every step done, in order."""
    await database.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name     text PRIMARY KEY,
            checksum text NOT NULL,
            applied  timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    rows = await database.fetch("SELECT name, checksum FROM schema_migrations ORDER BY name")
    return {row["name"]: row["checksum"] for row in rows}


async def _note(database: Connection, name: str, checksum: str) -> None:
    await database.execute("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", name, checksum)


async def _insert_default_rules(database: Connection) -> None:
    rules = default_rules()
    await database.executemany(
        "INSERT INTO rules (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(rule.id, msgspec.json.encode(rule).decode()) for rule in rules],
    )
