"""All feeds of the live stream: viewers join and leave, news is spread, frames go out in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator

from infra.clock import now_ms
from schemas.api import Gone, LiveSample
from schemas.messages import AlertTransition
from schemas.settings import SettingChanged
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection
from services.gateway.http.person import Person
from services.gateway.live.feed import EventId, Feed
from services.gateway.live.viewer import Viewer

LINGER_S = 15.0
"""How long a feed outlives its last viewer, so that one that comes back can resume."""
MOST_IDLE = 8
"""Feeds without viewers beyond this many are dropped at once."""


RESUMED = b": resumed\n\n"


class Full(Exception):
    """As many viewers as allowed are there."""


class Hub:
    """Who watches what. Synchronous but for `pump`, which sends the frames."""

    def __init__(self, fleet: Fleet, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_viewers = 100
        """A setting."""
        self.joined = asyncio.Event()
        """Set whenever a viewer joins; whoever waits for it clears it."""
        self.closed = asyncio.Event()
        """Set when the gateway stops."""
        self.fleet = fleet
        self._clock = clock
        self._feeds: dict[Selection, Feed] = {}
        self._details: dict[str, dict[float, Feed]] = {}
        """Host -> interval -> the feed of all of that host's metrics."""
        self._wake = asyncio.Event()

    def viewers(self) -> list[Viewer]:
        """Everyone who watches, the longest first."""
        return sorted((v for feed in self._feeds.values() for v in feed.viewers), key=lambda v: v.since_ms)

    def interest(self) -> list[str]:
        """The hosts that viewers look at, `*` for all before those looked at by name; empty without viewers."""
        watched = [feed.selection.hosts for feed in self._every_feed() if feed.viewers]
        named = sorted({host for hosts in watched for host in hosts or ()})
        return ["*", *named] if any(hosts is None for hosts in watched) else named

    def join(
        self, viewer: Viewer, selection: Selection, position: EventId | None, detail: Collection[str] = ()
    ) -> list[Feed]:
        """Let `viewer` watch its selection and every metric of the hosts in `detail`; returns its feeds. Raises Full.

        What it missed of its selection since `position`, or else a snapshot, is queued for it, then a snapshot of each
        host in `detail`.
        """
        if sum(len(feed.viewers) for feed in self._feeds.values()) >= self.most_viewers:
            raise Full
        at_ms = now_ms()
        main = self._feeds.get(selection)
        if main is None:
            main = self._feeds[selection] = Feed(selection, self.fleet)
        missed = main.since(position)
        if missed is None:
            viewer.begin(main.snapshot(at_ms))
        else:
            for event in missed or [RESUMED]:
                viewer.put(event)
        feeds = [main, *(self._detail(host, selection.interval_s) for host in sorted(detail))]
        for feed in feeds[1:]:
            viewer.begin(feed.snapshot(at_ms))
        for feed in feeds:
            feed.viewers.add(viewer)
        main.idle_since_s = None
        self.joined.set()
        return feeds

    def _detail(self, host: str, interval_s: float) -> Feed:
        feeds = self._details.setdefault(host, {})
        if interval_s not in feeds:
            feeds[interval_s] = Feed(Selection(frozenset({host}), None, interval_s), self.fleet, detail=True)
        return feeds[interval_s]

    def leave(self, viewer: Viewer, feeds: list[Feed]) -> None:
        """Take `viewer` out of `feeds`, which are all of its own."""
        viewer.close()
        for feed in feeds:
            feed.viewers.discard(viewer)
            if not feed.viewers:
                feed.idle_since_s = self._clock()
        self._drop_idle()

    def _drop_idle(self) -> None:
        """Forget feeds that nobody came back to, and at once those of single hosts: they have nothing to resume."""
        for host, feeds in list(self._details.items()):
            self._details[host] = {interval_s: feed for interval_s, feed in feeds.items() if feed.viewers}
            if not self._details[host]:
                del self._details[host]
        now_s = self._clock()
        idle = [(c.idle_since_s, c) for c in self._feeds.values() if c.idle_since_s is not None]
        idle.sort(key=lambda pair: pair[0])
        for place, (since_s, feed) in enumerate(idle):
            if now_s - since_s > LINGER_S or place < len(idle) - MOST_IDLE:
                del self._feeds[feed.selection]

    def _every_feed(self) -> Iterator[Feed]:
        yield from self._feeds.values()
        for feeds in self._details.values():
            yield from feeds.values()

    def _feeds_of(self, host: str) -> Iterator[Feed]:
        """The feeds that show `host`."""
        yield from (feed for feed in self._feeds.values() if feed.selection.has_host(host))
        yield from self._details.get(host, {}).values()

    def begin_anew(self) -> None:
        """Give every viewer a fresh snapshot, since what is known of many hosts changed at once."""
        at_ms = now_ms()
        for feed in self._every_feed():
            feed.begin_anew(at_ms)

    def samples(self, host: str, samples: list[LiveSample]) -> None:
        """Spread new samples of one host."""
        if not samples:
            return
        now_s = self._clock()
        for feed in self._feeds_of(host):
            waited = feed.flush_at_s
            feed.add(samples, now_s)
            if feed.flush_at_s != waited:
                self._wake.set()

    def host(self, name: str) -> None:
        """Spread that a host is new, or that its state, facts or alerts are."""
        at_ms = now_ms()
        for feed in self._feeds_of(name):
            feed.publish_host(name, at_ms)

    def gone(self, name: str) -> None:
        """Spread that a host was removed; viewers may learn of one that they have never seen."""
        for feed in self._feeds_of(name):
            feed.drop(name)
            feed.publish("gone", Gone(name))

    def left(self, name: str, removed: bool) -> None:
        """Spread that a host was removed, or archived."""
        if removed:
            self.gone(name)
        else:
            self.host(name)

    def alert(self, transition: AlertTransition) -> None:
        for feed in self._feeds.values():
            if feed.selection.has_host(transition.host):
                feed.publish("alert", transition)

    def setting(self, changed: SettingChanged) -> None:
        for feed in self._feeds.values():
            feed.publish("settings", changed)

    def end(self, ended: Callable[[Person], bool]) -> int:
        """End the streams of everyone whom `ended` names, such as by a session that is over; returns how many."""
        found = [viewer for viewer in self.viewers() if ended(viewer.person)]
        for viewer in found:
            viewer.close()
        return len(found)

    def close(self) -> None:
        """End every stream."""
        self.closed.set()
        for viewer in self.viewers():
            viewer.close()

    async def pump(self) -> None:
        """Send frames when they are due, until cancelled."""
        while True:
            now_s = self._clock()
            for feed in self._every_feed():
                if feed.flush_at_s is not None and feed.flush_at_s <= now_s:
                    feed.flush(now_s, now_ms())
            self._drop_idle()
            due = [feed.flush_at_s for feed in self._every_feed() if feed.flush_at_s is not None]
            self._wake.clear()
            try:
                async with asyncio.timeout(max(0.0, min(due) - self._clock()) if due else LINGER_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
