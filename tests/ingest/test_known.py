"""What ingest believes of the database holds as long as it writes by it."""

from __future__ import annotations

import msgspec
import pytest

from infra.storage.database import connection
from schemas.catalogue import CATALOGUE
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.ingest.known import ANY_DAYS, load_raw_days
from services.retention.forget import forget_instances
from tests.batches import encoded, instances
from tests.ingest.running import NOW_MS, ingesting, publish, reached, ticks
from tests.ingest.test_window import DAY_MS, refusals, stored_ms
from tests.waiting import eventually

WITHOUT_INSTANCE = """
SELECT count(*) FROM disk d WHERE NOT EXISTS (SELECT FROM instances i WHERE i.id = d.instance_id)
"""


def disk(seq: int, name: str = "sda") -> bytes:
    return encoded(instances(NOW_MS + 1000 * seq, "disk", {name: {"read": seq}}), seq=seq)


async def test_an_instance_that_was_forgotten_is_entered_anew_with_its_next_row(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, disk(1)))
        await database.execute("DELETE FROM disk")
        assert await forget_instances(database, CATALOGUE) == 1
        await reached(database, await publish(client, disk(2)))
        rows = await database.fetch("SELECT read, name FROM disk d LEFT JOIN instances i ON i.id = d.instance_id")
    assert rows == [(2, "sda")]


async def test_whatever_is_forgotten_while_ingest_writes_no_row_is_without_its_instance(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        seq = forgotten = 0
        while forgotten < 10:
            seq += 1
            last = await publish(client, disk(seq, f"job-{seq % 3}"))
            assert await database.fetchval(WITHOUT_INSTANCE) == 0
            await database.execute("DELETE FROM disk")
            forgotten += await forget_instances(database, CATALOGUE)
        await reached(database, last)
        assert await database.fetchval(WITHOUT_INSTANCE) == 0


@pytest.mark.parametrize("value", ['"x"', "0", "1e400", '{"days": 7}', "1" * 5000])
async def test_an_invalid_setting_of_raw_days_refuses_no_row_and_is_said(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO settings (key, value) VALUES ('raw_days', $1)", value)
        assert await load_raw_days(database, ANY_DAYS) == ANY_DAYS
    assert caplog.messages == []
    async with ingesting(bus_url, database_url) as (client, database):
        start = NOW_MS - 20 * DAY_MS
        await reached(database, await publish(client, encoded(*ticks(2, start))))
        assert await stored_ms(database) == [start, start + 1000]
        assert await refusals(database) == []
    assert [record.levelname for record in caplog.records if record.message.startswith("invalid setting raw_days")] == [
        "ERROR"
    ]


async def test_a_changed_setting_of_raw_days_takes_effect_at_once(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.service.PURGE_EVERY_S", 3600.0)
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, encoded(*ticks(1))))
        await database.execute("INSERT INTO settings (key, value) VALUES ('raw_days', '1')")
        seq = 1

        async def refused() -> bool:
            nonlocal seq
            seq += 1
            await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", 1)))
            old = ticks(1, NOW_MS - 5 * DAY_MS + 1000 * seq)
            await reached(database, await publish(client, encoded(*old, seq=seq)))
            return bool(await refusals(database))

        await eventually(refused)
