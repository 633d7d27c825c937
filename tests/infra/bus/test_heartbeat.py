"""Heartbeats, and services as NATS micro services, on real servers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import Authority
from infra.authority.operators import add_operator
from infra.bus import connection as bus
from infra.bus.heartbeat import Pulse, beating, watched
from infra.bus.patience import ANYBODY, Access, access_of
from infra.servers.embedded import Server
from schemas.health import Heartbeat, Work
from schemas.subjects import ask_health, health
from tests.authority import agent_access, as_user, guarded_bus, user
from tests.waiting import eventually

SERVICES = ("ingest", "alerts", "retention", "gateway")
STUCK = Work(lag_s=1.5, behind={"METRICS": 3})


@asynccontextmanager
async def hearing(client: Client, subject: str) -> AsyncIterator[list[Heartbeat]]:
    heard: list[Heartbeat] = []

    async def hear(message: Msg) -> None:
        heard.append(msgspec.json.decode(message.data, type=Heartbeat))

    subscription = await client.subscribe(subject, cb=hear)
    await client.flush()
    yield heard
    await subscription.unsubscribe()


async def asked(client: Client, subject: str) -> dict[str, object]:
    """What is answered, once there is who answers."""

    async def answer() -> dict[str, object]:
        try:
            return json.loads((await client.request(subject, timeout=2)).data)  # type: ignore[no-any-return]
        except nats.errors.NoRespondersError:
            return {}

    return await eventually(answer)


async def test_a_service_says_how_it_is(bus_url: str) -> None:
    pulse = Pulse("ingest")
    pulse.failed("disk full")
    async with (
        bus.connection(bus_url, "test") as client,
        hearing(client, health("ingest")) as heard,
        beating(bus_url, ANYBODY, pulse, lambda: STUCK),
    ):
        await eventually(lambda: heard)
    assert (heard[0].instance, heard[0].errors, heard[0].last_error) == (pulse.instance, 1, "disk full")
    assert (heard[0].work, heard[0].last_success) == (STUCK, None)
    assert heard[0].rss_bytes > 1_000_000


async def test_a_service_that_stops_says_so(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client, hearing(client, health("ingest")) as heard:
        async with beating(bus_url, ANYBODY, Pulse("ingest"), Work):
            await eventually(lambda: heard)
        await eventually(lambda: [each.ended for each in heard] == [False, True])


async def test_a_service_is_found_and_asked_as_nats_finds_and_asks_services(bus_url: str) -> None:
    pulse = Pulse("alerts")
    async with bus.connection(bus_url, "test") as client, beating(bus_url, ANYBODY, pulse, lambda: STUCK):
        ping = await asked(client, "$SRV.PING.sonde-alerts")
        info = await asked(client, f"$SRV.INFO.sonde-alerts.{pulse.instance}")
        stats = await asked(client, "$SRV.STATS")
        now = await asked(client, ask_health("alerts"))
    assert (ping["name"], ping["id"]) == ("sonde-alerts", pulse.instance)
    assert [endpoint["name"] for endpoint in info["endpoints"]] == ["health"]  # type: ignore[attr-defined]
    assert stats["endpoints"][0]["data"]["work"]["lag_s"] == 1.5  # type: ignore[index]
    assert now["work"]["behind"] == {"METRICS": 3}  # type: ignore[index]


async def test_work_that_fails_is_counted_and_how_long_it_fails() -> None:
    now_s = 100.0
    pulse = Pulse("ingest", lambda: now_s)

    async def fails(_: Client) -> None:
        raise OSError("postgresql://me:secret@db/x refused")

    pulse.standby = True
    with pytest.raises(OSError, match="refused"):
        await watched(pulse, fails)(Client())
    now_s += 50
    with pytest.raises(OSError, match="refused"):
        await watched(pulse, fails)(Client())
    now_s += 20
    said = pulse.heartbeat(Work())
    assert (said.errors, said.errors_last_minute, said.standby) == (2, 1, False)
    assert said.last_error == "OSError: postgresql://me:***@db/x refused"
    assert pulse.failing_s == 70
    pulse.succeeded()
    assert pulse.failing_s == 0


async def test_a_fault_of_the_work_passes_through_the_heartbeat_bare(bus_url: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with beating(bus_url, ANYBODY, Pulse("ingest"), Work):
            raise ZeroDivisionError


def operator(authority: Authority, directory: Path) -> Access:
    path = directory / "ada.creds"
    path.write_text(add_operator(authority, "ada"))
    return access_of(str(path))


@asynccontextmanager
async def services(server: Server, authority: Authority) -> AsyncIterator[None]:
    """Every service, as far as it says how it is."""
    async with contextlib.AsyncExitStack() as stack:
        for service in SERVICES:
            await stack.enter_async_context(beating(server.url, user(authority, service), Pulse(service), Work))
        yield


async def test_every_service_may_say_how_it_is_and_commands_may_ask(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, "tools") as tools:
        async with hearing(tools, "health.>") as heard, services(server, authority):
            await eventually(lambda: {each.service for each in heard} == set(SERVICES))
            for service in SERVICES:
                assert (await asked(tools, f"$SRV.PING.sonde-{service}"))["name"] == f"sonde-{service}"
                assert (await asked(tools, ask_health(service)))["service"] == service
        assert "Violation" not in (tmp_path / "nats" / "nats.log").read_text()


async def test_an_operator_asks_in_the_inbox_of_operators(tmp_path: Path) -> None:
    async with guarded_bus(tmp_path) as (server, authority), services(server, authority):
        own = operator(authority, tmp_path)
        shared = Access(own.credentials, "_INBOX_operators")
        async with bus.connection(server.url, "ada", shared) as ada:
            assert (await asked(ada, "$SRV.STATS.sonde-ingest"))["name"] == "sonde-ingest"
        assert "Violation" not in (tmp_path / "nats" / "nats.log").read_text()


async def test_an_answer_of_a_service_is_no_order(tmp_path: Path) -> None:
    """Ingest may purge its streams, so an answer that went there would purge them in its name."""
    async with (
        guarded_bus(tmp_path) as (server, authority),
        as_user(server, authority, "tools") as tools,
        services(server, authority),
    ):
        agent = agent_access(authority, tmp_path, "web-1")
        async with bus.connection(server.url, "web-1", agent) as client:
            await client.jetstream().publish("metrics.web-1", b"batch")
        await asked(tools, ask_health("ingest"))
        async with bus.connection(server.url, "ada", operator(authority, tmp_path)) as ada:
            for subject in ("$SRV.PING", "$SRV.INFO", "$SRV.STATS", ask_health("ingest")):
                for reply in ("$JS.API.STREAM.PURGE.METRICS", "deadletter.ingest", "_INBOX_gateway.x"):
                    await ada.publish(subject, b"", reply=reply)
            await ada.flush()
        for verb in ("PING", "INFO", "STATS"):  # each subscription takes its requests in turn
            await asked(tools, f"$SRV.{verb}.sonde-ingest")
        await asked(tools, ask_health("ingest"))
        state = {name: (await tools.jetstream().stream_info(name)).state.messages for name in ("METRICS", "DEADLETTER")}
    assert state == {"METRICS": 1, "DEADLETTER": 0}
    assert "Violation" not in (tmp_path / "nats" / "nats.log").read_text()
