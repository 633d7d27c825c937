"""Agents' settings and orders, from REST to an agent at work and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from infra.storage.database import connection
from schemas.agentconfig import AgentConfig
from schemas.commands import CommandReply, CommandRequest
from services.gateway.agents import sql
from services.gateway.agents.configs import held
from tests.agent.build import all_times, stored
from tests.agent.test_service import running, settings
from tests.gateway.running import ANY, gateway, ready
from tests.waiting import eventually, lock_awaited


async def add_hosts(database_url: str, *names: str) -> None:
    database = await asyncpg.connect(database_url)
    try:
        await database.executemany("INSERT INTO hosts (name) VALUES ($1)", [(name,) for name in names])
    finally:
        await database.close()


async def held_config(client: Client, host: str) -> AgentConfig:
    data = await held(client, host)
    return AgentConfig() if data is None else msgspec.json.decode(data, type=AgentConfig)


async def is_removed(bus_url: str, host: str) -> bool:
    async with bus.connection(bus_url, "test") as client:
        return await held(client, host) is None


async def is_published(bus_url: str, host: str, sample_interval_s: float | None) -> bool:
    async with bus.connection(bus_url, "test") as client:
        data = await held(client, host)
    return data is not None and msgspec.json.decode(data, type=AgentConfig).sample_interval_s == sample_interval_s


async def test_without_settings_everything_is_as_the_agent_has_it(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client:
        fleet, host = await client.get("/agents/config"), await client.get("/hosts/web-1/config")
    assert fleet.json() == {"config": {}, "version": 0, "effective": {}, "in_force": None, "error": ""}
    assert host.json() == {"config": {}, "version": 0, "effective": {}, "in_force": 0, "error": ""}


async def test_a_host_follows_the_fleet_except_where_it_differs(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1", "web-2")
    async with gateway(database_url, bus_url) as client:
        fleet = {"sample_interval_s": 2, "families": {"disk": {"enabled": False, "exclude": ["sr*"]}}}
        own = {"sample_interval_s": 5, "families": {"disk": {"enabled": True}}}
        first = (await client.put("/agents/config", json=fleet, headers=ANY)).json()
        second = (await client.put("/hosts/web-1/config", json=own, headers=ANY)).json()
        await eventually(lambda: is_published(bus_url, "web-1", 5))
        await eventually(lambda: is_published(bus_url, "web-2", 2))
    assert first["config"] == fleet
    assert second["config"] == own
    assert second["effective"]["families"] == {"disk": {"enabled": True, "exclude": ["sr*"]}}
    assert second["effective"]["revision"] > first["effective"]["revision"]


async def test_settings_that_were_removed_have_a_later_revision(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client:
        put = (await client.put("/hosts/web-1/config", json={"sample_interval_s": 5}, headers=ANY)).json()
        gone = (await client.delete("/hosts/web-1/config")).json()
        await eventually(lambda: is_published(bus_url, "web-1", None))
    assert gone["config"] == {}
    assert gone["effective"]["revision"] > put["effective"]["revision"]


async def test_settings_changed_meanwhile_are_not_overwritten(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        first = await client.put("/agents/config", json={}, headers={"If-Match": "0"})
        stale = await client.put("/agents/config", json={}, headers={"If-Match": "0"})
        second = await client.put("/agents/config", json={}, headers={"If-Match": first.headers["etag"]})
    assert (first.status_code, stale.status_code, second.status_code) == (200, 412, 200)
    assert (stale.headers["etag"], second.headers["etag"]) == ('"1"', '"2"')


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sample_interval_s": 0}, "sample_interval_s"),
        ({"sampling": 1}, "sampling"),
        ({"revision": 7}, "revision"),
        ({"families": {"weather": {}}}, "families.weather"),
        ({"families": {"cpu": {"include": ["*"]}}}, "families.cpu.include"),
        ({"families": {"disk": {"enable": True}}}, "enable"),
        ({"directories": ["relative"]}, "directories"),
    ],
)
async def test_wrong_settings_are_refused_by_field(
    database_url: str, bus_url: str, body: dict[str, Any], field: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        answer = await client.put("/agents/config", json=body, headers=ANY)
    assert answer.status_code == 400
    assert field in answer.json()["errors"][0]["field"]


async def test_an_unknown_host_has_no_settings_and_takes_no_orders(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        answers = [
            await client.get("/hosts/nobody/config"),
            await client.put("/hosts/nobody/config", json={}, headers=ANY),
            await client.post("/hosts/nobody/commands/ping"),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_a_host_that_comes_later_gets_the_fleets_settings(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await client.put("/agents/config", json={"sample_interval_s": 3}, headers=ANY)
        await add_hosts(database_url, "late-1")
        await eventually(lambda: is_published(bus_url, "late-1", 3))


async def test_settings_given_while_the_bus_was_away_are_published_when_it_is_back(
    database_url: str, bus_url: str
) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, "nats://127.0.0.1:1") as client:
        assert (await client.put("/agents/config", json={"sample_interval_s": 4}, headers=ANY)).status_code == 200
    async with gateway(database_url, bus_url):
        await eventually(lambda: is_published(bus_url, "web-1", 4))


async def test_settings_given_while_the_bus_is_away_are_published_by_the_same_gateway(
    database_url: str, data_dir: Path
) -> None:
    await add_hosts(database_url, "web-1")
    async with nats_server(data_dir) as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        async with gateway(database_url, server.url) as client:
            await ready(client)
            await server.kill()
            assert (await client.put("/agents/config", json={"sample_interval_s": 4}, headers=ANY)).status_code == 200
            await server.restart()
            await eventually(lambda: is_published(server.url, "web-1", 4), within_s=30)


async def test_a_change_for_the_fleet_reaches_the_entries_of_a_thousand_hosts(database_url: str, bus_url: str) -> None:
    names = [f"web-{number}" for number in range(1000)]
    await add_hosts(database_url, *names)

    async def revisions() -> set[int]:
        async with bus.connection(bus_url, "test") as reader:
            return {(await held_config(reader, name)).revision for name in names}

    async with gateway(database_url, bus_url) as client:
        put = await client.put("/agents/config", json={"sample_interval_s": 4}, headers=ANY)
        wanted = put.json()["effective"]["revision"]

        async def all_have_it() -> bool:
            return await revisions() == {wanted}

        await eventually(all_have_it, within_s=30)


async def test_what_the_table_does_not_say_is_removed_from_the_bucket(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with connection(database_url, "test") as database:
        await database.execute("DELETE FROM rules")
    async with bus.connection(bus_url, "test") as client:
        for host in ("web-1", "nobody"):
            await client.jetstream().publish(f"$KV.CONFIG.{host}", b'{"revision": 9}')
    async with gateway(database_url, bus_url):
        for host in ("web-1", "nobody"):
            await eventually(lambda host=host: is_removed(bus_url, host))  # type: ignore[misc]


async def test_changes_at_the_same_time_have_their_revisions_in_the_order_of_their_commits(
    database_url: str, bus_url: str
) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client, connection(database_url, "other") as other:
        await client.get("/agents/config")  # so that its connection is there
        async with other.transaction():
            put = await other.fetchrow(sql.PUT, None, "{}", None)
            putting = asyncio.ensure_future(
                client.put("/hosts/web-1/config", json={"sample_interval_s": 5}, headers=ANY)
            )
            await eventually(lambda: lock_awaited(database_url))
        answer = await putting
    assert put is not None
    assert answer.json()["effective"]["revision"] > put["revision"]


async def test_settings_that_the_bucket_would_not_take_are_refused(database_url: str, bus_url: str) -> None:
    patterns = [f"{number:0200}" for number in range(100)]
    body = {"families": {name: {"exclude": patterns} for name in ("disk", "network")}}
    async with gateway(database_url, bus_url) as client:
        answer = await client.put("/agents/config", json=body, headers=ANY)
    assert answer.status_code == 400
    assert "at most 30000 bytes" in answer.json()["detail"]


async def test_the_largest_settings_of_fleet_and_host_reach_the_bucket(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    patterns = [f"{number:0200}" for number in range(70)]
    async with gateway(database_url, bus_url) as client:
        fleet = {"families": {"disk": {"exclude": patterns, "include": patterns}}}
        own = {"families": {"network": {"exclude": patterns, "include": patterns}}, "sample_interval_s": 7}
        answers = [
            await client.put("/agents/config", json=fleet, headers=ANY),
            await client.put("/hosts/web-1/config", json=own, headers=ANY),
        ]
        await eventually(lambda: is_published(bus_url, "web-1", 7))
    assert [answer.status_code for answer in answers] == [200, 200]


@asynccontextmanager
async def agent_and_gateway(
    database_url: str, bus_url: str, tmp_path: Path, **changes: object
) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway that knows web-1, whose agent runs."""
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client, running(settings(tmp_path, bus_url, **changes)):
        await ready(client)

        async def known() -> bool:
            hosts = (await client.get("/hosts")).json()["hosts"]
            return bool(hosts) and hosts[0]["last_sample"] is not None

        await eventually(known)
        yield client


