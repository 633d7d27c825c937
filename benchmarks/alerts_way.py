"""How long people wait for an alert, on real servers with production's pacing while the whole fleet publishes.

The alerts service and the fleet are processes of their own. A channel of the kind `slack` leads to a server here. Three
ways are timed: from a batch that the bus has acknowledged to the POST, one alert at a time; the same for a burst of
alerts of as many hosts; and from the sample that an agent took to the POST.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct
from nats.aio.client import Client

from benchmarks.processes import ask, running
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server, postgres_server
from infra.storage.database import Connection
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.channels import Channel, Slack
from schemas.codec import Sample, build_batch, encode_batch
from schemas.matching import Matcher
from schemas.routes import Route
from schemas.rules import Rule, Threshold
from schemas.subjects import config_key
from schemas.virtual import HOST_DOWN
from schemas.watches import PushedConfig, watches_of

QUICK = Rule("quick", "Quick", "gpu.fan", warning=Threshold(50, 50))
DOWN = Rule("host-down", "Host down", HOST_DOWN, host="host-*", critical=Threshold(60, 60))
"""Of the fleet only: those who send a single batch are no outage."""
STEPS = [
    Rule(f"load-{step}", f"Load step {step:02}", "cpu.load1", "person-*", warning=Threshold(10 * step, 10 * step - 1))
    for step in range(1, 31)
]
"""One rule for each time that an agent's way is measured: the same one again would count as flapping."""
OF_A_ROUTE = 10
"""Alerts: a route that has sent 20 messages within ten minutes tells the rest in one, as in a storm."""
Arrived: TypeAlias = "asyncio.Queue[tuple[float, bytes]]"
"""When each message began to arrive, Unix seconds, and what it was."""
WITHIN_S = 120.0
PACE_S = 1.5
"""Between two single alerts: a channel rests for a second after each message."""


class Ways(Struct):
    """Seconds."""

    single_s: list[float]
    burst_s: list[float]
    person_s: list[float]
    """From the sample on the machine."""
    fleet_share: float
    """Of the batches that were due, those that the fleet published."""


async def measure(hosts: int, posts: int, burst: int, steps: int, rules: Sequence[Rule]) -> Ways:
    """Everything with one fleet."""
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        database = await stack.enter_async_context(database_connection(postgres.url, "bench"))
        await migrate(database, await detect(database))
        client = await stack.enter_async_context(bus_connection(bus.url, "bench"))
        await ensure_streams(client)
        arrived: Arrived = asyncio.Queue()
        url = await stack.enter_async_context(_slack(arrived))
        await _configure(database, url, rules, posts)
        settings = {"SONDE_NATS_URL": bus.url, "SONDE_DATABASE_URL": postgres.url, "SONDE_OUTBOUND_PRIVATE": "1"}
        settings["SONDE_DATA"] = str(data)
        alerts = [sys.executable, "-m", "infra.cli.main", "alerts"]
        await stack.enter_async_context(running(alerts, settings))
        fleet = [sys.executable, "-m", "benchmarks.alerts_fleet", bus.url, str(hosts)]
        publishing = await stack.enter_async_context(running(fleet, {}, talking=True))
        await _one_alert(client, "first", arrived)  # waits for the service to start
        single = [await _one_alert(client, f"hot-{number}", arrived) for number in range(posts)]
        together = await _burst(client, database, burst)
        await asyncio.sleep(PACE_S)
        person = await _person(stack, client, database, arrived, bus.url, data, steps)
        share = float(await ask(publishing, "share"))
    return Ways(single, together, person, share)


async def _configure(database: Connection, url: str, rules: Sequence[Rule], posts: int) -> None:
    """These rules beside our own, one channel, and routes for what is told one at a time."""
    await database.execute("DELETE FROM rules")
    of_table: dict[str, Sequence[Rule | Channel | Route]] = {
        "rules": (QUICK, DOWN, *STEPS, *rules),
        "channels": (Channel("slack", "Slack", Slack(url)),),
        "routes": [
            *_routes("hosts", [f"hot-{number}" for number in range(posts)]),
            *_routes("rules", [rule.id for rule in STEPS]),
        ],
    }
    for table, things in of_table.items():
        statement = f"INSERT INTO {table} (id, body) VALUES ($1, $2)"  # noqa: S608 -- of constants
        for thing in things:
            body = msgspec.json.encode(thing).decode()
            await database.execute(statement, thing.id, body)


