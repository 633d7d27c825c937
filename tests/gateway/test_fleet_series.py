"""`/series`: one metric of many hosts."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from tests.gateway.asking import asking, get
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, put

START_MS = 1_795_219_200_000
HOUR_MS = 3_600_000

LEVELS = {"web-1": 10, "web-2": 30, "web-3": 20}


def rows_at(level: int, seconds: int = 600, every_s: int = 1) -> list[Row]:
    """A level, with one spike to 100 times the inverse of it."""
    return [
        (START_MS + 1000 * k, "", {"total": 6000 // level if k == every_s else level})
        for k in range(0, seconds, every_s)
    ]


async def filled(database_url: str) -> None:
    for host, level in LEVELS.items():
        await put(database_url, "cpu", rows_at(level), host=host)


def asked(**more: object) -> dict[str, object]:
    return {"metric": "cpu.total", "from": START_MS, "to": START_MS + 600_000, "points": 10, **more}


async def test_every_host_has_a_column_by_name(database_url: str) -> None:
    await filled(database_url)
    async with asking(database_url) as client:
        answer = await get(client, "/series", **asked())
    assert (answer["metric"], answer["unit"], answer["by"], answer["considered"]) == ("cpu.total", "%", None, 3)
    assert (answer["step_ms"], answer["resolution"], len(answer["times"])) == (60_000, "minute", 10)
    assert [(column["host"], column["avg"][1], column["rank"]) for column in answer["series"]] == [
        ("web-1", 0.1, None),
        ("web-2", 0.3, None),
        ("web-3", 0.2, None),
    ]


async def test_named_hosts_only(database_url: str) -> None:
    await filled(database_url)
    async with asking(database_url) as client:
        answer = await get(client, "/series", **asked(hosts="web-3,web-1"))
    assert [column["host"] for column in answer["series"]] == ["web-1", "web-3"]


@pytest.mark.parametrize(
    ("by", "leaders"), [("avg", ["web-2", "web-3"]), ("max", ["web-1", "web-3"]), ("p95", ["web-2", "web-3"])]
)
async def test_the_top_are_ranked_by_what_was_asked(database_url: str, by: str, leaders: list[str]) -> None:
    await filled(database_url)
    async with asking(database_url) as client:
        answer = await get(client, "/series", **asked(top=2, by=by))
    assert [column["host"] for column in answer["series"]] == leaders
    values = [row[2]["total"] for row in rows_at(LEVELS[leaders[0]])]
    known = [value for value in values if value is not None]
    rank = {"avg": statistics.fmean(known), "max": max(known), "p95": sorted(known)[math.ceil(0.95 * 600) - 1]}[by]
    assert answer["series"][0]["rank"] == pytest.approx(rank / 100, abs=0.0001)
    assert answer["considered"] == 3


@pytest.mark.parametrize("by", ["avg", "max", "p95"])
async def test_ranks_are_the_same_when_rolled_up(database_url: str, by: str) -> None:
    for host, level in LEVELS.items():
        await put(database_url, "cpu", rows_at(level, seconds=10 * 3600, every_s=60), host=host)
    query = asked(to=START_MS + 10 * HOUR_MS + 60_000, top=3, by=by)
    async with asking(database_url) as client:
        raw = await get(client, "/series", **query)
        await roll_up(database_url, START_MS + 12 * HOUR_MS)
        rolled = await get(client, "/series", **query)
    assert [column["host"] for column in rolled["series"]] == [column["host"] for column in raw["series"]]
    for one, other in zip(raw["series"], rolled["series"], strict=True):
        assert one["avg"] == other["avg"]
        assert one["max"] == other["max"]
        assert one["rank"] == pytest.approx(other["rank"], rel=0.01 if by == "p95" else 1e-6)


async def test_instances_are_columns_of_their_own_and_one_can_be_chosen(database_url: str) -> None:
    for host, factor in (("db-1", 1), ("db-2", 3)):
        rows: list[Row] = [
            (START_MS + 1000 * k, disk, {"busy": factor * level})
            for k in range(60)
            for disk, level in (("sda", 100), ("sdb", 200))
        ]
        await put(database_url, "disk", rows, host=host)
    query = {"metric": "disk.busy", "from": START_MS, "to": START_MS + 60_000, "points": 60}
    async with asking(database_url) as client:
        top = await get(client, "/series", **query, top=3, by="max")
        one = await get(client, "/series", **query, instance="sda")
    ranked: list[Any] = [(column["host"], column["instance"], column["rank"]) for column in top["series"]]
    assert ranked == [("db-2", "sdb", 6.0), ("db-2", "sda", 3.0), ("db-1", "sdb", 2.0)]
    assert [(column["host"], column["instance"]) for column in one["series"]] == [("db-1", "sda"), ("db-2", "sda")]
    assert top["resolution"] == "raw"


async def test_a_host_without_values_in_the_range_is_not_ranked(database_url: str) -> None:
    await filled(database_url)
    await put(database_url, "cpu", [(START_MS + HOUR_MS, "", {"total": 9999})], host="web-9")
    async with asking(database_url) as client:
        answer = await get(client, "/series", **asked(top=10))
    assert [column["host"] for column in answer["series"]] == ["web-2", "web-3", "web-1"]
    assert answer["considered"] == 4
