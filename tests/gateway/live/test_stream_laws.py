"""Whatever happens to a viewer's connection, in the end it knows what the fleet's memory knows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.api import AlertCounts
from schemas.catalogue import CATALOGUE
from schemas.codec import encode_batch
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection, parse_selection
from services.gateway.live import viewer as module
from services.gateway.live.encoding import Encoding
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Limits
from services.gateway.live.portions import PORTION_HOSTS, Portions
from services.gateway.live.viewer import Viewer
from tests.batches import START_MS, batch, sample
from tests.gateway.live.follower import Follower
from tests.gateway.live.viewers import Connection, a_person, a_viewer, connected, decoded, events, give_all

HOSTS = [f"web-{number}" for number in range(2 * PORTION_HOSTS + 3)]
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"metrics": "cpu.total"},
    {"tags": "eu", "metrics": "cpu"},
    {"hosts": ",".join(HOSTS[5:25]), "metrics": "cpu.total"},
)
ENCODINGS: tuple[Encoding, ...] = ("identity", "gzip", "zstd", "identity")

QUEUED = 3

host = st.sampled_from(HOSTS)
number = st.integers(0, len(QUERIES) - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("burst"), st.lists(host, min_size=1, max_size=8), st.integers(0, 30)),
        st.tuples(st.just("facts"), host, st.sampled_from([[], ["eu"]]), st.integers(0, 3)),
        st.tuples(st.just("remove"), host),
        st.tuples(st.just("flush")),
        st.tuples(st.just("portion"), number),
        st.tuples(st.just("stick"), number),
        st.tuples(st.just("loosen"), number),
        st.tuples(st.just("overflow"), number),
        st.tuples(st.just("anew")),
        st.tuples(st.just("return"), number),
    ),
    min_size=10,
    max_size=60,
)


class World:
    """A fleet, its hub, and one viewer of each selection."""

    def __init__(self) -> None:
        self.fleet = Fleet(CATALOGUE)
        self.hub = Hub(self.fleet, clock=lambda: self.now_s)
        self.hub.limits = Limits(100, 100, 100)
        self.now_s = 0.0
        self.value = 0
        self.ids = 0
        for name in HOSTS:
            self.facts(name, [], 0)
        self.selections = [parse_selection(query, CATALOGUE) for query in QUERIES]
        self.viewers: list[Viewer] = []
        self.connections: list[Connection] = []
        self.followers = [Follower() for _ in QUERIES]
        for selection, encoding in zip(self.selections, ENCODINGS, strict=True):
            self.viewers.append(Viewer(a_person(), "", encoding))
            self.connections.append(connected(self.viewers[-1]))
            self.hub.join(self.viewers[-1], selection, None)

    def sample(self, name: str, second: int) -> None:
        self.value += 1
        taken = batch(sample(START_MS + 1000 * second, total=self.value, user=1), host=name, lane="live")
        new = name not in self.fleet
        fresh = self.fleet.take(taken, encode_batch(taken), START_MS)
        if self.fleet.turned(START_MS, name) or new:
            self.hub.host(name)
        self.hub.samples(name, fresh)

    def burst(self, names: list[str], second: int) -> None:
        for name in names:
            self.sample(name, second)
        self.flush()

    def overflow(self, which: int) -> None:
        """The connection takes nothing while more happens than its viewer's queue holds."""
        self.stick(which)
        for second in range(QUEUED + 1):
            self.burst([HOSTS[(7 * self.value + k) % len(HOSTS)] for k in range(3)], self.value % 30 + second)

    def facts(self, name: str, tags: list[str], critical: int) -> None:
        news = False
        if self.fleet.members.is_gone(name):
            self.ids += 1
            news = self.fleet.enter(name, self.ids)
        if self.fleet.learn(name, HostFacts(tags=tags), AlertCounts(critical=critical)) or news:
            self.hub.host(name)
        if news:  # another machine under that name, whose samples are later than those of the one before
            self.sample(name, 60 + self.ids)

    def remove(self, name: str) -> None:
        if self.fleet.forget(name, self.ids):
            self.hub.gone(name)

    def flush(self) -> None:
        self.now_s += 1
        for feed in list(self.hub.feeds()):
            feed.flush(self.now_s, START_MS)

    def portion(self, which: int) -> None:
        feed = next(feed for feed in self.hub.feeds() if feed.selection == self.selections[which])
        feed.give_portion(START_MS)

    def stick(self, which: int) -> None:
        self.connections[which].stuck = True

    def loosen(self, which: int) -> None:
        viewer = self.viewers[which]
        self.connections[which].stuck = False
        viewer.catch_up(lambda: self.hub.resync(viewer))

    def anew(self) -> None:
        self.hub.begin_anew()

    def back(self, which: int) -> None:
        """The viewer loses its connection and comes back with the last id that it was told."""
        self.read(which)
        viewer, last = self.viewers[which], self.connections[which].last_id
        self.hub.leave(viewer)
        self.viewers[which] = Viewer(a_person(), "", ENCODINGS[which])
        self.connections[which] = connected(self.viewers[which])
        self.connections[which].last_id = last
        self.hub.join(self.viewers[which], self.selections[which], last)
        self.followers[which].apply("resync", {})

    def read(self, which: int) -> None:
        connection = self.connections[which]
        body = decoded(ENCODINGS[which], connection.read())
        connection.note_last_id(body)
        told = events(body)
        for name, data in told[connection.followed :]:
            self.followers[which].apply(name, data)
        connection.followed = len(told)

    def settle(self) -> None:
        """All connections take everything, until nobody lacks anything."""
        for which in range(len(QUERIES)):
            self.loosen(which)
        for _ in range(10):
            self.flush()
        give_all(self.hub, START_MS)
        for which in range(len(QUERIES)):
            self.read(which)


