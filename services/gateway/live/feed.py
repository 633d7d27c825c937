"""A feed of the live stream: the viewers of one selection, who get the same bytes, encoded once.

Events carry `id: epoch-seq`. The last ones are kept, so that a viewer who lost its connection goes on where it was. One
who begins, or has missed something, gets a snapshot in portions, and with the last of them `complete`; what happens
meanwhile goes out between the portions, without an id, since nobody could go on from there.

A detail feed has every metric of one host, for viewers who look at it besides what they selected. Its events are named
`detail-...` and carry no id, so that `Last-Event-ID` is always a position in the viewer's main feed; it keeps none of
them, and viewers always begin with its snapshot, which is one event.
"""

from __future__ import annotations

import math
import secrets
from collections import deque
from operator import itemgetter

import msgspec
from msgspec import Struct

from services.gateway.fleet.selection import Selection
from services.gateway.live.event import Event, named
from services.gateway.live.fragments import Fragments
from services.gateway.live.pacing import may_go, next_due, window_s
from services.gateway.live.portions import Portions
from services.gateway.live.viewer import Viewer

RING_EVENTS = 256
RING_BYTES = 4 * 2**20
SAMPLES_PER_HOST = 60
HOSTS_AT_ONCE = 64
"""Hosts that changed are told together, at most so many at a time: a fleet that turns as one is no storm of events."""
HOSTS_AFTER_S = 0.05

_encode = msgspec.json.Encoder().encode
_time = itemgetter(0)


class EventId(Struct, frozen=True):
    """What a viewer has seen: `Last-Event-ID`."""

    epoch: str
    seq: int


def parse_event_id(text: str) -> EventId | None:
    """The position in a `Last-Event-ID` header; None when it is not one of ours."""
    epoch, _, seq = text.rpartition("-")
    return EventId(epoch, int(seq)) if epoch and seq.isascii() and seq.isdigit() and len(seq) < 16 else None


