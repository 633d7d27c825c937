"""Two servers in a row read the same bytes: no hidden request, no other name and no climbing path gets through."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.fronts.front import KINDS, Front, fronted
from tests.gateway.fronts.payloads import CLIMBING, NAMES, SMUGGLING, get
from tests.gateway.fronts.programs import NAME
from tests.gateway.http.serving import Raw, raw

WAYS = ("gateway", *KINDS)
ALIVE = b'{"status":"ok"'
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@asynccontextmanager
async def way(kind: str, directory: Path, database_url: str, bus_url: str) -> AsyncIterator[Front]:
    """A gateway behind a proxy; for "gateway" the proxy is there, and nobody asks it."""
    async with fronted(kind if kind in KINDS else "nginx", directory, database_url, bus_url) as front:
        yield front


def opened(kind: str, front: Front) -> AbstractAsyncContextManager[Raw]:
    return front.raw() if kind in KINDS else raw(front.gateway_port)


async def exchange(kind: str, front: Front, sent: bytes) -> bytes:
    """All that comes back for `sent`, until the other side ends the connection or has been silent for long."""
    async with opened(kind, front) as connection:
        await connection.send(sent.replace(b"{host}", f"{NAME}:{front.port}".encode()))
        received = b""
        try:
            while data := await connection.some(1):
                received += data
        except (TimeoutError, ConnectionError):
            pass
        return received


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in _STATUS.findall(answer)]


@pytest.mark.parametrize("kind", WAYS)
async def test_no_request_hides_in_another(kind: str, tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with way(kind, tmp_path, database_url, bus_url) as front:

        async def attack(name: str, sent: bytes) -> None:
            answer = await exchange(kind, front, sent)
            assert b"smuggled" not in answer, f"{name}: {answer!r}"
            broken = (501, 502) if kind == "caddy" else (501,)  # what Caddy says when a body cannot be read
            assert all(code < 500 or code in broken for code in statuses(answer)), f"{name}: {answer!r}"

        for name, sent in SMUGGLING.items():
            await attack(name, sent)
            after = await asyncio.gather(*(exchange(kind, front, get(b"Connection: close")) for _ in range(3)))
            for answer in after:  # others, who may come over the same connection of the proxy
                assert statuses(answer) == [200], f"{name}: {answer!r}"
                assert b"smuggled" not in answer, f"{name}: {answer!r}"


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("name", NAMES)
async def test_another_name_is_refused_or_counts_for_nothing(
    kind: str, name: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with way(kind, tmp_path, database_url, bus_url) as front:
        answer = await exchange(kind, front, NAMES[name])
    harmless = name == "absolute address of another host" or kind == "caddy"  # answered empty, or as NAME, by Caddy
    assert all(400 <= code < 500 or (harmless and code == 200) for code in statuses(answer)), answer


@pytest.mark.parametrize("kind", WAYS)
async def test_no_path_leads_out_of_the_dashboards_files(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with way(kind, tmp_path, database_url, bus_url) as front:
        for path in CLIMBING:
            answer = await exchange(kind, front, get(b"Connection: close", path=path.encode()))
            assert statuses(answer), f"{path}: no answer"
            assert statuses(answer)[0] in (400, 404, 414, 301, 308), f"{path[:60]}: {answer[:300]!r}"
            assert b"create_app" not in answer, path
