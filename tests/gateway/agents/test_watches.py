"""Thresholds of the rules in force, on their way to the agents that watch for them."""

from __future__ import annotations

import msgspec

from infra.bus import connection as bus
from infra.storage.database import connection, pool
from schemas.rules import Rule, Threshold
from schemas.watches import PushedConfig
from services.gateway.agents import sql
from services.gateway.agents.configs import held, snapshot, wanted_entries
from tests.gateway.agents.test_agents import add_hosts
from tests.gateway.incidents import store_rule
from tests.gateway.running import ANY, gateway
from tests.waiting import eventually

BUSY = Rule("busy", "Busy", "cpu.total", warning=Threshold(70, 60))


async def watched(bus_url: str, host: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Metrics and thresholds that the agent of a host is told to watch."""
    async with bus.connection(bus_url, "test") as client:
        data = await held(client, host)
    config = PushedConfig() if data is None else msgspec.json.decode(data, type=PushedConfig)
    return [(watch.metric, watch.levels) for watch in config.watches]


async def test_agents_are_told_the_thresholds_of_the_rules_about_their_hosts(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1", "db-1")
    rule = {"id": "busy", "name": "Busy", "metric": "cpu.total", "host": "web-*"}
    async with connection(database_url, "test") as database:
        await database.execute("DELETE FROM rules")
    async with gateway(database_url, bus_url) as client:
        levels = {"warning": {"raise_at": 70, "clear_at": 60}}
        assert (await client.post("/rules", json={**rule, **levels})).status_code == 201

        async def told() -> bool:
            return await watched(bus_url, "web-1") == [("cpu.total", [(70, 60)])]

        await eventually(told)
        assert await watched(bus_url, "db-1") == []
        assert (await client.delete("/rules/busy", headers=ANY)).status_code in (200, 204)

        async def forgotten() -> bool:
            return await watched(bus_url, "web-1") == []

        await eventually(forgotten)


async def test_a_tag_that_makes_a_rule_look_at_a_host_reaches_its_agent(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with connection(database_url, "test") as database:
        await database.execute("DELETE FROM rules")
        await store_rule(database, msgspec.structs.replace(BUSY, tags=["prod"]))
        async with gateway(database_url, bus_url):
            await database.execute("UPDATE hosts SET tags = '{prod}' WHERE name = 'web-1'")

            async def told() -> bool:
                return await watched(bus_url, "web-1") == [("cpu.total", [(70, 60)])]

            await eventually(told)


async def test_a_rule_that_comes_between_a_stamp_and_its_entries_is_in_the_next_ones(database_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with pool(database_url, "test") as connections, connection(database_url, "test") as database:
        await database.execute("DELETE FROM rules")
        async with snapshot(connections) as seen:
            await seen.fetch(sql.STAMP)
            await store_rule(database, BUSY)
            assert await wanted_entries(seen) == {}
        async with snapshot(connections) as seen:
            assert set(await wanted_entries(seen)) == {"web-1"}


async def test_a_rule_that_takes_the_place_of_another_is_told(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await store_rule(database, BUSY)
        before = await database.fetch(sql.STAMP)
        await database.execute("DELETE FROM rules WHERE id = 'busy'")
        await store_rule(database, msgspec.structs.replace(BUSY, warning=Threshold(90, 80)))
        assert await database.fetch(sql.STAMP) != before


async def test_a_host_that_takes_the_place_of_another_is_told(database_url: str) -> None:
    await add_hosts(database_url, "web-1", "web-2")
    async with connection(database_url, "test") as database:
        await database.execute("UPDATE hosts SET state = 'archived' WHERE name = 'web-1'")
        before = await database.fetch(sql.STAMP)
        await database.execute("UPDATE hosts SET state = CASE name WHEN 'web-1' THEN 'active' ELSE 'archived' END")
        assert await database.fetch(sql.STAMP) != before
