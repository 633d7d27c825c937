"""The latest heartbeat of each instance of each service, in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.health import MISSING_AFTER_S, SERVICES, Heartbeat
from schemas.subjects import health
from services.gateway.http.bus import Bus

FORGET_AFTER_S = 600.0
MOST_INSTANCES = 100
"""Of all services; beyond that whoever is silent for longest is forgotten."""


class Heard(Struct, frozen=True):
    """One instance."""

    heartbeat: Heartbeat
    silent_s: float
    """Since its last heartbeat, as far as we listened."""

    @property
    def missing(self) -> bool:
        return self.silent_s > MISSING_AFTER_S


class Heartbeats:
    """Who was heard when. While we are away from the bus, silence means nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[str, tuple[float, Heartbeat]] = {}
        self._last_s: dict[str, float] = {}
        """Service -> when any of its instances was heard."""
        self._listening_since_s: float | None = None

    def listening(self, connected: bool) -> None:
        """Note whether we are on the bus."""
        if not connected:
            self._listening_since_s = None
        elif self._listening_since_s is None:
            self._listening_since_s = self._clock()

    @property
    def listening_s(self) -> float | None:
        """For how long we have listened without a break; None while we cannot."""
        return None if self._listening_since_s is None else self._clock() - self._listening_since_s

    def take(self, heartbeat: Heartbeat) -> None:
        """Note what an instance said."""
        if heartbeat.service not in SERVICES:
            return  # of a later version
        now_s = self._clock()
        self._last_s[heartbeat.service] = now_s
        if heartbeat.ended:
            self._heard.pop(heartbeat.instance, None)
            return
        self._heard[heartbeat.instance] = (now_s, heartbeat)
        for instance in [it for it, (at_s, _) in self._heard.items() if now_s - at_s > FORGET_AFTER_S]:
            del self._heard[instance]
        while len(self._heard) > MOST_INSTANCES:
            del self._heard[min(self._heard, key=lambda instance: self._heard[instance][0])]

    def of(self, service: str) -> list[Heard]:
        """Its instances, the longest at work first.

        One that is missing, and has a successor on its machine that started later, has been replaced: it is left out.
        """
        now_s, since_s = self._clock(), self._listening_since_s or 0.0
        heard = [
            Heard(said, now_s - max(at_s, since_s))
            for at_s, said in self._heard.values()
            if said.service == service and now_s - at_s <= FORGET_AFTER_S
        ]
        present = [one.heartbeat for one in heard if not one.missing]
        shown = [one for one in heard if not (one.missing and any(_replaces(new, one.heartbeat) for new in present))]
        return sorted(shown, key=lambda one: (one.heartbeat.started, one.heartbeat.instance))

    def silent_s(self, service: str) -> float | None:
        """Since any instance of `service` was heard, or else since we listen; None while we cannot."""
        if self._listening_since_s is None:
            return None
        return self._clock() - max(self._last_s.get(service, 0.0), self._listening_since_s)

    def was_heard(self, service: str) -> bool:
        """Whether any instance of `service` was heard since the gateway has been listening without a break."""
        since_s = self._listening_since_s
        return since_s is not None and self._last_s.get(service, -math.inf) >= since_s


def _replaces(new: Heartbeat, old: Heartbeat) -> bool:
    return new.host == old.host and new.started > old.time


async def follow(client: Client, bus: Bus, heartbeats: Heartbeats) -> None:
    """Hear every service for as long as `client` is open."""

    async def hear(message: Msg) -> None:
        try:
            heartbeats.take(msgspec.json.decode(message.data, type=Heartbeat))
        except msgspec.DecodeError as error:
            bus.note_unreadable(message.subject, str(error))

    await client.subscribe(health("*"), cb=hear)
