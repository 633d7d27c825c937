"""What ends a session or a token ends its live streams, and those of nobody else; a database that pauses ends none."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from infra.servers.embedded import postgres_server
from infra.storage.database import connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from tests.gateway.rows import execute
from tests.gateway.running import TRUST, Stream, gateway, ready, watching
from tests.people import add_session, add_token, add_user, bearing, in_browser
from tests.waiting import eventually

WITHIN_S = 20


@contextlib.asynccontextmanager
async def another(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the same gateway that nobody has logged in."""
    async with httpx.AsyncClient(base_url=client.base_url, timeout=60, verify=TRUST) as other:
        yield other


@contextlib.asynccontextmanager
async def both(
    database_url: str, bus_url: str, token: bool = False
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, Stream, Stream]]:
    """An administrator's client, that of the viewer bob, and the live streams of each."""
    await add_user(database_url, "bob", "viewer")
    secret = await (add_token(database_url, "viewer", "bob") if token else add_session(database_url, "bob", "viewer"))
    async with gateway(database_url, bus_url) as admin, another(admin) as bob:
        await ready(admin)
        (bearing if token else in_browser)(bob, secret)
        async with watching(admin) as keeps, watching(bob) as ends:
            await keeps.until("snapshot")
            await ends.until("snapshot")
            yield admin, bob, keeps, ends


async def number_of(admin: httpx.AsyncClient, name: str = "bob") -> int:
    users = (await admin.get("/users")).json()["users"]
    return next(int(user["id"]) for user in users if user["name"] == name)


Way = Callable[[str, httpx.AsyncClient, httpx.AsyncClient], Awaitable[object]]


