"""What simulated hosts measure: functions of host, seed and moment, within what the catalogue says can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.curves import lines_of
from demo.facts import facts_of, top_of
from demo.lines import Line
from demo.machines import DAY_S, Machine, make_fleet
from demo.noise import Ints
from schemas.catalogue import CATALOGUE, Family
from schemas.families import CPU, FILESYSTEM, GPU, MEMORY
from schemas.metric import COLUMN_LIMITS
from schemas.subjects import RESERVED_HOSTS, valid_host

BEGAN_S = 1_795_000_000
FLEET = make_fleet(30, seed=1, began_s=BEGAN_S)


def seconds(from_s: int, count: int, step_s: int = 1) -> Ints:
    return np.arange(from_s, from_s + count * step_s, step_s, dtype=np.int64)


def counts(lines: list[Line]) -> list[list[list[int]]]:
    return [[column.tolist() for column in line.counts] for line in lines]


def values(machine: Machine, family: Family, name: str, times: Ints) -> list[float]:
    """One metric of the first instance, in its unit."""
    place = [metric.name for metric in family.metrics].index(name)
    line = lines_of(machine, family, times)[0]
    return [count * family.metrics[place].resolution for count in line.counts[place].tolist()]


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_a_value_depends_on_its_own_moment_alone(family: Family) -> None:
    for machine in FLEET[:10]:
        together = counts(lines_of(machine, family, seconds(BEGAN_S - 7, 120)))
        apart = counts(lines_of(machine, family, seconds(BEGAN_S - 7, 12, 10)))
        assert [[column[::10] for column in line] for line in together] == apart


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_every_count_fits_its_column_and_what_its_metric_can_be(family: Family) -> None:
    for machine in FLEET:
        for line in lines_of(machine, family, seconds(BEGAN_S - 3 * DAY_S, 2000, 173)):
            for metric, column in zip(family.metrics, line.counts, strict=True):
                least, most = COLUMN_LIMITS[metric.column]
                assert least <= column.min() <= column.max() <= most
                if metric.most is not None:
                    assert 0 <= column.min() * metric.resolution <= column.max() * metric.resolution <= metric.most


@given(seed=st.integers(0, 2**31), count=st.integers(1, 40))
def test_a_larger_fleet_begins_with_the_smaller_one(seed: int, count: int) -> None:
    assert make_fleet(count + 7, seed, BEGAN_S)[:count] == make_fleet(count, seed, BEGAN_S)


@given(count=st.integers(1, 3000))
def test_every_host_has_a_name_of_its_own_that_a_host_may_have(count: int) -> None:
    names = [machine.name for machine in make_fleet(count, 1, BEGAN_S)]
    assert len(set(names)) == count
    assert all(valid_host(name) and name not in RESERVED_HOSTS for name in names)


def test_another_seed_is_another_fleet() -> None:
    other = make_fleet(30, seed=2, began_s=BEGAN_S)
    times = seconds(BEGAN_S, 60)
    assert counts(lines_of(FLEET[0], CPU, times)) != counts(lines_of(other[0], CPU, times))


def test_every_family_of_the_catalogue_is_somewhere_in_the_fleet() -> None:
    times = seconds(BEGAN_S, 1)
    there = {family.name for family in CATALOGUE if any(lines_of(machine, family, times) for machine in FLEET)}
    assert there == {family.name for family in CATALOGUE}


def test_web_servers_have_more_to_do_by_day_than_by_night() -> None:
    web = FLEET[0]
    noon = BEGAN_S // DAY_S * DAY_S + 13 * 3600
    day = np.mean(values(web, CPU, "total", seconds(noon, 600, 10)))
    night = np.mean(values(web, CPU, "total", seconds(noon + 12 * 3600, 600, 10)))
    assert day > 1.5 * night


def test_parts_of_memory_and_file_systems_add_up() -> None:
    times = seconds(BEGAN_S, 100)
    for machine in FLEET:
        of = {name: values(machine, MEMORY, name, times) for name in ("total", "available", "used", "free", "cached")}
        assert all(map(lambda t, a, u: t == a + u, of["total"], of["available"], of["used"]))
        assert all(map(lambda t, u, f, c: t == u + f + c, of["total"], of["used"], of["free"], of["cached"]))
        total, used, available = (
            values(machine, FILESYSTEM, name, times)[0] for name in ("total", "used", "available")
        )
        assert 0.94 * total < used + available < total


def test_a_board_of_the_hot_host_is_mostly_hotter_than_rules_allow() -> None:
    [hot] = [machine for machine in FLEET if machine.story == "hot"]
    place = [metric.name for metric in GPU.metrics].index("temperature")
    degrees = lines_of(hot, GPU, seconds(BEGAN_S - 600, 1200))[2].counts[place] / 10
    assert (degrees > 83).mean() > 0.8


def test_facts_say_what_the_samples_say() -> None:
    for machine in FLEET:
        facts = facts_of(machine, BEGAN_S)
        assert facts.memory == values(machine, MEMORY, "total", seconds(BEGAN_S, 1))[0]
        assert len(facts.gpus) == len(lines_of(machine, GPU, seconds(BEGAN_S, 1)))
        assert facts.boot_time < BEGAN_S


def test_processes_use_no_more_than_their_host_has() -> None:
    for machine in FLEET:
        top = top_of(machine, BEGAN_S)
        assert sum(use.memory for use in top.memory) <= machine.memory
        assert sum(use.cpu for use in top.cpu) <= 100 * machine.cores
