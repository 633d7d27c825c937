"""When the disk runs short: what goes early, what never does, and what is said of it."""

from __future__ import annotations

import logging
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.servers.embedded import postgres_server
from infra.storage.database import Connection, connection
from infra.storage.engine import Part
from schemas.settings import RuntimeSettings
from services.retention.guard import GIB, WORTH, Space, early_horizons, read_space, shortage
from services.retention.job import prune
from services.retention.report import Run
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, a_disk, ago, now, put, set_, times_of


def part(days_ago: int, size: int = 100, table: str = "room") -> Part:
    """A raw part of that day."""
    return Part(table, f"{table}_{days_ago}", ago(days_ago, 0), ago(days_ago - 1, 0), size, size)


def test_a_tenth_of_the_disk_stays_free() -> None:
    missing = shortage(Space(0, free_bytes=70, disk_bytes=1000), RuntimeSettings())
    assert missing is not None
    assert (missing.bytes, missing.setting) == (30, "disk_free_percent")
    assert "7.0 % of the disk is free, disk_free_percent is 10" in missing.text


def test_enough_is_enough() -> None:
    assert shortage(Space(0, free_bytes=100, disk_bytes=1000), RuntimeSettings()) is None


def test_zero_per_cent_turns_the_guard_off() -> None:
    assert shortage(Space(0, free_bytes=0, disk_bytes=1000), RuntimeSettings(disk_free_percent=0)) is None


def test_a_disk_that_nobody_sees_is_never_short() -> None:
    assert shortage(Space(500 * GIB), RuntimeSettings()) is None


def test_a_database_on_another_machine_has_a_budget() -> None:
    missing = shortage(Space(12 * GIB), RuntimeSettings(database_gib=10))
    assert missing is not None
    assert (missing.bytes, missing.setting) == (2 * GIB, "database_gib")


def test_the_worse_of_two_shortages_counts() -> None:
    missing = shortage(Space(2 * GIB, free_bytes=0, disk_bytes=20 * GIB), RuntimeSettings(database_gib=1))
    assert missing is not None
    assert missing.setting == "disk_free_percent"


def test_the_oldest_days_go_first_and_no_more_than_needed() -> None:
    parts = [part(days) for days in range(7, -1, -1)]
    assert early_horizons(parts, ago(7, 0), ago(1, 0), 150) == [ago(6, 0), ago(5, 0)]


def test_all_families_of_a_day_count_together() -> None:
    parts = [part(days, table=table) for days in range(7, -1, -1) for table in ("room", "shelf")]
    assert early_horizons(parts, ago(7, 0), ago(1, 0), 150) == [ago(6, 0)]


def test_yesterday_and_today_never_go() -> None:
    parts = [part(days) for days in range(3, -1, -1)]
    assert early_horizons(parts, ago(7, 0), ago(1, 0), 1000) == [ago(2, 0), ago(1, 0)]


def test_nothing_goes_for_a_disk_that_something_else_fills() -> None:
    parts = [part(days) for days in range(7, -1, -1)]
    assert early_horizons(parts, ago(7, 0), ago(1, 0), 1_000_000) == []


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1000)), max_size=30),
    st.integers(0, 20),
    st.integers(1, 20_000),
)
def test_the_guard_only_moves_forward_to_yesterday_at_most(
    sizes: list[tuple[int, int]], days: int, missing: int
) -> None:
    steps = early_horizons([part(at, size) for at, size in sizes], ago(days, 0), ago(1, 0), missing)
    assert steps == sorted(set(steps))
    assert all(ago(days, 0) < step <= ago(1, 0) for step in steps)


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=12), st.integers(1, 5000))
def test_all_steps_but_the_last_free_too_little(sizes: list[int], missing: int) -> None:
    parts = [part(days, size) for days, size in enumerate(sizes)]
    steps = early_horizons(parts, ago(40, 0), ago(1, 0), missing)

    def freed(before: datetime) -> int:
        return sum(each.bytes for each in parts if each.last <= before)

    assert all(freed(step) < missing for step in steps[:-1])
    assert not steps or freed(steps[-1]) >= min(missing, freed(ago(1, 0)))
    assert bool(steps) == (freed(ago(1, 0)) >= WORTH * missing)


async def runs(database: Connection, *free_percent: float) -> Run:
    run = await prune(database, HOUSE, now(), a_disk(*free_percent))
    assert run is not None
    return run


