"""Whatever is killed, people are told what they would have been told, and twice only what had no answer then."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from infra.bus import connection as bus
from infra.bus.connection import BUS_TRANSIENT
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server, postgres_server
from infra.storage import database
from infra.storage.database import DATABASE_TRANSIENT
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.channels import Channel, Slack
from schemas.messages import MESSAGE_ID
from schemas.routes import Route
from schemas.subjects import metrics
from tests.alerts.builders import rule
from tests.alerts.slack_server import Reply, SlackServer, slack_server
from tests.batches import encoded, sample
from tests.faults.killing import kill_and_restart, service
from tests.waiting import eventually

HOSTS = 4
"""Few enough that what they say stays below the number of messages from which on much is told in one."""
KILLS_EACH = 3
QUICK = rule(for_s=5, recover_for_s=5)
ROUTE = Route("all", "All", ["slack"], group_wait_s=0, group_interval_s=0, repeat_s=0, storm_hosts=1000)
SAID = """
SELECT i.host, n.kind FROM notification_items n JOIN notifications m ON m.id = n.notification_id
JOIN incidents i ON i.id = n.incident_id WHERE m.status = $1
"""

TOLD = """
SELECT count(*) FROM told t JOIN incidents i ON i.id = t.incident_id
WHERE i.closed IS NULL AND t.level = i.level AND NOT t.unsure
"""
SETTLED = "SELECT count(*) FROM incidents WHERE settled"


@pytest.mark.fault
@pytest.mark.timeout(280)
async def test_killing_alerts_bus_and_database_changes_nothing_that_is_told(tmp_path: Path) -> None:
    dice = random.Random(20_261_122)
    start_ms = (int(time.time()) - 600) * 1000
    async with (
        slack_server() as slack,
        nats_server(tmp_path / "nats") as broker,
        postgres_server(tmp_path / "postgres") as postgres,
    ):
        await _prepare(postgres.url, slack)
        slack.script.extend(Reply(after_s=dice.choice([0, 0, 0.3])) for _ in range(300))
        async with bus.connection(broker.url, "test") as client:
            await ensure_streams(client)
        private = {"SONDE_OUTBOUND_PRIVATE": "1"}
        with service("alerts", broker.url, postgres.url, tmp_path, **private) as alerts:
            victims: list[Callable[[], Awaitable[None]]] = [
                alerts.kill,
                partial(kill_and_restart, broker),
                partial(kill_and_restart, postgres),
            ]
            order = victims * KILLS_EACH
            dice.shuffle(order)
            async with asyncio.TaskGroup() as group:
                group.create_task(_busy(broker.url, postgres.url, start_ms))
                for kill in order:
                    await asyncio.sleep(dice.uniform(0.5, 2))
                    await kill()
        async with database.connection(postgres.url, "test") as connection:
            sent = sorted(tuple(row) for row in await connection.fetch(SAID, "sent"))
            unknown = await connection.fetch(SAID, "unknown")
    # Each host fires twice and ends twice.
    assert sent == sorted((f"web-{host}", kind) for host in range(HOSTS) for kind in ("fire", "resolve") * 2)
    assert len(sent) <= len(slack.posts) <= len(sent) + len(unknown)


async def _prepare(url: str, slack: SlackServer) -> None:
    """A migrated database with one rule, one channel and one route."""
    async with database.connection(url, "test") as connection:
        await migrate(connection, await detect(connection))
        await connection.execute("DELETE FROM rules")
        for table, row in (
            ("rules", QUICK),
            ("channels", Channel("slack", "Slack", Slack(slack.url))),
            ("routes", ROUTE),
        ):
            statement = f"INSERT INTO {table} (id, body) VALUES ($1, $2)"  # noqa: S608
            await connection.execute(statement, row.id, msgspec.json.encode(row).decode())


async def _busy(nats_url: str, database_url: str, start_ms: int) -> None:
    """Each host is busy, at rest, busy and at rest again, each time until people have heard of it."""
    for step in range(4):
        for host in range(HOSTS):
            await _publish(nats_url, f"web-{host}", step, start_ms + 20_000 * step, 10 if step % 2 else 80)
        await eventually(partial(_is_heard, database_url, step), 120, 0.2)


async def _publish(url: str, host: str, step: int, start_ms: int, percent: int) -> None:
    """Twenty seconds of `percent`, once on the stream however often the bus dies."""
    samples = [sample(start_ms + 1000 * second, total=100 * percent) for second in range(20)]
    data = encoded(*samples, host=host, seq=step + 1)

    async def published() -> bool:
        try:
            async with bus.connection(url, "test") as client:
                headers = {MESSAGE_ID: f"{host}:{step}"}
                await client.jetstream(timeout=2).publish(metrics(host), data, headers=headers)
        except BUS_TRANSIENT:
            return False
        return True

    await eventually(published, 60)


async def _is_heard(url: str, step: int) -> bool:
    """Whether people know what is true after `step`."""
    begun = HOSTS * (step // 2 + 1)
    try:
        async with database.connection(url, "test") as connection:
            return bool(await connection.fetchval(SETTLED if step % 2 else TOLD) == (begun if step % 2 else HOSTS))
    except DATABASE_TRANSIENT:
        return False
