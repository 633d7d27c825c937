"""Which instances of a family are gone."""

from __future__ import annotations

from services.gateway.fleet.instances import GONE_PERIODS, MOST_INSTANCES, ended

DAY_MS = 86_400_000


def test_one_that_others_outlive_for_three_periods_is_gone() -> None:
    assert ended({"sda": 0, "sdb": GONE_PERIODS * 1000}, 1000) == []
    assert ended({"sda": 0, "sdb": GONE_PERIODS * 1000 + 1}, 1000) == ["sda"]


def test_of_too_many_the_oldest_go() -> None:
    times_ms = {f"i{number}": number for number in range(MOST_INSTANCES + 2)}
    assert ended(times_ms, DAY_MS) == ["i0", "i1"]


def test_as_many_as_one_sample_has_are_kept() -> None:
    assert ended(dict.fromkeys(map(str, range(2 * MOST_INSTANCES)), 1000), DAY_MS) == []
    assert ended({"old": 1} | dict.fromkeys(map(str, range(2 * MOST_INSTANCES)), 1000), DAY_MS) == ["old"]
