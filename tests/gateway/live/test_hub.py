"""Feeds: what is shared, what can be resumed, when frames go out, who sees which host."""

from __future__ import annotations

import pytest

from schemas.api import AlertCounts, LiveSample, Watching
from schemas.catalogue import CATALOGUE
from schemas.messages import HostFacts
from schemas.settings import SettingChanged
from services.gateway.fleet.given import Given
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection, parse_selection
from services.gateway.live.feed import HOSTS_AT_ONCE, RING_EVENTS, SAMPLES_PER_HOST, EventId, Feed, parse_event_id
from services.gateway.live.fragments import Fragments
from services.gateway.live.hub import LINGER_S, MOST_IDLE, MOST_NAMED, Hub
from services.gateway.live.limits import Limits
from services.gateway.live.viewer import Viewer
from tests.alerts.builders import transition
from tests.gateway.live.viewers import a_person, a_viewer, connected, events, give_all, ids

ALL = Selection(None, None, 1)


def cpu(time_ms: int, host: str = "web-1", **values: float | None) -> LiveSample:
    return LiveSample(host, time_ms, {"cpu": {"": dict(values or {"total": 1.0, "user": 2.0})}})


def clocked(hub_now_s: list[float]) -> Hub:
    hub = Hub(Fleet(CATALOGUE), clock=lambda: hub_now_s[0])
    hub.limits = Limits(100, 100, 100)
    return hub


def a_feed(selection: Selection = ALL, *hosts: str) -> Feed:
    """A feed of a fleet that has those hosts."""
    fleet = Fleet(CATALOGUE)
    for host in hosts:
        fleet.learn(host, HostFacts())
    return Feed(selection, Fragments(fleet))


def joined(hub: Hub, viewer: Viewer, selection: Selection = ALL, *detail: str) -> list[Feed]:
    """The feeds of a viewer that joins, that of its selection first."""
    hub.join(viewer, selection, None, detail)
    return [feed for feed in hub.feeds() if viewer in feed.viewers]


def sent(feed: Feed) -> list[tuple[str, object]]:
    """What the feed has sent since its begin."""
    missed = feed.since(EventId(feed.epoch, 0))
    assert missed is not None
    return events(b"".join(event.text() for event in missed))


def test_equal_selections_share_a_feed() -> None:
    hub = clocked([0.0])
    one = joined(hub, a_viewer(), parse_selection({"metrics": "cpu"}, CATALOGUE))
    other = joined(hub, a_viewer(), parse_selection({"metrics": "cpu", "interval": "1.9"}, CATALOGUE))
    assert one == other
    assert joined(hub, a_viewer()) != one


def test_a_frame_has_what_is_selected_oldest_first_and_unselected_samples_make_none() -> None:
    hub = clocked([0.0])
    for host in ("web-1", "web-2"):
        hub.fleet.learn(host, HostFacts())
    (feed,) = joined(hub, a_viewer(), parse_selection({"metrics": "cpu.user"}, CATALOGUE))
    hub.samples("web-1", [LiveSample("web-1", 1, {"memory": {"": {"used": 5}}})])
    assert feed.flush_at_s is None
    hub.samples("web-1", [cpu(30)])
    hub.samples("web-2", [cpu(10, "web-2"), cpu(20, "web-2")])
    feed.flush(1, 99)
    assert sent(feed) == [
        (
            "frame",
            {
                "time": 99,
                "samples": [
                    {"host": host, "time": time, "families": {"cpu": {"": {"user": 2.0}}}}
                    for host, time in (("web-2", 10), ("web-2", 20), ("web-1", 30))
                ],
            },
        )
    ]


def test_a_host_keeps_its_60_newest_samples_for_a_frame() -> None:
    feed = a_feed(Selection(None, None, 60))
    for time in range(70):
        feed.add("web-1", [(time, b"%d" % time)], 0)
    feed.flush(1, 1)
    assert sent(feed) == [("frame", {"time": 1, "samples": list(range(10, 70))})]
    assert feed.conflated == 70 - SAMPLES_PER_HOST


