"""What happens in a demonstration: each story, as those see it who look at the curves."""

from __future__ import annotations

import numpy as np

from demo.activity import activity
from demo.hostlines import memory_share
from demo.machines import DAY_S, Machine, Story, make_fleet
from demo.noise import Ints
from demo.stories import (
    DEPLOYS_S,
    FLAP_AWAY_S,
    FLAP_S,
    FULL_S,
    LEAK_S,
    REBOOT_S,
    SPIKE_BEFORE_S,
    SPIKE_S,
    deploying,
    filled,
    is_up,
    is_up_at,
    leaked,
    oom_kills,
    reboot_s,
)

BEGAN_S = 1_795_000_000
FLEET = make_fleet(12, seed=1, began_s=BEGAN_S)


def of_story(story: Story) -> Machine:
    [machine] = [machine for machine in FLEET if machine.story == story]
    return machine


def every(step_s: int, from_s: int, until_s: int) -> Ints:
    return np.arange(BEGAN_S + from_s, BEGAN_S + until_s, step_s, dtype=np.int64)


def test_a_leak_grows_until_the_program_is_killed_and_then_again() -> None:
    leaking = of_story("leak")
    times = every(60, 0, LEAK_S)
    share = memory_share(leaking, times)
    assert share.max() > 0.9
    assert share.min() < 0.55


def test_the_kernel_kills_the_program_at_the_moment_when_its_memory_is_free_again() -> None:
    leaking = of_story("leak")
    times = every(60, -4 * LEAK_S, LEAK_S)
    falls = np.flatnonzero(np.diff(leaked(leaking, times)) < 0)
    assert len(falls) == 5
    assert np.flatnonzero(np.diff(oom_kills(leaking, times)) > 0).tolist() == falls.tolist()


def test_the_leaking_host_is_above_its_threshold_when_the_demonstration_begins() -> None:
    assert (memory_share(of_story("leak"), every(1, -300, 300)) > 0.8).all()


def test_a_disk_fills_for_days_and_is_cleaned_up() -> None:
    share = filled(of_story("full"), every(600, 0, FULL_S))
    steps = np.diff(share)
    assert (steps < 0).sum() == 1
    assert (steps > 0).sum() == len(steps) - 1
    assert share.max() < 1


def test_a_flapping_host_is_away_for_two_minutes_of_nine() -> None:
    up = is_up(of_story("flapping"), every(1, -10 * FLAP_S, 10 * FLAP_S))
    assert (~up).sum() == 20 * FLAP_AWAY_S
    assert np.count_nonzero(np.diff(up.astype(int)) < 0) >= 19


def test_the_silent_host_was_there_days_ago_and_is_no_more() -> None:
    up = is_up(of_story("silent"), every(3600, -4 * DAY_S, DAY_S))
    assert up[0]
    assert not up[-1]
    assert np.count_nonzero(np.diff(up.astype(int))) == 1


def test_a_reboot_leaves_a_gap_before_the_time_of_the_boot() -> None:
    rebooted = of_story("rebooted")
    booted = reboot_s(rebooted)
    assert not is_up_at(rebooted, booted - 1)
    assert not is_up_at(rebooted, booted - REBOOT_S)
    assert is_up_at(rebooted, booted)
    assert is_up_at(rebooted, booted - REBOOT_S - 1)


def test_one_moment_is_judged_as_the_whole_range_is() -> None:
    times = every(7, -FLAP_S, FLAP_S)
    for machine in FLEET:
        assert [is_up_at(machine, second) for second in times.tolist()] == is_up(machine, times).tolist()


def test_yesterdays_spike_stands_out_of_its_host_and_is_on_no_other() -> None:
    middle = every(10, -SPIKE_BEFORE_S + 300, -SPIKE_BEFORE_S + SPIKE_S - 300)
    assert activity(of_story("spike"), middle).mean() > 0.9
    assert all(activity(machine, middle).mean() < 0.85 for machine in FLEET if machine.story != "spike")


def test_web_servers_are_deployed_in_turn_on_working_days_only() -> None:
    monday = np.arange(4 * DAY_S, 5 * DAY_S, 10, dtype=np.int64)  # 5 January 1970
    sunday = monday - DAY_S
    web = [machine for machine in FLEET if machine.role == "web"]
    begun = [int(monday[np.flatnonzero(deploying(machine, monday))[0]] % DAY_S) for machine in web]
    assert len(set(begun)) == len(web)
    assert min(begun) == DEPLOYS_S[0]
    assert not any(deploying(machine, sunday).any() for machine in web)
