"""Builders for the agent's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from nats.aio.client import Client

from agent.sampling.plan import Plans, make_plan
from agent.sending.batching import batches, numbered
from agent.spool.spool import Limits, Spool, open_spool
from infra.settings import AgentSettings
from schemas.agentconfig import AgentConfig
from schemas.codec import Sample, decode_batch, times_ms
from schemas.messages import Batch

START_MS = 1_800_000_000_000


def default_plans(config: AgentConfig | None = None) -> Plans:
    return Plans(make_plan(AgentSettings(), config))


class Clock:
    """A monotonic and a wall clock that move when told to, and when somebody sleeps."""

    def __init__(self, wall_s: float = 1_800_000_000.0, monotonic_s: float = 1000.0) -> None:
        self.wall_s = wall_s
        self.monotonic_s = monotonic_s
        self.late_s: list[float] = []
        """How much longer than asked each coming sleep takes."""

    def wall(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def pass_time(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds

    def step_wall(self, seconds: float) -> None:
        """A correction of the clock, or, forward, a suspend: the monotonic clock stands still."""
        self.wall_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds + (self.late_s.pop(0) if self.late_s else 0.0))


def cpu_sample(time_ms: int, total: int = 1234) -> Sample:
    return Sample(time_ms, {"cpu": {"": {"total": total, "user": 200}}})


def samples(count: int, first_ms: int = START_MS, every_ms: int = 1000) -> list[Sample]:
    return [cpu_sample(first_ms + index * every_ms, total=index % 10_000) for index in range(count)]


def spool_samples(spool: Spool, taken: Sequence[Sample], host: str = "web-1", per_batch: int = 10) -> None:
    """Put `taken` into the spool in batches, as the agent does."""
    for at in range(0, len(taken), per_batch):
        chunk = taken[at : at + per_batch]
        for batch in batches(host, spool.epoch, chunk, 200_000):
            spool.append(numbered(batch), len(batch.times), chunk[-1].time_ms)


def new_spool(directory: Path, wall: Callable[[], float] = lambda: START_MS / 1000, **limits: float) -> Spool:
    return open_spool(directory, Limits(**limits), wall)  # type: ignore[arg-type]


async def stored(client: Client, stream: str) -> list[tuple[dict[str, str], Batch]]:
    """Headers and batch of every message in a stream, in its order."""
    jetstream = client.jetstream()
    state = (await jetstream.stream_info(stream)).state
    found = []
    for seq in range(max(1, state.first_seq), state.last_seq + 1):
        message = await jetstream.get_msg(stream, seq)
        assert message.data is not None
        found.append((dict(message.headers or {}), decode_batch(message.data)))
    return found


def all_times(messages: Sequence[tuple[dict[str, str], Batch]]) -> list[int]:
    return [time for _, batch in messages for time in times_ms(batch.times)]


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it is over."""
    task.cancel()
    await asyncio.wait([task])