def test_what_was_left_out_of_frames_is_counted_beyond_the_end_of_the_feed() -> None:
    now_s = [0.0]
    hub = clocked(now_s)
    viewer = a_viewer()
    hub.join(viewer, Selection(None, None, 60), None, ["web-1"])
    for feed in hub.feeds():
        feed.add("web-1", [(time, b"0") for time in range(SAMPLES_PER_HOST + 5)], 0)
    assert hub.counts().conflated == 10
    hub.leave(viewer)
    now_s[0] += LINGER_S + 1
    hub.drop_idle()
    assert list(hub.feeds()) == []
    assert hub.counts().conflated == 10


def test_a_viewer_that_comes_back_is_given_what_it_missed() -> None:
    now_s = [0.0]
    hub = clocked(now_s)
    first = a_viewer()
    (feed,) = joined(hub, first)
    hub.leave(first)
    hub.setting(SettingChanged("a", 1))
    hub.setting(SettingChanged("b", 1))
    now_s[0] = LINGER_S - 1
    back = a_viewer()
    hub.join(back, ALL, EventId(feed.epoch, 1))
    assert events(connected(back).read()) == [("settings", {"key": "b", "version": 1})]
    assert back.state == "live"
    fresh = a_viewer()
    hub.join(fresh, ALL, EventId("another", 1))
    give_all(hub)
    connection = connected(fresh)
    give_all(hub)
    assert [name for name, _ in events(connection.read())] == ["snapshot", "complete"]


@pytest.mark.parametrize("seq", [0, RING_EVENTS + 11, 10**9])
def test_a_position_outside_the_ring_is_not_resumed(seq: int) -> None:
    feed = a_feed()
    for number in range(RING_EVENTS + 10):
        feed.publish("settings", {"key": "a", "version": number})
    assert feed.since(EventId(feed.epoch, seq)) is None
    assert len(feed.since(EventId(feed.epoch, 10)) or []) == RING_EVENTS
    assert feed.since(EventId(feed.epoch, feed.seq)) == []


@pytest.mark.parametrize("text", ["", "-", "abc", "abc-", "abc-x", "-5", "abc-" + "9" * 30, "abc-٣"])
def test_a_foreign_last_event_id_is_no_position(text: str) -> None:
    assert parse_event_id(text) is None


def test_a_feed_is_forgotten_some_time_after_its_last_viewer() -> None:
    now_s = [0.0]
    hub = clocked(now_s)
    viewer = a_viewer()
    feeds = joined(hub, viewer)
    hub.leave(viewer)
    now_s[0] = LINGER_S + 1
    other = a_viewer()
    hub.join(other, Selection(None, None, 2), None)
    hub.leave(other)
    assert joined(hub, a_viewer()) != feeds


def test_only_a_few_feeds_without_viewers_are_kept() -> None:
    hub = clocked([0.0])
    for number in range(50):
        viewer = a_viewer()
        hub.join(viewer, Selection(None, None, 1 + number / 100), None)
        hub.leave(viewer)
    assert len(list(hub.feeds())) == MOST_IDLE


def test_interest_is_the_union_of_what_viewers_look_at() -> None:
    hub = clocked([0.0])
    assert hub.interest() == []
    viewer = a_viewer()
    hub.join(viewer, Selection(frozenset({"b", "a"}), None, 1), None)
    hub.join(a_viewer(), Selection(frozenset({"c"}), None, 1), None)
    assert hub.interest() == ["a", "b", "c"]
    hub.leave(viewer)
    assert hub.interest() == ["c"]
    hub.join(a_viewer(), ALL, None)
    assert hub.interest() == ["*", "c"]


def test_after_a_new_beginning_an_older_position_is_answered_with_a_snapshot() -> None:
    hub = clocked([0.0])
    (feed,) = joined(hub, a_viewer())
    hub.setting(SettingChanged("raw_days", 1))
    before = EventId(feed.epoch, feed.seq)
    hub.begin_anew()
    assert feed.since(before) is None
    assert feed.since(EventId(feed.epoch, feed.seq)) == []


