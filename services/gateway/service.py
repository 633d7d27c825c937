"""The gateway service: wires pool, bus, memory and HTTP server together, and ends them when asked."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from msgspec import structs
from nats.aio.client import Client

from infra.bus.access import service_access
from infra.bus.connection import BUS_TRANSIENT, first_fault, keep_connected
from infra.bus.heartbeat import beating
from infra.settings import ServerSettings
from infra.storage.database import pool
from schemas.catalogue import CATALOGUE, Family
from services.gateway.agents.background import identity_tasks
from services.gateway.agents.configs import publish_configs
from services.gateway.app import create_app
from services.gateway.conduct.acting import Conduct
from services.gateway.fleet.memory import Fleet
from services.gateway.health.changes import tell_changes
from services.gateway.health.heartbeats import follow
from services.gateway.health.loop import watch
from services.gateway.health.vitals import Vitals
from services.gateway.held import Held
from services.gateway.http.bus import Bus
from services.gateway.http.connections import Connections, room
from services.gateway.http.database import NOT_READY
from services.gateway.http.encryption import Encryption
from services.gateway.http.guard import trusted_proxies
from services.gateway.http.server import GatewayServer, bind
from services.gateway.identities.refused import Refusals
from services.gateway.live.facts import follow_facts
from services.gateway.live.hoststates import watch_states
from services.gateway.live.hub import Hub
from services.gateway.live.intake import listen
from services.gateway.live.interest import announce_interest
from services.gateway.live.refresh import keep_fresh
from services.gateway.live.sending import send_count, send_frames, send_heartbeats, send_snapshots
from services.gateway.people.keep import keep_people
from services.gateway.resources import examination
from services.gateway.settings.runtime import Runtime

logger = logging.getLogger(__name__)

POOL_SIZE = 8


async def run(
    settings: ServerSettings,
    stop: asyncio.Event,
    *,
    sockets: list[socket.socket] | None = None,
    on_bound: Callable[[int], None] | None = None,
    catalogue: tuple[Family, ...] = CATALOGUE,
    nats_log: Path | None = None,
) -> None:
    """Serve until `stop` is set.

    `sockets` are bound already; without them the address is that of `settings`, and `on_bound` is told the port.
    `nats_log` is the log of a nats-server beside us, which alone tells who tried what he may not.
    Raises SettingError at once, with one line to show, when the address may not or cannot be had.
    """
    encryption = await asyncio.to_thread(Encryption, settings)
    sockets = sockets or [bind(settings.http_host, settings.port)]
    port = sockets[0].getsockname()[1]
    settings = structs.replace(settings, port=port)
    if on_bound is not None:
        on_bound(port)
    access = service_access(settings)
    bus, fleet, runtime = Bus(), Fleet(catalogue), Runtime()
    refusals, conduct = Refusals(), Conduct()
    hub = Hub(fleet)
    vitals = Vitals(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        for bound in sockets:
            stack.callback(bound.close)  # the server does so itself only once it has begun to serve
        connections = await stack.enter_async_context(pool(settings.database_url, "gateway", POOL_SIZE, least=0))
        held = Held(
            settings, connections, bus, hub, runtime, lambda scope: server.abort(scope), catalogue, refusals, vitals
        )
        stack.callback(held.people.close)
        app = create_app(held)
        server = GatewayServer(
            app, encryption.context, Connections(trusted_proxies(settings), room(), settings.connections_per_address)
        )

        async def listening(client: Client) -> None:
            await follow(client, bus, vitals.heartbeats)
            await held.rehearsals.follow(client, bus)
            await listen(client, bus, fleet, hub, runtime.stale, conduct, held.people.changed)

        async def following(client: Client) -> None:
            await follow_facts(client, connections, fleet, hub)

        async def configuring(client: Client) -> None:
            await publish_configs(client, connections, runtime.configs_changed)

        on_bus = functools.partial(
            keep_connected, settings.nats_url, access=access, transient=(*BUS_TRANSIENT, *NOT_READY)
        )
        background = (
            on_bus("gateway", listening, transient=BUS_TRANSIENT),
            on_bus("gateway facts", following),
            on_bus("gateway configs", configuring),
            keep_people(held.people),
            keep_fresh(connections, fleet, hub, runtime),
            announce_interest(bus, hub, fleet),
            watch_states(fleet, hub),
            send_frames(hub),
            send_snapshots(hub),
            send_heartbeats(hub),
            send_count(hub),
            tell_changes(examination(held), lambda health: hub.tell("health", health)),
            watch(vitals.lag, bus, vitals.heartbeats),
            *identity_tasks(settings, connections, bus, refusals, conduct, runtime.revoked, nats_log),
            encryption.keep(),
        )
        try:
            async with (
                beating(settings.nats_url, access, vitals.pulse, lambda: vitals.work(len(hub.viewers()))),
                asyncio.TaskGroup() as group,
            ):
                serving = group.create_task(server.serve_until_told(sockets))
                tasks = [group.create_task(part) for part in background]
                logger.info("serving", extra={"host": settings.http_host, "port": port})
                await stop.wait()
                hub.close()
                server.should_exit = True
                await serving
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as faults:
            raise first_fault(faults) from None
