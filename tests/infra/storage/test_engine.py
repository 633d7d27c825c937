"""What holds on both engines; on which one, says SONDE_TEST_DATABASE_URL."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from infra.storage.database import connection
from infra.storage.engine import NativeEngine, SchemaError, days_between, detect, tables_of
from infra.storage.engines.tables import begin_of
from infra.storage.engines.views import view_query
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE, Family, Metric
from tests.infra.families import HOUSE, ROOM, SHELF, at, house, put, times_in


def test_days_between_are_the_utc_days_that_the_range_touches() -> None:
    east = datetime(2026, 11, 21, 1, tzinfo=UTC).astimezone()
    assert days_between(east, at(23, 0)) == [at(21, 0), at(22, 0), at(23, 0)]
    assert days_between(at(21, 0), at(21, 23)) == [at(21, 0)]


def test_longer_parts_begin_at_multiples_of_their_length_since_1970() -> None:
    assert [str(begin_of(at(day), 7)) for day in (18, 19)] == ["2026-11-12", "2026-11-19"]


async def test_a_migrated_database_is_recognised(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        before = await detect(database)
        await migrate(database, before)
        assert (await detect(database)).name == before.name
        assert before.name == "native" or "SONDE_TEST_DATABASE_URL" in os.environ


async def test_a_native_database_stays_native(blank_database_url: str) -> None:
    async with connection(blank_database_url, "test") as database:
        await migrate(database, NativeEngine(), HOUSE)
        assert (await detect(database, HOUSE)).name == "native"


async def test_tables_have_the_catalogues_columns_in_order(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        for family in CATALOGUE:
            rows = await database.fetch(
                """
                SELECT column_name, udt_name, is_nullable FROM information_schema.columns
                WHERE table_name = $1 ORDER BY ordinal_position
                """,
                family.name,
            )
            keys = ["time", "host_id", *(["instance_id"] if family.instance else [])]
            assert [row["column_name"] for row in rows] == keys + [metric.name for metric in family.metrics]
            assert [row["udt_name"] for row in rows[len(keys) :]] == [metric.column for metric in family.metrics]
            assert [row["column_name"] for row in rows if row["is_nullable"] == "NO"] == keys


async def test_roll_ups_have_their_columns_per_metric(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        rows = await database.fetch(
            "SELECT attname, atttypid::regtype::text AS type FROM pg_attribute WHERE attrelid = 'shelf_1h'::regclass "
            "AND attnum > 0 ORDER BY attnum"
        )
    assert [(row["attname"], row["type"]) for row in rows] == [
        ("time", "timestamp with time zone"),
        ("host_id", "integer"),
        ("instance_id", "integer"),
        ("load_min", "bigint"),
        ("load_max", "bigint"),
        ("load_n", "integer"),
        ("load_sum", "numeric"),
        ("load_sketch", "bytea"),
    ]


async def test_rows_come_back_in_real_units_under_their_names(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(21))
        room = await database.fetchrow("SELECT * FROM metrics_room")
        shelf = await database.fetchrow("SELECT * FROM metrics_shelf")
    assert room is not None
    assert dict(room) == {"time": at(21), "host": "web-1", "temperature": 21.5, "user": None}
    assert shelf is not None
    assert dict(shelf) == {
        "time": at(21),
        "host": "web-1",
        "instance": "a",
        "labels": '{"colour": "red"}',
        "load": 53750.0,
    }


def test_a_resolution_of_one_nth_divides_so_that_decimals_stay_short() -> None:
    assert 't."temperature"::float8 / 10 AS "temperature"' in view_query(ROOM)
    assert 't."load"::float8 * 250' in view_query(SHELF)


def with_metric(family: Family, metric: Metric) -> Family:
    return replace(family, metrics=(*family.metrics, metric))


async def test_a_new_metric_gets_its_column_and_its_place_in_the_view(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(20))
        await database.execute("CREATE VIEW somebodys AS SELECT temperature FROM metrics_room")
        larger = (with_metric(ROOM, Metric(3, "humidity", "%", 0.01, "int2", "Relative.")), SHELF)
        await migrate(database, engine, larger)
        await put(database, engine, at(21), catalogue=larger)
        await database.execute("UPDATE room SET humidity = 4250 WHERE time = $1", at(21))
        rows = await database.fetch("SELECT humidity FROM metrics_room ORDER BY time")
        comment = await database.fetchval("SELECT col_description('metrics_room'::regclass, 5)")
    assert [row["humidity"] for row in rows] == [None, 42.5]
    assert comment == "Relative. [%]"


async def test_a_new_family_gets_its_table(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        larger = (*HOUSE, replace(ROOM, name="cellar"))
        await migrate(database, engine, larger)
        await put(database, engine, at(21), catalogue=larger)
        assert await database.fetchval("SELECT count(*) FROM metrics_cellar") == 1


async def test_a_metric_of_another_type_is_refused(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        wider = replace(ROOM.metrics[0], column="int8")
        with pytest.raises(SchemaError, match=r"room\.temperature is stored as int2, the catalogue says int8"):
            await migrate(database, engine, (replace(ROOM, metrics=(wider,)), SHELF))


async def test_a_changed_resolution_changes_the_view(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(21))
        finer = replace(ROOM.metrics[0], resolution=0.01)
        await migrate(database, engine, (replace(ROOM, metrics=(finer, ROOM.metrics[1])), SHELF))
        assert await database.fetchval("SELECT temperature FROM metrics_room") == 2.15


async def test_a_view_that_loses_a_metric_is_made_anew(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await migrate(database, engine, (replace(ROOM, metrics=ROOM.metrics[:1]), SHELF))
        rows = await database.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'metrics_room'"
        )
    assert {row["column_name"] for row in rows} == {"time", "host", "temperature"}


async def test_a_view_that_others_build_on_is_not_taken_away(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await database.execute("CREATE VIEW somebodys AS SELECT temperature FROM metrics_room")
        with pytest.raises(SchemaError, match=r"metrics_room.*somebodys"):
            await migrate(database, engine, (replace(ROOM, metrics=ROOM.metrics[:1]), SHELF))


async def test_a_table_that_is_not_ours_is_refused(blank_database_url: str) -> None:
    async with connection(blank_database_url, "test") as database:
        await database.execute("CREATE TABLE room (time timestamptz)")
        with pytest.raises(SchemaError, match="room: not made by"):
            await migrate(database, await detect(database, HOUSE), HOUSE)


async def test_room_for_a_range_takes_rows_of_each_of_its_days(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await engine.make_room(database, tables_of(HOUSE, "raw"), days_between(at(19, 23), at(21, 0)))
        times = [at(19, 23), at(20), at(21, 0)]
        await database.executemany("INSERT INTO room (time, host_id) VALUES ($1, 1)", [(time,) for time in times])
        assert await times_in(database, ROOM) == times


async def test_dropping_takes_whole_days_that_are_over(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        last_moment = at(19, 0) - timedelta(microseconds=1)
        await put(database, engine, at(17), last_moment, at(19, 0), at(20))
        dropped = await engine.drop_before(database, tables_of(HOUSE, "raw"), at(19, 0))
        assert await times_in(database, ROOM) == [at(19, 0), at(20)]
        assert await times_in(database, SHELF) == [at(19, 0), at(20)]
    assert [part.table for part in dropped].count("room") == 2
    assert [part.table for part in dropped].count("shelf") == 2
    assert all(part.bytes > 0 and part.name for part in dropped)


async def test_a_day_that_is_not_over_is_not_dropped(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(19, 3))
        assert await engine.drop_before(database, tables_of(HOUSE, "raw"), at(19, 23)) == []
        assert await times_in(database, ROOM) == [at(19, 3)]


async def test_dropping_nothing_says_nothing(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        assert await engine.drop_before(database, tables_of(HOUSE, "raw"), at(19)) == []


async def test_the_oldest_day_is_known(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        assert await engine.oldest(database, tables_of(HOUSE, "raw")) is None
        await put(database, engine, at(18), at(20))
        assert await engine.oldest(database, tables_of(HOUSE, "raw")) == at(18, 0)


async def test_parts_say_what_they_hold(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, *(at(20) + timedelta(seconds=n) for n in range(5000)))
        await database.execute("ANALYZE room")
        room, _ = await engine.parts(database, tables_of(HOUSE, "raw"))
    assert (room.table, room.first, room.last) == ("room", at(20, 0), at(21, 0))
    assert room.rows_estimate == 5000
    assert 200_000 < room.bytes < 2_000_000


async def test_rows_that_nobody_has_counted_yet_are_estimated(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, *(at(20) + timedelta(seconds=n) for n in range(5000)))
        room, _ = await engine.parts(database, tables_of(HOUSE, "raw"))
    assert 2500 < room.rows_estimate < 10_000
