"""What an agent that has turned against us may try on the bus: all of it refused by a real server."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
import nats.js.errors
import pytest
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import SYSTEM_USER, Authority
from infra.authority.claims import encode, user_claims
from infra.authority.keys import Key, make_key
from infra.authority.resolver import push_account
from infra.bus import connection as bus
from infra.bus.credentials import credentials_text
from infra.bus.patience import Access, access_of
from infra.cli import reach
from infra.files import write_private
from infra.servers.embedded import Server
from infra.settings import ServerSettings
from schemas.subjects import STREAMS, config_key
from tests.authority import agent_file, as_user, guarded_bus
from tests.waiting import eventually

pytestmark = pytest.mark.fault

OTHERS = (
    "metrics.web-2",
    "backfill.web-2",
    "live.web-2",
    "events.web-2",
    "alerts.web-2.busy",
    "config.web-2",
    "config.web-1",
    "command.web-2.flush",
    "command.web-1.flush",
    "deadletter.ingest",
    "settings.changed",
    "interest.live",
    "live.interest",
    "_INBOX_web-2.abc",
    "$KV.CONFIG.web-1",
    "$KV.CONFIG.web-2",
    "$SYS.REQ.CLAIMS.UPDATE",
    "$SYS.REQ.SERVER.PING",
    "$SRV.PING",
    "health.ingest",
    "service.ingest.health",
    "metrics.web-1.more",
    "metrics",
)
JETSTREAM = (
    "INFO",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.CREATE.MINE",
    "STREAM.INFO.METRICS",
    "STREAM.UPDATE.METRICS",
    "STREAM.PURGE.METRICS",
    "STREAM.DELETE.METRICS",
    "STREAM.MSG.GET.METRICS",
    "STREAM.MSG.DELETE.METRICS",
    "STREAM.SNAPSHOT.METRICS",
    "CONSUMER.CREATE.METRICS",
    "CONSUMER.CREATE.METRICS.mine",
    "CONSUMER.MSG.NEXT.METRICS.mine",
    "CONSUMER.LIST.METRICS",
    "DIRECT.GET.METRICS",
    "DIRECT.GET.METRICS.metrics.web-2",
    "DIRECT.GET.KV_CONFIG",
    "DIRECT.GET.KV_CONFIG.$KV.CONFIG.web-2",
)
LISTENING = (
    ">",
    "*",
    "metrics.>",
    "metrics.*",
    "live.*",
    "events.>",
    "alerts.>",
    "config.*",
    "config.web-2",
    "command.>",
    "command.*.*",
    "command.web-2.>",
    "_INBOX.>",
    "_INBOX_web-2.>",
    "$KV.>",
    "$JS.>",
    "$SYS.>",
    "$SRV.>",
    "health.>",
    "service.*.health",
    "_R_.>",
    "settings.changed",
    "deadletter.*",
)


class World(Struct):
    """A bus with two agents, of which `attacker` is web-1."""

    server: Server
    authority: Authority
    directory: Path
    attacker: Client
    victim: Client

    def log(self) -> str:
        return (self.directory / "nats" / "nats.log").read_text()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@asynccontextmanager
async def world(directory: Path) -> AsyncIterator[World]:
    async with guarded_bus(directory) as (server, authority):
        for name in ("web-1", "web-2"):
            agent_file(authority, directory / f"{name}.creds", name)
        async with (
            bus.connection(server.url, "web-1", access_of(str(directory / "web-1.creds"))) as attacker,
            bus.connection(server.url, "web-2", access_of(str(directory / "web-2.creds"))) as victim,
        ):
            yield World(server, authority, directory, attacker, victim)


def violation(client: Client, subject: str) -> Callable[[], bool]:
    """Whether the last thing the server said is that this is not allowed on `subject`."""

    def said() -> bool:
        error = str(client.last_error)
        return "permissions violation" in error and f'"{subject.lower()}"' in error

    return said


async def stored(world: World) -> dict[str, int]:
    """Messages of each stream."""
    async with as_user(world.server, world.authority, "tools") as tools:
        return {stream.name: (await tools.jetstream().stream_info(stream.name)).state.messages for stream in STREAMS}


async def test_publishing_as_another_or_to_the_services_is_refused_on_every_subject(directory: Path) -> None:
    async with world(directory) as it:
        for subject in (*OTHERS, *(f"$JS.API.{api}" for api in JETSTREAM)):
            await it.attacker.publish(subject, b"{}")
            await eventually(violation(it.attacker, subject))
        assert set((await stored(it)).values()) == {0}
        refused = it.log().count("Publish Violation")
        assert refused == len(OTHERS) + len(JETSTREAM), "each is in the server's log"


async def test_listening_to_others_is_refused_on_every_subject(directory: Path) -> None:
    async with world(directory) as it:
        for subject in LISTENING:
            await it.attacker.subscribe(subject)
            await eventually(violation(it.attacker, subject))
        assert it.log().count("Subscription Violation") == len(LISTENING)


async def test_the_servers_answers_cannot_be_turned_against_others(directory: Path) -> None:
    """A stream acknowledges to whatever subject the publisher names; among the services that would purge a stream."""
    async with world(directory) as it, as_user(it.server, it.authority, "tools") as tools:
        heard: list[str] = []

        async def hear(message: Msg) -> None:
            heard.append(message.subject)

        for subject in (
            "alerts.>",
            "events.>",
            "config.>",
            "settings.changed",
            "interest.live",
            "live.>",
            "backfill.>",
        ):
            await tools.subscribe(subject, cb=hear)
        await tools.flush()
        await it.victim.jetstream().publish("metrics.web-2", b"batch")
        targets = (
            "$JS.API.STREAM.PURGE.METRICS",
            "$JS.API.STREAM.DELETE.EVENTS",
            "$JS.API.STREAM.DELETE.METRICS",
            "$KV.CONFIG.web-2",
            "metrics.web-2",
            "backfill.web-2",
            "events.web-2",
            "alerts.web-2.busy",
            "config.web-2",
            "settings.changed",
            "interest.live",
            "deadletter.ingest",
        )
        for target in targets:
            await it.attacker.publish("metrics.web-1", b"batch", reply=target)
            await it.attacker.publish(f"$JS.API.DIRECT.GET.KV_CONFIG.{config_key('web-1')}", b"", reply=target)
        await it.attacker.flush()
        expected = {"METRICS": len(targets) + 1, "BACKFILL": 0, "EVENTS": 0, "ALERTS": 0, "DEADLETTER": 0}

        async def settled() -> bool:
            return await stored(it) == expected

        await eventually(settled)
        bucket = (await tools.jetstream().stream_info("KV_CONFIG")).state.messages
        assert (bucket, heard) == (0, [])


async def test_headers_that_wipe_schedule_or_expire_are_refused(directory: Path) -> None:
    async with world(directory) as it:
        await it.victim.jetstream().publish("metrics.web-2", b"batch")
        for headers in (
            {"Nats-Rollup": "all"},
            {"Nats-Rollup": "sub"},
            {"Nats-TTL": "1s"},
            {"Nats-Incr": "1"},
            {"Nats-Schedule": "@at 2030-01-01T00:00:00Z", "Nats-Schedule-Target": "metrics.web-2"},
        ):
            with pytest.raises(nats.js.errors.APIError):
                await it.attacker.jetstream().publish("metrics.web-1", b"batch", headers=headers)
        assert (await stored(it))["METRICS"] == 1


async def test_a_message_above_an_agents_size_is_refused(directory: Path) -> None:
    async with world(directory) as it:
        with pytest.raises(nats.errors.Error):
            await it.attacker.jetstream(timeout=1).publish("metrics.web-1", b"x" * 300_000)
        assert (await stored(it))["METRICS"] == 0


async def test_more_subscriptions_than_an_agent_needs_are_refused(directory: Path) -> None:
    async with world(directory) as it:
        file = directory / "web-1.creds"
        greedy = await bus.connect(it.server.url, "greedy", access=Access(str(file), "_INBOX_web-1"))
        for number in range(40):
            await greedy.subscribe(f"_INBOX_web-1.{number}")
        await eventually(lambda: "maximum subscriptions" in it.log())
        await greedy.close()


async def enters(it: World, token: str, key: Key) -> bool:
    """Whether the server admits the owner of `key` with this JWT."""
    file = it.directory / "tried.creds"
    write_private(file, credentials_text(token, key.seed))
    settings = ServerSettings(nats_url=it.server.url, nats_credentials=str(file))
    try:
        async with reach.bus(settings, "tried"):
            return True
    except reach.Unreachable:
        return False


def changed(token: str) -> str:
    """The same JWT for another name, its signature kept."""
    header, body, signature = token.split(".")
    claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"web-9", b"web-2")
    return ".".join([header, base64.urlsafe_b64encode(claims).decode().rstrip("="), signature])


async def test_a_jwt_that_is_not_as_it_was_signed_is_refused(directory: Path) -> None:
    async with world(directory) as it:
        key, now_s = make_key("user"), int(time.time())
        good = it.authority.sign_user("agent", key.public, "web-9", now_s, now_s + 600)
        assert await enters(it, good, key)
        own = encode(make_key("account"), key.public, "web-9", user_claims(it.authority.account()), now_s, now_s + 600)
        by_user = encode(key, key.public, "web-9", user_claims(it.authority.account()), now_s, now_s + 600)
        of_services = it.authority.role_key("agent")
        crossed = encode(
            of_services, key.public, "web-9", user_claims(it.authority.account("services")), now_s, now_s + 600
        )
        expired = it.authority.sign_user("agent", key.public, "web-9", now_s - 600, now_s - 5)
        cases = {
            "expired": expired,
            "another name": changed(good),
            "re-signed by a key of his own": own,
            "signed by the agent itself": by_user,
            "into the account of the services": crossed,
        }
        for what, token in cases.items():
            assert not await enters(it, token, key), what
        assert not await enters(it, good, make_key("user")), "another's JWT"


async def test_a_truncated_jwt_is_refused(directory: Path) -> None:
    async with world(directory) as it:
        key, now_s = make_key("user"), int(time.time())
        good = it.authority.sign_user("agent", key.public, "web-9", now_s, now_s + 600)
        for end in (10, len(good) // 2, len(good) - 4):
            assert not await enters(it, good[:end], key)


async def test_no_jwt_of_a_revoked_key_comes_back_unless_it_was_issued_later(directory: Path) -> None:
    async with world(directory) as it, as_user(it.server, it.authority, SYSTEM_USER) as system:
        key, now_s = make_key("user"), int(time.time())
        issued = (now_s, now_s - 60, now_s - 3000)
        tokens = [it.authority.sign_user("agent", key.public, "web-9", at_s, now_s + 600) for at_s in issued]
        assert await enters(it, tokens[0], key)
        await push_account(system, it.authority.sign_account_after(it.authority.saved_account(), {key.public: now_s}))
        assert [await enters(it, token, key) for token in tokens] == [False, False, False]


async def test_message_ids_of_another_are_not_to_be_guessed(directory: Path) -> None:
    """An agent may use any id, so those of others must not be known: their epochs have 128 random bits."""
    async with world(directory) as it:
        await it.attacker.jetstream().publish("metrics.web-1", b"mine", headers={"Nats-Msg-Id": "web-2::metrics:1"})
        ack = await it.victim.jetstream().publish(
            "metrics.web-2", b"batch", headers={"Nats-Msg-Id": "web-2:q5loox47bapeimoycessbwwuzq:metrics:1"}
        )
        assert not ack.duplicate