async def test_raw_days_go_early_until_there_is_room_again(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for days in (5, 4, 3, 2, 1, 0):
            await put(database, engine, ago(days, 0))
        await runs(database, 4, 4, 12)
        assert await times_of(database, "room") == [ago(days, 0) for days in (3, 2, 1, 0)]


async def test_what_goes_early_has_its_roll_up(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for days in (4, 1, 0):
            await put(database, engine, ago(days, 0))
        await runs(database, 9, 12)
        assert await times_of(database, "room") == [ago(1, 0), ago(0, 0)]
        assert (await times_of(database, "room_1m"))[0] == ago(4, 0)
        assert (await times_of(database, "shelf_1h"))[0] == ago(4, 0)


async def test_yesterday_and_today_stay_on_a_full_disk(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for days in (4, 3, 2, 1, 0):
            await put(database, engine, ago(days, 0))
        await runs(database, 0)
        assert await times_of(database, "room") == [ago(1, 0), ago(0, 0)]


async def test_the_guard_speaks_up(blank_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with house(blank_database_url) as (database, engine):
        for days in (4, 1, 0):
            await put(database, engine, ago(days, 0))
        run = await runs(database, 4, 12)
        kept = await database.fetchval("SELECT report ->> 'guard' FROM retention_runs")
    errors = [record.__dict__["reason"] for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "4.0 % of the disk is free" in errors[0]
    assert f"before {ago(3):%Y-%m-%d}" in run.report.guard
    assert kept == run.report.guard


async def test_a_full_disk_of_somebody_elses_is_told_and_nothing_goes(
    blank_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def huge(_: Connection) -> Space:
        return Space(1000, free_bytes=0, disk_bytes=2**50)

    async with house(blank_database_url) as (database, engine):
        for days in (4, 3, 0):
            await put(database, engine, ago(days, 0))
        await prune(database, HOUSE, now(), huge)
        assert len(await times_of(database, "room")) == 3
    assert caplog.messages == ["disk guard cannot free enough space"]


async def test_a_day_that_somebody_reads_stops_the_guard(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as reader:
        for days in (5, 4, 3, 0):
            await put(database, engine, ago(days, 0))
        async with reader.transaction():
            await times_of(reader, "room")
            await runs(database, 4)
            assert len(await times_of(reader, "room")) == 4
        assert await times_of(database, "shelf") == [ago(4, 0), ago(3, 0), ago(0, 0)]


async def test_late_rows_for_a_day_that_went_early_are_below_the_horizon(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for days in (4, 3, 0):
            await put(database, engine, ago(days, 0))
        run = await runs(database, 9, 12)
        assert run.report.raw_before == ago(3, 0)
        again = await prune(database, HOUSE, now(), PLENTY)
        assert again is not None
        assert again.report.raw_before == ago(3, 0)


async def test_the_budget_of_a_remote_database_is_kept(blank_database_url: str) -> None:
    async def remote(database: Connection) -> Space:
        return Space(1 * GIB + 10_000)

    async with house(blank_database_url) as (database, engine):
        for days in (4, 3, 0):
            await put(database, engine, ago(days, 0))
        await set_(database, database_gib=1)
        await prune(database, HOUSE, now(), remote)
        assert (await times_of(database, "room"))[0] > ago(4, 0)


async def test_the_disk_of_the_embedded_server_is_seen(data_dir: Path) -> None:
    async with postgres_server(data_dir) as server, connection(server.url, "test") as database:
        space = await read_space(database)
    usage = shutil.disk_usage(data_dir)
    assert space.database_bytes > 1_000_000
    assert space.disk_bytes == usage.used + usage.free
    assert space.free_bytes is not None


async def test_a_directory_of_that_name_here_is_not_the_servers(data_dir: Path) -> None:
    """A tunnel to another machine's server, and a server's directory of the same name on this one."""
    async with postgres_server(data_dir) as server, connection(server.url, "test") as database:
        pid_file = data_dir / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        lines[2] = str(int(lines[2]) - int(timedelta(days=3).total_seconds()))
        held = pid_file.read_text()
        pid_file.write_text("\n".join(lines) + "\n")
        try:
            assert (await read_space(database)).free_bytes is None
        finally:
            pid_file.write_text(held)
