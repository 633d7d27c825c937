"""On a real bus: whoever is refused is counted by name, floods are suspended for a while, clones are told."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nats.errors
import pytest
from nats.aio.msg import Msg

from infra.authority.authority import Authority
from infra.authority.keys import Key
from infra.bus import connection as bus
from infra.bus.patience import Access
from infra.clock import now_ms
from infra.servers.embedded import Server
from schemas.codec import Sample, build_batch, encode_batch
from schemas.commands import CommandRequest
from services.gateway.conduct import acting as conduct
from services.gateway.conduct import floods
from tests.authority import admitted, guarded_bus, guarded_settings, join, prove, written
from tests.gateway.rows import execute
from tests.gateway.running import gateway, ready
from tests.waiting import eventually


class World:
    """A guarded bus, a gateway that reads its log, and one agent."""

    def __init__(self, server: Server, authority: Authority, client: httpx.AsyncClient, directory: Path) -> None:
        self.server, self.authority, self.client, self.directory = server, authority, client, directory
        self.key: Key
        self.access: Access

    async def refused(self, name: str = "web-1") -> dict[str, int]:
        """What `name` was refused, and how often."""
        listed = (await self.client.get("/refused")).json()["refused"]
        return {one["what"]: one["times"] for one in listed if one["name"] == name}

    async def identity(self) -> Any:
        return (await self.client.get("/hosts/web-1/identity")).json()


@asynccontextmanager
async def world(database_url: str, directory: Path) -> AsyncIterator[World]:
    async with guarded_bus(directory) as (server, authority):
        log = directory / "nats" / "nats.log"
        async with gateway(database_url, server.url, nats_log=log, **guarded_settings(authority)) as client:
            made = World(server, authority, client, directory)
            await ready(client)
            made.key, made.access = await join(client, directory, "web-1")
            yield made


def batch(epoch: str, seq: int, host: str = "web-1") -> bytes:
    return encode_batch(build_batch(host, epoch, "metrics", seq, [Sample(now_ms() + seq, {"cpu": {"": {"total": 1}}})]))


async def test_violations_are_counted_for_the_host_that_tried(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as made:
        async with bus.connection(made.server.url, "web-1", made.access) as agent:
            await agent.publish("metrics.web-2", b"")
            await agent.publish("$JS.API.STREAM.LIST", b"")
            await agent.subscribe("metrics.*")
            await agent.flush()

            async def counted() -> bool:
                return await made.refused() == {"publish": 2, "subscribe": 1}

            await eventually(counted)
        assert (await made.identity())["refused"] == 3


async def test_connections_with_a_revoked_jwt_are_counted_for_their_host(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as made:
        await made.client.post("/hosts/web-1/revoke")

        async def refused() -> bool:
            return not await admitted(made.server.url, made.access)

        await eventually(refused)

        async def counted() -> bool:
            return (await made.refused()).get("connect", 0) >= 1

        await eventually(counted)


async def test_strangers_are_counted_by_address(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as made:
        token = made.authority.sign_user("agent", made.key.public, "web-1", 1000, 4_000_000_000)
        forged = written(tmp_path / "forged.creds", token[:-8] + "AAAAAAAA", made.key)
        assert not await admitted(made.server.url, forged)

        async def counted() -> bool:
            return (await made.refused("127.0.0.1")).get("connect", 0) >= 1

        await eventually(counted)


async def test_a_flood_is_suspended_and_may_come_back_later(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floods, "WINDOW_S", 0.5)
    async with world(database_url, tmp_path) as made:
        agent = await bus.connect(made.server.url, "web-1", access=made.access)

        async def flood() -> bool:
            with contextlib.suppress(nats.errors.Error):  # cut off in the middle of it
                for _ in range(800):
                    await agent.publish("metrics.web-1", b"x" * 100)
                await agent.flush()
            return not agent.is_connected

        await eventually(flood)
        await agent.close()
        await eventually(lambda: flooded(made))
        await heard_all(made)
        assert (await made.identity())["suspended"] is not None
        renewal = await prove(made.client, "/identity/renew", made.key)
        assert (renewal.status_code, renewal.json()["type"]) == (429, "/problems/identity-suspended")
        assert 1 <= int(renewal.headers["Retry-After"]) <= conduct.SUSPENDED_S
        assert not await admitted(made.server.url, made.access)
        await execute(database_url, "UPDATE identities SET suspended = now()")
        again = await prove(made.client, "/identity/renew", made.key)
        access = written(tmp_path / "again.creds", again.json()["jwt"], made.key)
        assert await admitted(made.server.url, access)
        assert not await admitted(made.server.url, made.access), "the JWT of before"


async def heard_all(made: World) -> None:
    """Wait until the gateway has heard every batch published before: what is on its way is part of the flood, too."""
    _, access = await join(made.client, made.directory, "web-2")
    async with bus.connection(made.server.url, "web-2", access) as agent:
        seqs = itertools.count(1)

        async def heard() -> bool:
            await agent.publish("metrics.web-2", batch("e1", next(seqs), "web-2"))
            await agent.flush()
            return (await made.client.get("/hosts/web-2")).json().get("last_sample") is not None

        await eventually(heard, every_s=0.1)


async def flooded(made: World) -> bool:
    return "flood" in await made.refused()


async def test_two_agents_with_one_identity_are_named_on_both_ends(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as made:
        orders: list[CommandRequest] = []

        async def on_order(message: Msg) -> None:
            orders.append(msgspec.json.decode(message.data, type=CommandRequest))

        async with (
            bus.connection(made.server.url, "web-1", made.access) as one,
            bus.connection(made.server.url, "web-1", made.access) as other,
        ):
            for agent in (one, other):
                await agent.subscribe("command.web-1.cloned", cb=on_order)
                await agent.flush()
            seq = 0

            async def both_told() -> bool:
                nonlocal seq
                seq += 1
                for agent, epoch in ((one, "e1"), (other, "e2")):
                    await agent.publish("metrics.web-1", batch(epoch, seq))
                    await agent.flush()
                return len(orders) >= 2

            await eventually(both_told, every_s=0.1)
        assert [order.arguments for order in orders] == [{"epochs": ["e1", "e2"]}] * 2
        assert (await made.identity())["cloned"] is not None


async def test_suspension_is_no_way_to_outlive_a_revocation(database_url: str, tmp_path: Path) -> None:
    async with world(database_url, tmp_path) as made:
        await execute(database_url, "UPDATE identities SET suspended = now() + interval '1 hour'")
        await made.client.post("/hosts/web-1/revoke")
        await execute(database_url, "UPDATE identities SET suspended = now() - interval '1 hour'")
        answer = await prove(made.client, "/identity/renew", made.key)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/identity-revoked")
