"""What the running service learns from elsewhere than samples: events, heartbeats, refusals, and the bus being away."""

from __future__ import annotations

import asyncio
import itertools
import time

import msgspec
import pytest

from infra.bus.heartbeat import Pulse
from infra.servers.embedded import Server
from infra.storage.database import connection
from schemas.health import Heartbeat, Work
from schemas.messages import HostEvent, HostFacts
from schemas.rules import Rule, Threshold, Window
from schemas.subjects import SETTINGS_CHANGED, deadletter, events, health
from services.alerts.judge.loop import Senses
from services.alerts.judge.own import Surroundings, judge_own
from services.alerts.judge.progress import Progress
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving
from tests.waiting import eventually

BOOTED = Rule("booted", "Rebooted", "host.uptime", comparison="below", warning=Threshold(300, 300))
DOWN = Rule("down", "Host down", "host.down", critical=Threshold(3600, 3600))
BLIND = Rule("blind", "Blind", "monitoring.blind", critical=Threshold(3, 0))


def heartbeat(service: str, lag_s: float = 0) -> bytes:
    now_ms = round(1000 * time.time())
    said = Heartbeat(
        service, "a", "monitor-1", 1, "0", now_ms, now_ms, 1, False, 0, 0, "", now_ms, 1, Work(lag_s=lag_s)
    )  # fmt: skip
    return msgspec.json.encode(said)


async def told(hosts: Fleet, rule_id: str) -> list[tuple[str, str, str]]:
    """Host, instance and kind of each of its transitions."""
    return [(it.host, it.instance, it.kind) for it in await hosts.transitions() if it.rule == rule_id]


