"""One clock that is wrong, whichever it is, refuses nothing, and is said to be wrong."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.window import AHEAD_MS, Clocks, apart, window
from tests.batches import encoded
from tests.ingest.running import NOW_MS, ingesting, publish, reached, ticks
from tests.ingest.test_window import refusals, stored_ms

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
AT_MS = 1_795_219_200_000
MONTH = timedelta(days=30)
moments = st.integers(0, 4_000_000_000_000)


@pytest.mark.parametrize("off", [MONTH, -MONTH, timedelta(minutes=10), -timedelta(minutes=10)], ids=str)
async def test_by_a_clock_that_is_wrong_fresh_rows_are_taken(
    bus_url: str, database_url: str, off: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    async with ingesting(bus_url, database_url, clock=lambda: datetime.now(UTC) + off) as (client, connection):
        for seq in (1, 2):
            await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000 * seq), seq=seq)))
        assert len(await stored_ms(connection)) == 10
        assert await refusals(connection) == []
    told = [record for record in caplog.records if "clocks are more than 5 minutes apart" in record.message]
    assert [record.levelname for record in told] == ["ERROR"]
    assert "ingest's clock says" in told[0].__dict__["clocks"]
    assert "the database's" in told[0].__dict__["clocks"]


async def test_a_clock_that_jumps_ahead_between_flushes_refuses_nothing(bus_url: str, database_url: str) -> None:
    off = timedelta()
    async with ingesting(bus_url, database_url, clock=lambda: datetime.now(UTC) + off) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        off = MONTH
        await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2)))
        assert await refusals(connection) == []


async def test_of_clocks_that_agree_nothing_is_said(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with ingesting(bus_url, database_url) as (client, connection):
            await reached(connection, await publish(client, encoded(*ticks(5))))
    assert caplog.messages == []


@given(moments, moments, moments)
def test_what_is_in_time_by_any_clock_is_taken(own_ms: int, database_ms: int, stored_ms: int) -> None:
    taken = window(Clocks(own_ms, database_ms, stored_ms), 7, 0)
    for clock_ms in (own_ms, database_ms, stored_ms):
        assert taken.earliest_ms <= max(clock_ms - 7 * DAY_MS, 0)
        assert taken.latest_ms >= clock_ms + AHEAD_MS


def test_whole_days_are_taken_but_none_below_the_horizon() -> None:
    clocks = Clocks(AT_MS + HOUR_MS, AT_MS + HOUR_MS, AT_MS + HOUR_MS)
    midnight = AT_MS // DAY_MS * DAY_MS
    assert window(clocks, 7, 0).earliest_ms == midnight - 7 * DAY_MS
    assert window(clocks, 7, midnight).earliest_ms == midnight


@pytest.mark.parametrize("database_ms", [AT_MS - 301_000, AT_MS + 301_000])
def test_both_clocks_that_are_apart_are_named(database_ms: int) -> None:
    told = apart(Clocks(AT_MS, database_ms, AT_MS))
    for time_ms in (AT_MS, database_ms):
        assert f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}" in told


def test_what_the_bus_stored_in_our_future_tells_that_clocks_are_apart() -> None:
    assert "the bus's" in apart(Clocks(AT_MS, AT_MS, AT_MS + 301_000))


def test_what_the_bus_stored_long_ago_tells_nothing_of_clocks() -> None:
    assert apart(Clocks(AT_MS, AT_MS, AT_MS - DAY_MS)) == ""
