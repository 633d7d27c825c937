"""Feeds: what is encoded once, what can be resumed, when frames go out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.api import LiveSample
from schemas.catalogue import CATALOGUE
from schemas.settings import SettingChanged
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection, parse_selection
from services.gateway.live.feed import RING_EVENTS, SAMPLES_PER_HOST, EventId, Feed, parse_event_id, resync
from services.gateway.live.hub import LINGER_S, MOST_IDLE, Full, Hub
from tests.alerts.builders import transition
from tests.gateway.live.viewers import a_viewer

ALL = Selection(None, None, 1)


def cpu(time_ms: int, host: str = "web-1", **values: float | None) -> LiveSample:
    return LiveSample(host, time_ms, {"cpu": {"": dict(values or {"total": 1.0, "user": 2.0})}})


def events(chunk: bytes | None) -> list[tuple[str, Any]]:
    """Name and data of each event in `chunk`."""
    answer = []
    for block in (chunk or b"").decode().split("\n\n")[:-1]:
        fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
        answer.append((fields.get("event", ""), json.loads(fields.get("data", "null"))))
    return answer


def clocked(hub_now_s: list[float]) -> Hub:
    return Hub(Fleet(CATALOGUE), clock=lambda: hub_now_s[0])


def test_equal_selections_share_a_feed() -> None:
    hub = clocked([0.0])
    one = hub.join(a_viewer(), parse_selection({"metrics": "cpu"}, CATALOGUE), None)
    other = hub.join(a_viewer(), parse_selection({"metrics": "cpu", "interval": "1.0"}, CATALOGUE), None)
    assert one == other
    assert hub.join(a_viewer(), ALL, None) != one


def test_a_frame_has_what_is_selected_oldest_first_and_unselected_samples_make_none() -> None:
    fleet = Fleet(CATALOGUE)
    feed = Feed(parse_selection({"metrics": "cpu.user"}, CATALOGUE), fleet)
    feed.add([LiveSample("web-1", 1, {"memory": {"": {"used": 5}}})], 0)
    assert feed.flush_at_s is None
    feed.add([cpu(30)], 0)
    feed.add([cpu(10, "web-2"), cpu(20, "web-2")], 0)
    feed.flush(1, 99)
    ((name, data),) = events(feed.since(EventId(feed.epoch, 0))[0])  # type: ignore[index]
    assert name == "frame"
    assert data == {
        "time": 99,
        "samples": [
            {"host": host, "time": time, "families": {"cpu": {"": {"user": 2.0}}}}
            for host, time in (("web-2", 10), ("web-2", 20), ("web-1", 30))
        ],
    }


def test_a_host_keeps_its_60_newest_samples_for_a_frame() -> None:
    feed = Feed(Selection(None, None, 60), Fleet(CATALOGUE))
    feed.add([cpu(time) for time in range(70)], 0)
    feed.flush(1, 1)
    ((_, data),) = events(feed.since(EventId(feed.epoch, 0))[0])  # type: ignore[index]
    assert [one["time"] for one in data["samples"]] == list(range(10, 70))
    assert feed.conflated == 70 - SAMPLES_PER_HOST


def test_a_viewer_that_comes_back_is_given_what_it_missed() -> None:
    now_s = [0.0]
    hub = clocked(now_s)
    first = a_viewer()
    (feed,) = hub.join(first, ALL, None)
    hub.leave(first, [feed])
    hub.setting(SettingChanged("a", 1))
    hub.setting(SettingChanged("b", 1))
    now_s[0] = LINGER_S - 1
    back = a_viewer()
    assert hub.join(back, ALL, EventId(feed.epoch, 1)) == [feed]
    assert back.queued == 1
    fresh = a_viewer()
    hub.join(fresh, ALL, EventId("another", 1))
    assert fresh.queued == 1


@pytest.mark.parametrize("seq", [0, RING_EVENTS + 11, 10**9])
def test_a_position_outside_the_ring_is_not_resumed(seq: int) -> None:
    feed = Feed(ALL, Fleet(CATALOGUE))
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
    feeds = hub.join(viewer, ALL, None)
    hub.leave(viewer, feeds)
    now_s[0] = LINGER_S + 1
    other = a_viewer()
    hub.leave(other, hub.join(other, Selection(None, None, 2), None))
    assert hub.join(a_viewer(), ALL, None) != feeds


def test_only_a_few_feeds_without_viewers_are_kept() -> None:
    hub = clocked([0.0])
    for number in range(50):
        viewer = a_viewer()
        hub.leave(viewer, hub.join(viewer, Selection(None, None, 1 + number / 100), None))
    assert len(hub._feeds) == MOST_IDLE


def test_one_viewer_too_many_is_refused() -> None:
    hub = clocked([0.0])
    hub.most_viewers = 2
    viewer = a_viewer()
    feeds = hub.join(viewer, ALL, None)
    hub.join(a_viewer(), Selection(None, None, 2), None)
    with pytest.raises(Full):
        hub.join(a_viewer(), ALL, None)
    hub.leave(viewer, feeds)
    hub.join(a_viewer(), ALL, None)


def test_interest_is_the_union_of_what_viewers_look_at() -> None:
    hub = clocked([0.0])
    assert hub.interest() == []
    viewer = a_viewer()
    feeds = hub.join(viewer, Selection(frozenset({"b", "a"}), None, 1), None)
    hub.join(a_viewer(), Selection(frozenset({"c"}), None, 1), None)
    assert hub.interest() == ["a", "b", "c"]
    hub.leave(viewer, feeds)
    assert hub.interest() == ["c"]
    hub.join(a_viewer(), ALL, None)
    assert hub.interest() == ["*", "c"]


def test_a_snapshot_is_encoded_once_until_something_changes() -> None:
    feed = Feed(ALL, Fleet(CATALOGUE))
    first = feed.snapshot(1000)
    assert feed.snapshot(1500) is first
    feed.publish("settings", {})
    assert feed.snapshot(1500) is not first


def test_after_a_new_beginning_an_older_position_is_answered_with_a_snapshot() -> None:
    hub = clocked([0.0])
    viewer = a_viewer()
    (feed,) = hub.join(viewer, ALL, None)
    hub.setting(SettingChanged("raw_days", 1))
    before = EventId(feed.epoch, feed.seq)
    hub.begin_anew()
    assert feed.since(before) is None
    assert feed.since(EventId(feed.epoch, feed.seq)) == []


def test_viewers_share_the_detail_feed_of_a_host() -> None:
    hub = clocked([0.0])
    _, one = hub.join(a_viewer(), ALL, None, {"web-1"})
    _, other, _ = hub.join(a_viewer(), Selection(None, frozenset({("cpu", "total")}), 1), None, {"web-1", "web-2"})
    assert one is other


def test_a_detail_feed_is_forgotten_with_its_last_viewer() -> None:
    hub = clocked([0.0])
    viewers = [a_viewer(), a_viewer()]
    (_, feed), other = (hub.join(viewer, ALL, None, {"web-1"}) for viewer in viewers)
    hub.leave(viewers[0], other)
    assert hub.join(viewers[0], ALL, None, {"web-1"})[1] is feed
    hub.leave(viewers[0], other)
    hub.leave(viewers[1], other)
    assert hub.join(a_viewer(), ALL, None, {"web-1"})[1] is not feed


def test_a_viewer_that_looks_at_hosts_in_detail_is_one_viewer() -> None:
    hub = clocked([0.0])
    hub.most_viewers = 1
    viewer = a_viewer()
    feeds = hub.join(viewer, ALL, None, {"web-1", "web-2"})
    assert hub.viewers() == [viewer]
    with pytest.raises(Full):
        hub.join(a_viewer(), ALL, None)
    hub.leave(viewer, feeds)
    assert hub.viewers() == []


def test_interest_names_the_hosts_in_detail_until_their_viewer_leaves() -> None:
    hub = clocked([0.0])
    viewer = a_viewer()
    feeds = hub.join(viewer, ALL, None, {"web-2", "web-1"})
    assert hub.interest() == ["*", "web-1", "web-2"]
    hub.leave(viewer, feeds)
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
    feeds = clocked([0.0]).join(a_viewer(), ALL, None, {"web-1", "web-2"})
    names = [name for name, _ in events(b"".join(resync(feeds, 1000)))]
    assert names == ["resync", "snapshot", "detail-snapshot", "detail-snapshot"]


def test_the_streams_of_a_session_end_with_it_and_no_others() -> None:
    hub = clocked([0.0])
    one, other = a_viewer(session_id=1), a_viewer(session_id=2)
    for viewer in (one, other):
        hub.join(viewer, ALL, None)
    assert hub.end(lambda person: person.session_id == 1) == 1
    assert (one.state, one.closed.is_set()) == ("closed", True)
    assert (other.state, other.closed.is_set()) == ("connecting", False)
