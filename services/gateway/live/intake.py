"""What comes in by the bus: batches, live samples, alerts and changed settings.

Core subscriptions only: what arrives while the gateway is away is in the database by the time it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import msgspec
from msgspec import UNSET
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.clock import now_ms
from schemas.api import Processes
from schemas.codec import EARLIEST_MS, LATEST_MS, Poison, decode_batch, decode_event
from schemas.messages import AlertTransition, Batch
from schemas.settings import PEOPLE_KEY, TELLING_KEY, SettingChanged
from schemas.subjects import SETTINGS_CHANGED, TELLING_CHANGED, host_of
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.live.hub import Hub

logger = logging.getLogger(__name__)

PENDING_BYTES = 64 * 2**20
YIELD_EVERY = 32
"""Messages after which a backlog lets others have a turn."""
MOST_PROCESSES_BYTES = 16 * 1024
"""Of what an agent says of its processes: it names ten of them, and each viewer gets all that it says."""


class Conduct(Protocol):
    """Who judges how agents behave on the bus."""

    def heard(self, sender: str, size: int) -> None:
        """A message of this host came, whatever it holds."""

    def batch(self, host: str, epoch: str) -> None:
        """A batch of the present came that makes sense."""


async def listen(
    client: Client,
    bus: Bus,
    fleet: Fleet,
    hub: Hub,
    stale: asyncio.Event,
    conduct: Conduct,
    people_changed: asyncio.Event | None = None,
) -> None:
    """Feed `fleet` and `hub` from the subjects until cancelled; sets `stale` when tables have news for us.

    `people_changed` is set when they have news of sessions and tokens.

    `conduct` hears of everything that agents send. A message that makes no sense is counted and ignored; an error of
    ours ends this with that error.
    """

    def on_batch(message: Msg) -> None:
        host = host_of(message.subject)
        conduct.heard(host, len(message.data))
        if fleet.members.ignores(host):  # what a removed or archived host still sends is passed over
            return
        batch = take_batch(message.subject, message.data, fleet, hub)
        if batch.lane == "metrics":
            conduct.batch(batch.host, batch.epoch)

    def on_other(message: Msg) -> None:
        conduct.heard(host_of(message.subject), len(message.data))

    def on_alert(message: Msg) -> None:
        hub.alert(msgspec.json.decode(message.data, type=AlertTransition))
        stale.set()

    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    receivers: dict[str, Callable[[Msg], None]] = {
        "metrics.*": on_batch,
        "live.*": on_batch,
        "backfill.*": on_other,
        "events.*": partial(_on_event, fleet, hub, conduct),
        "alerts.>": on_alert,
        SETTINGS_CHANGED: partial(_on_setting, hub, stale, people_changed),
        TELLING_CHANGED: partial(_pass_on, hub, TELLING_KEY),
    }
    bus.client = client
    try:
        for subject, receive in receivers.items():
            await client.subscribe(subject, cb=_callback(bus, receive, failed), pending_bytes_limit=PENDING_BYTES)
        logger.info("bus subscribed")
        await failed
    finally:
        bus.client = None


def _on_setting(hub: Hub, stale: asyncio.Event, people_changed: asyncio.Event | None, message: Msg) -> None:
    changed = msgspec.json.decode(message.data, type=SettingChanged)
    if changed.key != PEOPLE_KEY:
        hub.setting(changed)
        stale.set()
    elif people_changed is not None:
        people_changed.set()


def _pass_on(hub: Hub, key: str, _: Msg) -> None:
    """Tell viewers that something which is only in the tables is different."""
    hub.setting(SettingChanged(key, 0))


def _callback(
    bus: Bus, receive: Callable[[Msg], None], failed: asyncio.Future[None]
) -> Callable[[Msg], Awaitable[None]]:
    """A subscription callback: counts what `receive` cannot read and puts any other error into `failed`."""

    async def on_message(message: Msg) -> None:
        bus.messages += 1
        try:
            receive(message)
        except Poison as poison:
            bus.note_unreadable(message.subject, poison.reason)
        except msgspec.DecodeError as error:
            bus.note_unreadable(message.subject, str(error))
        except Exception as bug:
            # The client would log it and go on; it must end the work instead.
            if not failed.done():
                failed.set_exception(bug)
        if bus.messages % YIELD_EVERY == 0:
            await asyncio.sleep(0)

    return on_message


def take_batch(subject: str, data: bytes, fleet: Fleet, hub: Hub) -> Batch:
    """Take one batch into the fleet and spread what is new of it. Raises Poison."""
    batch = decode_batch(data, fleet.catalogue)
    if batch.host != host_of(subject):
        raise Poison(f"message on {subject} names host {batch.host!r}")
    if batch.lane != subject.partition(".")[0]:
        raise Poison(f"message on {subject} names lane {batch.lane!r}")
    new = batch.host not in fleet
    at_ms = now_ms()
    fresh = fleet.take(batch, data, at_ms)
    if fleet.turned(at_ms, batch.host) or new:
        hub.host(batch.host)
    hub.samples(batch.host, fresh)
    return batch


def _on_event(fleet: Fleet, hub: Hub, conduct: Conduct, message: Msg) -> None:
    host = host_of(message.subject)
    conduct.heard(host, len(message.data))
    if hub.detailed(host) and not fleet.members.ignores(host):
        take_processes(host, message.data, hub)


def take_processes(host: str, data: bytes, hub: Hub) -> None:
    """Spread what an event of `host` tells of its processes; other events are for those who store them.

    Raises Poison.
    """
    event = decode_event(data)
    if event.host != host:
        raise Poison(f"event of {host} names host {event.host[:60]!r}")
    if event.processes is UNSET:
        return
    if len(data) > MOST_PROCESSES_BYTES:
        raise Poison(f"processes of {host} take {len(data)} bytes; at most {MOST_PROCESSES_BYTES} are passed on")
    if not EARLIEST_MS <= event.time * 1000 <= LATEST_MS:
        raise Poison(f"event of {host} has the time {event.time:.6g} s, which is not in the years 2000 to 2100")
    hub.processes(Processes(host, round(event.time * 1000), event.processes.cpu, event.processes.memory))
