"""Trends begin with what is stored of the time before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.clock import to_time
from infra.storage.engine import detect, tables_of
from schemas.catalogue import family_named
from schemas.rules import Rule, Threshold, Window
from schemas.subjects import metrics
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving
from tests.batches import encoded, instances

FULL_SOON: Rule = rule(
    id="full",
    metric="filesystem.used_percent",
    comparison="below",
    warning=Threshold(4 * 3600, 8 * 3600),
    critical=None,
    for_s=0,
    recover_for_s=0,
    window=Window("time_left", 3600),
)
FILESYSTEM = family_named("filesystem")


async def store_hour(hosts: Fleet, until_ms: int, start: float, per_minute: float, every: int = 1) -> tuple[int, int]:
    """An hour of minute values of / on web-1, in percent, of one minute in `every`; the ids of both."""
    host_id = await hosts.database.fetchval("INSERT INTO hosts (name) VALUES ('web-1') RETURNING id")
    root = await hosts.database.fetchval(
        "INSERT INTO instances (host_id, family, name) VALUES ($1, 'filesystem', '/') RETURNING id", host_id
    )
    times = {minute: to_time(until_ms) - timedelta(minutes=60 - minute) for minute in range(0, 60, every)}
    async with hosts.database.transaction():
        engine = await detect(hosts.database)
        await engine.make_room(hosts.database, tables_of([FILESYSTEM], "minute"), list(times.values()))
        rows = [
            (time, host_id, root, 6, 6 * round(100 * (start + per_minute * minute))) for minute, time in times.items()
        ]
        columns = ["time", "host_id", "instance_id", "used_percent_n", "used_percent_sum"]
        await hosts.database.copy_records_to_table("filesystem_1m", records=rows, columns=columns)
    return host_id, root


@pytest.mark.parametrize(("per_minute", "expected"), [(0.25, ["fire"]), (0, [])], ids=["fills", "stands still"])
async def test_a_trend_that_is_stored_is_known_with_the_first_batch(
    bus_url: str, database_url: str, per_minute: float, expected: list[str]
) -> None:
    async with fleet(bus_url, database_url, [FULL_SOON]) as hosts:
        at_ms = hosts.start_ms - hosts.start_ms % 60_000
        await store_hour(hosts, at_ms, 50, per_minute)
        async with serving(hosts.settings):
            now = instances(at_ms, "filesystem", {"/": {"used_percent": round(100 * (50 + 60 * per_minute))}})
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now)))
            assert await hosts.kinds() == expected


async def test_what_is_stored_of_later_than_the_batch_does_not_count(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [FULL_SOON]) as hosts:
        at_ms = hosts.start_ms - hosts.start_ms % 60_000
        await store_hour(hosts, at_ms + 3_600_000, 50, 0.25)
        async with serving(hosts.settings):
            now = instances(at_ms, "filesystem", {"/": {"used_percent": 5000}})
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now)))
            assert await hosts.kinds() == []


async def test_a_trend_of_what_is_sampled_seldom_is_stored_with_gaps(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [FULL_SOON]) as hosts:
        at_ms = hosts.start_ms - hosts.start_ms % 60_000
        await store_hour(hosts, at_ms, 50, 0.25, every=10)
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([10], at_s=-100))  # without the family
            now = instances(at_ms, "filesystem", {"/": {"used_percent": 6500}}, 600_000)
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now, seq=9)))
            assert await hosts.kinds() == ["fire"]


async def test_a_trend_for_which_there_was_no_time_is_given_what_is_stored_later(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.judging.WARM_S", 0.0)
    async with fleet(bus_url, database_url, [FULL_SOON]) as hosts:
        at_ms = hosts.start_ms - hosts.start_ms % 60_000
        await store_hour(hosts, at_ms, 50, 0.25)
        async with serving(hosts.settings):
            now = instances(at_ms, "filesystem", {"/": {"used_percent": 6500}})
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now)))
            assert await hosts.kinds() == []
            monkeypatch.setattr("services.alerts.judge.judging.WARM_S", 1.0)
            now = instances(at_ms + 10_000, "filesystem", {"/": {"used_percent": 6504}})
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now, seq=2)))
            assert await hosts.kinds() == ["fire"]


async def test_what_is_not_rolled_up_yet_counts_too(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [FULL_SOON]) as hosts:
        at_ms = hosts.start_ms - hosts.start_ms % 60_000
        rolled_up_ms = at_ms - 12 * 60_000
        host_id, root = await store_hour(hosts, rolled_up_ms, 50, 0.25)
        times = [to_time(rolled_up_ms) + timedelta(seconds=10 * number) for number in range(72)]
        async with hosts.database.transaction():
            engine = await detect(hosts.database)
            await engine.make_room(hosts.database, tables_of([FILESYSTEM], "raw"), times)
            rows = [(time, host_id, root, round(100 * (65 + 0.25 / 6 * number))) for number, time in enumerate(times)]
            columns = ["time", "host_id", "instance_id", "used_percent"]
            await hosts.database.copy_records_to_table("filesystem", records=rows, columns=columns)
        async with serving(hosts.settings):
            now = instances(at_ms, "filesystem", {"/": {"used_percent": 6800}})
            await hosts.processed(await hosts.send(metrics("web-1"), encoded(now)))
            assert await hosts.kinds() == ["fire"]
