"""Whatever is killed, every sample is stored exactly once and every alert changes as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server, postgres_server
from infra.storage import database
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.rules import Rule, Threshold, Window
from tests.faults.fleet import SAMPLES, cpu_total, synthetic_agent
from tests.faults.killing import kill_and_restart, service
from tests.gateway.incidents import store_rule
from tests.waiting import eventually

HOSTS = 20
KILLS_EACH = 3
BUSY = Rule("busy", "Busy", "cpu.total", critical=Threshold(90, 80), for_s=5, recover_for_s=5)
MEAN = Rule("mean", "Busy on average", "cpu.total", warning=Threshold(60, 40), window=Window("avg", 15))
RULES = (
    BUSY,
    MEAN,
    Rule("unread", "No reads", "disk.read", warning=Threshold(2**40, 2**39), no_data="alert", no_data_s=1),
)
"""One about the last value, one about a window, and one about values that are missing."""
TRANSITIONS = """
SELECT h.name, t.rule_id, t.kind, extract(epoch FROM t.time)::float8 AS time, t.instance, t.body
FROM alert_transitions t JOIN hosts h ON h.id = t.host_id ORDER BY h.name, t.id
"""
INCIDENTS = """
SELECT i.host, i.rule_id, i.instance, extract(epoch FROM i.opened)::float8 AS opened,
    extract(epoch FROM i.closed)::float8 AS closed, i.level, i.body,
    (SELECT array_agg(t.kind ORDER BY t.id) FROM alert_transitions t WHERE t.incident_id = i.id) AS kinds,
    (SELECT array_agg(s.kind ORDER BY s.id) FROM incident_steps s
     WHERE s.incident_id = i.id AND s.kind IN ('fired', 'escalated', 'deescalated', 'resolved', 'gone')) AS steps
FROM incidents i ORDER BY i.host, i.rule_id, i.instance, i.opened
"""


async def prepare_database(url: str) -> None:
    """A migrated database whose only rules are ours."""
    async with database.connection(url, "test") as connection:
        await migrate(connection, await detect(connection))
        await connection.execute("DELETE FROM rules")
        for rule in RULES:
            await store_rule(connection, rule)


async def positions_at(url: str, consumer: str, seq: int) -> bool:
    async with database.connection(url, "test") as connection:
        at = await connection.fetchval("SELECT seq FROM positions WHERE consumer = $1 AND stream = 'METRICS'", consumer)
    return at is not None and at >= seq


async def transitions(url: str) -> list[tuple[object, ...]]:
    """Every transition, per host in the order it was made; and every incident. Without their numbers."""
    async with database.connection(url, "test") as connection:
        rows = await connection.fetch(TRANSITIONS)
        incidents = await connection.fetch(INCIDENTS)
    made: list[tuple[object, ...]] = [
        (
            row["name"],
            row["rule_id"],
            row["kind"],
            row["time"],
            row["instance"],
            sorted(
                (key, str(value)) for key, value in json.loads(row["body"]).items() if key not in ("id", "incident")
            ),
        )
        for row in rows
    ]
    return made + [tuple(row) for row in incidents]


@pytest.mark.fault
@pytest.mark.timeout(240)
async def test_killing_ingest_alerts_bus_and_database_loses_doubles_and_changes_nothing(tmp_path: Path) -> None:
    dice = random.Random(20_261_121)
    start_ms = (int(time.time()) - 600) * 1000
    kills_done = asyncio.Event()
    async with nats_server(tmp_path / "nats") as nats, postgres_server(tmp_path / "postgres") as postgres:
        await prepare_database(postgres.url)
        async with bus.connection(nats.url, "test") as client:
            await ensure_streams(client)
        with (
            service("ingest", nats.url, postgres.url, tmp_path) as ingest,
            service("alerts", nats.url, postgres.url, tmp_path) as alerts,
        ):
            victims: list[Callable[[], Awaitable[None]]] = [
                ingest.kill,
                alerts.kill,
                lambda: kill_and_restart(nats),
                lambda: kill_and_restart(postgres),
            ]
            order = victims * KILLS_EACH
            dice.shuffle(order)

            def enough(batches: int) -> bool:
                return kills_done.is_set() and batches >= 20

            async with asyncio.TaskGroup() as group:
                agents = [
                    group.create_task(
                        synthetic_agent(host, nats.url, tmp_path / f"spool-{host}", start_ms, 0.5, enough)
                    )
                    for host in range(HOSTS)
                ]
                for kill in order:
                    await asyncio.sleep(dice.uniform(0.5, 1.5))
                    await kill()
                await asyncio.sleep(1)
                kills_done.set()
            ticks = [task.result() for task in agents]
            async with bus.connection(nats.url, "test") as client:
                last = (await client.jetstream().stream_info("METRICS")).state.last_seq
            assert last >= sum(ticks) // SAMPLES
            await eventually(lambda: positions_at(postgres.url, "ingest", last), 120, 0.2)
            await eventually(lambda: positions_at(postgres.url, "alerts", last), 120, 0.2)
        await assert_stored_exactly(postgres.url, ticks, start_ms)
        disturbed = await transitions(postgres.url)
        undisturbed = await undisturbed_transitions(nats.url, postgres.url, last, tmp_path)
    for rule in RULES:
        assert len([True for one in disturbed if one[1] == rule.id]) >= HOSTS
    assert disturbed == undisturbed


async def assert_stored_exactly(url: str, ticks: list[int], start_ms: int) -> None:
    """Each (host, time) once, with the values that were sent, nulls included."""
    async with database.connection(url, "test") as connection:
        cpu = await connection.fetch(
            'SELECT h.name, (extract(epoch FROM time) * 1000)::bigint AS ms, total, "user" '
            "FROM cpu JOIN hosts h ON h.id = host_id ORDER BY 1, 2"
        )
        disk = await connection.fetch(
            "SELECT h.name, (extract(epoch FROM time) * 1000)::bigint AS ms, i.name AS disk, read, busy "
            "FROM disk d JOIN hosts h ON h.id = d.host_id JOIN instances i ON i.id = d.instance_id ORDER BY 1, 2, 3"
        )
    expected_cpu = sorted(
        (f"host-{host}", start_ms + 1000 * tick, cpu_total(host, tick), tick)
        for host, count in enumerate(ticks)
        for tick in range(count)
    )
    assert [tuple(row) for row in cpu] == expected_cpu
    expected_disk: list[tuple[object, ...]] = []
    for host, count in sorted(enumerate(ticks), key=lambda item: f"host-{item[0]}"):
        for tick in range(count):
            at = start_ms + 1000 * tick
            expected_disk.append((f"host-{host}", at, "sda", host * 1_000_003 + tick, tick % 10_000))
            expected_disk.append((f"host-{host}", at, "sdb", None if tick % 3 else tick, None))
    assert [tuple(row) for row in disk] == expected_disk


async def undisturbed_transitions(nats_url: str, url: str, last: int, directory: Path) -> list[tuple[object, ...]]:
    """What alerts makes of the same stream on a database of its own, left in peace."""
    async with database.connection(url, "test") as connection:
        await connection.execute("CREATE DATABASE undisturbed")
    other = url.rsplit("/", 1)[0] + "/undisturbed"
    await prepare_database(other)
    peace = directory / "undisturbed"
    peace.mkdir()
    with service("alerts", nats_url, other, peace):
        await eventually(lambda: positions_at(other, "alerts", last), 120, 0.2)
    return await transitions(other)
