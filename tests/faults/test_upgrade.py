"""An installation whose bus admitted everybody becomes one of identities, wherever that is interrupted."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.cli import reach
from infra.servers.embedded import nats_server, postgres_server
from infra.settings import ServerSettings
from infra.storage import database
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.codec import Sample, build_batch, encode_batch
from schemas.subjects import host_from_name
from tests.infra.cli.commands import SONDE, environment
from tests.waiting import eventually

HOST = host_from_name(socket.gethostname())
BATCHES = 20


async def open_installation(directory: Path) -> int:
    """Servers without identities, a host that they know, and batches in the stream that nobody has stored yet.

    Returns the time of the first sample.
    """
    data = directory / "data"
    first_ms = (time.time_ns() // 10**6 // 1000 - 60) * 1000
    async with nats_server(data / "nats") as nats, postgres_server(data / "postgres") as postgres:
        async with database.connection(postgres.url, "old") as tables:
            await migrate(tables, await detect(tables))
            await tables.execute("INSERT INTO hosts (name) VALUES ($1)", HOST)
        async with bus.connection(nats.url, "old") as client:
            await ensure_streams(client)
            for number in range(BATCHES):
                sample = Sample(first_ms + 1000 * number, {"cpu": {"": {"total": number}}})
                batch = build_batch(HOST, "before", "metrics", number + 1, [sample])
                await client.jetstream().publish(f"metrics.{HOST}", encode_batch(batch))
    return first_ms


async def killed_after(directory: Path, wait_s: float) -> None:
    """`sonde up`, ended by SIGKILL with its servers."""
    process = subprocess.Popen(
        [*SONDE, "up"], env=environment(directory, SONDE_PORT="0"), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    await asyncio.sleep(wait_s)  # not a condition: any moment will do
    process.kill()
    process.wait()


@pytest.mark.fault
async def test_an_open_installation_keeps_its_streams_and_its_host_through_an_upgrade_that_is_killed(
    tmp_path: Path,
) -> None:
    first_ms = await open_installation(tmp_path)
    for wait_s in (0.4, 1.2, 2.5):
        await killed_after(tmp_path, wait_s)
    log = (tmp_path / "up.log").open("wb")
    process = subprocess.Popen(
        [*SONDE, "up"], env=environment(tmp_path, SONDE_PORT="0"), stdout=log, stderr=subprocess.STDOUT
    )
    running = tmp_path / "data" / "running.json"
    try:
        await eventually(lambda: running.exists() and json.loads(running.read_bytes())["pid"] == process.pid, 60)
        url = json.loads(running.read_bytes())["database_url"]

        async def stored() -> bool:
            async with database.connection(url, "test") as tables:
                rows = await tables.fetch(
                    "SELECT h.name, c.time, i.host FROM cpu c JOIN hosts h ON h.id = c.host_id "
                    "LEFT JOIN identities i ON i.host_id = h.id ORDER BY c.time"
                )
            old = [row for row in rows if row["time"].timestamp() * 1000 < first_ms + 1000 * BATCHES]
            assert len(old) <= BATCHES, "stored twice"
            return len(old) == BATCHES and len(rows) > BATCHES and {row["name"] for row in rows} == {HOST}

        await eventually(stored, 60)
        async with database.connection(url, "test") as tables:
            [identity] = await tables.fetch("SELECT host, revoked FROM identities")
        assert (identity["host"], identity["revoked"]) == (HOST, None)
        stranger = ServerSettings(nats_url=json.loads(running.read_bytes())["nats_url"])
        with pytest.raises(reach.Unreachable, match="refuses this user"):
            async with reach.bus(stranger, "stranger"):
                pass
    finally:
        process.send_signal(signal.SIGINT)
        await eventually(lambda: process.poll() is not None, 30)
        log.close()
