"""A guarded bus, a gateway that enrols, and the agent's commands as processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from nats.aio.client import Client

from infra.authority.authority import Authority
from infra.bus import connection as bus
from infra.servers.embedded import Server
from infra.settings import AgentSettings
from schemas.codec import decode_batch, times_ms
from schemas.messages import Batch
from services.gateway.http.server import bind
from tests.authority import guarded_bus, guarded_settings, made_token, user
from tests.gateway.running import gateway

ROOT = Path(__file__).parents[3]
DAY_S = 86_400


class World(Struct):
    """What a machine joins."""

    server: Server
    authority: Authority
    client: httpx.AsyncClient
    """Of the gateway, with /api/v1 as its base."""

    @property
    def address(self) -> str:
        """The gateway's."""
        return str(self.client.base_url).partition("/api/")[0]

    async def token_file(self, directory: Path, **wanted: Any) -> Path:
        """A file with a new token."""
        path = directory / f"token-{os.urandom(4).hex()}"
        path.write_text(await made_token(self.client, **wanted) + "\n")
        return path

    async def settings(self, data: Path, name: str = "web-1", **changes: Any) -> AgentSettings:
        """Of an agent that enrols by itself: ten samples and two batches a second."""
        data.mkdir(exist_ok=True)
        values: dict[str, Any] = {"sample_interval_s": 0.1, "batch_interval_s": 0.5, "directories": "", "host": name}
        values |= {"gateway": self.address, "token_file": str(await self.token_file(data.parent)), **changes}
        return AgentSettings(data=str(data), **values)

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[Client]:
        """A connection that may read what agents sent."""
        async with bus.connection(self.server.url, "test", user(self.authority, "ingest")) as client:
            yield client


@asynccontextmanager
async def world(
    directory: Path, database_url: str, life_s: float = DAY_S, port: int = 0, **further: Any
) -> AsyncIterator[World]:
    """A bus and a gateway whose JWTs are good for `life_s`; the same ones again when they are entered again."""
    async with guarded_bus(directory) as (server, authority):
        told = {**guarded_settings(authority), "identity_days": life_s / DAY_S, **further}
        with bind("127.0.0.1", port) as listener:
            async with gateway(database_url, server.url, sockets=[listener], **told) as client:
                yield World(server, authority, client)


async def sent(client: Client) -> list[Batch]:
    """Every batch in both streams."""
    jetstream = client.jetstream()
    found = []
    for stream in ("METRICS", "BACKFILL"):
        state = (await jetstream.stream_info(stream)).state
        for seq in range(max(1, state.first_seq), state.last_seq + 1):
            message = await jetstream.get_msg(stream, seq, direct=True)
            assert message.data is not None
            found.append(decode_batch(message.data))
    return found


async def times(client: Client, host: str = "web-1") -> list[int]:
    """Every sample time of a host, in order."""
    return sorted(time for batch in await sent(client) if batch.host == host for time in times_ms(batch.times))


class Ended(Struct):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


async def sonde(data: Path, *words: str, script: str = "", stdin: str = "", **environment: str) -> Ended:
    """Run `python -m agent` with these words, or a `script` that does."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(["-c", script] if script else ["-m", "agent"]),
        *words,
        env={**clean, "PYTHONPATH": str(ROOT), "SONDE_DATA": str(data), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
