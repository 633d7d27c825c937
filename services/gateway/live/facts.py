"""Host events from the EVENTS stream: facts into the table `hosts` and the fleet, what happened into `host_events`.

Of several gateways whoever comes first stores an event, with the position, which the others then find moved.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET
from nats.aio.client import Client

from infra.bus.ordered import Position, StoredMessage, ordered
from infra.storage.database import Connection, Pool, ensure_hosts
from infra.storage.positions import load_position, lock_position, save_position
from infra.storage.removed import load_removed
from schemas.codec import Poison, decode_event
from schemas.messages import HostEvent, HostFacts
from schemas.subjects import EVENTS, host_of, valid_host
from services.gateway.fleet import sql
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import borrowed
from services.gateway.live.hostevents import changes, happened_at
from services.gateway.live.hub import Hub

logger = logging.getLogger(__name__)

CONSUMER = "gateway"
MAX_WAIT_S = 5.0
MOST_EVENTS = 10_000
"""Kept of one host; past it the oldest are dropped. Agents may say what they like as often as they like."""
NUL = rb"\u0000"
"""As JSON spells it."""
CONNECTION: Mapping[str, str] = {"left": sql.ADD_AWAY, "joined": sql.END_AWAY}
"""What the bus says of an agent's connections -> the statement that notes it."""


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
                facts = await store(database, messages)
            for host, known in facts.items():
                if fleet.learn(host, facts=known):
                    hub.host(host)
            if facts:  # of what is told for viewers every few seconds there is nothing to say
                logger.debug("host facts stored", extra={"messages": len(messages), "hosts": len(facts)})


async def store(database: Connection, messages: Sequence[StoredMessage]) -> dict[str, HostFacts]:
    """Store what `messages` say of hosts, what happened to these, and our position; inside a transaction.

    Returns the newest facts of each host. What another gateway has stored is not stored anew.
    """
    position = await lock_position(database, CONSUMER, EVENTS.name)
    removed = await load_removed(database, sorted({host_of(message.subject) for message in messages}))
    told = [(m, e) for m, e in read_events(messages) if not removed.drops(e.host, m.time_ns)]
    facts = {event.host: event.facts for _, event in told if event.facts is not UNSET}
    news = [(m, e) for m, e in told if not _is_done(m, position)]
    await store_events(database, news)
    if not _is_done(messages[-1], position):
        await save_position(database, CONSUMER, EVENTS.name, messages[-1].position)
    return facts


def _is_done(message: StoredMessage, position: Position) -> bool:
    """Whether `message` is at or before `position`. By both numbers: a stream that begins anew counts from 1, and the
    clock of a server may be set back."""
    return message.seq <= position.seq and message.time_ns <= position.time_ns


async def store_events(database: Connection, news: Sequence[tuple[StoredMessage, HostEvent]]) -> None:
    """Store the newest facts of each host, and for each event in order what it tells of the host."""
    ids = await ensure_hosts(
        database, {event.host for _, event in news if event.facts is not UNSET or event.kind in CONNECTION}
    )
    rows = await database.fetch(sql.FACTS, sorted(ids.values()))
    facts = {row["name"]: read_facts(row["name"], row["facts"]) for row in rows}
    said, found = set(), set()
    for message, event in news:
        host, at_s = event.host, happened_at(event.time, message.time_ns / 1e9)
        if event.kind in CONNECTION:
            await database.execute(CONNECTION[event.kind], ids[host], at_s)
            found.add(host)
        if event.facts is not UNSET:
            for happened in changes(facts.get(host, HostFacts()), event.facts, at_s):
                body = msgspec.json.encode(happened.body).decode()
                await database.execute(sql.ADD_EVENT, ids[host], happened.time_s, happened.kind, happened.key, body)
                found.add(host)
            facts[host] = event.facts
            said.add(host)
    for host in sorted(said):
        await database.execute(sql.SET_FACTS, ids[host], msgspec.json.encode(facts[host]).decode())
    for host in sorted(found):
        await database.execute(sql.DROP_EVENTS, ids[host], MOST_EVENTS)


def read_events(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, HostEvent]]:
    """The events in `messages`, in order; what is unreadable or of another host is passed over and logged."""
    events = []
    for message in messages:
        host = host_of(message.subject)
        try:
            event = decode_event(message.data)
        except Poison as poison:
            logger.warning("invalid host event ignored", extra={"subject": message.subject, "reason": poison.reason})
            continue
        fault = _fault(message.data, event, host)
        if fault:
            logger.warning("invalid host event ignored", extra={"subject": message.subject, "reason": fault})
        else:
            events.append((message, event))
    return events


def _fault(data: bytes, event: HostEvent, host: str) -> str:
    """What is wrong with an event that came on `host`'s subject; empty when nothing is."""
    if event.host != host or not valid_host(host):
        return f"names host {event.host[:60]!r}"
    return "holds NUL characters, which the database does not take" if NUL in data else ""


def read_facts(host: str, stored: str) -> HostFacts:
    """Facts as the table has them; empty ones where they cannot be read."""
    try:
        return msgspec.json.decode(stored, type=HostFacts)
    except msgspec.DecodeError as error:
        logger.warning("stored host facts invalid, ignored", extra={"host": host, "error": str(error)})
        return HostFacts()
