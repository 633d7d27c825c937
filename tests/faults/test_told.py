"""Whatever is killed, people are told what they would have been told, and twice only what had no answer then."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from infra.bus import connection as bus
from infra.bus.connection import BUS_TRANSIENT
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server, postgres_server
from infra.storage import database
from infra.storage.database import DATABASE_TRANSIENT
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.channels import Channel, Slack
from schemas.codec import Sample
from schemas.matching import Matcher
from schemas.messages import MESSAGE_ID
from schemas.routes import Route
from schemas.subjects import metrics
from tests.alerts.builders import rule
from tests.alerts.slack_server import SlackServer, slack_server
from tests.batches import encoded, sample
from tests.faults.killing import kill_and_restart, service
from tests.waiting import eventually

HOSTS = ("web-0", "web-1", "web-2", "web-3")
"""Each with a channel and a route of its own, so that no host's news has to wait for another's."""
ACT_S = 300
ACTS = 12
"""An hour of samples. An act begins once people have heard of the one before it, however long that takes."""
PERCENT = (10, 80, 95)
"""Of CPU at each level: at rest, warning, critical."""
SPIKE_S = 4
QUICK = rule(for_s=5, recover_for_s=5)
SLOW_ANSWERS_S = (0.0, 0.0, 0.3, 0.6)

STANDING = """
SELECT i.host, CASE WHEN t.level = i.level AND NOT t.unsure AND i.closed IS NULL THEN i.level ELSE -1 END AS level
FROM incidents i LEFT JOIN told t ON t.incident_id = i.id WHERE NOT i.settled ORDER BY i.host
"""
"""What people know to go on, and -1 for what they have yet to hear."""
UNANSWERED = """
SELECT i.host FROM notifications n JOIN notification_items m ON m.notification_id = n.id
JOIN incidents i ON i.id = m.incident_id WHERE n.status = 'unknown'
"""

Act = dict[str, int]
"""By host: the level at which its CPU is."""


class Hour(Struct):
    """What came of an hour."""

    heard: list[str]
    """The headlines of what Slack was sent, in order, refusals included."""
    refusals: list[str]
    unanswered: list[str]
    """The host of each message whose answer was lost."""

    def of(self, host: str) -> list[str]:
        return [words for words in self.heard if words.endswith(f" on {host}")]


@pytest.mark.fault
@pytest.mark.timeout(280)
async def test_an_hour_of_random_kills_is_told_like_an_undisturbed_one(tmp_path: Path) -> None:
    acts = _script(random.Random(20_261_122))
    victims = ["alerts", "bus", "database"] * (ACTS // 3)
    random.Random(13).shuffle(victims)
    async with asyncio.TaskGroup() as group:
        peaceful = group.create_task(_play(tmp_path / "peaceful", acts, []))
        killed = group.create_task(_play(tmp_path / "killed", acts, victims))
    undisturbed, disturbed = peaceful.result(), killed.result()
    assert undisturbed.refusals == disturbed.refusals == []
    assert undisturbed.unanswered == []
    for host in HOSTS:
        told, again = undisturbed.of(host), disturbed.of(host)
        assert told == _expected([act[host] for act in acts], host)
        assert [words for words, _ in groupby(again)] == told
        assert (Counter(again) - Counter(told)).total() <= disturbed.unanswered.count(host)
    assert sum(len(disturbed.of(host)) for host in HOSTS) == len(disturbed.heard)


def _script(dice: random.Random) -> list[Act]:
    """Levels that change with two acts of three; in the end all are at rest."""
    acts = [{host: dice.randrange(3) for host in HOSTS} for _ in range(ACTS - 1)]
    return [*acts, dict.fromkeys(HOSTS, 0)]


def _expected(levels: Sequence[int], host: str) -> list[str]:
    """The headlines that tell of `levels`."""
    said = []
    worst = 0
    for before, now in pairwise([0, *levels]):
        worst = now if not before else max(worst, now)
        if now > before:
            state = "Critical" if not before and now == 2 else "Warning" if not before else "Escalated to critical"
            said.append(f"{'🔴' if now == 2 else '🟠'} {state}: CPU busy on {host}")
        elif now and now < before:
            said.append(f"🟠 Lowered to warning: CPU busy on {host}")
        elif now < before:
            said.append(f"🟢 Resolved ({'critical' if worst == 2 else 'warning'}): CPU busy on {host}")
    return said


async def _play(directory: Path, acts: Sequence[Act], victims: Sequence[str]) -> Hour:
    """Play `acts` on servers of their own, and kill one victim in each as long as there are any."""
    directory.mkdir()
    dice = random.Random(7)
    start_ms = (int(time.time()) - ACT_S * (ACTS + 1)) * 1000
    async with (
        slack_server() as slack,
        nats_server(directory / "nats") as broker,
        postgres_server(directory / "postgres") as postgres,
    ):
        slack.delays_s.extend(dice.choice(SLOW_ANSWERS_S) for _ in range(1000))
        await _prepare(postgres.url, slack)
        async with bus.connection(broker.url, "test") as client:
            await ensure_streams(client)
        private = {"SONDE_OUTBOUND_PRIVATE": "1"}
        with service("alerts", broker.url, postgres.url, directory, **private) as alerts:
            kills: dict[str, Callable[[], Awaitable[None]]] = {
                "alerts": alerts.kill,
                "bus": partial(kill_and_restart, broker),
                "database": partial(kill_and_restart, postgres),
            }
            for number, act in enumerate(acts):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_perform(broker.url, postgres.url, number, act, start_ms))
                    for victim in victims[number : number + 1]:
                        await asyncio.sleep(dice.uniform(0, 1.5))
                        await kills[victim]()
        async with database.connection(postgres.url, "test") as connection:
            unanswered = [row["host"] for row in await connection.fetch(UNANSWERED)]
    return Hour(slack.headlines, slack.refusals, unanswered)


async def _prepare(url: str, slack: SlackServer) -> None:
    """A migrated database with one rule, and a channel and a route for each host."""
    async with database.connection(url, "test") as connection:
        await migrate(connection, await detect(connection))
        await connection.execute("DELETE FROM rules")
        rows: list[tuple[str, Struct, str]] = [("rules", QUICK, QUICK.id)]
        for host in HOSTS:
            rows.append(("channels", Channel(host, host, Slack(slack.url)), host))
            route = Route(host, host, [host], match=Matcher([host]), group_wait_s=0, group_interval_s=0, repeat_s=0)
            rows.append(("routes", route, host))
        for table, row, name in rows:
            statement = f"INSERT INTO {table} (id, body) VALUES ($1, $2)"  # noqa: S608
            await connection.execute(statement, name, msgspec.json.encode(row).decode())


async def _perform(nats_url: str, database_url: str, number: int, act: Act, start_ms: int) -> None:
    """Publish the act's samples, and wait until people know what is true after it, and nothing else."""
    for host, level in act.items():
        samples = _samples(start_ms + 1000 * ACT_S * number, level)
        await eventually(partial(_published, nats_url, host, number, encoded(*samples, host=host, seq=number + 1)), 60)
    on = sorted((host, level) for host, level in act.items() if level)
    await eventually(partial(_is_known, database_url, on), 120, 0.1)


def _samples(start_ms: int, level: int) -> list[Sample]:
    """An act of one host: half way through it the CPU is elsewhere, for too short a time to be told."""
    spike = range(ACT_S // 2, ACT_S // 2 + SPIKE_S)
    other = PERCENT[2] if level < 2 else PERCENT[0]
    return [
        sample(start_ms + 1000 * second, total=100 * (other if second in spike else PERCENT[level]))
        for second in range(ACT_S)
    ]


async def _published(url: str, host: str, number: int, data: bytes) -> bool:
    """Whether `data` is on the stream now: once, however often the bus dies."""
    try:
        async with bus.connection(url, "test") as client:
            headers = {MESSAGE_ID: f"{host}:{number}"}
            await client.jetstream(timeout=2).publish(metrics(host), data, headers=headers)
    except BUS_TRANSIENT:
        return False
    return True


async def _is_known(url: str, on: list[tuple[str, int]]) -> bool:
    try:
        async with database.connection(url, "test") as connection:
            return [tuple(row) for row in await connection.fetch(STANDING)] == on
    except DATABASE_TRANSIENT:
        return False
