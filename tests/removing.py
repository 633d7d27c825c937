"""Removing a host as the gateway does, without a gateway."""

from __future__ import annotations

import msgspec
from nats.aio.client import Client

from infra.storage.database import Connection
from schemas.settings import HOSTS_KEY, SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.agents.purge import Ends, purge, stream_ends
from services.gateway.agents.removal import Departure, remove_host


async def remove(client: Client, database: Connection, host: str, keep_history: bool = False) -> Departure:
    """Remove or archive `host` and announce it; its messages stay on the bus."""
    departed, _ = await depart(client, database, host, keep_history)
    return departed


async def remove_and_purge(client: Client, database: Connection, host: str) -> Departure:
    """The same, with its messages."""
    departed, ends = await depart(client, database, host, keep_history=False)
    await purge(client, host, ends)
    return departed


async def depart(client: Client, database: Connection, host: str, keep_history: bool) -> tuple[Departure, Ends]:
    ends = await stream_ends(client)
    departed = await remove_host(database, host, ends.time_ns, keep_history)
    assert departed is not None, f"no host {host}"
    await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged(HOSTS_KEY, departed.generation)))
    return departed, ends


async def enrol_again(database: Connection, host: str) -> int:
    """What an enrolment under the name of a removed host does to the table."""
    number: int = await database.fetchval("INSERT INTO hosts (name) VALUES ($1) RETURNING id", host)
    return number
