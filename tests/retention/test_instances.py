"""Several processes at once: one works, the others wait."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psutil

from infra.storage.database import connection
from infra.storage.engine import detect, tables_of
from schemas.catalogue import CATALOGUE
from services.retention import sql
from tests.retention.house import times_of
from tests.waiting import eventually

NOBODY = "nats://127.0.0.1:1"


@asynccontextmanager
async def started(number: int, url: str, *options: str) -> AsyncIterator[list[Process]]:
    """So many `sonde retention` on a bus that is away; killed on leaving."""
    environment = os.environ | {"SONDE_DATABASE_URL": url, "SONDE_NATS_URL": NOBODY, "SONDE_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "infra.cli.main", "retention", *options]
    processes = [
        await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE) for _ in range(number)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def old_days(url: str) -> None:
    """Rows of ten old days in one family."""
    async with connection(url, "test") as database:
        engine = await detect(database)
        now = datetime.now(UTC)
        for day in range(10, 20):
            time = now - timedelta(days=day)
            await engine.make_room(database, tables_of(CATALOGUE[:1], "raw"), [time])
            await database.execute(f"INSERT INTO {CATALOGUE[0].name} (time, host_id) VALUES ($1, 1)", time)  # noqa: S608


async def test_runs_that_start_together_follow_one_another(database_url: str) -> None:
    await old_days(database_url)
    async with started(4, database_url, "--once") as processes:
        outputs = [await process.communicate() for process in processes]
    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, outputs, strict=True)] == [
        (0, b"")
    ] * 4
    async with connection(database_url, "test") as database:
        assert await times_of(database, CATALOGUE[0].name) == []
        dropped = await database.fetch("SELECT jsonb_array_length(dropped) AS parts FROM retention_runs ORDER BY id")
        assert [row["parts"] > 0 for row in dropped] == [True, False, False, False]


async def test_one_service_works_and_another_takes_over_when_it_dies(database_url: str) -> None:
    async with connection(database_url, "test") as database, started(3, database_url) as processes:

        async def ports(query: str) -> list[int]:
            return [row["port"] for row in await database.fetch(query)]

        async def all_there() -> bool:
            return len(await ports(THERE)) == 3 and len(await ports(WORKING)) == 1

        async def runs() -> int:
            number: int = await database.fetchval("SELECT count(*) FROM retention_runs")
            return number

        async def taken_over() -> bool:
            return await runs() == 2

        await eventually(all_there)
        await eventually(runs)
        [first] = await ports(WORKING)
        [worker] = [process for process in processes if first in _ports_of(process)]
        worker.send_signal(signal.SIGKILL)
        await eventually(taken_over)
        [second] = await ports(WORKING)
        assert second in await ports(THERE)
        assert second != first


THERE = """
SELECT client_port AS port FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'sonde retention'
"""
WORKING = f"SELECT client_port AS port FROM pg_stat_activity WHERE pid IN (SELECT pid FROM ({sql.AT_WORK}) AS w)"  # noqa: S608


def _ports_of(process: Process) -> list[int]:
    return [connection.laddr.port for connection in psutil.Process(process.pid).net_connections("tcp")]
