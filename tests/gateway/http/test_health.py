"""The health routes, where probes look for them."""

from __future__ import annotations

import httpx
import pytest

from infra.storage.database import connection
from services.gateway.health import api
from tests.gateway.asking import asking
from tests.gateway.running import TRUST, gateway, ready
from tests.people import add_token
from tests.waiting import eventually


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


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sonde_wrong"}])
async def test_whoever_is_not_logged_in_hears_whether_it_is_ready_and_no_more(
    prefix: str, headers: dict[str, str], database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        root = httpx.URL(client.base_url).copy_with(path="/")
        async with httpx.AsyncClient(base_url=root, headers=headers, verify=TRUST) as probe:

            async def is_ready() -> bool:
                answer = await probe.get(f"{prefix}/health/ready")
                assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
                return True

            await eventually(is_ready)


async def test_a_token_for_other_parts_of_the_api_hears_the_status_alone(database_url: str) -> None:
    async with asking(database_url, token=await add_token(database_url, scopes=["hosts"])) as client:
        assert (await client.get("/health/ready")).json() == {"status": "unavailable"}
    async with asking(database_url, token=await add_token(database_url, scopes=["health"])) as client:
        assert len((await client.get("/health/ready")).json()["checks"]) == 3


async def test_whoever_is_not_logged_in_hears_that_it_is_not_ready(database_url: str) -> None:
    async with gateway(database_url, "nats://127.0.0.1:1") as client:
        root = httpx.URL(client.base_url).copy_with(path="/")
        async with httpx.AsyncClient(base_url=root, verify=TRUST) as probe:
            answer = await probe.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


async def test_asking_often_without_a_login_is_no_more_work_for_the_database(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "KEPT_S", 3600.0)
    async with gateway(database_url, bus_url) as client, connection(database_url, "test") as database:
        await ready(client)
        root = httpx.URL(client.base_url).copy_with(path="/")
        async with httpx.AsyncClient(base_url=root, verify=TRUST) as probe:
            assert (await probe.get("/health/ready")).status_code == 200
            async with database.transaction():
                await database.execute("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE")
                assert [(await probe.get("/health/ready")).status_code for _ in range(5)] == [200] * 5
                assert (await probe.get("/health/ready", headers=client.headers)).status_code == 503
