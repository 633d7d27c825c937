"""What holds for all collectors that read at every tick: on this machine, and on one made of files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent.collectors.choice import Choice
from agent.collectors.gpu.gpu import Gpus
from agent.collectors.readings import Instances
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Roots, fast_collectors, new_choices
from agent.sampling.ticker import Tick
from agent.system.procfs import ProcFile, SharedFile, number_after
from agent.system.state import AgentState
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.catalogue import family_named
from schemas.codec import Sample
from tests.agent.build import START_MS, Clock, default_plans
from tests.agent.machine import Machine
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads what the Linux kernel tells")

FAMILIES = {"cpu", "core", "memory", "disk", "network", "pressure", "sockets"}
FAMILIES_OF = {
    "stat": {"cpu", "core"},
    "loadavg": {"cpu"},
    "meminfo": {"memory"},
    "diskstats": {"disk"},
    "1/net/dev": {"network"},
    "1/net/snmp": {"sockets"},
    "1/net/sockstat": {"sockets"},
    "pressure/cpu": {"pressure"},
    "pressure/memory": {"pressure"},
    "pressure/io": {"pressure"},
}
"""File -> what lives on it."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Watcher:
    """Takes samples of a machine, one a second, of every family at every tick."""

    def __init__(self, machine: Machine) -> None:
        config = AgentConfig(families={name: FamilyConfig(enabled=True, interval_s=1) for name in FAMILIES})
        self.clock = Clock()
        self.machine = machine
        self.sampler = Sampler(
            fast_collectors(machine.roots, new_choices(machine.roots.sys)),
            Gpus(0.1, lambda: None, lambda: False),
            default_plans(config),
            AgentState(),
            clock=self.clock.monotonic,
        )
        self.sampler.prime()
        self.ticks = 0

    async def sample(self) -> Sample:
        self.ticks += 1
        self.clock.pass_time(1)
        self.machine.pass_time()
        sample = await self.sampler.sample(Tick(START_MS + self.ticks * 1000, self.clock.monotonic(), 0))
        assert sample is not None
        return sample


def collected(roots: Roots, choices: dict[str, Choice] | None = None) -> dict[str, Callable[[float], Instances]]:
    return fast_collectors(roots, choices or new_choices(roots.sys))


def unread(sample: Sample) -> Iterable[str]:
    """What a sample lacks of what the catalogue has, or knows only as null."""
    for family in FAMILIES:
        for metric in family_named(family).metrics:
            instances = sample.families.get(family, {}).values()
            if not instances or any(values.get(metric.name) is None for values in instances):
                yield f"{family}.{metric.name}"


def test_this_machine_gives_every_metric_of_the_catalogue() -> None:
    for family, collect in collected(Roots()).items():
        collect(1.0)
        for values in collect(2.0).values():
            assert set(values) == {metric.name for metric in family_named(family).metrics}


async def test_every_metric_is_read_below_the_given_roots(machine: Machine) -> None:
    watcher = Watcher(machine)

    async def complete() -> bool:
        return not list(unread(await watcher.sample()))

    await eventually(complete)


@pytest.mark.parametrize("path", sorted(FAMILIES_OF))
async def test_a_file_of_garbage_costs_only_its_own_family(machine: Machine, path: str) -> None:
    watcher = Watcher(machine)
    good = await watcher.sample()
    machine.broken[path] = "\0 \xff nonsense: -x\n\n"
    bad = await watcher.sample()
    lost = {family for family in FAMILIES if len(nulls(bad, family)) > len(nulls(good, family))}
    assert lost <= FAMILIES_OF[path]
    assert lost, "the file is read at all"
    machine.broken.clear()
    await watcher.sample()
    healed = await watcher.sample()
    assert all(nulls(healed, family) <= nulls(good, family) for family in FAMILIES)
    assert not watcher.sampler.failing


def nulls(sample: Sample, family: str) -> set[str]:
    """Values that the sample lacks of a family; of one that is missing altogether, all."""
    names = {metric.name for metric in family_named(family).metrics}
    instances = sample.families.get(family, {}).values()
    return names if not instances else {name for name in names if all(v.get(name) is None for v in instances)}


@pytest.mark.parametrize("path", ["diskstats", "meminfo", "stat", "1/net/dev"])
async def test_a_file_that_is_missing_costs_only_its_own_family(machine: Machine, path: str) -> None:
    machine.broken[path] = None
    machine.pass_time()
    watcher = Watcher(machine)
    sample = await watcher.sample()
    own = FAMILIES_OF[path]
    assert set(sample.families) == FAMILIES - own
    assert set(watcher.sampler.failing) == own


