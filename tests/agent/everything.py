"""Everything the agent reads on a machine made of files, tick by tick, and what is known of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.collectors.gpu.gpu import Gpus
from agent.sampling import sources
from agent.sampling.background import read_once
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Roots
from agent.sampling.ticker import Tick
from agent.spool.backlog import Backlog
from agent.system.state import AgentState
from infra.settings import AgentSettings
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample
from tests.agent.build import START_MS
from tests.agent.machine import Machine

Known = dict[str, dict[str, set[str]]]
"""Family -> instance -> metrics that are not null."""

LATER = {"speed", "up"}
"""What is read in a thread of its own, whenever that is."""


class Whole(Machine):
    """A machine with something of every family that Linux has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        super().__init__(root)

    @property
    def roots(self) -> Roots:
        host, custom = self.root / "host", self.root / "custom"
        return Roots(str(self.proc), str(self.sys), str(host), str(self.root / "docker.sock"), str(custom))

    def pass_time(self) -> None:
        super().pass_time()
        n = self.count
        self.put("1/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /data rw - xfs /dev/sdb1 rw\n")
        for pid in (42, 43):
            self.put(f"{pid}/stat", f"{pid} (a b) S 1 {' '.join(['1'] * 9)} {n} {n} {' '.join(['7'] * 30)}\n")
        chip = "../sys/class/hwmon/hwmon0"
        for name, text in {"name": "nct", "temp1_input": "41000", "temp1_max": "90000", "fan1_input": "900"}.items():
            self.put(f"{chip}/{name}", text + "\n")
        self.put("../sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "2400000\n")
        self.put("../custom/a.prom", f"jobs_done {n}\n")
        self.put("../custom/b.prom", "queue 7\n")
        self.put("../host/etc/debian_version", "13\n")
        self.put("../host/data/file", "\n")

    def paths(self) -> list[str]:
        """Every file, relative to the root."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.root)) for path in found)


def every_family() -> Plans:
    """Everything on, and read at every tick."""
    families = {
        family.name: FamilyConfig(enabled=True, interval_s=1) for family in CATALOGUE if family.name != "directory"
    }
    return Plans(make_plan(AgentSettings(directories=""), AgentConfig(families=families)))


class Watch:
    """All collectors of a machine, and the ticks on which they are read."""

    def __init__(self, machine: Whole) -> None:
        self.machine = machine
        self.seconds = 0
        status = AgentState()
        choices = sources.new_choices(machine.roots.sys)
        fast = sources.fast_collectors(machine.roots, choices)
        fast["agent"] = sources.own_collector(status, Backlog)
        self.slow = {family: make() for family, make in sources.slow_sources(machine.roots, choices, status).items()}
        gpus = Gpus(0.1, lambda: None, lambda: False)
        self.sampler = Sampler(fast, gpus, every_family(), status, clock=lambda: float(1000 + 10 * self.seconds))

    async def tick(self, pass_time: bool = True) -> Known:
        """One sample, ten seconds after the one before."""
        self.seconds += 1
        if pass_time:
            self.machine.pass_time()
        for family, source in self.slow.items():
            try:
                await read_once(family, source, self.sampler)
            except Exception as error:
                self.sampler.fail(family, error)
        sample = await self.sampler.sample(Tick(START_MS + 10_000 * self.seconds, 0, 0), watched=True)
        assert sample is not None
        return known(sample)

    def close(self) -> None:
        for source in self.slow.values():
            source.close()


def known(sample: Sample) -> Known:
    return {
        family: {
            instance: {name for name, value in values.items() if value is not None and name not in LATER}
            for instance, values in instances.items()
        }
        for family, instances in sample.families.items()
    }


@asynccontextmanager
async def watched(machine: Whole) -> AsyncIterator[Watch]:
    watch = Watch(machine)
    try:
        yield watch
    finally:
        watch.close()


async def complete(machine: Whole) -> Known:
    """What is known of the machine while nothing fails."""
    async with watched(machine) as watch:
        await watch.tick()
        await watch.tick()
        return await watch.tick()


async def recovers(watch: Watch, whole: Known) -> None:
    for _ in range(10):
        found = await watch.tick()
        if found == whole and not watch.sampler.failing:
            return
    assert found == whole
    assert not watch.sampler.failing
