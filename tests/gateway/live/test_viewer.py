"""A viewer's connection, and its queue for when that takes nothing."""

from __future__ import annotations

import pytest

from services.gateway.live import viewer as module
from services.gateway.live.event import Event
from services.gateway.live.viewer import MOST_RESYNCS, QUEUE_BYTES, QUEUE_EVENTS, RETRY_MS
from tests.gateway.live.viewers import a_viewer, blocks, connected

OLD, NEW = Event(b"data: old\n\n"), Event(b"data: new\n\n")


def test_events_before_the_answer_begins_follow_it_in_order() -> None:
    viewer = a_viewer()
    viewer.put(OLD)
    viewer.put(NEW)
    assert (viewer.queued, viewer.sent) == (2, 0)
    assert [block["data"] for block in blocks(connected(viewer).read())] == ["old", "new"]
    assert (viewer.queued, viewer.sent) == (0, 2)


def test_every_viewer_is_told_another_time_to_come_back() -> None:
    told = set()
    for _ in range(20):
        viewer = a_viewer()
        viewer.put(OLD)
        told.add(int(blocks(connected(viewer).read())[0]["retry"]))
    least, most = RETRY_MS
    assert len(told) > 5
    assert all(least <= each <= most for each in told)


def test_what_a_connection_takes_is_not_queued() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    viewer.put(OLD)
    assert (viewer.queued, viewer.sent, viewer.ready) == (0, 1, True)
    assert connection.read().endswith(b"data: old\n\n")


def test_what_waited_goes_out_once_the_connection_takes_more() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    connection.stuck = True
    viewer.put(OLD)
    viewer.put(NEW)
    assert (viewer.queued, viewer.ready, viewer.behind.is_set()) == (2, False, True)
    connection.stuck = False
    viewer.catch_up(lambda: None)
    assert [block["data"] for block in blocks(connection.read())] == ["old", "new"]
    assert (viewer.queued, viewer.ready, viewer.behind.is_set()) == (0, True, False)


def test_an_overflow_is_counted_and_made_up_for_when_the_connection_takes_more() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    connection.stuck = True
    for _ in range(QUEUE_EVENTS + 10):
        viewer.put(OLD)
    assert (viewer.state, viewer.dropped, viewer.queued) == ("draining", QUEUE_EVENTS + 10, 0)
    connection.stuck = False
    viewer.catch_up(lambda: viewer.put(NEW))
    assert [block["data"] for block in blocks(connection.read())] == ["new"]
    assert viewer.state == "draining"
    viewer.made_whole()
    assert viewer.state == "live"


def test_the_queue_is_bounded_in_bytes_too() -> None:
    viewer = a_viewer()
    viewer.put(Event(bytes(2 * QUEUE_BYTES)))
    viewer.put(Event(bytes(QUEUE_BYTES - 100)))
    assert viewer.queued == 2
    viewer.put(Event(bytes(100)))
    assert viewer.queued == 0


def test_a_viewer_that_never_catches_up_is_closed() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    for _ in range(MOST_RESYNCS + 1):
        assert viewer.state != "closed"
        connection.stuck = True
        for _ in range(QUEUE_EVENTS + 1):
            viewer.put(OLD)
        connection.stuck = False
        viewer.catch_up(lambda: None)
    assert viewer.state == "closed"
    assert viewer.closed.is_set()


def test_a_viewer_whose_connection_is_closing_is_closed_instead_of_asked_again() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    connection.closing = True
    viewer.put(OLD)
    viewer.catch_up(lambda: None)
    assert (viewer.state, viewer.closed.is_set(), viewer.queued) == ("closed", True, 0)


def test_a_closed_viewer_is_sent_nothing_more() -> None:
    viewer = a_viewer()
    connection = connected(viewer)
    viewer.close()
    before = connection.taken
    viewer.put(OLD)
    viewer.beat(NEW, 0)
    assert connection.taken == before


def test_only_who_has_heard_nothing_for_a_while_gets_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [5.0]
    monkeypatch.setattr(module, "_clock", lambda: now_s[0])
    viewer = a_viewer()
    connection = connected(viewer)
    viewer.put(OLD)
    now_s[0] = 6.9
    viewer.beat(NEW, 2)
    assert blocks(connection.read())[-1]["data"] == "old"
    now_s[0] = 7.0
    viewer.beat(NEW, 2)
    viewer.beat(NEW, 2)
    assert [block["data"] for block in blocks(connection.read())] == ["old", "new"]
    assert viewer.sent == 1


def test_the_lag_is_the_age_of_the_oldest_event(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [5.0]
    monkeypatch.setattr(module, "_clock", lambda: now_s[0])
    viewer = a_viewer()
    assert viewer.lag_ms == 0
    viewer.put(OLD)
    now_s[0] = 6.5
    viewer.put(NEW)
    assert viewer.lag_ms == 1500
