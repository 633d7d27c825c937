"""Series, statistics and exports say what the raw rows say, whatever part of those is rolled up, or gone since."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.history.resolution import Reach
from tests.gateway.asking import asking, get
from tests.gateway.histories import (
    HISTORIES,
    HOUR_MS,
    HOURS,
    METRICS,
    RANGES,
    RESOLUTION,
    START_MS,
    History,
    check_column,
    check_stat,
    known,
    same_mean,
)
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, put

END_MS = START_MS + HOURS * HOUR_MS
POINTS = st.sampled_from([1, 2, 7, 12, 50, 144, 600, 5000])
ASKED = st.lists(st.tuples(RANGES, POINTS), min_size=4, max_size=4)
LENGTHS_MS = {"minute": 60_000, "hour": HOUR_MS}
law = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
numbers = itertools.count()


def on_a_host_of_its_own(database_url: str, check: Callable[[str, str], Coroutine[Any, Any, None]]) -> None:
    """The examples of one law share a database."""
    asyncio.run(check(database_url, f"host-{next(numbers)}"))


def query(span: tuple[int, int]) -> dict[str, object]:
    offset_ms, length_ms = span
    return {"metrics": METRICS, "from": START_MS + offset_ms, "to": START_MS + offset_ms + length_ms}


@law
@given(HISTORIES, ASKED)
def test_series_and_statistics_agree_with_the_raw_rows(
    database_url: str, history: History, asked: list[tuple[tuple[int, int], int]]
) -> None:
    async def check(url: str, host: str) -> None:
        rows = await history.store(url, host)
        async with asking(url) as client:
            for span, points in asked:
                await _agrees(client, host, rows, span, points)

    on_a_host_of_its_own(database_url, check)


@law
@given(HISTORIES, ASKED, st.integers(0, HOURS))
def test_what_is_left_of_raw_rows_that_are_gone_agrees_with_them(
    database_url: str, history: History, asked: list[tuple[tuple[int, int], int]], gone_hours: int
) -> None:
    async def check(url: str, host: str) -> None:
        rows = await history.store(url, host)
        gone_ms = START_MS + gone_hours * HOUR_MS
        await roll_up(url, END_MS + 2 * HOUR_MS)
        for family in rows:
            await execute(
                url,
                f"DELETE FROM {family} USING hosts h WHERE h.id = host_id AND h.name = $1 AND time < to_timestamp($2)",  # noqa: S608
                host,
                gone_ms / 1000,
            )
        async with asking(url, Reach(gone_ms)) as client:
            for span, points in asked:
                await _agrees(client, host, rows, span, points, whole=False)

    on_a_host_of_its_own(database_url, check)


async def _agrees(
    client: httpx.AsyncClient,
    host: str,
    rows: dict[str, list[Row]],
    span: tuple[int, int],
    points: int,
    whole: bool = True,
) -> None:
    series = await get(client, f"/hosts/{host}/series", **query(span), points=points)
    assert len(series["times"]) <= points
    for column in series["series"]:
        check_column(rows, column, series)
    stats = await get(client, f"/hosts/{host}/stats", **query(span))
    assert not whole or (stats["from"], stats["to"]) == (query(span)["from"], query(span)["to"])
    for stat in stats["stats"]:
        check_stat(rows, stat, stats, whole)
    # What is left out has no value there.
    for answer, found in ((series, series["series"]), (stats, stats["stats"])):
        there = {(column["metric"], column["instance"]) for column in found}
        for metric, instance in itertools.product(("disk.read", "disk.busy"), ("sda", "sdb")):
            column = {"metric": metric, "instance": instance}
            assert (metric, instance) in there or not known(rows["disk"], column, answer["from"], answer["to"])


@law
@given(HISTORIES, RANGES, st.sampled_from(["raw", "minute", "hour"]))
def test_an_export_has_every_row_once_and_in_order(
    database_url: str, history: History, span: tuple[int, int], resolution: str
) -> None:
    async def check(url: str, host: str) -> None:
        rows = await history.store(url, host)
        async with asking(url) as client:
            asked = query(span) | {"format": "ndjson", "resolution": resolution}
            response = await client.get(f"/hosts/{host}/export", params={k: str(v) for k, v in asked.items()})
        assert response.status_code == 200, response.text
        found = [json.loads(line) for line in response.text.splitlines()]
        first, last = int(str(asked["from"])), int(str(asked["to"]))
        if resolution == "raw":
            expected = [_raw(host, family, row) for family in rows for row in rows[family] if first <= row[0] < last]
            assert [row["time"] for row in found] == [row["time"] for row in expected]
            # Of one time, the instance that was stored first comes first, whatever its name.
            assert sorted(found, key=_key) == sorted(expected, key=_key)
        else:
            length_ms = LENGTHS_MS[resolution]
            _check_summed(found, rows, first // length_ms * length_ms, -(-last // length_ms) * length_ms, length_ms)

    on_a_host_of_its_own(database_url, check)


def _key(row: dict[str, object]) -> tuple[list[str], object, object]:
    return sorted(row), row["time"], row["instance"]


def _raw(host: str, family: str, row: Row) -> dict[str, object]:
    time_ms, instance, counts = row
    values = {
        path: None if count is None else count if unit == 1 else count / 100
        for path, unit in RESOLUTION.items()
        for name, path_family in [path.split(".")[::-1]]
        if path_family == family
        for count in [counts[name]]
    }
    return {"time": _moment(time_ms), "host": host, "instance": instance, **values}


def _moment(time_ms: int) -> str:
    seconds, rest = divmod((time_ms - START_MS) % 86_400_000, 1000)
    day = 21 + (time_ms - START_MS) // 86_400_000
    return f"2026-11-{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}Z"


def _check_summed(
    found: list[dict[str, Any]], rows: dict[str, list[Row]], first: int, last: int, length_ms: int
) -> None:
    """Every minute or hour of every instance that has a value, in order, with what its rows come to."""
    for family, own in rows.items():
        paths = [path for path in RESOLUTION if path.startswith(f"{family}.")]
        buckets: dict[tuple[int, str], dict[str, list[int]]] = {}
        for time, instance, counts in own:
            for path in paths:
                count = counts[path.partition(".")[2]]
                if first <= time < last and count is not None:
                    begun = buckets.setdefault((time // length_ms * length_ms, instance), {})
                    begun.setdefault(path, []).append(count)
        lines = [line for line in found if f"{paths[0]}.avg" in line]
        assert [(line["time"], line["instance"]) for line in lines] == [(_moment(t), i) for t, i in sorted(buckets)]
        for line, (_, bucket) in zip(lines, sorted(buckets.items()), strict=True):
            for path in paths:
                values = bucket.get(path, [])
                assert line[f"{path}.count"] == len(values)
                assert not values or same_mean(line[f"{path}.avg"], values, RESOLUTION[path])


@asynccontextmanager
async def growing(database_url: str) -> AsyncIterator[None]:
    """One more row in every ten minutes again and again, with a value above the last ones', and the job in between."""

    async def grow() -> None:
        for value in range(1, 600):
            rows: list[Row] = [(slot + value * 1000, "", {"total": value}) for slot in range(START_MS, END_MS, 600_000)]
            await put(database_url, "cpu", rows)
            await roll_up(database_url, START_MS + (5 * value % HOURS) * HOUR_MS)

    async with asyncio.TaskGroup() as group:
        growth = group.create_task(grow())
        yield
        growth.cancel()


async def test_an_answer_given_while_rows_come_and_the_job_is_at_work_is_of_one_moment(database_url: str) -> None:
    await put(database_url, "cpu", [(START_MS - 1, "", {"total": 0})])
    async with growing(database_url), asking(database_url) as client:
        seen: set[float] = set()
        asked = {"metrics": "cpu.total", "from": START_MS, "to": END_MS}
        while len(seen) < 20:
            for points in (HOURS, 6 * HOURS):
                series = await get(client, "/hosts/web-1/series", **asked, points=points)
                greatest = set(series["series"][0]["max"])
                assert len(greatest) == 1
                seen |= greatest
