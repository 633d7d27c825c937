"""All feeds of the live stream: viewers join and leave, and what is new is spread to those who look at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import msgspec

from schemas.api import LiveSample, Processes
from schemas.messages import AlertTransition
from schemas.people import Role
from schemas.settings import SettingChanged
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Metrics, Selection
from services.gateway.http.person import Person
from services.gateway.live.event import Event, named
from services.gateway.live.feed import EventId, Feed
from services.gateway.live.fragments import Fragments
from services.gateway.live.limits import Limits, check
from services.gateway.live.viewer import Viewer

LINGER_S = 15.0
"""How long a feed outlives its last viewer, so that one that comes back can resume."""
MOST_IDLE = 8
"""Feeds without viewers beyond this many are dropped at once."""
MOST_NAMED = 100
"""Hosts with the tags that somebody looks at are asked for by name up to this many, else all hosts are asked."""

RESYNC = Event(b"event: resync\ndata: {}\n\n")
RESUMED = Event(b": resumed\n\n")

_encode = msgspec.json.Encoder().encode


class Counts(NamedTuple):
    """Counts since the start."""

    sent: int
    """Events given to viewers."""
    dropped: int
    """Events that viewers were too slow for."""
    conflated: int
    """Samples left out of frames, since so many of one host came within one interval."""


class Hub:
    """Who watches what. Synchronous; `sending` sends what is due."""

    def __init__(self, fleet: Fleet, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = Limits()
        """Settings."""
        self.joined = asyncio.Event()
        """Set whenever a viewer joins; whoever waits for it clears it."""
        self.counted = asyncio.Event()
        """Set whenever a viewer joins or leaves; whoever waits for it clears it."""
        self.due = asyncio.Event()
        """Set when a frame is due sooner than before."""
        self.wanted = asyncio.Event()
        """Set when somebody lacks a snapshot."""
        self.fleet = fleet
        self.clock = clock
        self._sent = self._dropped = 0
        """Events of viewers that have left."""
        self._conflated = 0
        """Samples that feeds left out which are no more."""
        self._fragments = Fragments(fleet)
        self._feeds: dict[Selection, Feed] = {}
        self._details: dict[str, dict[float, Feed]] = {}
        """Host -> interval -> the feed of all of that host's metrics."""
        self._watching: dict[Viewer, list[Feed]] = {}
        """The feeds of each viewer, that of its selection first."""
        self._shown: dict[str, list[tuple[Metrics, list[Feed]]]] = {}
        """Host -> the feeds that show it, by what they show of it; as far as asked for."""

    def viewers(self) -> list[Viewer]:
        """Everyone who watches, the longest first."""
        return sorted(self._watching, key=lambda viewer: viewer.since_ms)

    def viewed(self, viewer: Viewer) -> tuple[Selection, list[str]]:
        """What `viewer` looks at: its selection, and the hosts in detail. KeyError when it does not watch."""
        main, *details = self._watching[viewer]
        return main.selection, [host for feed in details for host in feed.selection.hosts or ()]

    def feeds(self) -> Iterator[Feed]:
        yield from self._feeds.values()
        for feeds in self._details.values():
            yield from feeds.values()

    def counts(self) -> Counts:
        """What viewers were given since the start, and what not."""
        return Counts(
            self._sent + sum(viewer.sent for viewer in self._watching),
            self._dropped + sum(viewer.dropped for viewer in self._watching),
            self._conflated + sum(feed.conflated for feed in self.feeds()),
        )

    def interest(self) -> list[str]:
        """The hosts that viewers look at, `*` for all before those looked at by name; empty without viewers."""
        named: set[str] = set()
        for feed in self.feeds():
            if feed.viewers:
                named |= _asked(feed)
        return [*(["*"] if "*" in named else []), *sorted(named - {"*"})]

    def join(
        self, viewer: Viewer, selection: Selection, position: EventId | None, detail: Collection[str] = ()
    ) -> None:
        """Let `viewer` watch its selection and every metric of the hosts in `detail`. Raises TooMany.

        It gets what it missed of its selection since `position`, or else a snapshot, and a snapshot of each host in
        `detail`.
        """
        watching = ((other.person, feeds[0].selection) for other, feeds in self._watching.items())
        check(self.limits, watching, viewer.person, selection)
        main = self._feeds.get(selection)
        if main is None:
            main = self._feeds[selection] = Feed(selection, self._fragments)
            self._shown.clear()
        feeds = [main, *(self._detail(host, selection.interval_s) for host in sorted(detail))]
        self._watching[viewer] = feeds
        missed = main.join(viewer, position)
        for feed in feeds[1:]:
            feed.join(viewer, None)
        if missed is not None:
            for event in missed or [RESUMED]:
                viewer.put(event)
            viewer.made_whole()
        self.joined.set()
        self.counted.set()
        self.wanted.set()

    def _detail(self, host: str, interval_s: float) -> Feed:
        feeds = self._details.setdefault(host, {})
        if interval_s not in feeds:
            selection = Selection(frozenset({host}), None, interval_s)
            feeds[interval_s] = Feed(selection, self._fragments, detail=True)
            self._shown.pop(host, None)
        return feeds[interval_s]

    def leave(self, viewer: Viewer) -> None:
        """Let `viewer` watch no more."""
        viewer.close()
        if viewer in self._watching:
            self.counted.set()
            self._sent += viewer.sent
            self._dropped += viewer.dropped
        now_s = self.clock()
        for feed in self._watching.pop(viewer, ()):
            feed.leave(viewer, now_s)
        self.drop_idle()

    def resync(self, viewer: Viewer) -> None:
        """Tell a viewer that it has lost events, and let it get all its snapshots."""
        viewer.put(RESYNC)
        for feed in self._watching.get(viewer, ()):
            feed.portions.want(viewer)
        self.wanted.set()

    def drop_idle(self) -> None:
        """Forget feeds that nobody came back to, and at once those of single hosts: they have nothing to resume."""
        before = len(self._feeds) + len(self._details)
        for host, feeds in list(self._details.items()):
            left = {interval_s: feed for interval_s, feed in feeds.items() if feed.viewers}
            if len(left) < len(feeds):
                self._conflated += sum(feed.conflated for feed in feeds.values() if not feed.viewers)
                self._details[host] = left
                self._shown.pop(host, None)
            if not left:
                del self._details[host]
        now_s = self.clock()
        idle = [(c.idle_since_s, c) for c in self._feeds.values() if c.idle_since_s is not None]
        idle.sort(key=lambda pair: pair[0])
        for place, (since_s, feed) in enumerate(idle):
            if now_s - since_s > LINGER_S or place < len(idle) - MOST_IDLE:
                self._conflated += feed.conflated
                del self._feeds[feed.selection]
                self._shown.clear()
        if len(self._feeds) + len(self._details) < before:
            self._fragments.keep([feed.selection for feed in self.feeds()])

    def _shown_by(self, host: str) -> list[tuple[Metrics, list[Feed]]]:
        shown = self._shown.get(host)
        if shown is None:
            by_metrics: dict[Metrics, list[Feed]] = {}
            for feed in [*self._feeds.values(), *self._details.get(host, {}).values()]:
                if host in feed.portions:
                    by_metrics.setdefault(feed.selection.metrics, []).append(feed)
            shown = self._shown[host] = list(by_metrics.items())
        return shown

    def begin_anew(self) -> None:
        """Give every viewer a fresh snapshot, since what is known of many hosts changed at once."""
        self._shown.clear()
        for viewer in self._watching:
            viewer.put(RESYNC)
        for feed in self.feeds():
            feed.begin_anew()
        self.wanted.set()

    def samples(self, host: str, samples: list[LiveSample]) -> None:
        """Spread new samples of one host."""
        if not samples:
            return
        now_s = self.clock()
        for metrics, feeds in self._shown_by(host):
            encoded = self._fragments.samples(samples, metrics)
            if not encoded:
                continue
            for feed in feeds:
                if feed.flush_at_s is None:
                    self.due.set()
                feed.add(host, encoded, now_s)

    def host(self, name: str) -> None:
        """Spread that a host is new, or that its state, facts, tags or alerts are."""
        self._shown.pop(name, None)
        now_s = self.clock()
        for feed in [*self._feeds.values(), *self._details.get(name, {}).values()]:
            before = feed.flush_at_s
            feed.show_host(name, now_s)
            if feed.flush_at_s != before:
                self.due.set()

    def detailed(self, host: str) -> bool:
        """Whether somebody looks at `host` in detail."""
        return host in self._details

    def processes(self, told: Processes) -> None:
        """Spread which processes of a host use most, to those who look at it in detail."""
        for feed in self._details.get(told.host, {}).values():
            feed.publish("processes", told)

    def gone(self, name: str) -> None:
        """Spread that a host was removed."""
        self._shown.pop(name, None)
        for feed in [*self._feeds.values(), *self._details.get(name, {}).values()]:
            if name in feed.portions:
                feed.drop(name)

    def left(self, name: str, removed: bool) -> None:
        """Spread that a host was removed, or archived."""
        if removed:
            self.gone(name)
        else:
            self.host(name)

    def alert(self, transition: AlertTransition) -> None:
        """Spread what an alert became; one about Sonde itself has no host, and is everybody's."""
        for feed in self._feeds.values():
            if not transition.host or feed.selection.shows(transition.host, self.fleet.tags(transition.host)):
                feed.publish("alert", transition)

    def setting(self, changed: SettingChanged) -> None:
        for feed in self._feeds.values():
            feed.publish("settings", changed)

    def tell(self, name: str, body: object, role: Role = "viewer") -> None:
        """Send everyone with `role` how something is now; it has no id, since nobody needs to know how it was."""
        event = named(name, _encode(body))
        for viewer in self._watching:
            if viewer.person.may(role):
                viewer.put(event)

    def end(self, ended: Callable[[Person], bool]) -> int:
        """End the streams of everyone whom `ended` names, such as by a session that is over; returns how many."""
        found = [viewer for viewer in self._watching if ended(viewer.person)]
        for viewer in found:
            viewer.close()
        return len(found)

    def close(self) -> None:
        """End every stream."""
        for viewer in self._watching:
            viewer.close()


def _asked(feed: Feed) -> set[str]:
    """The hosts to ask for live samples on behalf of a feed."""
    selection = feed.selection
    if selection.hosts is not None:
        return set(selection.hosts)
    if selection.tags and len(feed.portions.hosts) <= MOST_NAMED:
        return set(feed.portions.hosts)
    return {"*"}
