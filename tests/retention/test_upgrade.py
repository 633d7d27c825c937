"""A database of the first version, with rows: after the upgrade everything it holds is rolled up."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.storage.database import connection
from infra.storage.engine import detect, tables_of
from infra.storage.migrate import MIGRATIONS, migrate
from services.retention.job import prune
from services.retention.rollup import roll_up
from tests.infra.families import HOUSE
from tests.retention.rollups import Row, check, write


@pytest.mark.parametrize("silent_days", [0, 20], ids=["a fleet at work", "a fleet that fell silent"])
async def test_rows_of_the_first_version_are_rolled_up(
    blank_database_url: str, tmp_path: Path, silent_days: int
) -> None:
    now = datetime.now(UTC)
    begin = (now - timedelta(days=3 + silent_days)).replace(minute=5, second=0, microsecond=0)
    rows: list[Row] = [(host, begin + n * timedelta(minutes=7), n) for host in ("web-1", "db-1") for n in range(400)]
    shutil.copy(MIGRATIONS / "0001_base.sql", tmp_path)
    async with connection(blank_database_url, "test") as database:
        engine = await detect(database, HOUSE)
        await migrate(database, engine, HOUSE, tmp_path)
        await database.execute("CREATE TABLE dirty_minutes (host_id int, slot timestamptz, version int DEFAULT 1)")
        await database.execute("CREATE UNIQUE INDEX ON dirty_minutes (host_id, slot)")
        await database.execute("INSERT INTO hosts (name) VALUES ('web-1'), ('db-1')")
        await write(database, engine, rows)
        await database.execute("DROP TABLE dirty_minutes")
        for table in tables_of(HOUSE, "minute", "hour"):
            await database.execute(f"DROP TABLE {table.name}")
        await database.execute("UPDATE hosts SET first_seen = $1, last_sample = $2", begin, rows[-1][1])

        await migrate(database, engine, HOUSE)
        await roll_up(database, engine, HOUSE, now)
        await check(database, rows)
        assert await prune(database, HOUSE, now) is not None
        await check(database, rows)
