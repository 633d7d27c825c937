"""Agents that stay members of the fleet: renewed under load, expired, suspended, revoked, moved, cloned and split."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client

from agent.identity.files import accept, key_of
from agent.identity.state import directory_of, load
from agent.selfreport.local import NoAnswer, ask_locally
from infra.settings import AgentSettings
from schemas.codec import times_ms
from tests.agent.identity.world import World, sent, sonde, times, world
from tests.faults.agents import agent, assert_complete, said, spooled
from tests.gateway.rows import execute
from tests.waiting import eventually

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Routine events count, too."""
    caplog.set_level(logging.INFO, "agent")


async def at_least(client: Client, count: int, host: str = "web-1") -> bool:
    return len(await times(client, host)) >= count


async def grows_by(client: Client, more: int, host: str = "web-1", within_s: float = 30) -> None:
    """Wait for so many more samples of a host."""
    before = len(await times(client, host))
    await eventually(lambda: at_least(client, before + more, host), within_s, every_s=0.2)


def issued(data: Path) -> int:
    identity = load(str(data))
    return 0 if identity is None else identity.issued


async def test_renewal_under_load_loses_and_doubles_nothing(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    async with world(tmp_path, database_url, life_s=4) as joined, joined.streams() as client:
        async with agent(await joined.settings(tmp_path / "data", batch_interval_s=0.5)):
            await eventually(lambda: said(caplog, "identity renewed") >= 5, 60)
            await grows_by(client, 20)
        assert_complete(await times(client), taken)
        batches = [(batch.lane, batch.epoch, batch.seq) for batch in await sent(client)]
        assert len(batches) == len(set(batches))
    assert said(caplog, "identity not renewed, will retry") == 0


async def test_an_expired_identity_comes_back_by_itself(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, database_url, life_s=2) as joined, joined.streams() as client:
        settings = await joined.settings(tmp_path / "data")
        async with agent(settings):
            await eventually(lambda: at_least(client, 5))
        at_s = issued(tmp_path / "data")
        loop = asyncio.get_running_loop()
        later_s = loop.time() + 3
        await eventually(lambda: loop.time() > later_s)  # the JWT is over now
        async with agent(settings):
            await grows_by(client, 20)
        assert issued(tmp_path / "data") > at_s
        found = await times(client)
        assert len(found) == len(set(found))


async def test_an_identity_that_expired_while_the_gateway_was_away_comes_back_with_it(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    async with world(tmp_path, database_url, life_s=3) as joined:
        settings = await joined.settings(tmp_path / "data")
        async with agent(settings), joined.streams() as client:
            await eventually(lambda: at_least(client, 5))
    port = int(joined.address.rpartition(":")[2])
    async with agent(settings):
        await eventually(lambda: said(caplog, "identity not renewed, will retry") >= 1)
        held = spooled(tmp_path / "data")
        await eventually(lambda: spooled(tmp_path / "data") > held + 3000)
        async with world(tmp_path, database_url, life_s=60, port=port) as again, again.streams() as client:
            await grows_by(client, 30, within_s=60)
            await eventually(lambda: idle(tmp_path / "data"), 30)
        found = await times_after(tmp_path, database_url)
    assert_complete(found, taken)


async def told_by(data: Path | str) -> dict[str, Any]:
    """What the agent there tells; nothing while it starts."""
    try:
        return await ask_locally(str(data))
    except NoAnswer:
        return {}


async def idle(data: Path) -> bool:
    told = await told_by(data)
    return "spool" in told and told["spool"]["batches"] <= 1


async def times_after(tmp_path: Path, database_url: str) -> list[int]:
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        return await times(client)


async def test_a_suspended_agent_comes_back_by_itself(database_url: str, tmp_path: Path, taken: list[int]) -> None:
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        async with agent(await joined.settings(tmp_path / "data")):
            await eventually(lambda: at_least(client, 10))
            identity = load(str(tmp_path / "data"))
            assert identity is not None
            # What the gateway does when an agent floods the bus, for a few seconds.
            await execute(
                database_url,
                "UPDATE identities SET suspended = now() + interval '3 s'",
            )
            await execute(
                database_url,
                f"INSERT INTO revocations (public_key, reason) VALUES ('{identity.public_key}', 'flood')",  # noqa: S608
            )
            await eventually(lambda: disconnected(tmp_path / "data"), 60)
            await grows_by(client, 40, within_s=60)
        assert_complete(await times(client), taken)


async def disconnected(data: Path) -> bool:
    return (await told_by(data)).get("bus", {}).get("connected") is False


async def test_a_revoked_agent_keeps_its_samples_says_so_once_and_enrols_again(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    data = tmp_path / "data"
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        settings = await joined.settings(data)
        async with agent(settings):
            await eventually(lambda: at_least(client, 10))
            assert (await joined.client.post("/hosts/web-1/revoke")).status_code == 200
            await eventually(lambda: said(caplog, "identity not renewed, will retry") == 1)
            told = await ask_locally(str(data))
            assert "was revoked" in told["identity"]["renewal"]
            held = spooled(data)
            await eventually(lambda: spooled(data) > held + 3000)
        assert said(caplog, "identity not renewed, will retry") == 1
        token = await joined.token_file(tmp_path, host="web-1")
        words = ("enrol", "--again", "--gateway", joined.address, "--token-file", str(token))
        done = await sonde(data, *words)
        assert done.status == 0, done.err
        async with agent(settings):
            await grows_by(client, 20)
            await eventually(lambda: idle(data))
        assert_complete(await times(client), taken)


async def test_a_new_address_of_the_bus_is_taken_over_at_renewal(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    async with world(tmp_path, database_url, life_s=4) as joined, joined.streams() as client:
        settings = await joined.settings(data)
        async with agent(settings):
            await eventually(lambda: at_least(client, 5))
        identity = load(str(data))
        assert identity is not None
        accept(
            str(data),
            msgspec.structs.replace(identity, bus=["nats://127.0.0.1:1"]),
            key_of(str(data), identity),
        )
        async with agent(settings):
            await grows_by(client, 10)
        assert said(caplog, "bus has other addresses or certificates, connecting anew") == 1


async def test_the_host_comes_from_the_identity(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        settings = await joined.settings(tmp_path / "data")
        async with agent(settings):
            await eventually(lambda: at_least(client, 5))
        async with agent(msgspec.structs.replace(settings, host="renamed")):
            await grows_by(client, 10)
        assert {batch.host for batch in await sent(client)} == {"web-1"}
    assert said(caplog, "SONDE_HOST is not the host of the identity, ignored") == 1


async def test_an_agent_waits_for_the_gateway_and_a_good_token(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        settings = await joined.settings(tmp_path / "data")
        token = Path(settings.token_file)
        good = token.read_text()
        token.write_text("sonde_wrong\n")
        async with agent(settings):
            await eventually(lambda: said(caplog, "not enrolled, will retry") == 1)
            told = await ask_locally(settings.data)
            assert "the token is not known" in told["identity"]["error"]
            token.write_text(good)
            await eventually(lambda: at_least(client, 5))


@asynccontextmanager
async def cloned(joined: World, tmp_path: Path, client: Client) -> AsyncIterator[tuple[AgentSettings, AgentSettings]]:
    """Two agents at work on one identity: the second one's data directory is a copy of the first one's."""
    first = await joined.settings(tmp_path / "data")
    async with agent(first):
        await eventually(lambda: at_least(client, 5))
    shutil.copytree(tmp_path / "data", tmp_path / "copy", ignore=lambda *_: ["status.sock"])
    yield first, msgspec.structs.replace(first, data=str(tmp_path / "copy"))


async def has_warning(data: str) -> bool:
    return "another agent used this identity" in (await told_by(data)).get("identity", {}).get("clone", "")


async def test_a_clone_is_named_on_both_ends_and_split(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        world(tmp_path, database_url) as joined,
        joined.streams() as client,
        cloned(joined, tmp_path, client) as (first, second),
    ):
        async with agent(first):
            async with agent(second):
                await eventually(lambda: has_warning(first.data), 60)
                await eventually(lambda: has_warning(second.data), 60)
                answer = await joined.client.get("/hosts/web-1/identity")
                assert answer.json()["cloned"] is not None, answer.text
            assert said(caplog, "another agent uses this identity, enrol one of the two again") == 2
            token = await joined.token_file(tmp_path)
            words = ("enrol", "--again", "--gateway", joined.address, "--token-file", str(token), "--name", "web-1")
            done = await sonde(Path(second.data), *words)
            assert done.status == 0, done.err
            before = {(batch.host, batch.epoch) for batch in await sent(client)}
            async with agent(second):
                await grows_by(client, 10, "web-1-2")
                await grows_by(client, 10, "web-1")
        batches = await sent(client)
        fresh = {batch.epoch for batch in batches if batch.host == "web-1-2"}
        assert len(fresh) == 1
        assert not fresh & {epoch for _, epoch in before}
        keys = [(batch.host, batch.lane, batch.epoch, batch.seq) for batch in batches]
        assert len(keys) == len(set(keys))
        earliest = min(time for batch in batches if batch.host == "web-1-2" for time in times_ms(batch.times))
        assert earliest >= 1000 * issued(directory_of(second.data).parents[1])


async def test_a_copied_spool_is_sent_once_however_many_copies_there_are(database_url: str, tmp_path: Path) -> None:
    async with world(tmp_path, database_url) as joined, joined.streams() as client:
        settings = await joined.settings(tmp_path / "data")
        async with agent(settings):
            await eventually(lambda: at_least(client, 5))
        waiting = len(await times(client))
        away = msgspec.structs.replace(settings, nats_url="nats://127.0.0.1:1")
        async with agent(away):
            await eventually(lambda: spooled(tmp_path / "data") > 5000)
        shutil.copytree(tmp_path / "data", tmp_path / "copy", ignore=lambda *_: ["status.sock"])
        for data in (settings.data, str(tmp_path / "copy")):
            async with agent(msgspec.structs.replace(settings, data=data)):
                await grows_by(client, 10)
                await eventually(lambda data=data: idle(Path(data)))  # type: ignore[misc]
        found = await times(client)
        assert len(found) == len(set(found)), "sent by both"
        assert len(found) > waiting + 20