def test_viewers_share_the_detail_feed_of_a_host() -> None:
    hub = clocked([0.0])
    _, one = joined(hub, a_viewer(), ALL, "web-1")
    _, other, _ = joined(hub, a_viewer(), Selection(None, frozenset({("cpu", "total")}), 1), "web-1", "web-2")
    assert one is other


def test_a_detail_feed_is_forgotten_with_its_last_viewer() -> None:
    hub = clocked([0.0])
    one, other = a_viewer(), a_viewer()
    (_, feed), _ = (joined(hub, viewer, ALL, "web-1") for viewer in (one, other))
    hub.leave(one)
    assert joined(hub, one, ALL, "web-1")[1] is feed
    hub.leave(one)
    hub.leave(other)
    assert joined(hub, a_viewer(), ALL, "web-1")[1] is not feed


def test_a_viewer_that_looks_at_hosts_in_detail_is_one_viewer() -> None:
    hub = clocked([0.0])
    viewer = a_viewer()
    joined(hub, viewer, ALL, "web-1", "web-2")
    assert hub.viewers() == [viewer]
    assert hub.viewed(viewer) == (ALL, ["web-1", "web-2"])
    hub.leave(viewer)
    assert hub.viewers() == []


def test_interest_names_the_hosts_in_detail_until_their_viewer_leaves() -> None:
    hub = clocked([0.0])
    viewer = a_viewer()
    hub.join(viewer, ALL, None, {"web-2", "web-1"})
    assert hub.interest() == ["*", "web-1", "web-2"]
    hub.leave(viewer)
    assert hub.interest() == []


def test_alerts_and_settings_come_by_the_main_feed_alone() -> None:
    hub = clocked([0.0])
    viewer = a_viewer()
    hub.join(viewer, ALL, None, {"web-1"})
    before = viewer.queued
    hub.setting(SettingChanged("a", 1))
    hub.alert(transition())
    assert viewer.queued == before + 2


def test_lost_events_are_made_up_for_by_snapshots_of_all_feeds() -> None:
    hub, viewer = clocked([0.0]), a_viewer()
    hub.join(viewer, ALL, None, {"web-1", "web-2"})
    connection = connected(viewer)
    give_all(hub)
    before = len(events(connection.read()))
    hub.resync(viewer)
    give_all(hub)
    names = [name for name, _ in events(connection.read())[before:]]
    assert (names[0], sorted(names[1:])) == ("resync", ["complete", "detail-snapshot", "detail-snapshot", "snapshot"])


def test_a_selection_of_tags_has_the_hosts_with_all_of_them() -> None:
    hub = clocked([0.0])
    hub.fleet.learn(
        "web-1",
        given=Given(
            tags=(
                "web",
                "eu",
            )
        ),
    )
    hub.fleet.learn("web-2", given=Given(tags=("web",)))
    viewer = a_viewer()
    connection = connected(viewer)
    hub.join(viewer, parse_selection({"tags": "eu,web"}, CATALOGUE), None)
    give_all(hub)
    assert [host["id"] for host in events(connection.read())[0][1]["hosts"]] == ["web-1"]


def test_a_host_comes_and_goes_with_its_tags() -> None:
    hub = clocked([0.0])
    hub.fleet.learn("web-1", HostFacts())
    (feed,) = joined(hub, a_viewer(), parse_selection({"tags": "eu"}, CATALOGUE))
    for tags in ([], ["eu"], ["eu", "db"], ["db"], []):
        hub.fleet.learn("web-1", given=Given(tags=tuple(tags)))
        hub.host("web-1")
        hub.samples("web-1", [cpu(1000)])
        feed.flush(hub.clock() + 1, 1)
    assert [name for name, _ in sent(feed)] == ["host", "frame", "host", "frame", "gone"]