async def test_new_settings_are_in_force_without_a_restart_and_without_losing_a_sample(
    database_url: str, bus_url: str, tmp_path: Path
) -> None:
    async with agent_and_gateway(database_url, bus_url, tmp_path) as client:
        body = {"families": {"network": {"enabled": False}}, "sample_interval_s": 0.2}
        wanted = (await client.put("/hosts/web-1/config", json=body, headers=ANY)).json()["effective"]["revision"]

        async def in_force() -> bool:
            return bool((await client.get("/hosts/web-1/config")).json()["in_force"] == wanted)

        await eventually(in_force)
        async with bus.connection(bus_url, "test") as observer:
            before = len(await stored(observer, "METRICS"))

            async def in_new_steps() -> bool:
                new = (await stored(observer, "METRICS"))[before:]
                return any(set(batch.times[1:]) == {200} for _, batch in new)

            await eventually(in_new_steps)
            messages = await stored(observer, "METRICS")
    times = all_times(messages)
    assert len(times) == len(set(times))
    assert [(batch.epoch, batch.seq) for _, batch in messages] == [
        (messages[0][1].epoch, seq) for seq in range(1, len(messages) + 1)
    ]
    assert "network" not in {block.family for block in messages[-1][1].families}


async def test_an_agent_is_told_to_do_things(database_url: str, bus_url: str, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    async with agent_and_gateway(database_url, bus_url, tmp_path, directories=str(watched)) as client:
        ping = (await client.post("/hosts/web-1/commands/ping")).json()
        flush = (await client.post("/hosts/web-1/commands/flush")).json()

        async def empty() -> bool:
            # Sampling goes on, so the next batch may be in the spool by the time of an answer.
            answer = (await client.post("/hosts/web-1/commands/flush")).json()
            return bool(answer["result"] == {"left": 0})

        await eventually(empty)
        status = (await client.post("/hosts/web-1/commands/status")).json()
        rescan = (await client.post("/hosts/web-1/commands/rescan", json={})).json()
        wrong = await client.post("/hosts/web-1/commands/rescan", json={"arguments": {"path": "/nope"}})
    assert ping["ok"]
    assert ping["result"]["version"]
    assert flush == {"id": flush["id"], "ok": True, "result": flush["result"], "error": ""}
    assert status["result"]["families"]["cpu"] == {"state": "on", "period_s": 0.1}
    assert str(watched) in status["result"]["directories"]
    assert rescan["result"] == {"directories": [str(watched)]}
    assert (wrong.status_code, wrong.json()["type"]) == (409, "/problems/refused-command")
    assert "/nope" in wrong.json()["detail"]


async def test_what_is_sent_with_an_order_must_be_json(database_url: str, bus_url: str) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client:
        await ready(client)

        async def known() -> bool:
            return bool((await client.get("/hosts")).json()["hosts"])

        await eventually(known)
        answers = [
            await client.post("/hosts/web-1/commands/rescan", content=b'{"arguments": {}}'),
            await client.post("/hosts/web-1/commands/rescan", json={"path": "/x"}),
        ]
    assert [answer.status_code for answer in answers] == [415, 400]


async def test_an_order_to_an_agent_that_is_away_is_a_503(database_url: str, bus_url: str, tmp_path: Path) -> None:
    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client:
        await ready(client)

        async def refused() -> bool:
            return (await client.post("/hosts/web-1/commands/ping")).status_code == 503

        await eventually(refused)
        unknown = await client.post("/hosts/web-1/commands/dance")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-verb")


@asynccontextmanager
async def listening(bus_url: str, host: str, act: Callable[[CommandRequest], Awaitable[bytes]]) -> AsyncIterator[None]:
    """Somebody who takes orders in an agent's place."""
    async with bus.connection(bus_url, "slow agent") as client:

        async def on_request(message: Any) -> None:
            await message.respond(await act(msgspec.json.decode(message.data, type=CommandRequest)))

        await client.subscribe(f"command.{host}.*", cb=on_request)
        await client.flush()
        yield


async def test_an_agent_that_does_not_answer_in_time_is_a_504(database_url: str, bus_url: str) -> None:
    async def never(request: CommandRequest) -> bytes:
        await asyncio.Event().wait()
        return b""

    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client, listening(bus_url, "web-1", never):
        await ready(client)

        async def silent() -> bool:
            answer = await client.post("/hosts/web-1/commands/ping", json={"timeout_s": 0.2})
            return answer.status_code == 504

        await eventually(silent)


async def test_a_clients_idempotency_key_is_the_orders_id(database_url: str, bus_url: str) -> None:
    async def echo(request: CommandRequest) -> bytes:
        return msgspec.json.encode(CommandReply(request.id, True))

    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client, listening(bus_url, "web-1", echo):
        await ready(client)

        async def echoed() -> bool:
            answer = await client.post("/hosts/web-1/commands/ping", headers={"Idempotency-Key": "once-1"})
            return answer.status_code == 200 and answer.json()["id"] == "once-1"

        await eventually(echoed)


@pytest.mark.parametrize("reply", [b"", b"\xff", b'{"id": "\xff"}', b"[]"])
async def test_an_answer_that_cannot_be_read_is_a_503(database_url: str, bus_url: str, reply: bytes) -> None:
    async def garbled(request: CommandRequest) -> bytes:
        return reply

    await add_hosts(database_url, "web-1")
    async with gateway(database_url, bus_url) as client, listening(bus_url, "web-1", garbled):
        await ready(client)

        async def told() -> bool:
            answer = await client.post("/hosts/web-1/commands/ping")
            return answer.status_code == 503 and "the answer of web-1 cannot be read" in answer.json()["detail"]

        await eventually(told)
