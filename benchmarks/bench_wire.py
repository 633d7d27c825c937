"""Bytes per value on the bus, from real samples of this machine, beside float64 MessagePack of the same values."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from agent.collectors.gpu.gpu import Gpus
from agent.sampling import sources
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.sampling.ticker import Ticker
from agent.sending.batching import batches, numbered
from agent.spool.backlog import Backlog
from agent.system.state import AgentState
from benchmarks.figures import Figure, figure, parser, show
from infra.settings import AgentSettings
from schemas.codec import Sample, decode_batch, decoded_series

FIGURES = ("wire.bytes_per_value",)
"""Names of what it prints."""
TARGET_BYTES_PER_VALUE = 2.0
SAMPLES_PER_BATCH = 10
EPOCH = "abcdefghijklmnopqrstuvwxyz"


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--seconds", type=int, default=60)
    options = arguments.parse_args(argv)
    show(asyncio.run(measure(options.seconds)), options.json, FIGURES)
    return 0


async def measure(seconds: int) -> list[Figure]:
    taken = await real_samples(seconds)
    chunks = [taken[at : at + SAMPLES_PER_BATCH] for at in range(0, len(taken), SAMPLES_PER_BATCH)]
    payloads = [
        numbered(batch)(number)
        for number, chunk in enumerate(chunks, 1)
        for batch in batches("web-1", EPOCH, chunk, 200_000)
    ]
    values = sum(count_values(payload) for payload in payloads)
    size = sum(len(payload) for payload in payloads)
    plain = sum(len(as_floats(chunk)) for chunk in chunks)
    return [figure("wire.bytes_per_value", size / values, "B/value", TARGET_BYTES_PER_VALUE, plain / values)]


async def real_samples(seconds: int) -> list[Sample]:
    """One sample a second of this machine, as the agent takes them."""
    status = AgentState()
    collectors = sources.fast_collectors(sources.Roots(), sources.new_choices())
    collectors["agent"] = sources.own_collector(status, Backlog)
    sampler = Sampler(collectors, Gpus(0.5), Plans(make_plan(AgentSettings())), status)
    filesystems = sources.filesystems(sources.Roots(), sources.new_choices()["filesystem"])
    ticker = Ticker(1)
    sampler.prime()
    taken: list[Sample] = []
    while len(taken) < seconds:
        if len(taken) % SAMPLES_PER_BATCH == 0:
            sampler.post("filesystem", await filesystems.collect())
        sample = await sampler.sample(await ticker.next())
        if sample is not None:
            taken.append(sample)
    return taken


def count_values(payload: bytes) -> int:
    """Values in a batch that are not null."""
    return sum(
        value is not None
        for reading in decoded_series(decode_batch(payload))
        for column in reading.columns.values()
        for value in column
    )


def as_floats(samples: Sequence[Sample]) -> bytes:
    """The same values without the names of metrics: per sample its time, and per family and instance an array."""
    rows = [
        (
            float(sample.time_ms),
            [
                (family, instance, [None if value is None else float(value) for value in values.values()])
                for family, instances in sample.families.items()
                for instance, values in instances.items()
            ],
        )
        for sample in samples
    ]
    return msgspec.msgpack.encode(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
