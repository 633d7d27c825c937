"""Who was heard, and who is missing."""

from __future__ import annotations

import pytest

from services.gateway.health.heartbeats import FORGET_AFTER_S, MOST_INSTANCES, Heartbeats
from tests.gateway.heard import heartbeat


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heartbeats(clock: Clock) -> Heartbeats:
    """We listen."""
    made = Heartbeats(clock)
    made.listening(True)
    return made


def test_an_instance_that_is_silent_for_15_s_is_missing(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.take(heartbeat())
    clock.now_s += 15
    assert [one.missing for one in heartbeats.of("ingest")] == [False]
    clock.now_s += 1
    assert [one.missing for one in heartbeats.of("ingest")] == [True]
    assert heartbeats.silent_s("ingest") == 16


def test_an_instance_that_is_silent_for_long_is_forgotten_but_not_since_when(
    heartbeats: Heartbeats, clock: Clock
) -> None:
    heartbeats.take(heartbeat())
    clock.now_s += FORGET_AFTER_S + 1
    assert heartbeats.of("ingest") == []
    assert heartbeats.silent_s("ingest") == FORGET_AFTER_S + 1


def test_an_instance_that_ended_is_no_instance_any_more(heartbeats: Heartbeats) -> None:
    heartbeats.take(heartbeat())
    heartbeats.take(heartbeat(ended=True))
    assert heartbeats.of("ingest") == []


def test_while_we_are_away_silence_means_nothing(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.take(heartbeat())
    heartbeats.listening(False)
    clock.now_s += 60
    assert heartbeats.silent_s("ingest") is None


def test_silence_is_counted_from_our_return(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.take(heartbeat())
    heartbeats.listening(False)
    clock.now_s += 60
    heartbeats.listening(True)
    clock.now_s += 10
    heartbeats.listening(True)
    assert [one.missing for one in heartbeats.of("ingest")] == [False]
    assert heartbeats.silent_s("ingest") == 10


def test_after_an_outage_longer_than_anybody_is_remembered_nobody_is_missing_before_we_have_listened(
    heartbeats: Heartbeats, clock: Clock
) -> None:
    heartbeats.take(heartbeat())
    heartbeats.listening(False)
    clock.now_s += FORGET_AFTER_S + 1
    heartbeats.listening(True)
    assert heartbeats.of("ingest") == []
    assert not heartbeats.was_heard("ingest")
    heartbeats.take(heartbeat())
    assert heartbeats.was_heard("ingest")


def test_a_missing_instance_with_a_successor_on_its_machine_is_left_out(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.take(heartbeat(instance="killed"))
    clock.now_s += 60
    heartbeats.take(heartbeat(instance="new", started=1_800_000_130_000))
    assert [one.heartbeat.instance for one in heartbeats.of("ingest")] == ["new"]


def test_a_missing_instance_of_another_machine_is_shown(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.take(heartbeat(instance="there", host="monitor-2"))
    clock.now_s += 60
    heartbeats.take(heartbeat(instance="here", started=1_800_000_130_000))
    assert [(one.heartbeat.instance, one.missing) for one in heartbeats.of("ingest")] == [
        ("there", True),
        ("here", False),
    ]


def test_more_instances_than_there_can_be_are_not_kept(heartbeats: Heartbeats, clock: Clock) -> None:
    for number in range(MOST_INSTANCES + 5):
        clock.now_s += 0.01
        heartbeats.take(heartbeat(instance=str(number)))
    names = {one.heartbeat.instance for one in heartbeats.of("ingest")}
    assert names == {str(number) for number in range(5, MOST_INSTANCES + 5)}


def test_services_of_later_versions_are_passed_over(heartbeats: Heartbeats) -> None:
    heartbeats.take(heartbeat("forecast"))
    assert heartbeats.of("forecast") == []
