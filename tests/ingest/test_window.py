"""Which rows are taken: late ones are; those outside the window are refused and counted, not so the rest of a batch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from infra.storage import database
from schemas.codec import Sample
from services.ingest.service import utc_now
from tests.batches import encoded, instances, sample
from tests.ingest.running import NOW_MS, ingesting, publish, reached, ticks
from tests.waiting import eventually

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SLOT_MS = 600_000
SLOT_BEGIN_MS = NOW_MS - NOW_MS % SLOT_MS


async def stored_ms(connection: database.Connection) -> list[int]:
    rows = await connection.fetch("SELECT (extract(epoch FROM time) * 1000)::bigint AS ms FROM cpu ORDER BY 1")
    return [row["ms"] for row in rows]


async def refusals(connection: database.Connection) -> list[tuple[object, ...]]:
    """Host, family, reason and rows."""
    rows = await connection.fetch(
        "SELECT h.name, family, reason, rows FROM refusals r JOIN hosts h ON h.id = r.host_id ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in rows]


async def dirty(connection: database.Connection) -> dict[tuple[str, int], int]:
    """Version of each mark, by host and begin of the slot in Unix milliseconds."""
    rows = await connection.fetch(
        "SELECT h.name, (extract(epoch FROM slot) * 1000)::bigint AS ms, d.version FROM dirty_minutes d "
        "JOIN hosts h ON h.id = d.host_id"
    )
    return {(row["name"], row["ms"]): row["version"] for row in rows}


async def move_horizon(connection: database.Connection, at_ms: int) -> None:
    await connection.execute("UPDATE horizons SET before = to_timestamp($1::float8 / 1000) WHERE name = 'raw'", at_ms)


async def test_every_ten_minutes_of_a_host_that_got_rows_are_marked(bus_url: str, database_url: str) -> None:
    before, begin = SLOT_BEGIN_MS - SLOT_MS - 1000, SLOT_BEGIN_MS - SLOT_MS
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(sample(before), sample(begin), sample(begin + 1000), host="web-1"))
        disk = instances(SLOT_BEGIN_MS - 1, "disk", {"sda": {"read": 1}, "sdb": {"read": 2}})
        last = await publish(client, encoded(disk, host="web-2"), host="web-2")
        await reached(connection, last)
        marks = await dirty(connection)
    assert set(marks) == {("web-1", begin - SLOT_MS), ("web-1", begin), ("web-2", begin)}


async def test_a_repeat_marks_nothing(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        await connection.execute("DELETE FROM dirty_minutes")
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        assert await dirty(connection) == {}


async def test_rows_into_a_marked_slot_raise_the_version_of_its_mark(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        for seq in (1, 2):
            await reached(connection, await publish(client, encoded(sample(SLOT_BEGIN_MS + seq * 1000), seq=seq)))
        assert await dirty(connection) == {("web-1", SLOT_BEGIN_MS): 2}


async def test_a_day_of_back_fill_is_stored_and_every_slot_of_it_marked(bus_url: str, database_url: str) -> None:
    begin = SLOT_BEGIN_MS - 25 * HOUR_MS
    past = [sample(begin + minute * 60_000) for minute in range(24 * 60)]
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(sample(NOW_MS))))
        for seq, start in enumerate(range(0, len(past), 360), 1):
            data = encoded(*past[start : start + 360], lane="backfill", seq=seq)
            last = await publish(client, data, lane="backfill")
        await reached(connection, last, "BACKFILL")
        times = await stored_ms(connection)
        marks = await dirty(connection)
        refused = await refusals(connection)
    assert times == [*(each.time_ms for each in past), NOW_MS]
    assert set(marks) >= {("web-1", begin + slot * SLOT_MS) for slot in range(24 * 6)}
    assert refused == []


@pytest.mark.parametrize(
    ("offset_ms", "reason"),
    [(-8 * DAY_MS, "too old"), (HOUR_MS, "ahead of the clock")],
    ids=["older than raw_days", "an hour ahead"],
)
async def test_rows_outside_the_window_are_refused_and_counted_and_the_rest_of_the_batch_kept(
    bus_url: str, database_url: str, offset_ms: int, reason: str
) -> None:
    families: dict[str, dict[str, dict[str, int | None]]] = {
        "cpu": {"": {"total": 1}},
        "disk": {"sda": {"read": 1}, "sdb": {"read": 1}},
    }
    outside, within = Sample(NOW_MS + offset_ms, families), sample(NOW_MS)
    taken = sorted((outside, within), key=lambda each: each.time_ms)
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*taken, host="web-1"))
        await reached(connection, await publish(client, encoded(*taken, host="web-2", seq=1), host="web-2"))
        assert await stored_ms(connection) == [NOW_MS, NOW_MS]
        assert await refusals(connection) == [
            (host, family, reason, rows) for host in ("web-1", "web-2") for family, rows in (("cpu", 1), ("disk", 2))
        ]
        assert {slot for _, slot in await dirty(connection)} == {SLOT_BEGIN_MS}


async def test_the_window_reaches_from_the_first_raw_day_to_five_minutes_ahead(bus_url: str, database_url: str) -> None:
    now = utc_now().replace(microsecond=0) + timedelta(hours=1)
    today_ms = int(utc_now().timestamp() * 1000) // DAY_MS * DAY_MS
    first_ms, last_ms = today_ms - 7 * DAY_MS, int(now.timestamp() * 1000) + 5 * 60_000
    taken = [sample(at) for at in (first_ms - 1, first_ms, last_ms, last_ms + 1)]
    async with ingesting(bus_url, database_url, clock=lambda: now) as (client, connection):
        await reached(connection, await publish(client, encoded(*taken)))
        assert await stored_ms(connection) == [first_ms, last_ms]


async def test_only_rows_that_were_stored_count_as_a_hosts_newest_sample(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(sample(NOW_MS), sample(NOW_MS + HOUR_MS))))
        newest = await connection.fetchval("SELECT (extract(epoch FROM last_sample) * 1000)::bigint FROM hosts")
    assert newest == NOW_MS


async def test_refusals_of_a_host_add_up(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        for seq in (1, 2):
            await reached(connection, await publish(client, encoded(sample(NOW_MS - 9 * DAY_MS), seq=seq)))
        assert await refusals(connection) == [("web-1", "cpu", "too old", 2)]


async def test_rows_before_a_horizon_that_moved_since_the_last_flush_are_refused(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(sample(NOW_MS - 2000), seq=1)))
        await move_horizon(connection, NOW_MS)
        await reached(connection, await publish(client, encoded(sample(NOW_MS - 1000), sample(NOW_MS), seq=2)))
        assert await stored_ms(connection) == [NOW_MS - 2000, NOW_MS]
        assert await refusals(connection) == [("web-1", "cpu", "too old", 1)]


async def test_a_horizon_from_before_the_start_is_respected(bus_url: str, database_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        await move_horizon(connection, NOW_MS)
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(sample(NOW_MS - 1000), sample(NOW_MS))))
        assert await stored_ms(connection) == [NOW_MS]


async def test_a_flush_waits_for_a_horizon_that_is_being_moved(bus_url: str, database_url: str) -> None:
    async with (
        ingesting(bus_url, database_url) as (client, connection),
        database.connection(database_url, "test") as other,
    ):
        await reached(connection, await publish(client, encoded(sample(NOW_MS - 2000), seq=1)))
        async with other.transaction():
            await move_horizon(other, NOW_MS)
            last = await publish(client, encoded(sample(NOW_MS - 1000), seq=2))
            await eventually(lambda: _waits_for_a_lock(connection))
        await reached(connection, last)
        assert await stored_ms(connection) == [NOW_MS - 2000]


async def _waits_for_a_lock(connection: database.Connection) -> bool:
    query = (
        "SELECT query FROM pg_stat_activity WHERE application_name = 'sonde ingest' AND wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    return "horizons" in (await connection.fetchval(query) or "")


async def test_the_horizon_cannot_move_while_a_flush_is_being_written(bus_url: str, database_url: str) -> None:
    async with (
        ingesting(bus_url, database_url) as (client, connection),
        database.connection(database_url, "test") as other,
    ):
        await reached(connection, await publish(client, encoded(sample(NOW_MS - 2000), seq=1)))
        async with connection.transaction():
            await connection.execute("SELECT FROM positions WHERE consumer = 'ingest' FOR UPDATE")  # holds up the end
            await publish(client, encoded(sample(NOW_MS - 1000), seq=2))
            moving = asyncio.ensure_future(_move_when_held(other))
            await eventually(lambda: moving.done())
        assert not moving.result()


async def _move_when_held(connection: database.Connection) -> bool:
    """Try to move the horizon until that fails because somebody holds it."""
    while True:
        try:
            async with connection.transaction():
                await connection.execute("SELECT FROM horizons WHERE name = 'raw' FOR UPDATE NOWAIT")
        except database.DATABASE_TRANSIENT:
            return False
        await asyncio.sleep(0.02)


async def test_by_a_clock_an_hour_ahead_fresh_rows_are_taken_all_the_same(bus_url: str, database_url: str) -> None:
    def an_hour_ahead() -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)

    async with ingesting(bus_url, database_url, clock=an_hour_ahead) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5))))
        assert await stored_ms(connection) == [each.time_ms for each in ticks(5)]
        assert await refusals(connection) == []
