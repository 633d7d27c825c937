"""`GET /health` beside real services that stop, are killed, or lose what they need."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from infra.settings import ServerSettings
from infra.storage import database
from schemas.channels import Channel, Slack
from schemas.subjects import METRICS, STREAMS
from tests.agent.build import samples
from tests.alerts.fleet import serving_until_killed
from tests.faults.proxy import proxy
from tests.gateway.heard import SERVICES, becomes, component, health, running
from tests.gateway.incidents import hold_channel, message, store_channel
from tests.gateway.rows import execute
from tests.gateway.running import gateway, publish, publishing, ready, watching
from tests.waiting import eventually, lock_awaited


async def test_health_is_ok_beside_services_that_are(database_url: str, bus_url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(running(name, database_url, bus_url))
        client = await stack.enter_async_context(gateway(database_url, bus_url))
        for name in ("database", "bus", "notifications", "gateway", "agents", *SERVICES):
            await becomes(client, name, "ok")
        found = await health(client)
        assert [part.name for part in found.components] == [
            "database", "bus", "ingest", "alerts", "notifications", "retention", "gateway", "settings", "agents",
            "disk",
        ]  # fmt: skip
        assert {one.heartbeat.service for part in found.components for one in part.instances} == {*SERVICES, "gateway"}


async def test_a_service_that_stops_is_named_at_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        async with running("alerts", database_url, bus_url):
            await becomes(client, "alerts", "ok")
        found = await becomes(client, "alerts", "down")
        assert found.detail.endswith("; check that `sonde alerts` runs")
        assert (await health(client)).status == "degraded"


async def test_who_watches_is_told_of_a_part_that_is_not_as_it_was(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, watching(client) as stream:
        async with running("alerts", database_url, bus_url):
            await stream.until("health", lambda health: status_of(health, "alerts") == "ok")
        await stream.until("health", lambda health: status_of(health, "alerts") == "down")


def status_of(health: dict[str, Any], name: str) -> str:
    return next(part["status"] for part in health["components"] if part["name"] == name)


@pytest.mark.fault
async def test_a_service_that_is_killed_is_missing_and_its_successor_takes_its_place(
    database_url: str, bus_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url)
    async with gateway(database_url, bus_url) as client:
        async with serving_until_killed(settings):
            killed = (await becomes(client, "alerts", "ok")).instances[0].heartbeat
        found = await becomes(client, "alerts", "down")
        assert re.fullmatch(r"no heartbeat for \d+ s; check that `sonde alerts` runs", found.detail)
        async with running("alerts", database_url, bus_url):
            back = await becomes(client, "alerts", "ok")
        assert [one.heartbeat.instance != killed.instance for one in back.instances] == [True]


async def test_ingest_says_how_far_it_is(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, running("ingest", database_url, bus_url):
        async with publishing(bus_url) as agent:
            await publish(agent, *samples(3), lane="metrics")

        async def read() -> bool:
            instances = (await component(client, "ingest")).instances
            assert [one.heartbeat.work.behind for one in instances] == [{"METRICS": 0, "BACKFILL": 0}]
            return instances[0].heartbeat.last_success is not None

        await eventually(read)


async def test_health_says_how_full_the_streams_are(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        before = {one["name"]: one for one in (await client.get("/health")).json()["streams"]}
        assert set(before) == {stream.name for stream in STREAMS}
        assert before["METRICS"]["most_bytes"] == METRICS.max_bytes
        await agent.jetstream().publish("events.web-1", b"{}")
        after = {one["name"]: one for one in (await client.get("/health")).json()["streams"]}
    assert after["EVENTS"]["messages"] == before["EVENTS"]["messages"] + 1
    assert after["EVENTS"]["bytes"] > before["EVENTS"]["bytes"]


async def test_while_the_bus_is_away_services_are_unknown_rather_than_missing(
    database_url: str, tmp_path: Path
) -> None:
    async with contextlib.AsyncExitStack() as servers:
        server = await servers.enter_async_context(nats_server(tmp_path))
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        async with gateway(database_url, server.url) as client, running("ingest", database_url, server.url):
            await becomes(client, "ingest", "ok")
            await servers.aclose()
            assert (await becomes(client, "bus", "down")).detail.startswith("the gateway is not connected to the bus")
            assert (await becomes(client, "ingest", "unknown")).instances[0].status == "unknown"
            assert (await component(client, "gateway")).status == "ok"
            assert (await health(client)).status == "down"
            async with nats_server(tmp_path):
                await becomes(client, "ingest", "ok")


async def test_a_database_that_is_away_is_named(database_url: str, bus_url: str) -> None:
    async with proxy(database_url) as (between, through), gateway(through, bus_url) as client:
        await becomes(client, "bus", "ok")
        await becomes(client, "database", "ok")
        between.cut()
        await becomes(client, "database", "down")
        found = {part.name: part for part in (await health(client)).components}
        assert (found["database"].status, found["notifications"].status) == ("down", "unknown")
        assert "check PostgreSQL" in found["database"].detail


async def test_ingest_without_its_database_goes_on_saying_so(bus_url: str, database_url: str) -> None:
    away = "postgresql://nobody@127.0.0.1:1/none"
    async with gateway(database_url, bus_url) as client, running("ingest", away, bus_url):

        async def told() -> bool:
            instances = (await component(client, "ingest")).instances
            return bool(instances and "Connect" in instances[0].heartbeat.last_error)

        await eventually(told)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM schema_migrations WHERE name = '0002_agent_configs'", "0002_agent_configs"),
        ("UPDATE schema_migrations SET checksum = 'x' WHERE name = '0001_base'", "0001_base was changed"),
        ("INSERT INTO schema_migrations VALUES ('9999_later', 'x')", "run a newer sonde"),
        ("ALTER TABLE cpu DROP COLUMN total CASCADE", "column cpu.total missing; run `sonde migrate`"),
    ],
)
async def test_tables_of_another_version_are_named(statement: str, said: str, database_url: str, bus_url: str) -> None:
    await execute(database_url, statement)
    async with gateway(database_url, bus_url) as client:
        assert said in (await becomes(client, "database", "degraded")).detail
        assert "not looked at" in (await component(client, "notifications")).detail


async def test_a_database_that_refuses_what_it_is_asked_is_named_rather_than_an_error(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await becomes(client, "database", "ok")
        # A view in the place of the table, which cannot be read: neither an outage nor a missing migration.
        await execute(database_url, "ALTER TABLE retention_runs RENAME TO hidden")
        await execute(
            database_url,
            "CREATE VIEW retention_runs AS SELECT id, started, (1 / (id - id))::text::jsonb AS report FROM hidden",
        )
        await execute(database_url, "INSERT INTO hidden (started, seconds, dropped, bytes) VALUES (now(), 1, '{}', 1)")
        assert "DivisionByZero" in (await becomes(client, "database", "degraded")).detail
        assert "refuses" in (await component(client, "notifications")).detail


async def test_a_check_that_the_database_refuses_is_not_ready_rather_than_an_error(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await becomes(client, "database", "ok")
        await execute(database_url, "ALTER TABLE positions RENAME TO hidden")
        await execute(
            database_url,
            "CREATE VIEW positions AS SELECT consumer, stream, seq / (seq - seq) AS seq, time_ns FROM hidden",
        )
        await execute(database_url, "INSERT INTO hidden VALUES ('ingest', 'METRICS', 1, 1)")
        answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert "DivisionByZero" in answer.text


async def test_a_gateway_that_has_not_read_its_hosts_is_not_ready(database_url: str, bus_url: str) -> None:
    async def found() -> dict[str, Any]:
        checks = (await client.get("/health/ready")).json()["checks"]
        return next(check for check in checks if check["name"] == "database")

    async with database.connection(database_url, "test") as locking:
        reading = locking.transaction()
        await reading.start()
        await locking.execute("LOCK TABLE refusals IN ACCESS EXCLUSIVE MODE")
        async with gateway(database_url, bus_url) as client:
            await eventually(lambda: lock_awaited(database_url))
            before = await found()
            await reading.commit()
            await eventually(lambda: is_ok(found))
    assert not before["ok"]
    assert before["detail"].startswith("the hosts are being read")


async def is_ok(found: Callable[[], Awaitable[dict[str, Any]]]) -> bool:
    return bool((await found())["ok"])


async def test_a_channel_that_refused_its_last_message_is_named_until_it_takes_one(
    database_url: str, bus_url: str
) -> None:
    async with database.connection(database_url, "test") as connection:
        await store_channel(connection, Channel("ops", "Operators", Slack()))
        await message(connection, "ops", "refused", "400 invalid_payload")
        async with gateway(database_url, bus_url) as client:
            said = (await becomes(client, "notifications", "degraded")).detail
            assert "ops refused a message: 400 invalid_payload" in said
            await message(connection, "ops", "sent", "200 ok")
            assert (await becomes(client, "notifications", "ok")).detail == "1 channel; 1 lost within a day"


async def test_a_channel_that_is_held_is_named_with_the_reason(database_url: str, bus_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        await store_channel(connection, Channel("ops", "Operators", Slack()))
        await hold_channel(connection, "ops")
    async with gateway(database_url, bus_url) as client:
        said = (await becomes(client, "notifications", "degraded")).detail
    assert "ops is held, nothing is sent there: 404 no_service" in said


async def test_a_channel_that_is_off_is_no_fault(database_url: str, bus_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        await store_channel(connection, Channel("ops", "Operators", Slack(), enabled=False))
        await message(connection, "ops", "refused", "400 invalid_payload")
    async with gateway(database_url, bus_url) as client:
        assert "no channel" in (await becomes(client, "notifications", "ok")).detail
