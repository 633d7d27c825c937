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
from infra.authority.authority import Authority
from infra.certificates.keep import keep_current
from infra.certificates.listening import Tls, prepare, require_encryption, stamps
from infra.servers.embedded import Server, bus_tls, guarded_nats_server
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
            nats_ca=tls.ca or settings.nats_ca,
            nats_server_name=_name(tls),
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


def _name(tls: Tls) -> str:
    """Under which name the server's certificate is checked, where that is not for our own addresses."""
    if not tls.certificate or tls.ca:
        return ""
    from infra.certificates.given import first_name  # a cryptographic library, which a bus without TLS does without

    return first_name(tls.certificate)


@asynccontextmanager
async def local_bus(data: Path, settings: ServerSettings, authority: Authority) -> AsyncIterator[LocalBus]:
    """The bus of the data directory. Raises SettingError, EmbeddedServerError."""
    require_encryption("bus_host", settings.bus_host, settings)
    tls = await asyncio.to_thread(prepare, settings)
    port = settings.bus_port or (0 if is_loopback(settings.bus_host) else BUS_PORT)
    encrypted = bus_tls(tls.certificate, tls.key) if tls.certificate else ""
    async with guarded_nats_server(data / "nats", authority, port, settings.bus_host, encrypted) as server:
        yield LocalBus(server, settings, tls, authority)
