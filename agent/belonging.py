"""Belonging to a fleet while the agent runs: being enrolled before anything else, on the bus, and still enrolled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from nats.aio.client import Client

from agent.identity.member import Member
from agent.identity.state import Identity, load, wished_name
from agent.selfreport.local import told_locally
from agent.sending.lanes import Lanes
from agent.system.notify import Notifier
from infra.bus.connection import BUS_TRANSIENT, keep_connected
from infra.settings import AgentSettings

logger = logging.getLogger(__name__)

ALIVE_EVERY_S = 5.0


async def joined(settings: AgentSettings, stop: asyncio.Event, systemd: Notifier) -> Member | None:
    """As whom to run: by the settings, else by the identity, which is enrolled for where the settings say how.

    Nothing is sampled until then, for what is sampled needs a host. None when `stop` is set first.

    Raises IdentityError.
    """
    if settings.nats_credentials:
        return Member(settings, wished_name(settings))
    identity = load(settings.data)
    if identity is None and settings.gateway and settings.token_file:
        identity = await _enrolled(settings, stop, systemd)
        if identity is None:
            return None
    if identity is None:
        return Member(settings, wished_name(settings))
    from agent.identity.files import complete, key_of  # a cryptographic library, which an open bus does without

    complete(settings.data, identity, key_of(settings.data, identity))
    if settings.host not in ("", identity.host):
        facts = {"SONDE_HOST": settings.host, "host": identity.host}
        logger.warning("SONDE_HOST is not the host of the identity, ignored", extra=facts)
    return Member(settings, identity.host, identity)


async def _enrolled(settings: AgentSettings, stop: asyncio.Event, systemd: Notifier) -> Identity | None:
    """Enrol by the settings, however long that takes; None when `stop` is set first."""
    from agent.identity.enrol import until_enrolled

    told: dict[str, Any] = {"host": None, "identity": {"source": "not enrolled yet", "gateway": settings.gateway}}

    async def stay_alive() -> None:
        while True:  # the watchdog waits for no gateway
            systemd.ticked()
            await asyncio.sleep(ALIVE_EVERY_S)

    def reason(text: str) -> None:
        told["identity"]["error"] = text

    async with told_locally(settings.data, lambda: told):
        enrolling = asyncio.ensure_future(until_enrolled(settings, reason))
        others = [asyncio.ensure_future(stay_alive()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait({enrolling, others[1]}, return_when=asyncio.FIRST_COMPLETED)
            return enrolling.result() if enrolling.done() else None
        finally:
            for task in (enrolling, *others):
                task.cancel()
            await asyncio.wait({enrolling, *others})


async def stay_on_bus(member: Member, session: Callable[[Client], Awaitable[None]]) -> None:
    """Keep a connection to where the bus is, for ever."""
    while True:
        member.moved.clear()
        connected = asyncio.ensure_future(
            keep_connected(member.servers, f"sonde agent {member.host}", session, access=member.access)
        )
        moved = asyncio.ensure_future(member.moved.wait())
        try:
            await asyncio.wait({connected, moved}, return_when=asyncio.FIRST_COMPLETED)
            if connected.done():
                return connected.result()
        finally:
            for task in (connected, moved):
                task.cancel()
            await asyncio.wait({connected, moved})
        logger.info("bus has other addresses or certificates, connecting anew", extra={"host": member.host})


async def stay_enrolled(member: Member, lanes: Lanes) -> None:
    """Renew the identity for ever, and let the connection use the new JWT."""
    from agent.identity.renew import keep_renewed

    async def reconnect() -> None:
        # What is in flight is published again under the same id, so nothing is lost or doubled.
        if lanes.client is not None and lanes.online:
            with contextlib.suppress(*BUS_TRANSIENT):
                await lanes.client.force_reconnect()

    await keep_renewed(member, reconnect)
