"""The fleet in memory."""

from __future__ import annotations

import pytest

from schemas.api import AlertCounts
from schemas.catalogue import CATALOGUE
from schemas.codec import Poison, Sample, build_batch, encode_batch
from schemas.messages import HostFacts, Lane
from services.gateway.fleet.instances import MOST_INSTANCES
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Selection
from tests.batches import START_MS, instances, sample

ALL = Selection(None, None, 1)


def take(fleet: Fleet, *samples: Sample, lane: Lane = "metrics", late_ms: int = 0, host: str = "web-1") -> list[int]:
    """Times of the samples that the fleet finds new; they arrive `late_ms` after the last was taken."""
    batch = build_batch(host, "e1", lane, 1, samples)
    fresh = fleet.take(batch, encode_batch(batch), samples[-1].time_ms + late_ms)
    return [one.time for one in fresh]


def seconds(*numbers: int) -> list[Sample]:
    return [sample(START_MS + 1000 * number, total=number) for number in numbers]


def test_a_sample_that_came_live_is_not_new_again_in_its_batch() -> None:
    fleet = Fleet(CATALOGUE)
    ticks = seconds(*range(10))
    assert take(fleet, ticks[4], lane="live") == [ticks[4].time_ms]
    assert take(fleet, *ticks) == [tick.time_ms for tick in ticks if tick is not ticks[4]]
    assert take(fleet, *ticks) == []


def test_an_older_sample_does_not_replace_the_latest_value() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(9), lane="live")
    take(fleet, *seconds(3), lane="live")
    host = fleet.host("web-1", START_MS)
    assert host.latest["cpu"][""]["total"] == 0.09
    assert host.last_sample == START_MS + 9000


def test_a_sample_older_than_a_minute_is_no_news() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(100))
    assert take(fleet, *seconds(39, 40, 41)) == [START_MS + 41_000]


def test_a_null_replaces_the_value_before_it() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, sample(START_MS, total=5))
    take(fleet, sample(START_MS + 1000, total=None, user=1))
    assert fleet.host("web-1", START_MS).latest["cpu"][""] == {"total": None, "user": 0.01}


def test_an_unplugged_disk_disappears_after_three_periods() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, instances(START_MS, "disk", {"sda": {"read": 1}, "sdb": {"read": 2}}))
    for second in (1, 2, 3):
        take(fleet, instances(START_MS + 1000 * second, "disk", {"sda": {"read": 1}}))
        assert "sdb" in fleet.host("web-1", START_MS).latest["disk"]
    take(fleet, instances(START_MS + 4000, "disk", {"sda": {"read": 1}}))
    assert set(fleet.host("web-1", START_MS).latest["disk"]) == {"sda"}


def test_an_instance_that_settings_made_slow_stays() -> None:
    fleet = Fleet(CATALOGUE)
    both = {"/": {"used": 1}, "/data": {"used": 2}}
    take(fleet, instances(START_MS, "filesystem", both, 300_000))
    take(fleet, instances(START_MS + 300_000, "filesystem", {"/": {"used": 1}}, 300_000))
    assert set(fleet.host("web-1", START_MS).latest["filesystem"]) == {"/", "/data"}
    assert fleet.period_ms("web-1", "filesystem") == 300_000


def test_a_family_that_is_no_longer_sampled_disappears() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, instances(START_MS, "gpu", {"0": {"power": 1}}))
    take(fleet, *seconds(30))
    assert "gpu" in fleet.host("web-1", START_MS).latest
    take(fleet, *seconds(64))
    assert set(fleet.host("web-1", START_MS).latest) == {"cpu"}


def test_a_family_that_disappears_is_told_once() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, instances(START_MS, "gpu", {"0": {"power": 1}}))
    take(fleet, *seconds(60))
    fleet.turned(START_MS + 60_000)
    take(fleet, *seconds(64))
    assert fleet.turned(START_MS + 64_000, "web-1") == ["web-1"]
    assert fleet.turned(START_MS + 64_000, "web-1") == []


def test_a_clock_that_was_set_back_is_told_once() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(200), late_ms=-100_000)
    fleet.turned(START_MS + 100_000)
    take(fleet, *seconds(101))
    assert fleet.turned(START_MS + 101_000) == ["web-1"]
    assert fleet.turned(START_MS + 101_000) == []


def test_a_clock_that_was_set_back_begins_a_new_minute() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(200), late_ms=-100_000)
    assert take(fleet, *seconds(101)) == [START_MS + 101_000]
    assert fleet.host("web-1", START_MS + 101_000).last_sample == START_MS + 101_000


def test_a_clock_ahead_of_ours_does_not_keep_a_dead_host_alive() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(200), late_ms=-200_000)
    assert fleet.host("web-1", START_MS + 31_000).state == "offline"


def test_a_sample_from_the_far_future_is_refused() -> None:
    with pytest.raises(Poison):
        take(Fleet(CATALOGUE), *seconds(400), late_ms=-400_000)


