"""What is revoked is gone on every server, and stays so, whichever of them, database or authority was set back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.authority.authority import (
    RESOLVER,
    Authority,
    ensure_authority,
    hand_accounts,
    revocations_in,
    server_access,
)
from infra.authority.keys import Key, make_key
from infra.authority.resolver import held_account
from infra.bus import connection as bus
from infra.bus.patience import Access
from infra.storage import database
from tests.authority import admitted, guarded_bus, guarded_settings, join, prove, user
from tests.gateway.rows import execute
from tests.gateway.running import gateway
from tests.guarded import Guarded, running
from tests.waiting import eventually


async def pushed(database_url: str) -> bool:
    """Whether every revocation of the table is known to have reached all servers."""
    async with database.connection(database_url, "test") as connection:
        return bool(await connection.fetchval("SELECT count(*) > 0 AND bool_and(pushed IS NOT NULL) FROM revocations"))


async def held(url: str, authority: Authority) -> str:
    """The account's JWT as the server has it."""
    async with bus.connection(url, "test", user(authority, "system")) as system:
        return await held_account(system, authority.account())


async def test_a_revoked_agent_is_cut_off_at_once_and_for_good_and_others_notice_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        guarded_bus(tmp_path) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)) as client,
    ):
        (_, mine), (_, others) = await join(client, tmp_path, "web-1"), await join(client, tmp_path, "web-2")
        agent = await bus.connect(server.url, "web-1", access=mine)
        async with bus.connection(server.url, "web-2", others) as other:
            began_s = time.monotonic()
            assert (await client.post("/hosts/web-1/revoke")).status_code == 200
            await eventually(lambda: not agent.is_connected, every_s=0.005)
            print(f"cut off {1000 * (time.monotonic() - began_s):.0f} ms after the request")
            assert not await admitted(server.url, mine)
            await eventually(lambda: pushed(database_url))
            assert (other.is_connected, other.stats["reconnects"]) == (True, 0)
        await agent.close()
    async with guarded_bus(tmp_path) as (server, _):
        assert not await admitted(server.url, mine), "after a restart of the server"
        assert await admitted(server.url, others)


async def test_what_was_revoked_while_the_bus_was_away_waits_for_it(database_url: str, tmp_path: Path) -> None:
    async with (
        guarded_bus(tmp_path) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)) as client,
    ):
        _, mine = await join(client, tmp_path, "web-1")
        await server.stop()
        assert (await client.post("/hosts/web-1/revoke")).status_code == 200
        assert not await pushed(database_url)
        await server.start(server.port)
        await eventually(lambda: pushed(database_url))
        assert not await admitted(server.url, mine)


async def test_a_server_that_comes_back_with_an_old_account_gets_the_new_one(database_url: str, tmp_path: Path) -> None:
    async with (
        guarded_bus(tmp_path) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)) as client,
    ):
        path = tmp_path / "nats" / RESOLVER / f"{authority.account()}.jwt"
        old = path.read_text()
        _, mine = await join(client, tmp_path, "web-1")
        await client.post("/hosts/web-1/revoke")
        await eventually(lambda: pushed(database_url))
        await server.stop()
        path.write_text(old)
        await server.start(server.port)

        async def refused() -> bool:
            return not await admitted(server.url, mine)

        await eventually(refused)