def test_hosts_with_the_tags_that_somebody_looks_at_are_asked_for_by_name_while_they_are_few() -> None:
    hub = clocked([0.0])
    hub.join(a_viewer(), parse_selection({"tags": "eu"}, CATALOGUE), None)
    assert hub.interest() == []
    for number in range(MOST_NAMED + 1):
        hub.fleet.learn(f"web-{number}", given=Given(tags=("eu",)))
        hub.host(f"web-{number}")
        if number == 1:
            assert hub.interest() == ["web-0", "web-1"]
    assert hub.interest() == ["*"]


def test_a_host_that_changed_is_told_with_the_change() -> None:
    hub = clocked([0.0])
    hub.fleet.learn("web-1", HostFacts())
    (feed,) = joined(hub, a_viewer())
    hub.host("web-1")
    feed.flush(1, 1)
    hub.fleet.learn("web-1", alerts=AlertCounts(critical=1))
    hub.host("web-1")
    feed.flush(2, 2)
    assert [data["alerts"]["critical"] for _, data in sent(feed)] == [0, 1]  # type: ignore[index]


def test_a_host_that_changes_again_and_again_is_told_as_it_is_at_last() -> None:
    hub = clocked([0.0])
    (feed,) = joined(hub, a_viewer())
    for number in range(5):
        hub.fleet.learn("web-1", HostFacts(), AlertCounts(critical=number))
        hub.host("web-1")
    feed.flush(1, 1)
    assert [data["alerts"]["critical"] for _, data in sent(feed)] == [4]  # type: ignore[index]


def test_hosts_that_change_as_one_are_told_together_and_come_in_turns() -> None:
    hub, viewer = clocked([0.0]), a_viewer()
    (feed,) = joined(hub, viewer)
    connection = connected(viewer)
    give_all(hub)
    for number in range(HOSTS_AT_ONCE + 1):
        hub.fleet.learn(f"web-{number}", HostFacts())
        hub.host(f"web-{number}")
    before = viewer.sent
    feed.flush(1, 1)
    assert viewer.sent == before + 1
    assert feed.flush_at_s is not None
    feed.flush(2, 2)
    told = [name for name, _ in events(connection.read())].count("host")
    assert (viewer.sent, told, feed.flush_at_s) == (before + 2, HOSTS_AT_ONCE + 1, None)
    assert [bool(each) for each in ids(connection.read())].count(True) == 3, "complete, and the last of each"


def test_a_host_that_is_removed_before_it_was_told_is_only_gone() -> None:
    hub = clocked([0.0])
    (feed,) = joined(hub, a_viewer())
    hub.fleet.learn("web-1", HostFacts())
    hub.host("web-1")
    hub.fleet.forget("web-1")
    hub.gone("web-1")
    feed.flush(1, 1)
    assert [name for name, _ in sent(feed)] == ["gone"]


def test_the_streams_of_a_session_end_with_it_and_no_others() -> None:
    hub = clocked([0.0])
    one, other = a_viewer(session_id=1), a_viewer(session_id=2)
    for viewer in (one, other):
        hub.join(viewer, ALL, None)
    assert hub.end(lambda person: person.session_id == 1) == 1
    assert (one.state, one.closed.is_set()) == ("closed", True)
    assert (other.state, other.closed.is_set()) == ("connecting", False)


def test_only_who_may_know_is_told_and_nobody_resumes_from_it() -> None:
    hub = clocked([0.0])
    viewer, operator = a_viewer("vera"), Viewer(a_person("otto", "operator"))
    taken = [connected(joins) for joins in (viewer, operator)]
    for joins in (viewer, operator):
        hub.join(joins, ALL, None)
    hub.tell("viewers", Watching(2), "operator")
    hers, his = (connection.read() for connection in taken)
    assert [data for name, data in events(his) if name == "viewers"] == [{"viewers": 2}]
    assert not [name for name, _ in events(hers) if name == "viewers"]
    assert not [each for each in ids(his) if each]
