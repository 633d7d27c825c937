"""The decoder with the catalogue of a real gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from infra.servers.embedded import Server
from tests.bus.decoder import Decoder, decoder
from tests.conftest import fresh_database
from tests.gateway.running import gateway


@pytest.fixture(scope="package")
def document_decoder(
    nats: Server, postgres_url: str, empty_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Decoder]:
    """The program that knows docs/bus.md and what `GET /api/v1/metrics` answers, and nothing else."""
    file = tmp_path_factory.mktemp("catalogue") / "metrics.json"

    async def ask() -> bytes:
        async with fresh_database(postgres_url, empty_template) as url, gateway(url, nats.url) as client:
            return (await client.get("/metrics")).content

    file.write_bytes(asyncio.run(ask()))
    with decoder(file) as running:
        yield running