async def test_restoring_an_older_database_brings_nobody_back(database_url: str, tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        further = guarded_settings(authority)
        async with gateway(database_url, server.url, **further) as client:
            key, mine = await join(client, tmp_path, "web-1")
            await client.post("/hosts/web-1/revoke")
            await eventually(lambda: pushed(database_url))
        await execute(database_url, "DELETE FROM revocations")
        await execute(database_url, "UPDATE identities SET revoked = NULL, reason = ''")
        async with gateway(database_url, server.url, **further) as client:
            await eventually(lambda: pushed(database_url))
            assert (await prove(client, "/identity/renew", key)).status_code == 403
            assert not await admitted(server.url, mine)
            assert (await client.get("/hosts/web-1/identity")).json()["revoked"] is not None


async def test_restoring_an_older_authority_brings_nobody_back(database_url: str, tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        older = authority.saved_account()
        async with gateway(database_url, server.url, **guarded_settings(authority)) as client:
            key, mine = await join(client, tmp_path, "web-1")
            await client.post("/hosts/web-1/revoke")
            await eventually(lambda: pushed(database_url))
            authority.save_account(older)
            _, other = await join(client, tmp_path, "web-2")
            await client.post("/hosts/web-2/revoke")
            await eventually(lambda: pushed(database_url))
        assert key.public in revocations_in(authority.saved_account())
        assert not await admitted(server.url, mine)
        assert not await admitted(server.url, other)


async def test_a_round_without_news_leaves_the_account_as_it_is(database_url: str, tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        further = guarded_settings(authority)
        async with gateway(database_url, server.url, **further) as client:
            await join(client, tmp_path, "web-1")
            await client.post("/hosts/web-1/revoke")
            await eventually(lambda: pushed(database_url))
        before = await held(server.url, authority)
        await execute(database_url, "UPDATE revocations SET pushed = NULL")
        async with gateway(database_url, server.url, **further):
            await eventually(lambda: pushed(database_url))
        assert await held(server.url, authority) == before


async def test_what_can_only_be_expired_is_dropped_and_what_never_expires_is_kept(
    database_url: str, tmp_path: Path
) -> None:
    service = make_key("user").public
    async with guarded_bus(tmp_path) as (server, authority):
        further = guarded_settings(authority)
        async with gateway(database_url, server.url, **further) as client:
            key, _ = await join(client, tmp_path, "web-1")
        long_ago = "now() - interval '40 days'"
        await execute(
            database_url,
            f"UPDATE identities SET issued = {long_ago}, expires = now() - interval '10 days', revoked = {long_ago}",  # noqa: S608
        )
        for public in (key.public, service):
            await execute(database_url, f"INSERT INTO revocations VALUES ($1, {long_ago})", public)  # noqa: S608
        async with gateway(database_url, server.url, **further):
            await eventually(lambda: pushed(database_url))
        assert set(revocations_in(await held(server.url, authority))) == {service}


async def test_two_gateways_push_side_by_side(database_url: str, tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority):
        further = guarded_settings(authority)
        async with (
            gateway(database_url, server.url, **further) as one,
            gateway(database_url, server.url, **further) as two,
        ):
            keys = [(await join(one, tmp_path, f"web-{number}"))[0] for number in range(6)]
            clients = [one, two] * 3
            revokes = [client.post(f"/hosts/web-{number}/revoke") for number, client in enumerate(clients)]
            assert {answer.status_code for answer in await asyncio.gather(*revokes)} == {200}
            await eventually(lambda: pushed(database_url))
        assert set(revocations_in(await held(server.url, authority))) == {key.public for key in keys}


@asynccontextmanager
async def clustered(directory: Path, authority: Authority, name: str, ports: tuple[int, int]) -> AsyncIterator[Guarded]:
    """One of two servers that follow `authority`, at these ports for each other."""
    directory.mkdir(exist_ok=True)
    hand_accounts(authority, directory / RESOLVER)
    made = Guarded(directory)
    mine, other = ports
    made.config.write_text(
        f"server_name: {name}\n{server_access(authority, directory / RESOLVER)}"
        f'cluster {{ name: sonde, listen: "127.0.0.1:{mine}", routes: ["nats://127.0.0.1:{other}"] }}\n'
    )
    async with running(made):
        made.server.url = f"nats://127.0.0.1:{made.server.port}"
        yield made


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


async def test_a_server_of_a_cluster_that_was_down_during_the_push_follows(database_url: str, tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    first, second = free_ports()
    async with (
        clustered(tmp_path / "one", authority, "one", (first, second)) as one,
        clustered(tmp_path / "two", authority, "two", (second, first)) as two,
        gateway(database_url, one.server.url, **guarded_settings(authority)) as client,
    ):
        (_, mine), (_, other) = await join(client, tmp_path, "web-1"), await join(client, tmp_path, "web-2")
        assert await admitted(two.server.url, mine)
        await client.post("/hosts/web-2/revoke")

        async def everywhere() -> bool:
            return not await admitted(two.server.url, other)

        await eventually(everywhere)
        await two.server.stop()
        old = (tmp_path / "two" / RESOLVER / f"{authority.account()}.jwt").read_text()
        await client.post("/hosts/web-1/revoke")
        await eventually(lambda: pushed(database_url))
        assert revocations_in(old).keys() == {decoded_key(other)}
        await two.server.start(two.server.port)

        async def refused() -> bool:
            return not await admitted(two.server.url, mine)

        await eventually(refused)


def decoded_key(access: Access) -> str:
    """The public key of the user in a .creds file."""
    seed = Path(access.credentials).read_text().splitlines()[-2]
    return Key(seed).public
