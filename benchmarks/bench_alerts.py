"""Rule evaluations per second, beside the comparison alone in numpy, and seconds from a sample's arrival to the POST.

An evaluation is one sample held against one rule, from the message's bytes: decoding is part of it. One host in a
hundred fires. The way to Slack is measured on real servers while the whole fleet publishes its batches.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
from nats.aio.client import Client

from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import nats_server, postgres_server
from infra.settings import ServerSettings
from infra.storage.database import Connection
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, build_batch, decode_batch, encode_batch
from schemas.messages import Batch
from schemas.rules import Rule, Threshold
from services.alerts.judge.evaluate import Key, evaluate
from services.alerts.judge.machine import State
from services.alerts.judge.ruleset import RuleSet
from services.alerts.service import run

FIGURES = (
    "alerts.evaluations_per_s",
    "alerts.batches_per_s",
    "alerts.post_p99_s",
)
"""Names of what it prints."""
TARGET_EVALUATIONS_PER_S = 1e6
TARGET_POST_S = 1.0
SAMPLES = 10
RULES = 20
FIRING_SHARE = 0.01
LOW, HIGH, TRIP = 1000, 3000, 7500


def main(argv: Sequence[str]) -> int:
    arguments = parser((__doc__ or "").splitlines()[0])
    arguments.add_argument("--hosts", type=int, default=10_000)
    arguments.add_argument("--posts", type=int, default=100, help="alerts whose way to Slack is timed; 0: none")
    options = arguments.parse_args(argv)
    figures = measure_evaluations(options.hosts)
    if options.posts:
        with process.runner() as loop:
            figures.append(loop.run(measure_posts(options.hosts, options.posts)))
    show(figures, options.json, FIGURES)
    return 0


def make_rules() -> list[Rule]:
    """Twenty rules on twenty metrics of families without instances, one evaluation per sample each."""
    names = [f"{family.name}.{metric.name}" for family in CATALOGUE if not family.instance for metric in family.metrics]
    resolution = {
        f"{family.name}.{metric.name}": metric.resolution for family in CATALOGUE for metric in family.metrics
    }
    return [
        Rule(
            f"rule-{number}",
            f"Rule {number}",
            name,
            warning=Threshold(TRIP * resolution[name], (TRIP - 1000) * resolution[name]),
            critical=Threshold(2 * TRIP * resolution[name], TRIP * resolution[name]),
            for_s=300,
            recover_for_s=60,
        )
        for number, name in enumerate(names[:RULES])
    ]


def make_batch(host: str, seq: int, start_ms: int, firing: bool, dice: random.Random) -> Batch:
    """Ten seconds of one host; every metric moves, and those of a firing host stand above the threshold."""
    base = TRIP if firing else LOW
    samples = [
        Sample(
            start_ms + 1000 * tick,
            {
                family.name: {"": {metric.name: base + dice.randrange(HIGH - LOW) for metric in family.metrics}}
                for family in CATALOGUE
                if not family.instance
            },
        )
        for tick in range(SAMPLES)
    ]
    return build_batch(host, "bench", "metrics", seq, samples)


def measure_evaluations(hosts: int) -> list[Figure]:
    """Two rounds of the whole fleet, the second timed, so that states and pending clocks are there."""
    dice = random.Random(7)
    rules = RuleSet(make_rules())
    start_ms = int(time.time()) * 1000 - 2 * SAMPLES * 1000
    firing = [dice.random() < FIRING_SHARE for _ in range(hosts)]
    rounds = [
        [
            encode_batch(make_batch(f"host-{host}", number + 1, start_ms + number * SAMPLES * 1000, firing[host], dice))
            for host in range(hosts)
        ]
        for number in range(2)
    ]
    states: dict[str, dict[Key, State]] = {}
    elapsed_s = 0.0
    for messages in rounds:
        started = time.perf_counter()
        for data in messages:
            batch = decode_batch(data)
            outcome = evaluate(rules, batch, states.get(batch.host, {}), start_ms)
            for key, state in outcome.changed.items():
                if state is not None:
                    states.setdefault(batch.host, {})[key] = state
        elapsed_s = time.perf_counter() - started
    assert sum(len(mine) for mine in states.values()) == sum(firing) * RULES
    evaluations = hosts * RULES * SAMPLES
    limit = evaluations / _numpy_s(hosts)
    return [
        figure("alerts.evaluations_per_s", evaluations / elapsed_s, "1/s", TARGET_EVALUATIONS_PER_S, limit),
        figure("alerts.batches_per_s", hosts / elapsed_s, "1/s"),
    ]


def _numpy_s(hosts: int) -> float:
    """Seconds to compare as many counts with their thresholds and to find the hosts that reach one."""
    counts = np.random.default_rng(7).integers(LOW, HIGH, (RULES, hosts, SAMPLES))
    thresholds = np.full((RULES, 1, 1), TRIP)
    started = time.perf_counter()
    for _ in range(5):
        (counts >= thresholds).any(axis=2)
    return (time.perf_counter() - started) / 5


async def measure_posts(hosts: int, posts: int) -> Figure:
    """p99 of the time between a message's acknowledgement by the bus and the POST that it causes."""
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        database = await stack.enter_async_context(database_connection(postgres.url, "bench"))
        await migrate(database, await detect(database))
        client = await stack.enter_async_context(bus_connection(bus.url, "bench"))
        await ensure_streams(client)
        arrived: asyncio.Queue[float] = asyncio.Queue()
        url = await stack.enter_async_context(_slack(arrived))
        await _configure(database, url)
        stop = asyncio.Event()
        settings = ServerSettings(nats_url=bus.url, database_url=postgres.url, outbound_private=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(run(settings, stop, slack_pace_s=0))
            fleet = group.create_task(_publish_for_ever(client, hosts))
            seconds = [await _one_alert(client, number, arrived) for number in range(posts + 1)]
            fleet.cancel()
            stop.set()
    # The first one waited for the service to start.
    return figure("alerts.post_p99_s", float(np.percentile(seconds[1:], 99)), "s", TARGET_POST_S)


async def _configure(database: Connection, url: str) -> None:
    quick = Rule("quick", "Quick", "gpu.fan", warning=Threshold(50, 50))
    await database.execute("DELETE FROM rules")
    for rule in (quick, *make_rules()):
        await database.execute(
            "INSERT INTO rules (id, body) VALUES ($1, $2)", rule.id, msgspec.json.encode(rule).decode()
        )
    await database.execute(
        "INSERT INTO settings (key, value) VALUES ('slack_webhook_url', $1)", msgspec.json.encode(url).decode()
    )


async def _one_alert(client: Client, number: int, arrived: asyncio.Queue[float]) -> float:
    sample = Sample(round(time.time() * 1000), {"gpu": {"0": {"fan": 9900}}})
    data = encode_batch(build_batch(f"hot-{number}", "bench", "metrics", 1, [sample]))
    await client.jetstream().publish(f"metrics.hot-{number}", data)
    started = time.perf_counter()
    return await arrived.get() - started


async def _publish_for_ever(client: Client, hosts: int) -> None:
    """Every host's batch once in ten seconds, evenly spread.

    Building a thousand batches in a second would take this process, so they are variations of a hundred.
    """
    dice = random.Random(7)
    made = [make_batch("", 0, 0, False, dice) for _ in range(100)]
    started = time.perf_counter()
    sent = 0
    while True:
        seq, host = divmod(sent, hosts)
        batch = made[sent % len(made)]
        batch.host, batch.seq = f"host-{host}", seq + 1
        batch.times[0] = round(time.time() * 1000) - SAMPLES * 1000
        await client.publish(f"metrics.{batch.host}", encode_batch(batch))
        sent += 1
        await asyncio.sleep(max(0.0, sent * SAMPLES / hosts - (time.perf_counter() - started)))


@asynccontextmanager
async def _slack(arrived: asyncio.Queue[float]) -> AsyncIterator[str]:
    """A server that answers `ok` and notes when each request began to arrive."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                arrived.put_nowait(time.perf_counter())
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.split(b":")[1]))
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
