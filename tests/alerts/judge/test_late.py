"""What came late, judged by the running service."""

from __future__ import annotations

import pytest

from schemas.subjects import backfill
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving
from tests.batches import encoded, sample
from tests.waiting import eventually

QUICK = rule(for_s=5, recover_for_s=5)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came late ends after a second of silence."""
    monkeypatch.setattr("services.alerts.judge.late.QUIET_S", 1.0)


async def late(hosts: Fleet, percents: list[int], at_s: float, seq: int) -> None:
    start_ms = hosts.start_ms + round(1000 * at_s)
    samples = [sample(start_ms + 1000 * second, total=100 * value) for second, value in enumerate(percents)]
    await hosts.send(backfill("web-1"), encoded(*samples, lane="backfill", seq=seq))


async def test_what_was_over_before_it_came_is_an_incident_of_the_past(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await late(hosts, [80] * 10 + [10] * 10, 0, 1)
        await hosts.until("fire", "resolve")
        fired, resolved = await hosts.transitions()
        assert (fired.past, resolved.past, fired.time) == (True, True, hosts.start_ms / 1000 + 5)
        row = await hosts.database.fetchrow("SELECT past, closed IS NULL AS open FROM incidents")
        assert row is not None
        assert tuple(row) == (True, False)


async def test_what_goes_on_where_it_ends_is_over_too(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await late(hosts, [80] * 10, 0, 1)
        await hosts.until("fire", "gone")

        async def forgotten() -> bool:
            return bool(await hosts.database.fetchval("SELECT count(*) = 0 FROM alert_states WHERE past"))

        await eventually(forgotten)


async def test_it_changes_nothing_of_what_is_now(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.cpu([80] * 10, at_s=3600)
        await hosts.until("fire")
        await late(hosts, [10] * 20, 0, 1)
        await late(hosts, [90] * 20, 20, 2)
        await hosts.until("fire", "fire", "gone")
        assert [transition.past for transition in await hosts.transitions()] == [False, True, True]
        assert await hosts.database.fetchval("SELECT count(*) FROM incidents WHERE closed IS NULL AND NOT past") == 1


async def test_a_restart_in_the_middle_says_nothing_twice(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts:
        async with serving(hosts.settings):
            await late(hosts, [80] * 10, 0, 1)
            await eventually(lambda: began(hosts))
        async with serving(hosts.settings):
            await late(hosts, [10] * 10, 10, 2)
            await eventually(lambda: ended(hosts))
        assert (await hosts.kinds())[0] == "fire"
        assert await hosts.database.fetchval("SELECT count(*) FROM incidents WHERE closed IS NULL") == 0


async def began(hosts: Fleet) -> bool:
    return "fire" in await hosts.kinds()


async def ended(hosts: Fleet) -> bool:
    return bool(await hosts.database.fetchval("SELECT count(*) = 0 FROM alert_states WHERE past"))


async def test_a_rule_that_was_announced_holds_for_what_comes_late_after_it(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [rule(enabled=False)]) as hosts, serving(hosts.settings):
        await late(hosts, [80] * 10, 0, 1)

        async def judged() -> bool:
            reached = "SELECT count(*) FROM positions WHERE (consumer, stream) = ('alerts', 'BACKFILL') AND seq > 0"
            return bool(await hosts.database.fetchval(reached))

        await eventually(judged)
        await hosts.rules(QUICK)
        await hosts.client.flush()
        await late(hosts, [80] * 10, 20, 2)
        await hosts.until("fire", "gone")
