"""Which agents the bus has connections of: `events.<host>` says when the last of a host ends, and when it is back.

A hint that a silent host will stay so, nothing more: connections from before we listened are unknown, and those of a
server that died without a word seem to last. Then a host is called down by its silence alone, as without hints.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.authority.authority import Authority, AuthorityError
from infra.authority.claims import BadToken, decode
from schemas import subjects
from schemas.messages import HostEvent
from schemas.subjects import valid_host
from services.gateway.http.bus import Bus

PENDING_BYTES = 32 * 2**20


class Connection(Struct, frozen=True):
    """One of an agent."""

    host: str
    server: str
    number: int

    @property
    def name(self) -> str:
        """Among all of the bus."""
        return f"{self.server}:{self.number}"


class Presence:
    """The connections that began since it was made."""

    def __init__(self) -> None:
        self._held: dict[str, set[str]] = {}
        self._left: set[str] = set()

    def joined(self, connection: Connection) -> bool:
        """Note a new connection; whether its host had left."""
        self._held.setdefault(connection.host, set()).add(connection.name)
        back = connection.host in self._left
        self._left.discard(connection.host)
        return back

    def ended(self, connection: Connection) -> bool:
        """Note the end of one, known or not; whether its host has none left."""
        held = self._held.get(connection.host, set())
        held.discard(connection.name)
        if held:
            return False
        self._held.pop(connection.host, None)
        self._left.add(connection.host)
        return True


def connection_of(event: Any) -> Connection | None:
    """Of which agent's connection an event of the system account tells; None when of none.

    The server has checked the JWT, and with it the name in it; what a client calls itself is its own affair.
    """
    try:
        client = event["client"]
        host = str(decode(str(client["jwt"]))["name"])
        found = Connection(host, str(event["server"]["id"]), int(client["id"]))
    except (BadToken, KeyError, TypeError, ValueError, AttributeError):
        return None
    return found if valid_host(host) else None


async def watch_presence(client: Client, directory: Path, bus: Bus) -> None:
    """Say who leaves and who is back, as long as the connection lives. Returns once it has subscribed.

    `client` is the system user's; `directory` holds the authority. Where that cannot be read nothing is said.
    """
    try:
        account = Authority(directory).account("agents")
    except AuthorityError:
        return  # whoever pushes revocations logs it
    presence = Presence()
    reconnects = client.stats["reconnects"]

    def read(message: Msg) -> Connection | None:
        nonlocal presence, reconnects
        if client.stats["reconnects"] != reconnects:  # who knows what was said meanwhile
            presence, reconnects = Presence(), client.stats["reconnects"]
        try:
            return connection_of(msgspec.json.decode(message.data))
        except msgspec.DecodeError:
            return None

    async def on_connect(message: Msg) -> None:
        connection = read(message)
        if connection is not None and presence.joined(connection):
            await _say(bus, connection, "joined")

    async def on_disconnect(message: Msg) -> None:
        connection = read(message)
        if connection is not None and presence.ended(connection):
            await _say(bus, connection, "left")

    prefix = f"$SYS.ACCOUNT.{account}"
    await client.subscribe(f"{prefix}.CONNECT", cb=on_connect, pending_bytes_limit=PENDING_BYTES)
    await client.subscribe(f"{prefix}.DISCONNECT", cb=on_disconnect, pending_bytes_limit=PENDING_BYTES)


async def _say(bus: Bus, connection: Connection, kind: str) -> None:
    """Publish it, unless the bus is away: nobody could act on it then. Of several gateways each does."""
    event = HostEvent(connection.host, round(time.time(), 3), kind)
    await bus.publish(subjects.events(connection.host), msgspec.json.encode(event))
