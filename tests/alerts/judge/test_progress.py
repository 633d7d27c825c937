"""When judging is so far behind that nobody is to be told of what it finds."""

from __future__ import annotations

import time

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from infra.bus.ordered import Position, StoredMessage
from schemas.health import Delay
from services.alerts.judge.progress import PATIENCE_S, Progress


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def at(age_s: float, seq: int) -> Position:
    """The position of a message of that age."""
    return Position(seq, time.time_ns() - round(age_s * 1e9))


def judged(progress: Progress, age_s: float, seq: int = 5, last_seq: int = 10) -> None:
    """The message `seq`, which the bus stored so long ago, was received and judged; the stream goes on."""
    lane = StreamLag(Position(), last_seq)
    position = at(age_s, seq)
    lane.received([StoredMessage("metrics.a", b"", {}, seq, position.time_ns)], last_seq)
    progress.received(lane)
    lane.processed(position)
    progress.judged(lane, position)


def test_at_first_nobody_is_told() -> None:
    assert Progress(Pulse("alerts"), Clock()).catching_up_s() == PATIENCE_S


def test_people_are_told_once_everything_is_judged() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    judged(progress, age_s=3600, seq=10)
    assert progress.catching_up_s() is None


def test_people_are_told_once_what_is_judged_is_of_now() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    judged(progress, age_s=1)
    assert progress.catching_up_s() is None


def test_while_old_messages_are_judged_nobody_is_told() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    judged(progress, age_s=3600)
    assert progress.catching_up_s() == PATIENCE_S


def test_getting_nearer_keeps_people_waiting() -> None:
    clock = Clock()
    progress = Progress(Pulse("alerts"), clock)
    for age_s in (3600, 3000, 2000, 1000):
        judged(progress, age_s)
        clock.now_s += 0.9 * PATIENCE_S
    assert progress.catching_up_s() is not None


def test_not_getting_nearer_is_waited_for_so_long_only() -> None:
    clock = Clock()
    progress = Progress(Pulse("alerts"), clock)
    for _ in range(5):
        judged(progress, 3600)
        clock.now_s += PATIENCE_S / 4
    assert progress.catching_up_s() is None


def test_what_is_old_when_it_arrives_later_on_is_waited_for_again() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    judged(progress, age_s=1)
    judged(progress, age_s=3600)
    assert progress.catching_up_s() == PATIENCE_S


def test_a_short_delay_is_none_to_wait_for() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    judged(progress, age_s=1)
    judged(progress, age_s=20)
    assert progress.catching_up_s() is None


def test_the_heartbeat_says_how_long_telling_took() -> None:
    progress = Progress(Pulse("alerts"), Clock())
    progress.lane = StreamLag(Position(), 0)
    assert progress.work().told_s is None
    progress.delays_s.extend(range(1, 101))
    assert progress.work().told_s == Delay(51, 99)
