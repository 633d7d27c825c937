"""Agents that leave the bus and come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from nats.aio.msg import Msg

from infra.bus import connection as bus
from schemas.messages import HostEvent
from services.gateway.conduct.presence import Connection, Presence, connection_of
from tests.authority import agent_access, as_user, guarded_bus, guarded_settings
from tests.gateway.running import gateway
from tests.waiting import eventually

FIRST, SECOND = Connection("web-1", "A", 1), Connection("web-1", "B", 1)


def test_the_last_connection_that_ends_is_the_hosts_leaving() -> None:
    presence = Presence()
    presence.joined(FIRST)
    presence.joined(SECOND)
    assert [presence.ended(FIRST), presence.ended(SECOND)] == [False, True]


def test_the_late_end_of_an_old_connection_is_no_leaving() -> None:
    presence = Presence()
    presence.joined(SECOND)
    assert not presence.ended(FIRST)


def test_a_connection_from_before_we_listened_leaves_too() -> None:
    assert Presence().ended(FIRST)


def test_only_who_left_is_back() -> None:
    presence = Presence()
    assert not presence.joined(FIRST)
    presence.ended(FIRST)
    assert presence.joined(SECOND)
    assert not presence.joined(FIRST)


def test_events_that_say_nothing_of_agents_are_passed_over() -> None:
    for event in (None, [], {}, {"client": 1}, {"client": {"id": 1, "jwt": "x.y.z"}, "server": {"id": "A"}}):
        assert connection_of(event) is None


@asynccontextmanager
async def heard(directory: Path, database_url: str) -> AsyncIterator[tuple[str, list[str], bus.Access]]:
    """A gateway on a guarded bus: the bus's address, what is said of hosts, and the access of web-1."""
    async with (
        guarded_bus(directory) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)),
        as_user(server, authority, "tools") as tools,
    ):
        said: list[str] = []

        async def note(message: Msg) -> None:
            event = msgspec.json.decode(message.data, type=HostEvent)
            said.append(f"{event.host} {event.kind}")

        await tools.subscribe("events.*", cb=note)
        await tools.flush()
        yield server.url, said, agent_access(authority, directory, "web-1")


async def test_an_agent_that_leaves_and_comes_back_is_told_on_the_bus(database_url: str, tmp_path: Path) -> None:
    async with heard(tmp_path, database_url) as (url, said, access):

        async def come_and_go() -> bool:  # the gateway may not listen yet
            async with bus.connection(url, "web-1", access):
                pass
            return "web-1 left" in said

        await eventually(come_and_go)
        async with bus.connection(url, "web-1", access):
            await eventually(lambda: said[-1:] == ["web-1 joined"])
