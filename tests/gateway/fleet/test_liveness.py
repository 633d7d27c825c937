"""Up, late or offline."""

from __future__ import annotations

import pytest

from schemas.api import HostState
from schemas.messages import HostFacts
from services.gateway.fleet.liveness import host_state


@pytest.mark.parametrize(
    ("age_s", "live", "state"),
    [
        *((0, True, "up"), (5, True, "up"), (6, True, "late"), (29, True, "late"), (31, True, "offline")),
        *((6, False, "up"), (24, False, "up"), (26, False, "late"), (31, False, "offline")),
    ],
)
def test_the_state_follows_the_age_of_the_newest_sample(age_s: float, live: bool, state: HostState) -> None:
    assert host_state(1_000_000, 1_000_000 + round(age_s * 1000), live, HostFacts(), 30) == state


def test_a_host_never_heard_of_is_offline() -> None:
    assert host_state(None, 0, False, HostFacts(), 30) == "offline"


def test_a_host_with_slow_batches_is_not_offline_between_two_of_them() -> None:
    assert host_state(0, 59_000, False, HostFacts(batch_interval_s=60), 30) == "up"


def test_a_host_with_slow_samples_is_not_late_between_two_of_them() -> None:
    assert host_state(0, 11_000, True, HostFacts(sample_interval_s=10), 30) == "up"