def shown(fleet: Fleet, selection: Selection) -> dict[str, Any]:
    hosts = fleet.hosts(selection, START_MS)
    return {each["id"]: each for each in msgspec.to_builtins(hosts)}


def past(fleet: Fleet, name: str) -> dict[int, float]:
    known = fleet.past(name, False, None)
    column = known.get("cpu.total", {}).get("", [])
    return {time: value for time, value in zip(known["times"], column, strict=False) if value is not None}


SET_BACK = [("remove", "web-1"), ("facts", "web-1", [], 0), ("flush",), ("burst", ["web-1"], 0)]
"""A machine that was ahead of us by more than a minute, and is not any more."""


@given(steps)
@example(SET_BACK)
def test_a_viewer_ends_with_what_the_fleet_knows_whatever_it_missed(happens: list[tuple[Any, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUEUE_EVENTS", QUEUED)
        patch.setattr(module, "MOST_RESYNCS", 1_000)
        world = World()
        for what, *arguments in happens:
            getattr(world, "back" if what == "return" else what)(*arguments)
        world.settle()
    for selection, follower, viewer in zip(world.selections, world.followers, world.viewers, strict=True):
        assert viewer.state == "live"
        assert follower.hosts == shown(world.fleet, selection)
        for name, seen in follower.samples.items():
            assert past(world.fleet, name).items() <= seen.items()


class Round:
    """Portions, and who has got what of them."""

    def __init__(self, hosts: int) -> None:
        self.portions = Portions(f"h{k}" for k in range(hosts))
        self.steady = set(self.portions.hosts)
        """Hosts that were there all the time."""
        self.got: dict[Viewer, list[str]] = {}
        self.whole: list[Viewer] = []
        self.added = 0

    def join(self) -> None:
        viewer = a_viewer()
        connected(viewer)
        self.got[viewer] = []
        self.portions.want(viewer)

    def leave(self) -> None:
        for viewer in list(self.got)[:1]:
            del self.got[viewer]
            self.portions.forget(viewer)

    def step(self) -> bool:
        given_now = self.portions.step()
        if given_now is None:
            return False
        names, takers, complete = given_now
        for viewer in takers:
            self.got[viewer] += names
        self.whole += complete
        return True

    def add(self) -> None:
        self.added += 1
        self.portions.add(f"new{self.added}")

    def drop(self) -> None:
        for host in sorted(self.steady)[:1]:
            self.steady.discard(host)
            self.portions.discard(host)


@given(st.lists(st.sampled_from(["join", "leave", "step", "add", "drop"]), max_size=120), st.integers(0, 70))
def test_every_viewer_gets_each_host_once_unless_it_came_or_went_meanwhile(what: list[str], hosts: int) -> None:
    world = Round(hosts)
    for each in what:
        getattr(world, each)()
    while world.step():
        pass
    assert not world.portions.wanted
    for viewer, names in world.got.items():
        assert viewer in world.whole
        assert len(names) == len(set(names))
        assert world.steady <= set(names)


def test_a_host_that_comes_before_the_first_portion_is_in_one_of_them() -> None:
    world = Round(PORTION_HOSTS)
    world.join()
    world.add()
    while world.step():
        pass
    ((_, names),) = world.got.items()
    assert "new1" in names
