"""The bus of `sonde up`: nats-server that follows the authority, encrypted by the same settings as the gateway."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from infra.addresses import is_loopback
from infra.authority.adoption import adopt_open_streams
from infra.authority.authority import RESOLVER, Authority, hand_accounts, server_access
from infra.certificates.given import first_name
from infra.certificates.keep import keep_current
from infra.certificates.listening import Tls, prepare, require_encryption, stamps
from infra.servers.embedded import Server, bus_tls, nats_server
from infra.servers.process import keep_log_small
from infra.settings import ServerSettings

BUS_PORT = 4222
"""Where the bus listens for other machines, unless settings say otherwise: agents keep its address."""


class LocalBus:
    """The server, and what services on this machine need to reach it."""

    def __init__(self, server: Server, settings: ServerSettings, tls: Tls, authority: Authority) -> None:
        self.server = server
        self.log = Path(settings.data) / "nats" / "nats.log"
        self._settings = settings
        self._authority = authority
        self._seen = stamps(tls)
        self.reach = msgspec.structs.replace(
            settings,
            nats_url=server.url,
            nats_ca=tls.ca,
            nats_server_name=first_name(tls.certificate) if tls.certificate and not tls.ca else "",
            bus_port=server.port,
            authority=str(authority.directory),
        )
        """The settings with its address."""

    def user(self, settings: ServerSettings, role: str) -> ServerSettings:
        """`settings` for the program of this role."""
        return msgspec.structs.replace(settings, nats_credentials=str(self._authority.credentials_path(role)))

    async def keep(self) -> None:
        """Let the server show a new certificate whenever there is one, and its log stay small; until cancelled."""
        reload = functools.partial(self.server.process.send_signal, signal.SIGHUP)
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_current(self._settings, self._seen, reload))
            group.create_task(keep_log_small(self.log))


@asynccontextmanager
async def local_bus(data: Path, settings: ServerSettings, authority: Authority) -> AsyncIterator[LocalBus]:
    """The bus of the data directory. Raises SettingError, EmbeddedServerError."""
    require_encryption("bus_host", settings.bus_host, settings)
    tls = await asyncio.to_thread(prepare, settings)
    port = settings.bus_port or (0 if is_loopback(settings.bus_host) else BUS_PORT)

    def hand_over(directory: Path) -> None:
        """What the server is to know before it starts: the accounts, and whose the streams of an open bus are now."""
        hand_accounts(authority, directory / RESOLVER)
        adopt_open_streams(directory / "jetstream", authority.account("services"))

    async with nats_server(
        data / "nats",
        port,
        settings.bus_host,
        access=server_access(authority, data / "nats" / RESOLVER),
        tls=bus_tls(tls.certificate, tls.key) if tls.certificate else "",
        before=hand_over,
    ) as server:
        yield LocalBus(server, settings, tls, authority)
