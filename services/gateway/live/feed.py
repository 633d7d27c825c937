"""A feed of the live stream: the viewers of one selection, who get the same bytes, encoded once.

Events carry `id: epoch-seq`. The last ones are kept, so that a viewer who lost its connection goes on where it was.

A detail feed has every metric of one host, for viewers who look at it besides what they selected. Its events are named
`detail-...` and carry no id, so that `Last-Event-ID` is always a position in the viewer's main feed; it keeps none of
them, and viewers always begin with its snapshot.
"""

from __future__ import annotations

import secrets
from collections import deque

import msgspec
from msgspec import Struct

from schemas.api import Frame, LiveSample, Snapshot
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection, by_family, pick
from services.gateway.live.pacing import may_go, next_due, window_s
from services.gateway.live.viewer import Viewer

RING_EVENTS = 256
RING_BYTES = 4 * 2**20
SAMPLES_PER_HOST = 60
SNAPSHOT_FRESH_MS = 1000
RETRY_MS = 2000
"""What browsers are told to wait before they reconnect."""
RESYNC = b"event: resync\ndata: {}\n\n"

_encode = msgspec.json.Encoder().encode


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

    def __init__(self, selection: Selection, fleet: Fleet, detail: bool = False) -> None:
        self.selection = selection
        self.detail = detail
        self.epoch = secrets.token_hex(4)
        self.seq = 0
        self.viewers: set[Viewer] = set()
        self.idle_since_s: float | None = None
        """Since when nobody watches; the feed outlives its last viewer a little."""
        self.conflated = 0
        """Samples dropped because more than 60 of a host came within one interval."""
        self._fleet = fleet
        self._metrics = by_family(selection)
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._waiting: dict[str, deque[LiveSample]] = {}
        self._due_s: dict[str, float] = {}
        self._window_s = window_s(selection.interval_s)
        self.flush_at_s: float | None = None
        """When the next frame goes out; None while nothing waits."""
        self._snapshot: tuple[int, int, bytes] | None = None

    def publish(self, event: str, body: object) -> None:
        """Send an event to every viewer."""
        self.seq += 1
        encoded = self._encoded(event, body)
        if not self.detail:
            self._keep(encoded)
        for viewer in self.viewers:
            viewer.put(encoded)

    def _encoded(self, event: str, body: object) -> bytes:
        if self.detail:
            return b"event: detail-%s\ndata: %s\n\n" % (event.encode(), _encode(body))
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self.epoch.encode(), self.seq, event.encode(), _encode(body))

    def _keep(self, encoded: bytes) -> None:
        self._ring.append(encoded)
        self._ring_bytes += len(encoded)
        while len(self._ring) > RING_EVENTS or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring.popleft())

    def publish_host(self, name: str, now_ms: int) -> None:
        """Send a host as it is now, if it is selected."""
        if self.selection.has_host(name):
            self.publish("host", self._fleet.host(name, now_ms, self._metrics))

    def add(self, samples: list[LiveSample], now_s: float) -> None:
        """Let new samples of one host wait for the next frame."""
        host = samples[0].host
        waiting = self._waiting.get(host)
        for sample in samples:
            families = pick(sample.families, self._metrics)
            if not families:
                continue
            if waiting is None:
                waiting = self._waiting[host] = deque(maxlen=SAMPLES_PER_HOST)
            self.conflated += len(waiting) == SAMPLES_PER_HOST
            waiting.append(LiveSample(host, sample.time, families) if families is not sample.families else sample)
        if waiting and self.flush_at_s is None:
            self.flush_at_s = now_s + self._window_s

    def drop(self, host: str) -> None:
        """Forget what waits of `host`."""
        self._waiting.pop(host, None)
        self._due_s.pop(host, None)

    def flush(self, now_s: float, now_ms: int) -> None:
        """Send what waits of the hosts that may appear again; the others wait on."""
        interval_s = self.selection.interval_s
        ready = [host for host in self._waiting if may_go(self._due_s.get(host, 0), now_s, interval_s)]
        samples: list[LiveSample] = []
        for host in ready:
            samples += self._waiting.pop(host)
            self._due_s[host] = next_due(self._due_s.get(host, 0), now_s, interval_s)
        self.flush_at_s = now_s + self._window_s if self._waiting else None
        if samples:
            samples.sort(key=_time)
            self.publish("frame", Frame(now_ms, samples))

    def snapshot(self, now_ms: int) -> bytes:
        """The `snapshot` event; the same bytes for all who ask before anything changed.

        Samples that still wait for their frame are in it too, and come again in that frame.
        """
        held = self._snapshot
        if held is None or held[0] != self.seq or now_ms - held[1] > SNAPSHOT_FRESH_MS:
            body = Snapshot(now_ms, self._fleet.hosts(self.selection, now_ms), self._fleet.history(self.selection))
            held = self._snapshot = (self.seq, now_ms, b"retry: %d\n%s" % (RETRY_MS, self._encoded("snapshot", body)))
        return held[2]

    def begin_anew(self, now_ms: int) -> None:
        """Send a fresh snapshot to every viewer; one that comes back with an older position gets one, too."""
        self._ring.clear()
        self._ring_bytes = 0
        self.seq += 1
        for viewer in self.viewers:
            viewer.begin(self.snapshot(now_ms))

    def since(self, position: EventId | None) -> list[bytes] | None:
        """The events after `position`; None when that is not this feed's or too long ago."""
        if position is None or position.epoch != self.epoch or not 0 <= self.seq - position.seq <= len(self._ring):
            return None
        missed = self.seq - position.seq
        return list(self._ring)[len(self._ring) - missed :]


def resync(feeds: list[Feed], now_ms: int) -> list[bytes]:
    """What a viewer of `feeds` needs that has missed events."""
    return [RESYNC, *(feed.snapshot(now_ms) for feed in feeds)]


def _time(sample: LiveSample) -> int:
    return sample.time
