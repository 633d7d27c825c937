"""How far back the tables go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.clock import to_ms
from infra.storage import database
from schemas.catalogue import CATALOGUE
from services.gateway.history.arguments import read_reach
from services.gateway.history.resolution import EVERYTHING, Reach, reach_of
from services.retention.job import prune
from tests.gateway.rows import put

EARLY, LATE = (datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10))


@pytest.mark.parametrize(
    ("horizons", "reach"),
    [
        ({}, EVERYTHING),
        ({"raw": LATE}, Reach(to_ms(LATE))),
        ({"raw": LATE, "minute": EARLY}, Reach(to_ms(LATE), to_ms(EARLY))),
    ],
)
def test_rows_reach_back_to_what_retention_noted(horizons: dict[str, datetime], reach: Reach) -> None:
    assert reach_of(horizons) == reach


async def test_a_database_of_which_nothing_was_dropped_has_everything(database_url: str) -> None:
    await put(database_url, "cpu", [(to_ms(LATE), "", {"total": 1})])
    async with database.connection(database_url, "test") as connection:
        assert await read_reach(connection) == EVERYTHING


async def test_what_retention_notes_is_read(database_url: str) -> None:
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    await put(database_url, "cpu", [(to_ms(now), "", {"total": 1})])
    async with database.connection(database_url, "test") as connection:
        await prune(connection, CATALOGUE, now)
        reach = await read_reach(connection)
    assert reach == Reach(*(to_ms(midnight - timedelta(days=days)) for days in (7, 30, 730)))
