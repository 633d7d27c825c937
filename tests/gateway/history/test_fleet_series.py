"""`/series`: one metric of many hosts."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from infra.clock import now_ms
from schemas.catalogue import CATALOGUE
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.history import api_fleet as routes_fleet
from services.gateway.history import ranking
from services.gateway.history.resolution import Reach
from services.gateway.history.series import Line
from tests.gateway.asking import asking, get
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, once_there, put

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


async def test_instances_that_are_long_gone_are_neither_shown_nor_considered(database_url: str) -> None:
    await put(database_url, "container", [(START_MS + 10_000 * k, "web", {"cpu": k}) for k in range(60)])
    await once_there(database_url, "container", 361)
    query = {"metric": "container.cpu", "from_": START_MS, "to": START_MS + 600_000, "points": 10}
    async with asking(database_url) as client:
        answer = await get(client, "/series", **query)
    assert [column["instance"] for column in answer["series"]] == ["web"]
    assert answer["considered"] == 1


@pytest.mark.parametrize("span", ["-10m", "-1h", "-24h", "-7d", "-30d"])
async def test_a_thousand_hosts_are_ranked_by_p95_over_any_range(database_url: str, span: str) -> None:
    await put(database_url, "cpu", [(now_ms() - 5000, "", {"total": 1})])
    await execute(database_url, "INSERT INTO hosts (name) SELECT 'h-' || n FROM generate_series(1, 999) AS n")
    async with asking(database_url) as client:
        answer = await get(client, "/series", metric="cpu.total", from_=span, top=3, by="p95")
    assert answer["considered"] == 1000
    assert [(column["host"], column["rank"]) for column in answer["series"]] == [("web-1", 0.01)]


@pytest.mark.parametrize("rolled", [False, True])
async def test_ranking_in_portions_by_sketches_of_whole_hours_agrees_with_the_rows(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rolled: bool
) -> None:
    for host, level in LEVELS.items():
        await put(database_url, "cpu", rows_at(level, seconds=3 * 3600, every_s=10), host=host)
    if rolled:
        await roll_up(database_url, START_MS + 5 * HOUR_MS)
    query = asked(**{"from": START_MS + 1000, "to": START_MS + 3 * HOUR_MS - 1000, "top": 3, "by": "p95"})
    async with asking(database_url) as client:
        exact = await get(client, "/series", **query)
        monkeypatch.setattr(ranking, "EXACT_ROWS", 1)
        monkeypatch.setattr(ranking, "PORTION_ROWS", 1)
        ranked = await get(client, "/series", **query)
    assert [column["host"] for column in ranked["series"]] == ["web-2", "web-3", "web-1"]
    for one, other in zip(exact["series"], ranked["series"], strict=True):
        assert one["rank"] == pytest.approx(other["rank"], rel=0.01)


@pytest.mark.parametrize(
    ("hosts", "span_h", "raw_h", "chosen_h", "sources"),
    [
        (1000, (0.5, 1.0), 0, (0.5, 1.0), ("raw",)),
        (1000, (0.5, 2.5), 0, (0, 3), ("hour", "raw")),  # too many rows altogether
        (1000, (0.5, 9.5), 0, (0, 9.5), ("hour", "raw")),  # until now
        (1, (0.5, 9.5), 0, (0, 9.5), ("hour", "raw")),  # too many rows of one host
        (1, (0.5, 1.0), 1, (0, 1), ("hour", "raw")),  # raw ones are gone
    ],
)
def test_ranges_with_too_many_raw_rows_are_widened_to_hours_that_have_ended(
    hosts: int, span_h: tuple[float, float], raw_h: int, chosen_h: tuple[float, float], sources: tuple[str, ...]
) -> None:
    def moment(hours: float) -> int:
        return START_MS + round(hours * HOUR_MS)

    lines = [Line(f"h-{number}", number, 0, "") for number in range(hosts)]
    periods_ms = dict.fromkeys(range(hosts), 1000)
    reach = Reach(moment(raw_h))
    chosen = ranking.choose_ranked(moment(span_h[0]), moment(span_h[1]), lines, periods_ms, reach, moment(9.5))
    assert chosen == (moment(chosen_h[0]), moment(chosen_h[1]), sources)


def fleet_of(**intervals_s: float) -> Fleet:
    """Hosts that sample so often."""
    fleet = Fleet(CATALOGUE)
    for host, interval_s in intervals_s.items():
        fleet.learn(host.replace("_", "-"), HostFacts(sample_interval_s=interval_s))
    return fleet


@pytest.mark.parametrize("more", [{}, {"top": 1, "by": "max"}, {"top": 1, "by": "p95"}])
async def test_a_host_that_samples_seldom_hides_none_of_the_rows_of_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]
) -> None:
    await put(database_url, "cpu", rows_at(1, seconds=3600))
    await put(database_url, "cpu", rows_at(1, seconds=3600, every_s=60), host="slow")
    for name in ("MOST_ROWS", "MOST_RANKED_ROWS"):
        monkeypatch.setattr(ranking, name, 3600)
    monkeypatch.setattr(routes_fleet, "MOST_ROWS", 3600)
    query = asked(**more, to=START_MS + HOUR_MS, points=60)
    async with asking(database_url, fleet=fleet_of(web_1=1, slow=60)) as client:
        refused = await client.get("/series", params={k: str(v) for k, v in query.items()})
        assert refused.status_code == 400
        assert "about 3660 rows would have to be read, at most 3600 are allowed" in refused.text
        seconds = int(refused.text.partition("at most 3600")[2].partition("at most ")[2].partition(" s")[0])
        answer = await get(client, "/series", **query | {"to": START_MS + 1000 * seconds})
    assert seconds > 3000
    assert len(answer["series"]) == (1 if more else 2)
