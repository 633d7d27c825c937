"""Roll-ups and columnar rows as the retention service makes them."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.storage import database
from infra.storage.engine import detect, tables_of
from infra.storage.engines.tables import quoted
from schemas.catalogue import CATALOGUE, family_named
from services.retention import rollup
from tests.gateway.rows import utc

FAR = datetime(2100, 1, 1, tzinfo=UTC)


async def roll_up(database_url: str, now_ms: int) -> None:
    """Roll up what is due at `now_ms`: slots and hours that have ended a while before, of the families with rows."""
    async with database.connection(database_url, "test roll-up") as connection:
        there = " UNION ALL ".join(
            f"SELECT '{family.name}' WHERE EXISTS (SELECT FROM {quoted(family.name)})"  # noqa: S608
            for family in CATALOGUE
        )
        names = {row[0] for row in await connection.fetch(there)}
        families = [family for family in CATALOGUE if family.name in names]
        await rollup.roll_up(connection, await detect(connection), families, utc(now_ms))


async def compress(database_url: str, *family_names: str) -> None:
    """Make all that is stored of some families columnar, where the engine can."""
    families = [family_named(name) for name in family_names]
    async with database.connection(database_url, "test compression") as connection:
        engine = await detect(connection)
        await engine.compress_before(connection, tables_of(families), FAR)