async def test_without_a_file_that_not_every_kernel_has_only_its_metrics_are_unknown(machine: Machine) -> None:
    machine.broken = dict.fromkeys(("vmstat", "cpuinfo", "1/net/snmp", "sys/net/netfilter/nf_conntrack_count"))
    machine.pass_time()
    watcher = Watcher(machine)
    found = (await watcher.sample()).families
    assert (found["memory"][""]["oom_kills"], found["memory"][""]["dirty"]) == (None, machine.count * 1024)
    assert (found["cpu"][""]["frequency"], found["cpu"][""]["load1"]) == (None, 10)
    assert (found["sockets"][""]["conntrack_used"], found["sockets"][""]["conntrack_limit"]) == (None, 200)
    assert (found["sockets"][""]["tcp_established"], found["sockets"][""]["tcp_time_wait"]) == (None, 7)
    assert not watcher.sampler.failing


async def test_counters_that_start_again_give_one_sample_of_nulls(machine: Machine) -> None:
    watcher = Watcher(machine)
    await watcher.sample()
    machine.count = 0
    reset = (await watcher.sample()).families
    assert reset["cpu"][""]["total"] is reset["core"]["0"]["total"] is None
    assert reset["cpu"][""]["forks"] is reset["cpu"][""]["context_switches"] is None
    assert set(reset["disk"]["sda"].values()) == {None}
    assert reset["network"]["eth0"]["received"] is None
    assert set(reset["pressure"][""].values()) == {None}
    assert reset["sockets"][""]["tcp_retransmits"] is None
    after = (await watcher.sample()).families
    assert after["cpu"][""]["forks"] == 10_000
    assert after["disk"]["sda"]["read"] == 512_000
    assert after["network"]["eth0"]["received"] == 1000


@pytest.mark.parametrize(
    ("family", "listed", "came"),
    [("core", "cores", "2"), ("disk", "disks", "sdb"), ("network", "interfaces", "wlan0")],
)
async def test_what_is_plugged_in_appears_with_its_second_reading_and_is_gone_when_unplugged(
    machine: Machine, family: str, listed: str, came: str
) -> None:
    watcher = Watcher(machine)
    before = set((await watcher.sample()).families[family])
    names = getattr(machine, listed)
    names.append(came)
    seen = [set((await watcher.sample()).families[family]) for _ in range(2)]
    names.remove(came)
    seen.append(set((await watcher.sample()).families[family]))
    names.append(came)
    seen += [set((await watcher.sample()).families[family]) for _ in range(2)]
    assert seen == [before, before | {came}, before, before, before | {came}]


async def test_what_took_the_name_of_another_gives_no_rate_over_both(machine: Machine) -> None:
    watcher = Watcher(machine)
    await watcher.sample()
    machine.interfaces.clear()
    assert "network" not in (await watcher.sample()).families
    machine.interfaces.append("eth0")
    assert "network" not in (await watcher.sample()).families


@pytest.mark.parametrize(
    ("family", "include", "exclude", "found"),
    [
        ("disk", (), (), {"sda", "sdb"}),
        ("disk", ("sd*",), ("sdb",), {"sda"}),
        ("disk", ("dm-*", "sda*"), (), {"dm-0", "sda"}),
        ("network", (), (), {"eth0"}),
        ("network", ("lo", "docker*"), (), {"lo", "docker0"}),
        ("network", (), ("*",), set()),
        ("core", ("1",), (), {"1"}),
        ("core", (), ("0",), {"1"}),
    ],
)
def test_patterns_choose_instances(
    machine: Machine, family: str, include: tuple[str, ...], exclude: tuple[str, ...], found: set[str]
) -> None:
    machine.disks += ["sdb", "dm-0"]
    machine.interfaces += ["docker0", "veth1"]
    machine.pass_time()
    choices = new_choices(machine.roots.sys)
    choices[family].use(include, exclude)
    collect = collected(machine.roots, choices)[family]
    collect(1.0)
    assert set(collect(2.0)) == found


def test_cores_are_taken_from_what_the_host_was_read_from(machine: Machine) -> None:
    collectors = collected(machine.roots)
    for now_s in (1.0, 2.0):
        machine.pass_time()
        collectors["cpu"](now_s)
        machine.put("stat", "garbage")
        cores = collectors["core"](now_s)
    assert cores["0"]["total"] == pytest.approx(75)


def test_cores_are_read_when_the_host_is_not(machine: Machine) -> None:
    collect = collected(machine.roots)["core"]
    collect(1.0)
    machine.pass_time()
    assert collect(2.0)["1"]["total"] == pytest.approx(75)


def test_a_shared_file_is_left_for_one_reader_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    shared = SharedFile(str(path))
    assert shared.read() == b"one"
    path.write_bytes(b"two")
    assert (shared.take(), shared.take()) == (b"one", b"two")


def test_a_number_is_found_after_its_key() -> None:
    data = b"ctxt 9\nprocesses 12 kB\nbad x\nempty"
    assert number_after(data, b"\nprocesses ") == 12
    assert [number_after(data, key) for key in (b"absent ", b"bad ", b"empty")] == [None, None, None]


def test_files_longer_than_one_read_are_read_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 150_000)
    assert len(ProcFile(str(path)).read()) == 150_000
    assert len(ProcFile(str(path)).read_records()) == 150_000
