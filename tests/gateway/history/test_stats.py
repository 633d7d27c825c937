"""`/hosts/{id}/stats` against a plain computation of the same."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from infra.clock import to_ms
from infra.storage import database
from infra.storage.engine import Table, days_between, detect
from schemas.catalogue import CATALOGUE, family_named
from services.gateway.history.resolution import Reach
from services.retention.job import prune
from tests.gateway.asking import asking
from tests.gateway.asking import get as ask
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, put, utc
from tests.gateway.running import gateway

START_MS = 1_795_219_200_000
HOUR_MS = 3_600_000


async def get(client: httpx.AsyncClient, **query: object) -> Any:
    response = await client.get("/hosts/web-1/stats", params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return response.json()


def nearest_rank(values: list[int], share: float) -> int:
    """The least value that at least `share` of all values do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


async def test_statistics_are_exact(database_url: str, bus_url: str) -> None:
    rng = random.Random(3)
    rows: list[Row] = [
        (START_MS + 1000 * k, "", {"total": rng.choice([None, rng.randrange(10_001)]), "user": rng.randrange(50)})
        for k in range(3000)
    ]
    await put(database_url, "cpu", rows)
    first, last = START_MS + 100_500, START_MS + 2_500_000
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, **{"metrics": "cpu.user,cpu.total", "from": first, "to": last})
    assert (answer["from"], answer["to"], answer["resolution"]) == (first, last, "raw")
    assert [stat["metric"] for stat in answer["stats"]] == ["cpu.user", "cpu.total"]
    for stat in answer["stats"]:
        name = stat["metric"].partition(".")[2]
        known = [(time, v) for time, _, row in rows if first <= time < last for v in [row[name]] if v is not None]
        values = [value for _, value in known]
        greatest = max(values)
        assert stat == {
            "metric": f"cpu.{name}",
            "instance": "",
            "unit": "%",
            "count": len(values),
            "min": min(values) / 100,
            "avg": round(sum(values) / len(values) * 0.01, 4),
            "max": greatest / 100,
            "max_time": next(time for time, value in known if value == greatest),
            "max_time_resolution": "raw",
            "p50": nearest_rank(values, 0.5) / 100,
            "p95": nearest_rank(values, 0.95) / 100,
            "p99": nearest_rank(values, 0.99) / 100,
            "exact": True,
            "last": values[-1] / 100,
        }


async def test_every_instance_has_statistics_of_its_own(database_url: str, bus_url: str) -> None:
    rows: list[Row] = [
        (START_MS + 1000 * k, disk, {"read": factor * k, "reads": None})
        for k in range(10)
        for disk, factor in (("a", 1), ("b", 2))
    ]
    await put(database_url, "disk", rows)
    asked = {"metrics": "disk.read,disk.reads", "from": START_MS, "to": START_MS + 60_000}
    async with gateway(database_url, bus_url) as client:
        both = await get(client, **asked)
        one = await get(client, **asked, instance="b")
    found = [(stat["instance"], stat["metric"], stat["count"], stat["max"], stat["max_time"]) for stat in both["stats"]]
    end = START_MS + 9000
    assert found == [
        ("a", "disk.read", 10, 9, end),
        ("a", "disk.reads", 0, None, None),
        ("b", "disk.read", 10, 18, end),
        ("b", "disk.reads", 0, None, None),
    ]
    assert one["stats"] == both["stats"][2:]


async def test_a_range_without_rows_has_no_values(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(START_MS, "", {"total": 1})])
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, **{"metrics": "cpu.total,disk.read", "from": START_MS + 1, "to": START_MS + 9})
    assert [(stat["metric"], stat["count"], stat["avg"], stat["p95"], stat["last"]) for stat in answer["stats"]] == [
        ("cpu.total", 0, None, None, None)
    ]


async def test_all_metrics_of_all_families_can_be_asked_at_once(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(START_MS, "", {"total": 1})])
    await put(database_url, "gpu", [(START_MS, "0", {"power": 1000})])
    everything = "cpu,memory,filesystem,disk,network,gpu,directory,agent"
    async with gateway(database_url, bus_url) as client:
        answer = await get(client, **{"metrics": everything, "from": START_MS, "to": START_MS + 1})
    last = {stat["metric"]: stat["last"] for stat in answer["stats"] if stat["last"] is not None}
    assert last == {"cpu.total": 0.01, "gpu.power": 100.0}


