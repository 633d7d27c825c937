"""The service as a whole: start, stop, and what it does while others are away."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from pathlib import Path

import httpx
import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.clock import now_ms
from infra.servers.embedded import nats_server, postgres_server
from infra.servers.process import free_port
from infra.settings import ServerSettings, SettingError
from infra.storage import database
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE, Family, Metric
from services.gateway import service
from tests.batches import sample
from tests.gateway.rows import execute, put
from tests.gateway.running import ANY, TRUST, gateway, publish, publishing, ready, watching
from tests.waiting import eventually


async def test_a_taken_port_is_told_in_one_line_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError) as refused:
            await service.run(ServerSettings(port=port), asyncio.Event())
    assert str(refused.value).startswith(f"SONDE_PORT: port {port} ")
    assert "\n" not in str(refused.value)


async def test_an_address_that_others_can_reach_is_refused() -> None:
    with pytest.raises(SettingError, match="SONDE_HTTP_HOST"):
        await service.run(ServerSettings(http_host="0.0.0.0"), asyncio.Event())  # noqa: S104 -- refused


async def test_a_bound_socket_can_be_handed_in(database_url: str, bus_url: str) -> None:
    stop = asyncio.Event()
    told: list[int] = []
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        settings = ServerSettings(nats_url=bus_url, database_url=database_url)
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(settings, stop, sockets=[bound], on_bound=told.append))

            async def opened() -> bool:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    return False
                writer.close()
                return True

            await eventually(opened)
            stop.set()
    assert told == [port]


async def test_the_stop_ends_open_streams_in_order(database_url: str, bus_url: str) -> None:
    async with contextlib.AsyncExitStack() as watchers:
        async with gateway(database_url, bus_url) as client:
            own = await watchers.enter_async_context(
                httpx.AsyncClient(base_url=client.base_url, headers=client.headers, verify=TRUST)
            )
            streams = [await watchers.enter_async_context(watching(own)) for _ in range(3)]
            for stream in streams:
                await stream.until("snapshot")
        for stream in streams:
            assert await stream.in_good_order()


async def test_signals_stay_with_the_process(database_url: str, bus_url: str) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with gateway(database_url, bus_url):
        during = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    assert during == before


async def test_while_the_database_is_away_the_past_is_503_and_the_present_goes_on(data_dir: Path, bus_url: str) -> None:
    async with postgres_server(data_dir) as server:
        async with database.connection(server.url, "test") as connection:
            await migrate(connection, await detect(connection))
        await put(server.url, "cpu", [(now_ms(), "", {"total": 1})])
        async with gateway(server.url, bus_url) as client, publishing(bus_url) as agent, watching(client) as stream:
            await ready(client)
            await server.kill()
            await publish(agent, sample(now_ms(), total=42), host="web-2")
            frame = await stream.until("frame", lambda data: data["samples"][-1]["host"] == "web-2")
            away = [
                await client.get("/hosts/web-1/series?metrics=cpu.total"),
                await client.get("/hosts/web-1/stats?metrics=cpu.total"),
                await client.get("/rules"),
                await client.get("/alerts"),
                await client.put("/settings/raw_days", json={"value": 3}, headers=ANY),
            ]
            hosts = await client.get("/hosts")
            unready = await client.get("/health/ready")
            await server.restart()

            async def back() -> bool:
                return (await client.get("/rules")).status_code == 200

            await eventually(back, 30)
    assert frame.data["samples"][-1]["families"] == {"cpu": {"": {"total": 0.42}}}
    assert [answer.status_code for answer in away] == [503] * 5
    assert {answer.headers["retry-after"] for answer in away} == {"2"}
    assert {answer.json()["type"] for answer in away} == {"/problems/database-away"}
    assert [host["id"] for host in hosts.json()["hosts"]] == ["web-1", "web-2"]
    assert unready.status_code == 503
    assert [check["ok"] for check in unready.json()["checks"]] == [False, True, False]


async def test_it_starts_without_any_server_and_finds_them_when_they_come(data_dir: Path) -> None:
    nats_port = free_port()
    nats_url = f"nats://127.0.0.1:{nats_port}"
    async with postgres_server(data_dir / "postgres") as postgres:
        pass  # from now on it has a password and a port
    async with gateway(postgres.url, nats_url, token="", anonymous_viewer=True) as client:
        before = await client.get("/health/ready")
        async with nats_server(data_dir / "nats", nats_port), postgres_server(data_dir / "postgres") as postgres:
            async with database.connection(postgres.url, "test") as connection:
                await migrate(connection, await detect(connection))
            async with bus.connection(nats_url, "test") as connected:
                await ensure_streams(connected)

            async def is_ready() -> bool:
                return (await client.get("/health/ready")).status_code == 200

            await eventually(is_ready, 30)
    assert before.status_code == 503
    assert before.json()["status"] == "unavailable"


async def test_a_database_that_is_not_migrated_to_the_end_is_waited_for(database_url: str, bus_url: str) -> None:
    await execute(database_url, "ALTER TABLE hosts RENAME COLUMN state TO not_yet")
    async with gateway(database_url, bus_url) as client:
        missing = await client.get("/alerts")
        await put(database_url, "cpu", [(now_ms(), "", {"total": 1})])
        await execute(database_url, "ALTER TABLE hosts RENAME COLUMN not_yet TO state")

        async def found() -> bool:
            return [host["id"] for host in (await client.get("/hosts")).json()["hosts"]] == ["web-1"]

        await eventually(found)
    assert (missing.status_code, missing.json()["type"]) == (503, "/problems/database-away")
    assert "sonde migrate" in missing.json()["detail"]


async def test_the_bus_may_die_and_come_back(data_dir: Path, database_url: str) -> None:
    async with nats_server(data_dir) as server:
        async with bus.connection(server.url, "test") as connected:
            await ensure_streams(connected)
        async with gateway(database_url, server.url) as client, watching(client) as stream:
            await ready(client)
            await server.kill()

            async def alone() -> bool:
                checks = (await client.get("/health/ready")).json()["checks"]
                return [check["ok"] for check in checks] == [True, False, False]

            await eventually(alone, 20)
            changed = await client.put("/settings/raw_days", json={"value": 3}, headers=ANY)
            told = await stream.until("settings")
            await server.restart()
            await ready(client)
            async with publishing(server.url) as agent:
                await publish(agent, sample(now_ms(), total=42))
                await stream.until("frame")
    assert changed.status_code == 200
    assert told.data == {"key": "raw_days", "version": 1}


async def test_an_imaginary_metric_is_in_the_api_by_its_catalogue_entry_alone(
    postgres_url: str, bus_url: str, blank_database_url: str
) -> None:
    moon = Family("moon", "The moon.", 1, (Metric(1, "phase", "rad", 0.001, "int4", "Its phase."),))
    catalogue = (*CATALOGUE, moon)
    async with database.connection(blank_database_url, "test") as connection:
        await migrate(connection, await detect(connection, catalogue), catalogue)
    at = now_ms() // 1000 * 1000 - 5000
    await put(blank_database_url, "moon", [(at, "", {"phase": 3141})], catalogue=catalogue)
    async with gateway(blank_database_url, bus_url, catalogue) as client:
        families = (await client.get("/metrics")).json()["families"]
        series = (await client.get(f"/hosts/web-1/series?metrics=moon.phase&from={at}&to={at + 1000}")).json()

        async def shown() -> bool:
            hosts = (await client.get("/hosts")).json()["hosts"]
            return [host["latest"].get("moon") for host in hosts] == [{"": {"phase": 3.141}}]

        await eventually(shown)
    assert families[-1] == {
        "name": "moon",
        "label": "Moon",
        "meaning": "The moon.",
        "period_s": 1,
        "instance": "",
        "sampled": "always",
        "metrics": [
            {
                "code": 1,
                "name": "phase",
                "label": "phase",
                "path": "moon.phase",
                "unit": "rad",
                "resolution": 0.001,
                "meaning": "Its phase.",
            }
        ],
    }
    assert series["series"][0]["avg"] == [3.141]


async def test_stored_rows_ahead_of_our_clock_do_not_keep_the_gateway_from_starting(
    database_url: str, bus_url: str
) -> None:
    await put(database_url, "cpu", [(now_ms() + 3_600_000, "", {"total": 1})])
    await put(database_url, "cpu", [(now_ms(), "", {"total": 1234})], host="web-2")
    async with gateway(database_url, bus_url) as client:

        async def restored() -> bool:
            hosts = {host["id"]: host for host in (await client.get("/hosts")).json()["hosts"]}
            return bool(hosts.get("web-2", {}).get("latest")) and not hosts["web-1"]["latest"]

        await eventually(restored)


async def test_refused_rows_are_told_with_their_host(database_url: str, bus_url: str) -> None:
    await put(database_url, "cpu", [(now_ms(), "", {"total": 1})])
    async with database.connection(database_url, "test") as connection:
        await connection.execute(
            "INSERT INTO refusals SELECT id, 'cpu', 'too old', 7, to_timestamp(1795219200) FROM hosts"
        )
    async with gateway(database_url, bus_url) as client:

        async def told() -> bool:
            answer = await client.get("/hosts/web-1")
            return answer.status_code == 200 and answer.json()["refusals"] == [
                {"family": "cpu", "reason": "too old", "rows": 7, "last": 1_795_219_200_000}
            ]

        await eventually(told)
        assert "refusals" not in (await client.get("/hosts")).json()["hosts"][0]