def test_a_count_beyond_its_column_is_refused_and_nothing_of_its_batch_is_kept() -> None:
    fleet = Fleet(CATALOGUE)
    with pytest.raises(Poison):
        take(fleet, sample(START_MS, total=1), sample(START_MS + 1, total=2**15))
    assert fleet.names() == []


def test_a_state_turns_once_each_time() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(0))
    assert fleet.turned(START_MS) == ["web-1"]
    assert fleet.turned(START_MS + 24_000) == []
    assert fleet.turned(START_MS + 26_000) == ["web-1"]
    assert fleet.turned(START_MS + 40_000, "web-1") == ["web-1"]
    assert fleet.host("web-1", START_MS + 40_000).state == "offline"


def test_a_host_that_is_not_known_yet_has_not_turned() -> None:
    assert Fleet(CATALOGUE).turned(START_MS, "web-1") == []


def test_a_watched_host_that_sends_live_is_late_after_5_s() -> None:
    fleet = Fleet(CATALOGUE)
    fleet.watch(["*"], START_MS)
    take(fleet, *seconds(0), lane="live")
    take(fleet, *seconds(0), host="batches-only")
    assert fleet.host("web-1", START_MS + 6000).state == "late"
    assert fleet.host("batches-only", START_MS + 6000).state == "up"
    fleet.watch([], START_MS + 6000)
    assert fleet.host("web-1", START_MS + 6000).state == "up"


def test_facts_and_alerts_are_news_once() -> None:
    fleet = Fleet(CATALOGUE)
    assert fleet.learn("web-1", HostFacts("a"), AlertCounts())
    assert not fleet.learn("web-1", HostFacts("a"), AlertCounts())
    assert fleet.learn("web-1", HostFacts("b"))
    assert fleet.learn("web-1", alerts=AlertCounts(critical=1))
    host = fleet.host("web-1", 0)
    assert (host.facts.hostname, host.alerts.critical, host.state, host.last_sample) == ("b", 1, "offline", None)


def test_rows_recalled_from_the_database_fill_in_what_is_latest_and_are_no_news() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, *seconds(100), lane="live")
    older = [instances(START_MS + 50_000, "directory", {"/d": {"size": 5}}), *seconds(98)]
    fleet.recall(build_batch("web-1", "db", "metrics", 1, older), START_MS)
    host = fleet.host("web-1", START_MS)
    assert host.latest["directory"]["/d"] == {"size": 5}
    assert host.latest["cpu"][""]["total"] == 1.0
    assert take(fleet, *seconds(98)) == [START_MS + 98_000]


def test_the_past_of_a_host_has_the_summary_and_in_detail_everything() -> None:
    fleet = Fleet(CATALOGUE)
    take(fleet, sample(START_MS, total=1, user=2))
    assert fleet.past("web-1", False, None) == {"times": [START_MS], "cpu.total": {"": [0.01]}}
    assert fleet.past("web-1", True, None) == {
        "times": [START_MS],
        "cpu.total": {"": [0.01]},
        "cpu.user": {"": [0.02]},
    }


def test_an_agent_that_says_it_samples_once_in_ages_does_not_fill_memory() -> None:
    fleet = Fleet(CATALOGUE)
    for number in range(60):
        disks = {f"d{number}-{k}": {"read": 1} for k in range(100)}
        take(fleet, instances(START_MS + 10_000 * number, "disk", disks, period_ms=2**40 - 1))
    assert len(fleet.host("web-1", START_MS).latest["disk"]) == MOST_INSTANCES


def test_an_archived_host_shows_what_it_was_and_turns_no_more() -> None:
    fleet = Fleet(CATALOGUE)
    fleet.enter("web-1", 1)
    take(fleet, *seconds(0, 1))
    assert fleet.turned(START_MS + 1000) == ["web-1"]
    assert fleet.enter("web-1", 1, archived=True, last_ms=START_MS + 1000)
    assert fleet.host("web-1", START_MS + 2000).state == "archived"
    assert fleet.host("web-1", START_MS + 2000).latest["cpu"][""] == {"total": 0.01}
    assert fleet.turned(START_MS + 2000) == ["web-1"]
    assert fleet.turned(START_MS + 900_000) == []
    assert fleet.past("web-1", False, None)["times"] == []


def test_another_machine_under_the_name_of_a_removed_one_begins_without_its_values() -> None:
    fleet = Fleet(CATALOGUE)
    fleet.enter("web-1", 1)
    take(fleet, *seconds(0))
    assert fleet.enter("web-1", 2)
    assert fleet.host("web-1", START_MS).latest == {}


def test_a_removed_host_is_not_learned_again() -> None:
    fleet = Fleet(CATALOGUE)
    fleet.enter("web-1", 1)
    assert fleet.forget("web-1")
    assert not fleet.learn("web-1", facts=HostFacts(cores=4))
    assert take(fleet, *seconds(0)) == []
    assert fleet.names() == []
