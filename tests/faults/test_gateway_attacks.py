"""Attackers at the port of a real gateway process: its other clients are served, the attackers' connections are cut.

How long others wait before and meanwhile is printed, not asserted: machines differ.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from infra.servers.process import free_port
from services.gateway.http.connections import HANDSHAKE_WITHIN_S, MOST_PER_ADDRESS
from services.gateway.http.protocol import HEAD_WITHIN_S
from services.gateway.http.requests import BODY_WITHIN_S
from services.gateway.http.server import SWEEP_EVERY_S
from tests.certificates import given
from tests.gateway.http.serving import raw
from tests.gateway.running import TRUST
from tests.waiting import eventually

pytestmark = pytest.mark.fault

LATE_S = 45.0
"""By which a busy machine may be late."""


class Victim(NamedTuple):
    process: psutil.Process
    port: int
    url: str
    trust: ssl.SSLContext

    async def ask(self, source: str = "127.0.0.1") -> float:
        """Seconds that a request took, over a connection of its own."""
        transport = httpx.AsyncHTTPTransport(verify=self.trust, local_address=source)
        began_s = time.perf_counter()
        async with httpx.AsyncClient(transport=transport, timeout=60) as client:
            assert (await client.get(f"{self.url}/health/live")).status_code == 200
        return time.perf_counter() - began_s


@asynccontextmanager
async def gateway_process(directory: Path, database_url: str, bus_url: str, tls: bool) -> AsyncIterator[Victim]:
    port = free_port()
    files = given(directory / "tls")
    told = {
        "SONDE_DATABASE_URL": database_url,
        "SONDE_NATS_URL": bus_url,
        "SONDE_PORT": str(port),
        "SONDE_DATA": str(directory / "data"),
        "SONDE_LOG_FORMAT": "json",
    }
    if tls:
        told |= {"SONDE_TLS": "files", "SONDE_TLS_CERTIFICATE": files.certificate, "SONDE_TLS_KEY": files.key}
    with (directory / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli.main", "gateway"], env={**os.environ, **told}, stdout=log, stderr=log
        )
        trust = ssl.create_default_context(cafile=files.ca) if tls else TRUST
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        victim = Victim(psutil.Process(process.pid), port, url, trust)
        try:

            async def answers() -> bool:
                assert process.poll() is None, (directory / "gateway.log").read_text()[-2000:]
                try:
                    return await victim.ask() > 0
                except httpx.TransportError:
                    return False

            await eventually(answers, 60)
            yield victim
            assert process.poll() is None, "the gateway ended"
        finally:
            process.terminate()
            process.wait(30)


def shown(name: str, took_s: list[float]) -> str:
    ms = sorted(each * 1000 for each in took_s)
    return f"{name}: {len(ms)} requests, median {statistics.median(ms):.1f} ms, slowest {ms[-1]:.1f} ms"


async def attackers(kind: str, port: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.attacker", kind, str(port), stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    found: dict[str, float] = json.loads(said)
    return found


BOUND_S = {
    "slow heads": HEAD_WITHIN_S,
    "slow second heads": HEAD_WITHIN_S,
    "silence": HEAD_WITHIN_S,
    "slow bodies": BODY_WITHIN_S,
    "slow bodies that nobody reads": HEAD_WITHIN_S,
    "bodies without end": BODY_WITHIN_S,
    "heads without end": HEAD_WITHIN_S,
    "slow handshakes": HANDSHAKE_WITHIN_S,
}


@pytest.mark.parametrize(
    "kinds",
    [
        ("slow heads", "slow second heads", "silence"),
        ("slow bodies", "slow bodies that nobody reads"),
        ("bodies without end", "heads without end"),
        ("slow handshakes",),
    ],
    ids=" and ".join,
)
async def test_others_are_served_while_hundreds_of_connections_are_held_and_all_those_are_cut_in_time(
    kinds: tuple[str, ...], tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with gateway_process(tmp_path, database_url, bus_url, tls="slow handshakes" in kinds) as victim:
        before = [await victim.ask() for _ in range(20)]
        descriptors = victim.process.num_fds()
        attacks = asyncio.gather(*(attackers(kind, victim.port) for kind in kinds))
        meanwhile: list[float] = []
        while not attacks.done():
            meanwhile.append(await victim.ask())
            await asyncio.wait([attacks], timeout=0.2)
        for kind, found in zip(kinds, await attacks, strict=True):
            print(f"\n{kind}: {found}")
            assert found["cut"] == found["opened"]
            assert found["longest_s"] <= BOUND_S[kind] + 2 * SWEEP_EVERY_S + LATE_S
        print(f"{shown('before', before)}\n{shown('meanwhile', meanwhile)}")
        await eventually(lambda: victim.process.num_fds() <= descriptors + 10)


async def test_a_flood_of_one_address_takes_no_more_than_its_share_and_ends_with_it(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with gateway_process(tmp_path, database_url, bus_url, tls=False) as victim:
        descriptors = victim.process.num_fds()
        before = [await victim.ask() for _ in range(20)]
        meanwhile: list[float] = []
        for _ in range(10):  # 3,000 connections
            flood = await asyncio.gather(
                *(asyncio.open_connection("127.0.0.1", victim.port, local_addr=("127.0.0.9", 0)) for _ in range(300)),
                return_exceptions=True,
            )
            # Those that are too many are accepted before they are closed.
            await eventually(lambda: victim.process.num_fds() <= descriptors + MOST_PER_ADDRESS + 10)
            meanwhile.append(await victim.ask())
            for each in flood:
                if not isinstance(each, BaseException):
                    each[1].transport.abort()
        print(f"\n{shown('before', before)}\n{shown('meanwhile', meanwhile)}")
        await eventually(lambda: victim.process.num_fds() <= descriptors + 10)
        assert await victim.ask("127.0.0.9") > 0
        async with raw(victim.port, "127.0.0.9") as again:
            await again.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in await again.some()
        assert "connections refused, too many" in (tmp_path / "gateway.log").read_text()
