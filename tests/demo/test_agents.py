"""When simulated agents sample, and how many of them a machine gets."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.agents import MOST_BEHIND_S, allow_descriptors, by_bus_s, next_second
from demo.service import INTERVALS_S, days_for, interval_for, parts_for

NOW_S = 1_795_000_000


def test_a_fleet_that_keeps_up_samples_every_second() -> None:
    assert next_second(NOW_S - 1, NOW_S + 0.3, MOST_BEHIND_S) == (NOW_S, 0)


def test_a_fleet_that_is_a_little_late_leaves_nothing_out() -> None:
    assert next_second(NOW_S - MOST_BEHIND_S, float(NOW_S), MOST_BEHIND_S) == (NOW_S - MOST_BEHIND_S + 1, 0)


def test_a_fleet_that_is_far_behind_goes_on_at_present() -> None:
    assert next_second(NOW_S - 101, float(NOW_S), MOST_BEHIND_S) == (NOW_S, 100)


@given(hosts=st.integers(1, 10_000))
def test_what_goes_over_the_bus_is_no_more_than_agents_soon_catch_up_with(hosts: int) -> None:
    assert 0 < by_bus_s(hosts) <= 600
    assert hosts * by_bus_s(hosts) <= 30_000


@pytest.mark.parametrize(
    ("hosts", "cores", "every_s"), [(1, 1, 1), (1000, 2, 1), (5000, 2, 5), (5000, 16, 1), (10_000, 1, 30)]
)
def test_the_more_hosts_a_core_has_the_longer_is_their_interval(hosts: int, cores: int, every_s: int) -> None:
    assert interval_for(hosts, cores) == every_s
    assert every_s in INTERVALS_S


@pytest.mark.parametrize(
    ("hosts", "cores", "parts"), [(1, 8, 1), (400, 8, 1), (401, 8, 2), (5000, 2, 2), (5000, 64, 13)]
)
def test_there_are_no_more_processes_than_cores_and_than_hosts_need(hosts: int, cores: int, parts: int) -> None:
    assert parts_for(hosts, cores) == parts


def test_a_fleet_has_the_fewer_days_the_larger_it_is() -> None:
    days = [days_for(hosts) for hosts in (1, 30, 60, 1000, 10_000)]
    assert days == sorted(days, reverse=True)
    assert days[1] == 2
    assert days[-1] > 0


def test_a_process_may_open_what_its_agents_need_as_far_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        allow_descriptors(hard + 1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
        allow_descriptors(1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