async def test_a_host_that_has_just_booted_is_told_once(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [BOOTED]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        facts = msgspec.json.encode({"boot_time": hosts.start_ms / 1000 - 10}).decode()
        await hosts.database.execute("UPDATE hosts SET facts = $1", facts)
        await hosts.client.publish(SETTINGS_CHANGED, b'{"key":"hosts","version":1}')
        await hosts.processed(await hosts.cpu([10], at_s=10))
        await hosts.processed(await hosts.cpu([10], at_s=20))
        assert await hosts.kinds() == ["fire"]
        await hosts.processed(await hosts.cpu([10], at_s=300))
        assert await hosts.kinds() == ["fire", "resolve"]


async def test_that_a_host_has_booted_is_known_although_nobody_has_stored_it_yet(
    bus_url: str, database_url: str
) -> None:
    async with fleet(bus_url, database_url, [BOOTED]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        before = msgspec.json.encode({"boot_time": hosts.start_ms / 1000 - 100_000}).decode()
        await hosts.database.execute("UPDATE hosts SET facts = $1", before)
        booted = HostEvent("web-1", time.time(), "facts", facts=HostFacts(boot_time=hosts.start_ms / 1000 - 10))
        await hosts.client.publish(events("web-1"), msgspec.json.encode(booted))
        await hosts.client.flush()
        await hosts.client.publish(SETTINGS_CHANGED, b'{"key":"hosts","version":1}')
        await hosts.processed(await hosts.cpu([10], at_s=10))
        assert await hosts.kinds() == ["fire"]


async def test_a_host_that_the_bus_saw_leave_is_called_down_before_its_time(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.hostdown.LEFT_S", 1.0)
    async with fleet(bus_url, database_url, [DOWN]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        left = HostEvent("web-1", time.time(), "left")
        await hosts.client.jetstream().publish(events("web-1"), msgspec.json.encode(left))
        await hosts.until("fire")
        await hosts.cpu([10], at_s=10)
        await hosts.until("fire", "resolve")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"host": "web-1", "kind": "left"}', b'{"kind": 7}', b"\xff"])
async def test_events_that_cannot_be_read_are_passed_over(bus_url: str, database_url: str, data: bytes) -> None:
    async with fleet(bus_url, database_url, [rule(for_s=0)]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        for subject in (events("web-1"), health("ingest"), deadletter("ingest")):
            await hosts.client.publish(subject, data)
        await hosts.cpu([80], at_s=10)
        await hosts.until("fire")


async def test_while_the_bus_is_away_monitoring_is_blind_and_nobody_is_down(
    nats: Server, bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.own.HEARD_WITHIN_S", 2.0)
    down = Rule("down", "Host down", "host.down", critical=Threshold(30, 30))
    async with fleet(bus_url, database_url, [BLIND, down]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10], at_s=0))
        await nats.kill()
        await hosts.until("fire")
        await nats.restart()
        await hosts.until("fire", "resolve")
        assert await told(hosts, "blind") == [("", "", "fire"), ("", "", "resolve")]
        assert await hosts.incidents() == [("", "critical", False)]


async def test_what_is_about_sonde_is_published_without_a_host(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.own.EVERY_S", 0.1)
    behind = Rule("behind", "Behind", "service.lag", warning=Threshold(60, 30))
    async with fleet(bus_url, database_url, [behind]) as hosts, serving(hosts.settings):

        async def fired() -> bool:
            await hosts.client.publish(health("ingest"), heartbeat("ingest", lag_s=90))
            return await told(hosts, "behind") == [("", "ingest", "fire")]

        await eventually(fired)
        await hosts.published()
        stored = await hosts.client.jetstream().get_msg("ALERTS", 1)
        assert stored.subject == "alerts._.behind"


async def test_refused_messages_are_counted(bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alerts.judge.own.EVERY_S", 0.1)
    refused = Rule("refused", "Refused", "ingest.refused", warning=Threshold(5, 0))
    async with fleet(bus_url, database_url, [refused]) as hosts, serving(hosts.settings):

        async def fired() -> bool:
            await hosts.client.publish(deadletter("ingest"), b"x")
            return await told(hosts, "refused") == [("", "", "fire")]

        await eventually(fired)


async def test_a_service_that_was_never_heard_is_silent(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.own.EVERY_S", 0.1)
    silent = Rule("silent", "Silent", "service.silent", instance="ingest", critical=Threshold(1, 0.9))
    async with fleet(bus_url, database_url, [silent]) as hosts, serving(hosts.settings):
        await hosts.until("fire")

        async def heard() -> bool:
            await hosts.client.publish(health("ingest"), heartbeat("ingest"))
            return await told(hosts, "silent") == [("", "ingest", "fire"), ("", "ingest", "resolve")]

        await eventually(heard)


async def test_the_first_start_on_an_old_stream_says_nothing_of_the_past(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.loop.FIRST_LOOK_S", 1.0)
    quick = rule(for_s=0, recover_for_s=0)
    async with fleet(bus_url, database_url, [quick]) as hosts:
        await hosts.cpu([80], at_s=0)
        began_s = time.monotonic()
        await eventually(lambda: time.monotonic() - began_s > 2)  # so that it is of the past
        async with serving(hosts.settings):
            seconds = itertools.count(10)

            async def reads() -> bool:
                # What is sent before the service listens is of the past, too.
                await hosts.cpu([10], at_s=next(seconds))
                positions = "SELECT count(*) FROM positions WHERE (consumer, stream) = ('alerts', 'METRICS')"
                return bool(await hosts.database.fetchval(positions))

            await eventually(reads)
            assert await hosts.kinds() == []
            await hosts.cpu([80], at_s=next(seconds))
            await hosts.until("fire")


async def test_a_rule_whose_window_is_another_one_begins_with_an_empty_window(bus_url: str, database_url: str) -> None:
    mean = rule(for_s=0, recover_for_s=0, window=Window("max", 5))
    async with fleet(bus_url, database_url, [mean]) as hosts, serving(hosts.settings):
        await hosts.processed(await hosts.cpu([10] * 10, at_s=0))
        await hosts.rules(rule(for_s=0, recover_for_s=0, window=Window("avg", 15)))
        await hosts.processed(await hosts.cpu([80] * 10, at_s=10))
        assert await hosts.kinds() == []
        await hosts.processed(await hosts.cpu([80] * 10, at_s=20))
        assert await hosts.kinds() == ["fire"]


async def test_a_deleted_rule_about_sonde_ends_its_alerts_as_gone(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.own.EVERY_S", 0.1)
    silent = Rule("silent", "Silent", "service.silent", instance="ingest", critical=Threshold(1, 0.9))
    async with fleet(bus_url, database_url, [silent]) as hosts, serving(hosts.settings):
        await hosts.until("fire")
        await hosts.rules()
        await hosts.until("fire", "gone")
        assert await hosts.incidents() == [("", "critical", False)]


async def test_sonde_is_judged_no_more_once_another_instance_has_the_hosts(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.own.EVERY_S", 0.1)
    pulse = Pulse("alerts")
    senses = Senses(Progress(pulse), lambda: None)
    async with connection(database_url, "test") as database, asyncio.timeout(60), asyncio.TaskGroup() as group:
        judging = group.create_task(judge_own(database, asyncio.Event(), senses, Surroundings(0)))
        pulse.standby = True
        await judging
