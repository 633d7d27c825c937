"""Silent hosts, judged by the running service."""

from __future__ import annotations

import asyncio

from infra.servers.embedded import Server
from schemas.messages import AlertTransition
from schemas.rules import Rule, Threshold
from tests.alerts.fleet import Fleet, fleet, serving
from tests.waiting import eventually

SOON = Rule("down", "Host down", "host.down", critical=Threshold(1, 1))
DOWN = Rule("down", "Host down", "host.down", critical=Threshold(2, 2))


async def talk(hosts: Fleet, *names: str) -> None:
    """Publish for these hosts twice a second, for ever."""
    second = 0.0
    while True:
        for name in names:
            await hosts.cpu([10], at_s=second, host=name)
        second += 2
        await asyncio.sleep(0.5)


async def by_host(hosts: Fleet) -> dict[str, list[AlertTransition]]:
    told: dict[str, list[AlertTransition]] = {}
    for transition in await hosts.transitions():
        told.setdefault(transition.host, []).append(transition)
    return told


async def test_a_silent_host_is_down_until_it_speaks_again(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings), asyncio.TaskGroup() as group:
        talking = group.create_task(talk(hosts, "web-1"))
        await hosts.cpu([10], at_s=0, host="db-1")
        await hosts.until("fire")
        await hosts.cpu([10], at_s=5, host="db-1")
        await hosts.until("fire", "resolve")
        told = await by_host(hosts)
        assert list(told) == ["db-1"]
        assert (told["db-1"][0].value or 0) >= 2
        talking.cancel()


async def test_a_host_that_was_down_before_a_restart_stays_down_untold(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [SOON]) as hosts:
        async with serving(hosts.settings):
            await hosts.cpu([10], at_s=0)
            await hosts.until("fire")
        async with serving(hosts.settings):
            await hosts.cpu([10], at_s=0, host="db-1")
            # By the time the other host is called down, the first one has been judged as often.
            await eventually(lambda: told_of(hosts, "db-1"))
            assert await hosts.phases() == {"web-1": "firing", "db-1": "firing"}
        assert await hosts.kinds() == ["fire", "fire"]


async def told_of(hosts: Fleet, name: str) -> bool:
    return name in await by_host(hosts)


async def test_a_host_that_fell_silent_while_the_service_was_down_is_still_judged(
    bus_url: str, database_url: str
) -> None:
    async with fleet(bus_url, database_url, [SOON]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([10], at_s=0))
        async with serving(hosts.settings):
            await hosts.until("fire")


async def test_a_bus_that_was_away_calls_nobody_down(nats: Server, bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        await nats.kill()
        await asyncio.sleep(3)  # more than the threshold: the length of the outage is what is tested
        await nats.restart()
        async with asyncio.TaskGroup() as group:
            await eventually(lambda: hosts.client.is_connected)
            talking = group.create_task(talk(hosts, "web-1"))
            await hosts.cpu([10], at_s=0, host="db-1")
            await eventually(lambda: told_of(hosts, "db-1"))
            talking.cancel()
        assert list(await by_host(hosts)) == ["db-1"]