async def test_a_maximum_keeps_the_begin_of_its_minute_or_hour_where_finer_rows_are_gone(database_url: str) -> None:
    rows: list[Row] = [(START_MS + 1000 * k, "", {"total": 5000 if k == 5000 else k % 100}) for k in range(3 * 3600)]
    await put(database_url, "cpu", rows)
    await roll_up(database_url, START_MS + 5 * HOUR_MS)
    query = {"metrics": "cpu.total", "from_": START_MS + 1, "to": START_MS + 3 * HOUR_MS - 1}
    found = []
    async with asking(database_url, Reach(raw_ms=START_MS + 10 * HOUR_MS)) as client:
        for gone in ("cpu", "cpu_1m", ""):
            answer = await ask(client, "/hosts/web-1/stats", **query)
            assert (answer["from"], answer["to"], answer["resolution"]) == (START_MS, START_MS + 3 * HOUR_MS, "hour")
            (stat,) = answer["stats"]
            assert (stat["count"], stat["max"], stat["exact"]) == (3 * 3600, 50.0, False)
            found.append((stat["max_time"], stat["max_time_resolution"], stat["last"]))
            if gone:
                await execute(database_url, f"DELETE FROM {gone}")  # noqa: S608 -- one of the names above
    assert found == [
        (START_MS + 5_000_000, "raw", 0.99),
        (START_MS + 4_980_000, "minute", None),
        (START_MS + HOUR_MS, "hour", None),
    ]


async def test_more_hours_of_metrics_than_can_be_read_are_refused(database_url: str) -> None:
    await put(database_url, "cpu", [(START_MS, "", {"total": 1})])
    hours = 200_000 // len(family_named("cpu").metrics)
    asked = {"metrics": "cpu", "from_": START_MS - 3000 * 24 * HOUR_MS, "to": START_MS}
    async with database.connection(database_url, "test") as connection:
        room = days_between(utc(START_MS - 3000 * 24 * HOUR_MS), utc(START_MS))
        await (await detect(connection)).make_room(connection, [Table(family_named("cpu"), "hour")], room)

    async def add(first: int, last: int) -> None:
        rows = "INSERT INTO cpu_1h (time, host_id) SELECT $1::timestamptz - n * interval '1 hour', id FROM hosts"
        await execute(database_url, f"{rows}, generate_series($2::int, $3::int) AS n", utc(START_MS), first, last)

    async with asking(database_url) as client:
        await add(1, hours)
        answer = await ask(client, "/hosts/web-1/stats", **asked)
        await add(hours + 1, hours + 1)
        refused = await client.get("/hosts/web-1/stats", params={k.rstrip("_"): str(v) for k, v in asked.items()})
    assert {stat["count"] for stat in answer["stats"]} == {0}
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "metrics"
    assert (
        f"{(hours + 1) * len(family_named('cpu').metrics)} hour rows would have to be read, at most 200000"
        in refused.text
    )


async def test_rows_that_were_dropped_a_moment_ago_are_not_missed(database_url: str) -> None:
    now = datetime.now(UTC)
    old_ms = to_ms(now - timedelta(days=9))
    await put(database_url, "cpu", [(old_ms + 1000 * k, "", {"total": k}) for k in range(600)])
    await put(database_url, "cpu", [(to_ms(now) - 100_000, "", {"total": 1})])
    async with asking(database_url) as client:
        asked = {"metrics": "cpu.total", "from_": old_ms, "to": old_ms + 600_000}
        before = await ask(client, "/hosts/web-1/stats", **asked)
        async with database.connection(database_url, "test") as connection:
            await prune(connection, CATALOGUE, now)
        after = await ask(client, "/hosts/web-1/stats", **asked)
    assert [(one["resolution"], one["stats"][0]["count"]) for one in (before, after)] == [("raw", 600), ("hour", 600)]
