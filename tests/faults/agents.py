"""The whole agent against real servers, for tests of what may happen to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

from agent import service
from infra.settings import AgentSettings
from tests.agent.build import all_times, stored


def settings(data: Path, url: str, **changes: object) -> AgentSettings:
    """Ten samples and two batches a second."""
    values = {"sample_interval_s": 0.1, "batch_interval_s": 0.5, "host": "web-1", "directories": "", **changes}
    return AgentSettings(data=str(data), nats_url=url, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def agent(of: AgentSettings) -> AsyncIterator[None]:
    """An agent that is stopped in order on leaving, in time."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(service.run(of, stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await task


def spooled(data: Path) -> int:
    """Bytes in the spool's files."""
    return sum(file.stat().st_size for file in (data / "agent" / "spool").glob("*.spool"))


async def times(client: Client) -> list[int]:
    """Every sample time of both streams, in order."""
    return sorted(all_times(await stored(client, "METRICS")) + all_times(await stored(client, "BACKFILL")))


async def count(client: Client, least: int) -> bool:
    return len(await times(client)) >= least


def said(caplog: pytest.LogCaptureFixture, message: str) -> int:
    """How often a message was logged."""
    return sum(record.getMessage() == message for record in caplog.records)


def assert_complete(found: list[int], taken: list[int]) -> None:
    """Every sample that agents took is there once, but for what they had in hand when they were stopped.

    How many ticks a busy machine skips is not the question.
    """
    assert len(found) == len(set(found)), "doubled"
    assert found == taken[: len(found)], "lost"
