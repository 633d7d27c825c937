"""`/hosts/{id}/gaps` against rows that are known."""

from __future__ import annotations

from typing import Any

import pytest

from infra.clock import now_ms
from schemas.catalogue import CATALOGUE
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.history import api_gaps
from services.gateway.history.resolution import Reach
from tests.gateway.asking import asking, get
from tests.gateway.rolled import roll_up
from tests.gateway.rows import Row, execute, put, utc

START_MS = 1_795_219_200_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def cpu(first_s: int, last_s: int, every_s: int = 1, start_ms: int = START_MS) -> list[Row]:
    return [(start_ms + 1000 * second, "", {"total": 1}) for second in range(first_s, last_s, every_s)]


async def gaps(database_url: str, reach: Reach | None = None, **query: Any) -> list[tuple[int, int, list[str]]]:
    """Begin and end in ms after START_MS, and the kinds of the reasons."""
    async with asking(database_url, reach) as client:
        found = (await get(client, "/hosts/web-1/gaps", **query))["gaps"]
    return [
        (gap["from"] - START_MS, gap["to"] - START_MS, [reason["kind"] for reason in gap["reasons"]]) for gap in found
    ]


async def event(database_url: str, kind: str, at_ms: int, end_ms: int | None = None) -> None:
    await execute(
        database_url,
        "INSERT INTO host_events (host_id, time, ended, kind) SELECT id, $1, $2, $3 FROM hosts",
        *(utc(START_MS + at_ms), None if end_ms is None else utc(START_MS + end_ms), kind),
    )


async def test_a_gap_is_told_from_sample_to_sample_with_its_reasons(database_url: str) -> None:
    await put(database_url, "cpu", [*cpu(0, 600), *cpu(905, 1800)])
    await event(database_url, "reboot", 880_000)
    found = await gaps(database_url, from_=START_MS, to=START_MS + 1_800_000)
    assert found == [(599_000, 905_000, ["reboot"])]


@pytest.mark.parametrize("step_s", [1, 2, 3])
async def test_a_sample_or_two_that_are_missing_are_no_gap(step_s: int, database_url: str) -> None:
    await put(database_url, "cpu", [*cpu(0, 600), *cpu(599 + step_s, 1800)])
    assert await gaps(database_url, from_=START_MS, to=START_MS + 1_800_000) == []


@pytest.mark.parametrize("rolled", [False, True])
async def test_gaps_of_days_are_found_whether_rolled_up_or_not(rolled: bool, database_url: str) -> None:
    hours = 60 * 60
    await put(database_url, "cpu", [*cpu(0, 20 * hours, 30), *cpu(30 * hours, 72 * hours, 30)])
    if rolled:
        await roll_up(database_url, START_MS + 80 * HOUR_MS)
    [(begin, end, kinds)] = await gaps(database_url, from_=START_MS, to=START_MS + 3 * DAY_MS)
    assert (begin, end) == (20 * HOUR_MS - 30_000, 30 * HOUR_MS)
    assert kinds == ["unknown"]


async def test_where_raw_rows_are_gone_a_gap_is_told_by_its_minutes(database_url: str) -> None:
    await put(database_url, "cpu", [*cpu(0, 3600, 10), *cpu(2 * 3600, 3 * 3600, 10)])
    await roll_up(database_url, START_MS + 10 * HOUR_MS)
    await execute(database_url, "DELETE FROM cpu")
    reach = Reach(raw_ms=START_MS + DAY_MS)
    found = await gaps(database_url, reach, from_=START_MS, to=START_MS + 3 * HOUR_MS)
    assert [(begin, end) for begin, end, _ in found] == [(HOUR_MS, 2 * HOUR_MS)]


async def test_before_the_first_sample_and_before_what_is_kept_there_is_nothing(database_url: str) -> None:
    await put(database_url, "cpu", cpu(600, 1200))
    early = await gaps(database_url, from_=START_MS, to=START_MS + 1_200_000)
    assert early == [(0, 600_000, ["first"])]
    kept = Reach(raw_ms=START_MS, minute_ms=START_MS, hour_ms=START_MS + 300_000)
    assert (await gaps(database_url, kept, from_=START_MS, to=START_MS + 1_200_000))[0][2] == ["retention", "first"]


