"""Clocks that are ahead: nothing goes that should stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.storage.database import Connection
from infra.storage.engine import tables_of
from services.retention.job import prune
from services.retention.policy import CATCH_UP, SILENCE, trusted_now
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, ago, now, put, times_of, today

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)

moments = st.timedeltas(-MONTH, MONTH).map(lambda offset: now() + offset)


def test_the_earlier_of_two_clocks_is_believed() -> None:
    assert trusted_now(now() + MONTH, now(), None, None) == now()
    assert trusted_now(now(), now() + MONTH, None, None) == now()


def test_it_is_no_later_than_a_day_after_the_newest_sample() -> None:
    assert trusted_now(now() + MONTH, now() + MONTH, now(), None) == now() + SILENCE


def test_when_every_clock_jumps_a_run_moves_a_day() -> None:
    """Server, database and agents on one machine whose clock is set a month ahead."""
    assert trusted_now(now() + MONTH, now() + MONTH, now() + MONTH, now()) == now() + CATCH_UP


def test_a_clock_set_back_is_believed() -> None:
    assert trusted_now(now() - MONTH, now(), now(), now()) == now() - MONTH


@given(moments, moments, st.none() | moments, st.none() | moments)
def test_it_is_never_later_than_any_clock(
    own: datetime, database: datetime, newest: datetime | None, previous: datetime | None
) -> None:
    assert trusted_now(own, database, newest, previous) <= min(own, database)


@pytest.mark.parametrize("ahead", [HOUR, MONTH])
async def test_our_clock_ahead_drops_nothing_that_should_stay(blank_database_url: str, ahead: timedelta) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(7, 0), ago(1), now())
        await prune(database, HOUSE, now() + ahead, PLENTY)
        assert await times_of(database, "room") == [ago(7, 0), ago(1), now()]


async def previous_moments(database: Connection) -> object:
    return await database.fetchval("SELECT max((report ->> 'now')::timestamptz) FROM retention_runs")


async def test_a_fleet_silent_for_a_month_keeps_its_last_week(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(36), ago(30))
        await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [ago(36), ago(30)]
        assert await previous_moments(database) == ago(30) + SILENCE


async def test_after_a_month_away_every_run_makes_up_for_a_day(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, *(ago(days) for days in range(40, 28, -1)))
        await prune(database, HOUSE, ago(30), PLENTY)
        assert (await times_of(database, "room"))[0] == ago(37)
        await put(database, engine, now())
        await prune(database, HOUSE, now(), PLENTY)
        assert (await times_of(database, "room"))[0] == ago(36)


async def test_room_is_made_where_the_clock_is_and_where_it_should_be(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        await prune(database, HOUSE, now() + timedelta(days=5), PLENTY)
        await database.execute("INSERT INTO room (time, host_id) VALUES ($1, 1)", today())
        await database.execute("INSERT INTO room (time, host_id) VALUES ($1, 1)", now() + timedelta(days=7))


async def test_no_room_is_made_between_the_clock_and_where_it_should_be(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(400))
        await prune(database, HOUSE, now(), PLENTY)
        days = {part.first for part in await engine.parts(database, tables_of(HOUSE, "raw"))}
        assert not days & {ago(number, 0) for number in range(10, 390)}