def _routes(kind: Literal["hosts", "rules"], names: Sequence[str]) -> Iterator[Route]:
    """Those that take what is of these hosts or rules, and wait for no further news of its host."""
    for start in range(0, len(names), OF_A_ROUTE):
        part = list(names[start : start + OF_A_ROUTE])
        match = Matcher(hosts=part) if kind == "hosts" else Matcher(rules=part)
        route = f"{kind}-{start}"
        yield Route(route, route, ["slack"], match=match, group_interval_s=0)


def _hot(host: str) -> bytes:
    sample = Sample(round(time.time() * 1000), {"gpu": {"0": {"fan": 9900}}})
    return encode_batch(build_batch(host, "bench", "metrics", 1, [sample]))


async def _one_alert(client: Client, host: str, arrived: Arrived) -> float:
    """From the acknowledgement of its batch to the POST; then the channel has its rest."""
    await client.jetstream().publish(f"metrics.{host}", _hot(host))
    started_s = time.time()
    seconds = await _told_of(arrived, host) - started_s
    await asyncio.sleep(PACE_S)
    return seconds


async def _told_of(arrived: Arrived, name: str) -> float:
    """When the next message that names `name` began to arrive, Unix seconds."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            at_s, body = await arrived.get()
            if name.encode() in body:
                return at_s


async def _burst(client: Client, database: Connection, burst: int) -> list[float]:
    """For each of as many hosts whose alerts come at once, until a message that tells of it was taken."""
    names = [f"burst-{number}" for number in range(burst)]
    acknowledged: dict[str, float] = {}

    async def publish(host: str) -> None:
        await client.jetstream().publish(f"metrics.{host}", _hot(host))
        acknowledged[host] = time.time()

    async with asyncio.TaskGroup() as group:
        for host in names:
            group.create_task(publish(host))
    query = """
        SELECT i.host, extract(epoch FROM min(n.done))::float8 AS done FROM incidents i
        JOIN notification_items ni ON ni.incident_id = i.id JOIN notifications n ON n.id = ni.notification_id
        WHERE i.host = ANY($1) AND n.status = 'sent' GROUP BY i.host
    """
    async with asyncio.timeout(WITHIN_S):
        while len(rows := await database.fetch(query, names)) < burst:
            await asyncio.sleep(0.1)
    return [row["done"] - acknowledged[row["host"]] for row in rows]


async def _person(
    stack: AsyncExitStack,
    client: Client,
    database: Connection,
    arrived: Arrived,
    bus_url: str,
    data: Path,
    steps: int,
) -> list[float]:
    """A real agent on a machine of files, whose load rises step by step; without thresholds it would be 10 s late."""
    proc = data / "proc"
    proc.mkdir()
    for name in ("stat", "cpuinfo", "meminfo", "vmstat"):
        shutil.copyfile(f"/proc/{name}", proc / name)
    _load(proc, 0)
    settings = {"SONDE_NATS_URL": bus_url, "SONDE_DATA": str(data / "agent"), "SONDE_HOST": "person-1"}
    settings |= {"SONDE_PROC_ROOT": str(proc)}
    config = PushedConfig(watches=watches_of(STEPS, "person-1", frozenset()))
    await client.jetstream().publish(config_key("person-1"), msgspec.json.encode(config))
    await stack.enter_async_context(running([sys.executable, "-m", "infra.cli.main", "agent"], settings))
    await asyncio.sleep(12)  # its first batches
    seconds = []
    for number, rule in enumerate(STEPS[:steps]):
        await asyncio.sleep(11 + number % 10)  # wherever in the ten seconds between two batches
        _load(proc, rule.warning.raise_at + 5 if rule.warning else 0)
        posted_s = await _told_of(arrived, rule.name)
        sampled_s = await database.fetchval(
            "SELECT extract(epoch FROM time)::float8 FROM alert_transitions WHERE rule_id = $1 AND kind = 'fire'",
            rule.id,
        )
        seconds.append(posted_s - sampled_s)
    return seconds


def _load(proc: Path, load: float) -> None:
    """Write it as the kernel does; whole, as the agent may read it any moment."""
    (proc / "loadavg").write_text(f"{load} {load} {load} 1/100 4242\n")


@asynccontextmanager
async def _slack(arrived: Arrived) -> AsyncIterator[str]:
    """A server that answers `ok` and notes when each request began to arrive."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                at_s = time.time()
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                arrived.put_nowait((at_s, await reader.readexactly(int(length.split(b":")[1]))))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def p99(seconds: Sequence[float]) -> float:
    return float(np.percentile(seconds, 99)) if seconds else 0.0