async def by_logging_out(_: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> object:
    return await bob.delete("/session")


async def by_ending_it(_: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> object:
    sessions = (await admin.get("/sessions", params={"all": "true"})).json()["sessions"]
    return await admin.delete(f"/sessions/{next(one['id'] for one in sessions if one['user'] == 'bob')}")


async def by_disabling(_: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> object:
    return await admin.patch(f"/users/{await number_of(admin)}", json={"disabled": True})


async def by_deleting(_: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> object:
    return await admin.delete(f"/users/{await number_of(admin)}")


async def elsewhere(database_url: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    """As another gateway or a command does."""
    await execute(database_url, "UPDATE users SET disabled = true WHERE name = 'bob'")


async def by_expiring(database_url: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    ago = datetime.now(UTC) - timedelta(seconds=1)
    await execute(database_url, "UPDATE sessions SET expires = $1", ago)


WAYS = [by_logging_out, by_ending_it, by_disabling, by_deleting, elsewhere, by_expiring]


@pytest.mark.parametrize("way", WAYS)
async def test_a_session_that_ends_takes_its_stream_along(way: Way, database_url: str, bus_url: str) -> None:
    async with both(database_url, bus_url) as (admin, bob, keeps, ends):
        await way(database_url, admin, bob)
        assert await ends.in_good_order(WITHIN_S)
        assert (await bob.get("/hosts")).status_code == 401
        await keeps.next()  # a heartbeat at least: it goes on


async def test_a_token_that_is_revoked_takes_its_stream_along(database_url: str, bus_url: str) -> None:
    async with both(database_url, bus_url, token=True) as (admin, _, keeps, ends):
        tokens = (await admin.get("/tokens", params={"all": "true"})).json()["tokens"]
        await admin.delete(f"/tokens/{next(token['id'] for token in tokens if token['user'] == 'bob')}")
        assert await ends.in_good_order(WITHIN_S)
        await keeps.next()


async def test_a_role_that_is_lowered_ends_streams_and_counts_at_once(database_url: str, bus_url: str) -> None:
    await add_user(database_url, "keeper")
    secret = await add_session(database_url, "ada", "admin")
    async with gateway(database_url, bus_url) as admin, another(admin) as ada:
        await ready(admin)
        async with watching(in_browser(ada, secret)) as ends:
            await ends.until("snapshot")
            await admin.patch(f"/users/{await number_of(admin, 'ada')}", json={"role": "viewer"})
            assert await ends.in_good_order(WITHIN_S)
        assert (await ada.get("/users")).status_code == 403
        assert (await ada.get("/hosts")).status_code == 200


async def lowered(_: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> object:
    return await admin.patch(f"/users/{await number_of(admin)}", json={"role": "viewer"})


async def lowered_elsewhere(database_url: str, admin: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    await execute(database_url, "UPDATE users SET role = 'viewer' WHERE name = 'bob'")


@pytest.mark.parametrize("way", [by_disabling, by_deleting, lowered, elsewhere, lowered_elsewhere])
async def test_the_stream_of_somebody_whom_a_proxy_names_ends_with_the_account(
    way: Way, database_url: str, bus_url: str
) -> None:
    trusting = {"proxy_user_header": "X-Auth-User", "proxy_role": "operator", "trusted_proxies": "127.0.0.1"}
    async with gateway(database_url, bus_url, **trusting) as admin, another(admin) as bob, another(admin) as eve:
        await ready(admin)
        bob.headers["X-Auth-User"], eve.headers["X-Auth-User"] = "bob", "eve"
        async with watching(bob) as ends, watching(eve) as keeps:
            await ends.until("snapshot")
            await keeps.until("snapshot")
            await way(database_url, admin, bob)
            assert await ends.in_good_order(WITHIN_S)
            await keeps.next()  # a heartbeat at least: it goes on


async def test_reading_without_a_login_ends_with_the_setting(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as admin, another(admin) as anybody:
        await ready(admin)
        await admin.put("/settings/anonymous_viewer", json={"value": True}, headers={"If-Match": "*"})

        async def may_read() -> bool:
            return (await anybody.get("/hosts")).status_code == 200

        await eventually(may_read)
        assert (await anybody.get("/users")).status_code == 401
        assert (await anybody.post("/hosts", json={"name": "web-1"})).status_code == 401
        async with watching(anybody) as stream:
            await stream.until("snapshot")
            await admin.put("/settings/anonymous_viewer", json={"value": False}, headers={"If-Match": "*"})
            assert await stream.in_good_order(WITHIN_S)


async def test_whoever_is_known_goes_on_while_the_database_is_away(data_dir: Path, bus_url: str) -> None:
    async with postgres_server(data_dir) as server:
        async with connection(server.url, "tests") as database:
            await migrate(database, await detect(database))
        known, stranger = await add_session(server.url), await add_session(server.url)
        async with gateway(server.url, bus_url, token="") as client:
            in_browser(client, known)

            async def seen() -> bool:
                return (await client.get("/health/ready")).status_code == 200

            await eventually(seen)
            async with watching(client) as stream:
                await stream.until("snapshot")
                await server.kill()

                async def away() -> bool:
                    return (await client.get("/alerts")).status_code == 503

                await eventually(away)
                assert (await client.get("/hosts")).status_code == 200
                assert (await client.get("/session")).json()["name"] == "ada"
                async with another(client) as other:
                    assert (await in_browser(other, stranger).get("/hosts")).status_code == 503
                for _ in range(3):
                    await stream.next()


async def test_use_is_noted_at_most_once_a_minute(database_url: str, bus_url: str) -> None:
    token = await add_token(database_url, "viewer")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await execute(database_url, "UPDATE api_tokens SET last_used = $1", long_ago)

    async def last_used() -> datetime:
        async with connection(database_url, "tests") as database:
            moment: datetime = await database.fetchval("SELECT last_used FROM api_tokens WHERE role = 'viewer'")
            return moment

    async with gateway(database_url, bus_url, token=token) as client:
        await client.get("/hosts")

        async def noted() -> bool:
            return await last_used() > long_ago

        await eventually(noted)
        first = await last_used()
        await execute(database_url, "UPDATE users SET name = 'renamed' WHERE name = 'viewer'")

        async def read_again() -> bool:
            return bool((await client.get("/session")).json()["name"] == "renamed")

        await eventually(read_again)
        assert await last_used() == first
