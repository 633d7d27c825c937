"""What the gateway reads from the database at its start, and viewers who were there before."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from infra.clock import now_ms
from infra.storage import database
from schemas.catalogue import CATALOGUE
from services.gateway.fleet import sql
from services.gateway.fleet.memory import Fleet
from services.gateway.live import refresh
from services.gateway.live import restore as restoring
from services.gateway.live.hub import Hub
from services.gateway.live.refresh import read_hosts
from services.gateway.live.restore import recall, restore
from tests.gateway.live.test_hub import ALL
from tests.gateway.live.viewers import a_viewer, connected, events, give_all
from tests.gateway.rolled import roll_up
from tests.gateway.rows import execute, put
from tests.gateway.running import gateway, ready, watching


async def test_a_viewer_who_came_before_the_values_were_read_gets_them(database_url: str) -> None:
    away_since = now_ms() - 2_400_000
    await put(database_url, "cpu", [(away_since, "", {"total": 77})], host="lost-1")
    fleet = Fleet(CATALOGUE)
    hub, viewer = Hub(fleet), a_viewer()
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, hub)
        taken = connected(viewer)
        hub.join(viewer, ALL, None)
        give_all(hub)
        early = events(taken.read())
        await restore(connection, fleet, hub)
        give_all(hub)
        late = events(taken.read())[len(early) :]
    assert [(host["last_sample"], host["latest"]) for host in early[0][1]["hosts"]] == [(away_since, {})]
    assert [name for name, _ in late][-3:] == ["resync", "snapshot", "complete"]
    data = late[-2][1]
    assert [(host["last_sample"], host["latest"]) for host in data["hosts"]] == [
        (away_since, {"cpu": {"": {"total": 0.77}}})
    ]


async def test_the_last_minute_of_every_host_is_read_in_portions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "HOSTS_AT_ONCE", 2)
    at = now_ms() - 5000
    for number in range(5):
        await put(database_url, "cpu", [(at, "", {"total": number}), (at + 1000, "", {"total": 9})], f"web-{number}")
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, Hub(fleet))
        asked: Counter[str] = Counter()
        connection.add_query_logger(lambda query: asked.update([query.query]))
        await restore(connection, fleet, Hub(fleet))
    assert [asked[sql.recent(family)] for family in CATALOGUE] == [3] * len(CATALOGUE)  # 2, 2 and 1 host
    assert [asked[sql.latest(family)] for family in CATALOGUE] == [1] * len(CATALOGUE)
    pasts = {name: fleet.past(name, False, None)["cpu.total"][""] for name in fleet.names()}
    assert pasts == {f"web-{number}": [number / 100, 0.09] for number in range(5)}


async def test_the_newest_values_of_a_host_whose_rows_are_filled_in_later_come_to_its_viewers(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "EVERY_S", 0.1)
    at = now_ms() - 7_200_000
    await execute(database_url, "INSERT INTO hosts (name) VALUES ('lost-1')")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("complete")
            for time_ms, total in ((at, 7700), (at + 10_000, 8800)):
                # A second earlier: whoever reads between the two has to read anew.
                await put(database_url, "disk", [(time_ms - 1000, "sda", {"read": total})], host="lost-1")
                await put(database_url, "cpu", [(time_ms, "", {"total": total})], host="lost-1")

                def has_come(host: Any, time_ms: int = time_ms, total: int = total) -> bool:
                    cpu = host["latest"].get("cpu", {}).get("", {})
                    return bool(host["last_sample"] == time_ms and cpu.get("total") == total / 100)

                shown = (await stream.until("host", has_come)).data
            asked = (await client.get("/hosts/lost-1")).json()
            listed = (await client.get("/hosts")).json()["hosts"]
    assert (asked["state"], asked["last_sample"]) == ("offline", at + 10_000)
    assert asked["latest"] == shown["latest"] == listed[0]["latest"]
    assert asked["latest"]["disk"]["sda"]["read"] == 8800
    assert asked["labels"]["disk"]["sda"] == {"colour": "red"}


@pytest.mark.parametrize("gone", [["cpu"], ["cpu", "cpu_1m"]], ids=["by the minute", "by the hour"])
async def test_a_host_that_fell_silent_before_raw_rows_begin_has_the_mean_of_its_last_minute_or_hour(
    gone: list[str], database_url: str
) -> None:
    hour = now_ms() // 3_600_000 * 3_600_000 - 20 * 86_400_000
    rows = [(hour + 1000 * second, "", {"total": 1000 + second % 2 * 100, "load1": None}) for second in range(90)]
    await put(database_url, "cpu", rows)
    await roll_up(database_url, now_ms())
    for table in gone:
        await execute(database_url, f"DELETE FROM {table}")  # noqa: S608
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, Hub(fleet))
        await restore(connection, fleet, Hub(fleet))
    host = fleet.host("web-1", now_ms())
    assert (host.state, host.last_sample) == ("offline", rows[-1][0])
    assert host.latest["cpu"][""]["total"] == 10.5
    assert host.latest["cpu"][""].get("load1") is None


async def test_many_hosts_that_fell_silent_long_ago_are_read_with_few_queries(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "HOSTS_AT_ONCE", 1)
    insert = "INSERT INTO hosts (name, last_sample) SELECT 'lost-' || n, now() - interval '20 days'"
    await execute(database_url, f"{insert} FROM generate_series(1, 5) AS n")
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        await read_hosts(connection, fleet, Hub(fleet))
        asked: Counter[str] = Counter()
        connection.add_query_logger(lambda query: asked.update([query.query]))
        await restore(connection, fleet, Hub(fleet))
    assert {asked[sql.latest(family, kind)] for family in CATALOGUE for kind in restoring.ROLLED} == {1}


async def test_a_host_of_which_everything_came_by_the_bus_is_not_read_again(database_url: str) -> None:
    at = now_ms() - 5000
    await put(database_url, "cpu", [(at, "", {"total": 1})])
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        assert await read_hosts(connection, fleet, Hub(fleet)) == ["web-1"]
        await recall(connection, fleet, Hub(fleet), ["web-1"])
        assert await read_hosts(connection, fleet, Hub(fleet)) == []
        await put(database_url, "cpu", [(at + 1000, "", {"total": 1})])
        assert await read_hosts(connection, fleet, Hub(fleet)) == ["web-1"]


async def test_a_host_that_was_removed_meanwhile_is_not_shown_again(database_url: str) -> None:
    fleet = Fleet(CATALOGUE)
    hub = Hub(fleet)
    hub.join(a_viewer(), ALL, None)
    async with database.connection(database_url, "test") as connection:
        await recall(connection, fleet, hub, ["gone-1"])
    assert ["gone-1" in feed.portions for feed in hub.feeds()] == [False]


async def test_a_newest_sample_ahead_of_our_clock_is_not_waited_for(database_url: str) -> None:
    await put(database_url, "cpu", [(now_ms() + 200_000, "", {"total": 1})])
    fleet = Fleet(CATALOGUE)
    async with database.connection(database_url, "test") as connection:
        assert await read_hosts(connection, fleet, Hub(fleet)) == []
    assert fleet.host("web-1", now_ms()).last_sample is None
