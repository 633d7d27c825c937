"""What a simulated agent samples: the curves, as its settings want them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from agent.sampling.plan import Plan, make_plan
from demo.curves import lines_of
from demo.machines import make_fleet
from demo.sampler import TICKS, Simulated, place_of
from infra.settings import AgentSettings
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.catalogue import CATALOGUE, Family
from schemas.codec import build_batch, decode_batch, encode_batch

HOUR_S = 1_795_003_200
MACHINE = make_fleet(4, seed=1, began_s=HOUR_S)[3]  # one with GPUs and containers
PLAN = make_plan(AgentSettings())


def planned(revision: int = 1, **families: FamilyConfig) -> Plan:
    return make_plan(AgentSettings(), AgentConfig(revision=revision, families=families))


def families(second: int, plan: Plan = PLAN, watched: bool = False) -> set[str]:
    sample = Simulated(MACHINE).sample(second, plan, watched)
    assert sample is not None
    return set(sample.families)


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_a_sample_is_what_the_curves_are_at_that_second(family: Family) -> None:
    simulated, second = Simulated(MACHINE), HOUR_S + 5 * TICKS
    sample = simulated.sample(second, PLAN, watched=True)
    assert sample is not None
    expected = {
        line.instance: {
            metric.name: None if unknown else int(column[0])
            for metric, column, unknown in zip(family.metrics, line.counts, line.unknown, strict=True)
        }
        for line in lines_of(MACHINE, family, np.array([second]))
    }
    assert sample.families.get(family.name, {}) == expected


def test_a_batch_of_samples_is_one_that_ingest_takes() -> None:
    simulated = Simulated(MACHINE)
    taken = [simulated.sample(HOUR_S + second, PLAN, watched=False) for second in range(TICKS - 5, TICKS + 5)]
    batch = build_batch(MACHINE.name, "e1", "metrics", 1, [sample for sample in taken if sample is not None])
    assert len(decode_batch(encode_batch(batch)).times) == 10


def test_each_family_has_its_own_period() -> None:
    assert families(HOUR_S + 7) == {"cpu", "memory", "disk", "network", "gpu", "pressure"}
    assert families(HOUR_S + 10) >= {"filesystem", "sockets", "process", "agent", "container"}
    assert "unit" not in families(HOUR_S + 10)
    assert families(HOUR_S) >= {"unit", "directory"}


def test_cores_are_sampled_while_somebody_looks() -> None:
    assert "core" not in families(HOUR_S)
    assert "core" in families(HOUR_S, watched=True)


def test_a_family_that_settings_turn_off_is_not_sampled() -> None:
    assert "gpu" not in families(HOUR_S, planned(gpu=FamilyConfig(enabled=False)))


def test_containers_are_sampled_until_settings_are_pushed_that_do_not_want_them() -> None:
    assert "container" in families(HOUR_S)
    assert "container" not in families(HOUR_S, planned())
    assert "container" in families(HOUR_S, planned(container=FamilyConfig(enabled=True)))


def test_another_interval_of_a_family_is_kept_and_told() -> None:
    plan = planned(gpu=FamilyConfig(interval_s=30))
    assert "gpu" not in families(HOUR_S + 10, plan)
    sample = Simulated(MACHINE).sample(HOUR_S + 30, plan, watched=False)
    assert sample is not None
    assert sample.periods_ms["gpu"] == 30_000


def test_there_is_no_sample_between_two_ticks_of_a_longer_interval() -> None:
    plan = make_plan(msgspec.structs.replace(AgentSettings(), sample_interval_s=5))
    ticks = [Simulated(MACHINE).sample(HOUR_S + second, plan, watched=False) is not None for second in range(10)]
    assert ticks.count(True) == 2
    assert ticks[:5] == ticks[5:]


def test_a_fleet_with_a_longer_interval_does_not_sample_in_one_breath() -> None:
    plan = make_plan(msgspec.structs.replace(AgentSettings(), sample_interval_s=5))
    fleet = [Simulated(machine) for machine in make_fleet(100, seed=1, began_s=HOUR_S)]
    for second in range(HOUR_S, HOUR_S + 5):
        assert 5 < sum(one.sample(second, plan, watched=False) is not None for one in fleet) < 40


def test_at_no_tick_more_than_a_few_of_a_fleets_blocks_are_made() -> None:
    fleet = make_fleet(300, seed=1, began_s=HOUR_S)
    for family in CATALOGUE:
        begins = [place_of(machine.name, family.name, HOUR_S)[1] for machine in fleet]
        assert max(begins.count(place) for place in range(TICKS)) <= 10
    of_one = {place_of(fleet[0].name, family.name, HOUR_S)[1] for family in CATALOGUE}
    assert len(of_one) > len(CATALOGUE) // 2


def test_a_new_viewer_gets_the_families_that_are_sampled_seldom() -> None:
    known = Simulated(MACHINE).last_known(HOUR_S + 7, PLAN)
    assert {"filesystem", "unit", "directory", "sockets"} <= set(known.families)
    assert "cpu" not in known.families
