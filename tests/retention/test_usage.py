"""Sizes, rates and what they come to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from infra.cli.storage import told
from infra.storage.engine import Part, Table
from infra.storage.engines.tables import Kind
from schemas.storage import Kept, PartUse, TableUse
from services.retention.job import prune
from services.retention.usage import days_of, measure, parts_of, rows_per_day, uncompressed, usage
from tests.infra.families import HOUSE, ROOM, house
from tests.retention.house import PLENTY, a_disk, ago, now, put, today

MIB = 2**20
KEPT = Kept(7, 30, 730)
DAY = timedelta(days=1)


def part(
    days_ago: int, rows: int, size: int = MIB, days: int = 1, compressed: bool = False, before: int | None = None
) -> Part:
    """A part of `days` days that begins so many days ago."""
    first = ago(days_ago, 0)
    return Part("room", f"room_{days_ago}", first, first + days * DAY, size, rows, compressed, before)


def used(*parts: Part, kind: Kind = "raw", since: datetime | None = None, columnar: bool = False) -> TableUse:
    return usage(Table(ROOM, kind), parts, KEPT, since or ago(9, 0), today(), columnar)


def test_bytes_per_value_count_every_metric_of_a_row() -> None:
    assert used(part(1, MIB, 3 * MIB)).bytes_per_value == 1.5


def test_without_rows_there_is_no_rate_and_no_need() -> None:
    empty = used(part(1, 0, 8192))
    assert (empty.bytes, empty.bytes_per_value, empty.rows_per_day, empty.need_bytes) == (8192, None, None, None)


def test_a_rate_is_over_the_time_that_rows_cover() -> None:
    since = ago(1, 12)
    assert rows_per_day([part(1, 500), part(0, 250)], since, today() + DAY / 4) == 750 / 0.75


def test_a_rate_is_of_the_newest_parts() -> None:
    parts = [part(days, 1000 if days > 7 else 100) for days in range(20, 0, -1)]
    assert rows_per_day(parts, ago(20, 0), today()) == 100


def test_a_rate_of_days_long_gone_ends_with_its_rows() -> None:
    assert rows_per_day([part(30, 100)], ago(30, 0), ago(29, 0)) == 100


def test_of_a_few_minutes_no_rate_is_told() -> None:
    assert rows_per_day([part(0, 300)], today(), today() + timedelta(minutes=5)) is None


def test_raw_rows_are_needed_for_their_days_and_today() -> None:
    assert used(part(2, 1000), part(1, 1000)).need_bytes == pytest.approx(8 * MIB)


def test_minutes_are_needed_for_their_days_and_a_week() -> None:
    assert used(part(7, 7000, 7 * MIB, days=7), kind="minute").need_bytes == pytest.approx(37 * MIB)


def test_hours_are_needed_for_their_days_and_four_weeks() -> None:
    whole = used(part(28, 28_000, 28 * MIB, days=28), kind="hour", since=ago(28, 0))
    assert whole.need_bytes == pytest.approx(758 * MIB)


def test_cold_days_are_needed_columnar_and_two_days_as_they_come() -> None:
    cold = part(2, 1000, MIB // 2, compressed=True, before=MIB)
    assert used(cold, part(1, 1000), columnar=True).need_bytes == pytest.approx(2 * MIB + 6 * MIB // 2)


def test_before_anything_is_columnar_the_need_is_that_of_rows() -> None:
    assert used(part(1, 1000), columnar=True).need_bytes == pytest.approx(8 * MIB)


def test_parts_of_a_few_pages_say_nothing_of_a_row() -> None:
    table = Table(ROOM)
    tiny = used(part(1, 10, 24_576))
    assert tiny.need_bytes == pytest.approx(8 * 10 * (table.row_bytes + 28))


def test_what_it_took_uncompressed_is_unknown_where_one_part_does_not_say() -> None:
    assert uncompressed([part(2, 1, 10, compressed=True, before=90), part(1, 1, 10)]) == 100
    assert uncompressed([part(2, 1, 10, compressed=True), part(1, 1, 10)]) is None


def test_days_are_of_raw_rows_and_in_order() -> None:
    other = Part("room_1m", "x", ago(3, 0), ago(-4, 0), 7, 7)
    days = days_of([part(1, 5, 50), other, part(2, 3, 30, compressed=True, before=60)], HOUSE)
    assert [(day.day, day.rows, day.bytes, day.columnar_bytes, day.uncompressed_bytes) for day in days] == [
        (f"{ago(2):%Y-%m-%d}", 3, 30, 30, 60),
        (f"{ago(1):%Y-%m-%d}", 5, 50, 0, 50),
    ]


def test_parts_are_told_by_family_and_kind_and_those_that_hold_nothing_are_not() -> None:
    minutes = Part("room_1m", "x", ago(7, 0), today(), 7, 70)
    found = parts_of([minutes, part(2, 0), part(1, 5, 50), part(3, 3, 30, compressed=True)], HOUSE)
    assert found == [
        PartUse("room", "raw", f"{ago(3):%Y-%m-%d}", 1, 3, 30, True),
        PartUse("room", "raw", f"{ago(1):%Y-%m-%d}", 1, 5, 50, False),
        PartUse("room", "minute", f"{ago(7):%Y-%m-%d}", 7, 70, 7, False),
    ]


async def test_rows_that_nobody_has_counted_are_not_none(blank_database_url: str) -> None:
    """Before autovacuum has looked at a table PostgreSQL says that it has -1 rows."""
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, *(ago(1, 0) + timedelta(seconds=second) for second in range(5000)))
        measured = await measure(database, HOUSE, now(), PLENTY)
    rows = {(each.family, each.kind): each.rows for each in measured.tables}
    assert 2500 < rows["room", "raw"] < 10_000
    assert 2500 < rows["shelf", "raw"] < 10_000
    assert rows["room", "minute"] == 0


async def test_columnar_rows_are_counted(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        if engine.name == "native":
            pytest.skip("no TimescaleDB: set SONDE_TEST_DATABASE_URL to a server that has it")
        await put(database, engine, *(ago(3, 0) + timedelta(seconds=second) for second in range(5000)))
        await put(database, engine, now())
        await prune(database, HOUSE, now(), PLENTY)
        measured = await measure(database, HOUSE, now(), PLENTY)
    [room] = [each for each in measured.tables if (each.family, each.kind) == ("room", "raw")]
    assert room.columnar_bytes > 0
    assert room.uncompressed_bytes is not None
    assert room.uncompressed_bytes > room.columnar_bytes
    assert 5000 <= room.rows <= 5300
    assert measured.days[0].columnar_bytes > 0


async def test_a_new_database_has_sizes_and_no_rate(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        measured = await measure(database, HOUSE, now(), a_disk(50))
    assert measured.need_bytes is None
    assert measured.database_bytes > 0
    assert [each.rows for each in measured.tables] == [0] * 6


async def test_a_need_says_of_what_it_knows_no_rate_yet(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, *(ago(1, 0) + timedelta(seconds=second) for second in range(0, 5000, 10)))
        await put(database, engine, now())
        measured = await measure(database, HOUSE, now(), PLENTY)
        assert measured.need_without == ["minute", "hour"]
        [need] = [line for line in told(measured) if line.startswith("need: ")]
        assert need.endswith("; without minutes and hours, which have too few rows yet")
        await prune(database, HOUSE, now(), PLENTY)
        await database.execute("ANALYZE")
        measured = await measure(database, HOUSE, now(), PLENTY)
    assert measured.need_without == []
    assert [line for line in told(measured) if "without" in line] == []
