"""The health routes, where probes look for them."""

from __future__ import annotations

import httpx
import pytest

from tests.gateway.running import TRUST, gateway, ready


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_health_answers_at_the_root_as_under_the_api(prefix: str, database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        root = httpx.URL(client.base_url).copy_with(path="/")
        async with httpx.AsyncClient(
            base_url=root, headers={**client.headers, "Accept": "text/html"}, verify=TRUST
        ) as probe:
            live = await probe.get(f"{prefix}/health/live")
            answer = await probe.get(f"{prefix}/health/ready")
            heads = [(await probe.head(f"{prefix}/health/{name}")).status_code for name in ("live", "ready")]
    assert live.json() == {"status": "ok"}
    assert {check["name"] for check in answer.json()["checks"]} == {"database", "bus", "ingest"}
    assert {answer.headers["cache-control"], live.headers["cache-control"]} == {"no-store"}
    assert heads == [200, answer.status_code]


async def test_a_readiness_that_fails_is_503_at_the_root_too(database_url: str) -> None:
    async with gateway(database_url, "nats://127.0.0.1:1") as client:
        root = httpx.URL(client.base_url).copy_with(path="/")
        async with httpx.AsyncClient(base_url=root, headers=client.headers, verify=TRUST) as probe:
            assert (await probe.get("/health/ready")).status_code == 503
            assert (await probe.head("/health/ready")).status_code == 503
