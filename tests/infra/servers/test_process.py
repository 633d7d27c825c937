"""What every embedded server has in common."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from infra.bus import connection as bus
from infra.servers.embedded import nats_server
from infra.servers.process import keep_log_small, log_text
from tests.waiting import eventually


async def test_the_log_of_a_running_server_is_cut_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "nats" / "nats.log"
    async with nats_server(tmp_path / "nats") as server:
        before = log.stat().st_size
        cutting = asyncio.ensure_future(keep_log_small(log, most_bytes=before - 1, every_s=0.05))
        await eventually(lambda: log.stat().st_size < before)
        cutting.cancel()
        await asyncio.wait({cutting})
        assert 0 < log.with_suffix(".log.1").stat().st_size < before
        server.process.send_signal(signal.SIGHUP)
        await eventually(lambda: "Reloaded server configuration" in log_text(log))
        assert log_text(log).startswith("["), "no hole where the old text was"
        async with bus.connection(server.url, "test") as client:
            await client.flush()
