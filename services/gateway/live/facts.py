"""Host facts from the EVENTS stream into the table `hosts` and the fleet."""

from __future__ import annotations

import logging

import msgspec
from msgspec import UNSET
from nats.aio.client import Client

from infra.bus.ordered import StoredMessage, ordered
from infra.storage.database import Pool, ensure_hosts
from infra.storage.positions import load_position, save_position
from infra.storage.removed import load_removed
from schemas.messages import HostEvent, HostFacts
from schemas.subjects import EVENTS, host_of, valid_host
from services.gateway.fleet import sql
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import borrowed
from services.gateway.live.hub import Hub

logger = logging.getLogger(__name__)

CONSUMER = "gateway"
MAX_WAIT_S = 5.0


async def follow_facts(client: Client, pool: Pool, fleet: Fleet, hub: Hub) -> None:
    """Store the facts of every host event after our position, with the position, until cancelled.

    Those of hosts that were removed meanwhile are passed over.
    """
    async with borrowed(pool) as database:
        position = await load_position(database, CONSUMER, EVENTS.name)
    async with ordered(client, EVENTS.name, position) as pull:
        while True:
            messages = await pull.next(MAX_WAIT_S)
            if not messages:
                continue
            async with borrowed(pool) as database, database.transaction():
                removed = await load_removed(database, sorted({host_of(message.subject) for message in messages}))
                facts = newest_facts([m for m in messages if not removed.drops(host_of(m.subject), m.time_ns)])
                ids = await ensure_hosts(database, facts)
                for host, known in facts.items():
                    await database.execute(sql.SET_FACTS, ids[host], msgspec.json.encode(known).decode())
                await save_position(database, CONSUMER, EVENTS.name, messages[-1].position)
            for host, known in facts.items():
                if fleet.learn(host, facts=known):
                    hub.host(host)
            if facts:  # of what is told for viewers every few seconds there is nothing to say
                logger.debug("host facts stored", extra={"messages": len(messages), "hosts": len(facts)})


def newest_facts(messages: list[StoredMessage]) -> dict[str, HostFacts]:
    """The last facts of each host in `messages`; what is unreadable or of another host is passed over and logged."""
    facts: dict[str, HostFacts] = {}
    for message in messages:
        host = host_of(message.subject)
        try:
            event = msgspec.json.decode(message.data, type=HostEvent)
        except msgspec.DecodeError as error:
            logger.warning("invalid host event ignored", extra={"subject": message.subject, "reason": str(error)})
            continue
        if event.host != host or not valid_host(host):
            logger.warning(
                "invalid host event ignored",
                extra={"subject": message.subject, "reason": f"names host {event.host[:60]!r}"},
            )
        elif event.facts is not UNSET:
            facts[host] = event.facts
    return facts
