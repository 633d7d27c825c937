"""A viewer's queue."""

from __future__ import annotations

import asyncio

import pytest

from services.gateway.live import viewer as module
from services.gateway.live.viewer import MOST_RESYNCS, QUEUE_BYTES, QUEUE_EVENTS
from tests.gateway.live.viewers import a_viewer


def resync() -> list[bytes]:
    return [b"resync;", b"snapshot;"]


async def test_events_leave_in_order_and_together() -> None:
    viewer = a_viewer()
    for event in (b"1;", b"2;", b"3;"):
        viewer.put(event)
    assert await viewer.take(resync) == [b"1;2;3;"]
    assert (viewer.state, viewer.sent, viewer.dropped, viewer.queued) == ("live", 3, 0, 0)


async def test_an_overflow_is_counted_and_made_up_for_by_a_snapshot() -> None:
    viewer = a_viewer()
    for _ in range(QUEUE_EVENTS + 10):
        viewer.put(b"old;")
    assert (viewer.state, viewer.dropped, viewer.queued) == ("draining", QUEUE_EVENTS + 10, 0)
    assert await viewer.take(resync) == [b"resync;", b"snapshot;"]
    viewer.put(b"new;")
    assert await viewer.take(resync) == [b"new;"]
    assert viewer.state == "live"


async def test_the_queue_is_bounded_in_bytes_too() -> None:
    viewer = a_viewer()
    viewer.put(bytes(2 * QUEUE_BYTES))
    viewer.put(bytes(QUEUE_BYTES))
    assert viewer.queued == 2
    viewer.put(b"x")
    assert viewer.queued == 0


async def test_snapshots_that_feeds_begin_with_are_not_bounded_in_bytes() -> None:
    viewer = a_viewer()
    for _ in range(33):
        viewer.begin(bytes(QUEUE_BYTES // 16))
    viewer.put(bytes(QUEUE_BYTES))
    assert viewer.queued == 34
    viewer.put(b"x")
    assert viewer.queued == 0


async def test_a_viewer_that_never_catches_up_is_closed() -> None:
    viewer = a_viewer()
    for _ in range(MOST_RESYNCS):
        for _ in range(QUEUE_EVENTS + 1):
            viewer.put(b"x")
        assert await viewer.take(resync) == [b"resync;", b"snapshot;"]
    for _ in range(QUEUE_EVENTS + 1):
        viewer.put(b"x")
    assert await viewer.take(resync) is None
    assert viewer.state == "closed"


async def test_closing_ends_a_waiting_take() -> None:
    viewer = a_viewer()
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(viewer.take(resync))
        await asyncio.sleep(0)
        viewer.close()
    assert taking.result() is None


async def test_the_lag_is_the_age_of_the_oldest_event(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [5.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s[0])
    viewer = a_viewer()
    assert viewer.lag_ms == 0
    viewer.put(b"x")
    now_s[0] = 6.5
    viewer.put(b"y")
    assert viewer.lag_ms == 1500
