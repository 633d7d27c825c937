"""The last minute of a host."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.api import LiveSample, Values
from schemas.catalogue import CATALOGUE
from schemas.overview import SUMMARY
from services.gateway.fleet.recent import MESSAGE_BYTES, POINTS, MessageRing, SummaryRing
from services.gateway.fleet.samples import converters
from tests.batches import START_MS, encoded, sample

CONVERT = converters(CATALOGUE)


def cpu(time_ms: int, total: float | None) -> LiveSample:
    return LiveSample("web-1", time_ms, {"cpu": {"": {"total": total}}})


@given(st.permutations(range(70)))
def test_points_that_come_in_any_order_are_kept_in_order_of_time(order: list[int]) -> None:
    ring = SummaryRing()
    for second in order:
        ring.add(cpu(START_MS + 1000 * second, float(second)))
    history = ring.history()
    assert len(history["times"]) == POINTS
    assert history["times"] == sorted(history["times"])
    assert history["cpu.total"][""] == [(time - START_MS) / 1000 for time in history["times"]]


def test_a_metric_that_appears_late_is_null_before() -> None:
    ring = SummaryRing()
    ring.add(cpu(1, 5.0))
    ring.add(LiveSample("web-1", 2, {"network": {"eth0": {"received": 7.0, "sent": None}}}))
    assert msgspec.json.decode(msgspec.json.encode(ring.history())) == {
        "times": [1, 2],
        "cpu.total": {"": [5.0, None]},
        "network.received": {"eth0": [None, 7.0]},
    }


def test_every_metric_of_a_card_has_a_history() -> None:
    ring = SummaryRing()
    families: Values = {}
    for family, metric in (path.split(".") for path in SUMMARY):
        families.setdefault(family, {}).setdefault("", {})[metric] = 1.0
    ring.add(LiveSample("web-1", 1, families))
    assert set(ring.history()) == {"times", *SUMMARY}


def test_an_instance_that_is_gone_for_60_points_leaves_the_history() -> None:
    ring = SummaryRing()
    ring.add(LiveSample("web-1", 0, {"network": {"eth0": {"received": 7.0}}}))
    for time in range(1, 61):
        ring.add(cpu(time, 1.0))
    assert set(ring.history()) == {"times", "cpu.total"}


def test_a_batch_replaces_the_live_messages_of_its_samples() -> None:
    ring = MessageRing()
    live = [sample(START_MS + 1000 * k, total=k) for k in range(12)]
    for one in live:
        ring.add([one.time_ms], True, encoded(one, lane="live"))
    ring.add([one.time_ms for one in live[:10]], False, encoded(*live[:10]))
    assert len(ring._messages) == 3
    history = ring.history(CATALOGUE, CONVERT, None)
    assert history["times"] == [one.time_ms for one in live]
    assert history["cpu.total"][""] == [k / 100 for k in range(12)]


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    ring = MessageRing()
    for start in range(0, 200, 10):
        samples = [sample(START_MS + 1000 * second) for second in range(start, start + 10)]
        ring.add([one.time_ms for one in samples], False, encoded(*samples))
    history = ring.history(CATALOGUE, CONVERT, {"cpu": frozenset({"total"})})
    assert history["times"] == [START_MS + 1000 * second for second in range(140, 200)]
    assert set(history) == {"times", "cpu.total"}


def test_messages_are_bounded_in_bytes() -> None:
    ring = MessageRing()
    for second in range(60):
        ring.add([START_MS + 1000 * second], True, bytes(MESSAGE_BYTES // 10))
    assert sum(len(message.data) for message in ring._messages) <= MESSAGE_BYTES
