"""What the tables take, as the retention service measured it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.clock import to_ms
from infra.storage.database import connection
from schemas.catalogue import CATALOGUE
from services.retention.measured import note_use
from tests.gateway.asking import asking, get
from tests.gateway.rolled import roll_up
from tests.gateway.rows import execute, put


async def test_before_anything_was_measured_nothing_is_told(database_url: str) -> None:
    async with asking(database_url) as client:
        assert await get(client, "/storage") == {"time": None, "use": None}


async def test_rows_and_bytes_are_told_by_family_kind_and_day_with_what_they_will_come_to(database_url: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    day = now.replace(hour=0, minute=0, second=0) - timedelta(days=1)
    rows = [(to_ms(day) + 1000 * second, "", {"total": 1}) for second in range(0, 86_400, 10)]
    await put(database_url, "cpu", rows)
    await roll_up(database_url, to_ms(now))
    async with connection(database_url, "test") as database:
        await database.execute("ANALYZE")
        await note_use(database, CATALOGUE, now)
    async with asking(database_url) as client:
        found = await get(client, "/storage")
    use = found["use"]
    assert found["time"] == to_ms(now)
    assert use["kept"] == {"raw_days": 7, "minute_days": 30, "hour_days": 730}
    parts = {(part["family"], part["kind"], part["day"]): part for part in use["parts"]}
    raw = parts["cpu", "raw", f"{day:%Y-%m-%d}"]
    assert (raw["days"], raw["bytes"] > 0) == (1, True)
    assert abs(raw["rows"] - len(rows)) < len(rows) / 10
    tables = {(table["family"], table["kind"]): table for table in use["tables"]}
    table = tables["cpu", "raw"]
    assert table["need_bytes"] > table["bytes_per_day"] > 0
    assert use["need_bytes"] >= table["need_bytes"]
    assert sum(part["rows"] for part in use["parts"] if part["kind"] == "minute") > 0
    assert use["database_bytes"] > sum(part["bytes"] for part in use["parts"])


async def test_a_measurement_takes_the_place_of_the_one_before(database_url: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    async with connection(database_url, "test") as database:
        await note_use(database, CATALOGUE, now - timedelta(minutes=5))
        await note_use(database, CATALOGUE, now)
    async with asking(database_url) as client:
        assert (await get(client, "/storage"))["time"] == to_ms(now)


async def test_what_another_version_measured_is_not_told(database_url: str) -> None:
    await execute(database_url, """INSERT INTO storage_use (at, body) VALUES (now(), '{"of": "a later version"}')""")
    async with asking(database_url) as client:
        assert await get(client, "/storage") == {"time": None, "use": None}
