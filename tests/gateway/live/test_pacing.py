"""How often a host appears."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.live.pacing import may_go, next_due


def went(arrivals_s: list[float], interval_s: float) -> list[float]:
    """The arrivals that went out at once."""
    due_s = 0.0
    out = []
    for now_s in arrivals_s:
        if may_go(due_s, now_s, interval_s):
            due_s = next_due(due_s, now_s, interval_s)
            out.append(now_s)
    return out


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=200))
def test_samples_once_per_interval_all_go_at_once_in_spite_of_jitter(late_s: list[float]) -> None:
    arrivals = [100 + k + late for k, late in enumerate(late_s)]
    assert went(arrivals, 1.0) == arrivals


@given(st.lists(st.floats(0, 2), max_size=300), st.floats(0.25, 60))
def test_on_average_a_host_appears_at_most_about_once_per_interval(pauses_s: list[float], interval_s: float) -> None:
    arrivals = [100 + sum(pauses_s[: k + 1]) for k in range(len(pauses_s))]
    span_s = arrivals[-1] - arrivals[0] if arrivals else 0
    assert len(went(arrivals, interval_s)) <= span_s / (0.9 * interval_s) + 2.2


def test_a_single_late_sample_does_not_delay_the_later_ones() -> None:
    arrivals = [0, 1, 2.9, 3, 4, 5, 6]
    assert went([100 + at for at in arrivals], 1.0) == [100 + at for at in arrivals]
