"""`/hosts/{id}/families` against rows that are known."""

from __future__ import annotations

from tests.gateway.asking import asking, get
from tests.gateway.rolled import roll_up
from tests.gateway.rows import execute, put

START_MS = 1_795_219_200_000
HOUR_MS = 3_600_000


async def families(database_url: str, from_ms: int, to_ms: int) -> list[str]:
    """Between two times after the first row."""
    async with asking(database_url) as client:
        found = await get(client, "/hosts/web-1/families", from_=START_MS + from_ms, to=START_MS + to_ms)
    names: list[str] = found["families"]
    return names


async def rows(database_url: str) -> None:
    """CPU for three hours, a GPU for the first only."""
    await put(database_url, "cpu", [(START_MS + 60_000 * minute, "", {"total": 1}) for minute in range(180)])
    await put(database_url, "gpu", [(START_MS + 60_000 * minute, "0", {"utilisation": 1}) for minute in range(60)])


async def test_a_family_that_ended_is_told_where_it_has_rows_and_not_after(database_url: str) -> None:
    await rows(database_url)
    assert await families(database_url, 0, 3 * HOUR_MS) == ["cpu", "gpu"]
    assert await families(database_url, HOUR_MS, 3 * HOUR_MS) == ["cpu"]
    assert await families(database_url, 3 * HOUR_MS, 4 * HOUR_MS) == []


async def test_rolled_up_rows_tell_of_a_family_as_raw_ones_do(database_url: str) -> None:
    await rows(database_url)
    await roll_up(database_url, START_MS + 24 * HOUR_MS)
    await execute(database_url, "DELETE FROM gpu")
    assert await families(database_url, 0, 3 * HOUR_MS) == ["cpu", "gpu"]
    assert await families(database_url, HOUR_MS, 3 * HOUR_MS) == ["cpu"]
