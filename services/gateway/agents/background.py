"""What goes on beside the routes about identities: pushing revocations, counting refusals, acting on conduct."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from msgspec import structs
from nats.aio.client import Client

from infra.authority.authority import SYSTEM_USER, authority_directory
from infra.bus.access import settings_access
from infra.bus.connection import BUS_TRANSIENT, keep_connected
from infra.settings import ServerSettings
from infra.storage.database import Pool
from services.gateway.conduct.acting import Conduct, act_on_conduct
from services.gateway.conduct.buswatch import follow_log, watch_events
from services.gateway.conduct.presence import watch_presence
from services.gateway.http.bus import Bus
from services.gateway.http.database import NOT_READY
from services.gateway.identities.pushing import push_revocations
from services.gateway.identities.refused import Refusals, keep_refusals


def identity_tasks(
    settings: ServerSettings,
    pool: Pool,
    bus: Bus,
    refusals: Refusals,
    conduct: Conduct,
    revoked: asyncio.Event,
    nats_log: Path | None = None,
) -> list[Coroutine[Any, Any, None]]:
    """Tasks that run until cancelled. `revoked` is set when servers are to be told of a revocation.

    `nats_log`: log of a nats-server beside us. Without an authority there is nothing to push.
    """
    tasks = [keep_refusals(pool, refusals), act_on_conduct(conduct, pool, bus, refusals, revoked)]
    if nats_log is not None:
        tasks.append(follow_log(nats_log, refusals, conduct.heard))
    directory = authority_directory(settings)
    credentials = directory / "users" / f"{SYSTEM_USER}.creds"

    async def as_system(client: Client) -> None:
        await watch_events(client, directory, refusals)
        await watch_presence(client, directory, bus)
        await push_revocations(client, pool, directory, settings.identity_days, revoked)

    if credentials.exists():
        access = settings_access(structs.replace(settings, nats_credentials=str(credentials)))
        transient = (*BUS_TRANSIENT, *NOT_READY)
        tasks.append(keep_connected(settings.nats_url, "gateway system", as_system, access=access, transient=transient))
    return tasks