async def test_batches_that_were_lost_meanwhile_are_known_by_what_the_agent_says_of_itself(database_url: str) -> None:
    await put(database_url, "cpu", [*cpu(0, 600), *cpu(1200, 1800)])
    told = [(START_MS + at_s * 1000, "", {"dropped_total": lost}) for at_s, lost in ((590, 3), (1210, 45))]
    await put(database_url, "agent", told)
    async with asking(database_url) as client:
        [gap] = (await get(client, "/hosts/web-1/gaps", from_=START_MS, to=START_MS + 1_800_000))["gaps"]
    assert [(one["kind"], one["text"]) for one in gap["reasons"]] == [
        ("dropped", "The agent lost 42 batches, as its spool was full")
    ]


async def test_a_host_that_fell_silent_has_a_gap_until_now(database_url: str) -> None:
    last_ms = now_ms() // 1000 * 1000 - 600_000
    await put(database_url, "cpu", cpu(-300, 1, start_ms=last_ms))
    [(begin, end, kinds)] = await gaps(database_url, from_=last_ms - 300_000, to="now")
    assert begin == last_ms - START_MS
    assert end >= last_ms + 600_000 - START_MS
    assert kinds == ["silent"]


async def test_a_batch_that_is_on_its_way_is_no_gap(database_url: str) -> None:
    last_ms = now_ms() // 1000 * 1000
    await put(database_url, "cpu", cpu(-300, 1, start_ms=last_ms))
    fleet = Fleet(CATALOGUE)
    async with asking(database_url, fleet=fleet) as client:
        fleet.learn("web-1", HostFacts(batch_interval_s=3600))
        assert (await get(client, "/hosts/web-1/gaps", from_=last_ms - 299_000, to="now"))["gaps"] == []


async def test_a_family_that_was_sampled_less_often_had_no_gaps(database_url: str) -> None:
    await put(database_url, "cpu", [*cpu(0, 600, 10), *cpu(900, 1800, 10)])
    found = await gaps(database_url, from_=START_MS, to=START_MS + 1_790_000)
    assert [gap[:2] for gap in found] == [(590_000, 900_000)]


async def test_of_many_instances_a_few_at_a_time_are_read(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_gaps, "LINES_AT_ONCE", 2)
    for number in range(5):  # of which only the last has samples in the second half
        rows = [(START_MS + 1000 * at_s, f"sd{number}", {"read": 1}) for at_s in range(1200 if number == 4 else 600)]
        await put(database_url, "disk", rows)
    whole = {"from_": START_MS, "to": START_MS + 1_200_000, "family": "disk"}
    assert await gaps(database_url, **whole) == []
    assert [gap[:2] for gap in await gaps(database_url, instance="sd3", **whole)] == [(599_000, 1_200_000)]
    monkeypatch.setattr(api_gaps, "MOST_LOOKS", 0)
    assert [gap[:2] for gap in await gaps(database_url, instance="sd3", **whole)] == [(600_000, 1_200_000)]


async def test_gaps_of_one_family_are_not_those_of_another(database_url: str) -> None:
    await put(database_url, "cpu", cpu(0, 1200))
    for disk, until_s in (("a", 600), ("b", 900)):
        rows = [(START_MS + 1000 * second, disk, {"read": 1}) for second in range(until_s)]
        await put(database_url, "disk", rows)
    whole = {"from_": START_MS, "to": START_MS + 1_200_000}
    assert await gaps(database_url, **whole) == []
    assert [gap[:2] for gap in await gaps(database_url, family="disk", **whole)] == [(899_000, 1_200_000)]
    assert [gap[:2] for gap in await gaps(database_url, family="disk", instance="a", **whole)] == [(599_000, 1_200_000)]


async def test_a_host_and_a_family_that_are_not_there_are_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await client.get("/hosts/nope/gaps")).status_code == 404
        assert (await client.get("/hosts/nope/gaps", params={"family": "weather"})).status_code == 400
