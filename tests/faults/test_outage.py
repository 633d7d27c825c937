"""An agent that was cut off, and killed meanwhile, has nothing missing afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from infra.settings import ServerSettings
from infra.storage import database
from services.ingest import service
from tests.faults.fleet import SAMPLES, cpu_total, synthetic_agent
from tests.waiting import eventually

BATCHES = 60
"""Of 10 samples each: ten minutes."""


async def spool_and_be_killed(url: str, spool: Path, start_ms: int, first: int, last: int) -> None:
    """A process that spools the batches of a bus that is not there, and dies by SIGKILL."""
    arguments = ["0", url, str(spool), str(start_ms), str(first), str(last)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.fleet", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"spooled\n"
    process.kill()
    await process.wait()


@pytest.mark.fault
async def test_ten_minutes_without_a_bus_and_two_kills_leave_no_gap(tmp_path: Path, database_url: str) -> None:
    start_ms = (int(time.time()) - 610) * 1000
    spool = tmp_path / "spool"
    stop = asyncio.Event()
    async with nats_server(tmp_path / "nats") as nats:
        async with bus.connection(nats.url, "test") as client:
            await ensure_streams(client)
        await nats.kill()
        await spool_and_be_killed(nats.url, spool, start_ms, 0, BATCHES // 2)
        await spool_and_be_killed(nats.url, spool, start_ms, BATCHES // 2, BATCHES)
        await nats.restart()
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(ServerSettings(nats_url=nats.url, database_url=database_url), stop))
            ticks = await synthetic_agent(
                0, nats.url, spool, start_ms, 0, lambda made: made > BATCHES, first=BATCHES, backfill_after_s=120
            )
            async with bus.connection(nats.url, "test") as client:
                past = (await client.jetstream().stream_info("BACKFILL")).state.messages
            async with database.connection(database_url, "test") as connection:
                await eventually(lambda: count_is(connection, ticks), 30)
                rows = await connection.fetch(
                    'SELECT (extract(epoch FROM time) * 1000)::bigint AS ms, total, "user" FROM cpu ORDER BY 1'
                )
            stop.set()
    assert past > 0
    assert ticks == (BATCHES + 1) * SAMPLES
    assert [tuple(row) for row in rows] == [(start_ms + 1000 * tick, cpu_total(0, tick), tick) for tick in range(ticks)]


async def count_is(connection: database.Connection, count: int) -> bool:
    return bool(await connection.fetchval("SELECT count(*) FROM cpu") == count)
