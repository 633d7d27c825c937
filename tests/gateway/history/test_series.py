"""`/hosts/{id}/series` against rows that are known, and against a plain computation of the same."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from schemas.catalogue import family_named
from services.gateway.history.resolution import Reach
from tests.gateway.asking import asking
from tests.gateway.asking import get as ask
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, once_there, put
from tests.gateway.running import gateway
from tests.waiting import eventually

START_MS = 1_795_219_200_000
"""21 November 2026, a multiple of every step up to a day."""


async def get(client: httpx.AsyncClient, **query: object) -> Any:
    response = await client.get("/hosts/web-1/series", params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return response.json()


def reference(
    rows: Iterable[Row], metric: str, resolution: float, answer: Any
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """avg, min, max per step of `answer`, computed from the rows one by one."""
    avg: list[float | None] = []
    least: list[float | None] = []
    greatest: list[float | None] = []
    step_ms = answer["step_ms"]
    for begin in answer["times"]:
        counts = [
            value
            for time, _, values in rows
            if begin <= time < begin + step_ms and answer["from"] <= time < answer["to"]
            for value in [values.get(metric)]
            if value is not None
        ]
        avg.append(statistics.fmean(counts) * resolution if counts else None)
        least.append(min(counts) * resolution if counts else None)
        greatest.append(max(counts) * resolution if counts else None)
    return avg, least, greatest


def close(one: list[float | None], other: list[float | None], within: float) -> bool:
    return all(
        (a is None) == (b is None) and (a is None or b is None or math.isclose(a, b, abs_tol=within))
        for a, b in zip(one, other, strict=True)
    )


def some_rows(seed: int, span_s: int) -> list[Row]:
    """About a row a second, half a second after it, with holes and nulls."""
    rng = random.Random(seed)
    rows: list[Row] = []
    second = 0
    while second < span_s:
        if rng.random() < 0.01:
            second += rng.randrange(400)
        total = None if rng.random() < 0.05 else rng.randrange(10_001)
        rows.append((START_MS + 1000 * second + 500, "", {"total": total, "user": rng.randrange(100)}))
        second += 1
    return rows


async def test_any_range_and_any_number_of_points_is_what_the_rows_say(database_url: str, bus_url: str) -> None:
    rows = some_rows(1, 4000)
    await put(database_url, "cpu", rows)
    rng = random.Random(2)
    async with gateway(database_url, bus_url) as client:
        for _ in range(25):
            first = START_MS + rng.randrange(-100_000, 3_900_000)
            last = first + rng.randrange(1, 4_000_000)
            points = rng.choice([1, 7, 60, 100, 600, 5000])
            answer = await get(client, **{"metrics": "cpu.total", "from": first, "to": last, "points": points})
            assert len(answer["times"]) <= points
            (column,) = answer["series"]
            avg, least, greatest = reference(rows, "total", 0.01, answer)
            assert close(column["avg"], avg, 0.00006)
            assert close(column["min"], least, 1e-9)
            assert close(column["max"], greatest, 1e-9)


async def test_one_point_of_an_hour_is_its_average_and_not_that_of_the_hours_it_touches(database_url: str) -> None:
    rows: list[Row] = [(START_MS + 60_000 * k, "", {"total": 100 * k}) for k in range(120)]
    await put(database_url, "cpu", rows)
    await roll_up(database_url, START_MS + 6 * 3_600_000)
    async with asking(database_url) as client:
        span = {"from": START_MS + 1_800_000, "to": START_MS + 5_400_000}
        answer = await get(client, **{"metrics": "cpu.total", "points": 1, **span})
    assert (answer["from"], answer["to"]) == (span["from"], span["to"])
    assert [answer["series"][0][kind] for kind in ("avg", "min", "max")] == [[59.5], [30.0], [89.0]]


async def test_one_point_per_sample_gives_the_samples_themselves(database_url: str, bus_url: str) -> None:
    rows: list[Row] = [(START_MS + 1000 * k, "", {"total": 100 * k}) for k in (0, 1, 3)]
    await put(database_url, "cpu", rows)
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, **{"metrics": "cpu.total", "from": START_MS, "to": START_MS + 5000})
    assert answer == {
        "host": "web-1",
        "from": START_MS,
        "to": START_MS + 5000,
        "resolution": "raw",
        "step_ms": 1000,
        "times": [START_MS + 1000 * k for k in range(5)],
        "series": [
            {
                "metric": "cpu.total",
                "instance": "",
                "unit": "%",
                "avg": [0.0, 1.0, None, 3.0, None],
                "min": [0.0, 1.0, None, 3.0, None],
                "max": [0.0, 1.0, None, 3.0, None],
            }
        ],
    }


async def test_instances_come_by_name_and_one_can_be_chosen(database_url: str, bus_url: str) -> None:
    rows: list[Row] = [
        (START_MS + 10_000 * k, mount, {"used_percent": value})
        for k in range(6)
        for mount, value in (("/home", 2000), ("/", 1000 + k))
    ]
    await put(database_url, "filesystem", rows)
    asked = {"metrics": "filesystem.used_percent", "from": START_MS, "to": START_MS + 60_000}
    async with gateway(database_url, bus_url) as client:
        both = await get(client, **asked)
        one = await get(client, **asked, instance="/")
        none = await get(client, **asked, instance="/nowhere")
        coarse = await get(client, **asked, points=2)
    assert [(column["instance"], column["avg"][0]) for column in both["series"]] == [("/", 10.0), ("/home", 20.0)]
    assert both["step_ms"] == 10_000
    assert one["series"] == both["series"][:1]
    assert none["series"] == []
    assert (coarse["step_ms"], coarse["series"][0]["avg"]) == (30_000, [10.01, 10.04])
    assert (coarse["series"][0]["min"], coarse["series"][0]["max"]) == ([10.0, 10.03], [10.02, 10.05])


async def test_metrics_of_several_families_share_their_times(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(START_MS + 1000 * k, "", {"total": 100, "user": 200}) for k in range(20)])
    await put(database_url, "filesystem", [(START_MS + 10_000 * k, "/", {"used_percent": 300}) for k in range(2)])
    async with gateway(database_url, bus_url) as client:
        answer = await get(
            client,
            **{"metrics": "filesystem.used_percent,cpu.user,cpu.total", "from": START_MS, "to": START_MS + 20_000},
        )
    assert answer["step_ms"] == 10_000
    assert [(column["metric"], column["avg"]) for column in answer["series"]] == [
        ("filesystem.used_percent", [3.0, 3.0]),
        ("cpu.user", [2.0, 2.0]),
        ("cpu.total", [1.0, 1.0]),
    ]


async def test_a_host_that_samples_every_5_s_shows_no_gaps(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(START_MS + 5000 * k, "", {"total": k}) for k in range(12)])
    await execute(database_url, """UPDATE hosts SET facts = '{"sample_interval_s": 5}'""")
    async with gateway(database_url, bus_url) as client:

        async def known() -> bool:
            hosts = (await client.get("/hosts")).json()["hosts"]
            return bool(hosts) and hosts[0]["facts"]["sample_interval_s"] == 5

        await eventually(known)
        answer = await get(client, **{"metrics": "cpu.total", "from": START_MS, "to": START_MS + 60_000})
    assert answer["step_ms"] == 5000
    assert None not in answer["series"][0]["avg"]


@pytest.mark.parametrize("metrics", ["cpu.user", "cpu", "memory,cpu,disk,network,gpu,directory,agent"])
async def test_a_range_without_rows_is_all_gaps(database_url: str, bus_url: str, metrics: str) -> None:
    await put(database_url, "cpu", [(START_MS, "", {"total": 1})])
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, **{"metrics": metrics, "from": START_MS + 10**8, "to": START_MS + 2 * 10**8})
    assert all(set(column["avg"]) == {None} for column in answer["series"])
    assert {column["instance"] for column in answer["series"]} == {""}


async def test_more_cells_than_anybody_can_look_at_are_refused_with_how_many_there_may_be(
    database_url: str, bus_url: str
) -> None:
    await put(database_url, "disk", [(START_MS, f"disk-{k}", {"read": k}) for k in range(10)])
    query = {"metrics": "disk", "from": str(START_MS), "to": str(START_MS + 3_600_000), "points": "3600"}
    async with asking(database_url) as client:
        refused = await client.get("/hosts/web-1/series", params=query)
        fewer = await client.get("/hosts/web-1/series", params={**query, "instance": "disk-3"})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    columns = 10 * len(family_named("disk").metrics)
    assert (error["field"], error["value"]) == ("points", 3600)
    assert f"{columns} series can have at most {250_000 // columns} points each" in error["reason"]
    assert fewer.status_code == 200


async def test_where_raw_rows_are_gone_minutes_and_then_hours_stand_in(database_url: str) -> None:
    await put(database_url, "cpu", some_rows(4, 2 * 3600))
    await roll_up(database_url, START_MS + 4 * 3_600_000)
    query = {"metrics": "cpu.total", "from_": START_MS, "to": START_MS + 7_200_000, "points": 5000}
    answers = {}
    for reach in (Reach(), Reach(START_MS + 1), Reach(START_MS + 1, START_MS + 1)):
        async with asking(database_url, reach) as client:
            answer = await ask(client, "/hosts/web-1/series", **query)
            answers[answer["resolution"]] = answer["series"][0]
            assert answer["step_ms"] == {"raw": 2000, "minute": 60_000, "hour": 3_600_000}[answer["resolution"]]
    raw, minute, hour = answers["raw"], answers["minute"], answers["hour"]
    assert max(filter(None, raw["max"])) == max(filter(None, minute["max"])) == max(hour["max"])
    assert min(filter(None, minute["avg"])) < hour["avg"][0] < max(filter(None, minute["avg"]))


async def test_an_hour_ago_until_now_is_the_default(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(START_MS, "", {"total": 1})])
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, metrics="cpu.total")
    assert 3_590_000 < answer["to"] - answer["from"] <= 3_600_000
    assert (answer["step_ms"], len(answer["times"])) == (6000, 600)


async def test_instances_that_are_long_gone_take_nothing_from_those_there_are(database_url: str) -> None:
    rows: list[Row] = [(START_MS + 10_000 * k, "web", {"cpu": k}) for k in range(360)]
    await put(database_url, "container", rows)
    await once_there(database_url, "container", 100)
    asked = {"metrics": "container", "from_": START_MS, "to": START_MS + 3_600_000}
    async with asking(database_url) as client:
        answer = await ask(client, "/hosts/web-1/series", **asked, points=600)
    assert {column["instance"] for column in answer["series"]} == {"web"}
    assert len(answer["times"]) == 360


@pytest.mark.parametrize("kept", ["container", "container_1m", "container_1h"])
async def test_an_instance_is_there_as_long_as_any_kind_of_its_rows(database_url: str, kept: str) -> None:
    rows: list[Row] = [(START_MS + 60_000 * k, "web", {"cpu": k}) for k in range(300)]
    await put(database_url, "container", rows)
    if kept != "container":
        await roll_up(database_url, START_MS + 86_400_000)
    for table in {"container", "container_1m", "container_1h"} - {kept}:
        await execute(database_url, f"DELETE FROM {table}")  # noqa: S608 -- one of the names above
    asked = {"metrics": "container.cpu", "from_": START_MS, "to": START_MS + 5 * 3_600_000}
    points = {"container": 300, "container_1m": 60, "container_1h": 5}[kept]
    async with asking(database_url) as client:
        answer = await ask(client, "/hosts/web-1/series", **asked, points=points)
    assert [column["instance"] for column in answer["series"]] == ["web"]