class Feed:
    """Events, their ring, and samples that wait for the next frame."""

    def __init__(self, selection: Selection, fragments: Fragments, detail: bool = False) -> None:
        self.selection = selection
        self.detail = detail
        self.epoch = secrets.token_hex(4)
        self.seq = 0
        self.viewers: set[Viewer] = set()
        self.idle_since_s: float | None = None
        """Since when nobody watches; the feed outlives its last viewer a little."""
        self.conflated = 0
        """Samples dropped because more than 60 of a host came within one interval."""
        self._fragments = fragments
        fleet = fragments.fleet
        self.portions = Portions(host for host in fleet.names() if selection.shows(host, fleet.tags(host)))
        self._ring: deque[Event] = deque()
        self._ring_bytes = 0
        self._waiting: dict[str, deque[tuple[int, bytes]]] = {}
        """Time and JSON of samples, by host."""
        self._changed: dict[str, None] = {}
        """Hosts that are to be told again."""
        self._due_s: dict[str, float] = {}
        self._window_s = window_s(selection.interval_s)
        self.flush_at_s: float | None = None
        """When what waits goes out next; None while nothing does."""

    def join(self, viewer: Viewer, position: EventId | None) -> list[Event] | None:
        """Let `viewer` watch: returns the events since `position`, or None where it gets a snapshot instead."""
        missed = self.since(position)
        self.viewers.add(viewer)
        self.idle_since_s = None
        if missed is None:
            self.portions.want(viewer)
        return missed

    def leave(self, viewer: Viewer, now_s: float) -> None:
        self.viewers.discard(viewer)
        self.portions.forget(viewer)
        if not self.viewers:
            self.idle_since_s = now_s

    def publish(self, name: str, body: object) -> None:
        """Send an event to every viewer."""
        self._publish(name, _encode(body))

    def _publish(self, name: str, data: bytes) -> None:
        self.seq += 1
        self._send(self._event(name, data), name == "frame")

    def _send(self, event: Event, frame: bool = False) -> None:
        portions = self.portions
        if not portions.wanted:
            for viewer in self.viewers:
                viewer.put(event)
        else:
            for viewer in self.viewers:
                if not (frame and portions.unbegun(viewer)):
                    viewer.put(event, bare=portions.lacking(viewer))
        event.shed()
        if not self.detail:
            self._keep(event)

    def _event(self, name: str, *data: bytes) -> Event:
        return named("detail-" + name, *data) if self.detail else named(name, *data, event_id=self._position())

    def _position(self) -> bytes:
        return b"%b-%d" % (self.epoch.encode(), self.seq)

    def _keep(self, event: Event) -> None:
        self._ring.append(event)
        self._ring_bytes += len(event)
        while len(self._ring) > RING_EVENTS or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring.popleft())

    def show_host(self, name: str, now_s: float) -> None:
        """Send a host as it soon is, or that it is gone where it is not selected any more."""
        if self.selection.shows(name, self._fragments.fleet.tags(name)):
            self.portions.add(name)
            self._changed[name] = None
            self.flush_at_s = min(self.flush_at_s or math.inf, now_s + HOSTS_AFTER_S)
        elif name in self.portions:
            self.drop(name)

    def drop(self, host: str) -> None:
        """Send that `host` is gone, and forget what waits of it."""
        self._waiting.pop(host, None)
        self._changed.pop(host, None)
        self._due_s.pop(host, None)
        self.portions.discard(host)
        self.publish("gone", {"host": host})

    def add(self, host: str, samples: list[tuple[int, bytes]], now_s: float) -> None:
        """Let new samples of one host, each a time and JSON, wait for the next frame."""
        waiting = self._waiting.get(host)
        if waiting is None:
            waiting = self._waiting[host] = deque(maxlen=SAMPLES_PER_HOST)
        self.conflated += max(0, len(waiting) + len(samples) - SAMPLES_PER_HOST)
        waiting.extend(samples)
        if self.flush_at_s is None:
            self.flush_at_s = now_s + self._window_s

    def flush(self, now_s: float, now_ms: int) -> None:
        """Send the hosts that changed, then samples of those that may appear again; the others wait on."""
        self._tell_hosts()
        interval_s, due_s = self.selection.interval_s, self._due_s
        ready = [host for host in self._waiting if may_go(due_s.get(host, 0), now_s, interval_s)]
        samples: list[tuple[int, bytes]] = []
        for host in ready:
            samples += self._waiting.pop(host)
            due_s[host] = next_due(due_s.get(host, 0), now_s, interval_s)
        self.flush_at_s = now_s + self._window_s if self._waiting else None
        if self._changed:
            self.flush_at_s = now_s + HOSTS_AFTER_S
        if samples:
            samples.sort(key=_time)
            together = b",".join([json for _, json in samples])
            self._publish("frame", b'{"time":%d,"samples":[%b]}' % (now_ms, together))

    def _tell_hosts(self) -> None:
        """Send hosts that changed, as events of which the last has the id."""
        names = list(self._changed)[:HOSTS_AT_ONCE]
        bodies = []
        for name in names:
            del self._changed[name]
            if name in self._fragments.fleet:
                bodies.append(self._fragments.host(name, self.selection.metrics))
        if bodies:
            self.seq += 1
            self._send(self._event("host", *bodies))

    def give_portion(self, now_ms: int) -> int:
        """Give one portion of the snapshot to some who lack it and take it; returns to how many."""
        step = self.portions.step()
        if step is None:
            return 0
        hosts, takers, complete = step
        portion = self._portion(hosts, now_ms)
        for viewer in takers:
            viewer.put(portion)
        portion.shed()
        if complete:
            whole = None if self.detail else named("complete", b'{"time":%d}' % now_ms, event_id=self._position())
            for viewer in complete:
                if whole is not None:
                    viewer.put(whole)
                    viewer.made_whole()
        return len(takers)

    def _portion(self, hosts: list[str], now_ms: int) -> Event:
        fragments, selection = self._fragments, self.selection
        present = [host for host in hosts if host in fragments.fleet]
        shown = b",".join([fragments.host(host, selection.metrics) for host in present])
        pasts = b",".join([b'"%b":%b' % (host.encode(), fragments.past(host, selection)) for host in present])
        data = b'{"time":%d,"hosts":[%b],"history":{%b}}' % (now_ms, shown, pasts)
        return named("detail-snapshot" if self.detail else "snapshot", data)

    def begin_anew(self) -> None:
        """Let every viewer get a snapshot; one that comes back with an older position gets one, too."""
        self._ring.clear()
        self._ring_bytes = 0
        self.seq += 1
        for viewer in self.viewers:
            self.portions.want(viewer)

    def since(self, position: EventId | None) -> list[Event] | None:
        """The events after `position`; None when that is not this feed's or too long ago."""
        if position is None or position.epoch != self.epoch or not 0 <= self.seq - position.seq <= len(self._ring):
            return None
        missed = self.seq - position.seq
        return list(self._ring)[len(self._ring) - missed :]
