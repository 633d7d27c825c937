"""Whatever a collector or a call of psutil raises, the other families' samples are complete, and it recovers."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.collectors.gpu.gpu import Gpus
from agent.collectors.readings import Instances, Reading
from agent.collectors.source import Source
from agent.sampling.background import read_slowly
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Collect
from agent.system.state import AgentState
from tests.agent.build import default_plans, ended
from tests.agent.everything import Whole, complete, recovers, watched
from tests.waiting import eventually


@pytest.fixture
def machine(tmp_path: Path) -> Whole:
    return Whole(tmp_path)


FAULTS = [OSError(errno.ENODEV, "gone"), ValueError("no number"), RuntimeError("?"), RecursionError(), MemoryError()]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_whatever_a_collector_raises_costs_only_its_family_which_recovers(
    machine: Whole, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await complete(machine)
    broken = ""

    def breaking(family: str, collect: Collect) -> Collect:
        def wrapped(now_s: float) -> Instances:
            if family == broken:
                raise fault
            return collect(now_s)

        return wrapped

    def slowly_breaking(family: str, collect: Callable[[], Awaitable[Reading | None]]) -> Any:
        async def wrapped() -> Reading | None:
            if family == broken:
                raise fault
            return await collect()

        return wrapped

    async with watched(machine) as watch:
        collectors = watch.sampler._collectors
        for family, collect in list(collectors.items()):
            collectors[family] = breaking(family, collect)  # type: ignore[index]
        for family, source in watch.slow.items():
            monkeypatch.setattr(source, "collect", slowly_breaking(family, source.collect))
        await recovers(watch, whole)
        for family in [*collectors, *watch.slow]:
            broken = family
            found = await watch.tick()
            assert found == {name: instances for name, instances in whole.items() if name != family}
            assert list(watch.sampler.failing) == [family]
            broken = ""
            await recovers(watch, whole)


@pytest.mark.parametrize(
    "reading",
    [
        Reading({"": {"load1": "much"}}),  # type: ignore[dict-item]
        Reading({"": {"load1": object()}}),  # type: ignore[dict-item]
        Reading({"\udcff": {"load1": 1}}),
        Reading({7: {"load1": 1}}),  # type: ignore[dict-item]
        Reading({"": {"load1": 1}}, {"": {"name": "\udcff"}}),
        Reading({"": {"load1": 1}}, {"": {"name": None}}),  # type: ignore[dict-item]
    ],
    ids=["text", "object", "surrogate in a name", "number as a name", "surrogate in a label", "label without text"],
)
async def test_a_reading_that_cannot_be_sent_costs_only_its_family(machine: Whole, reading: Reading) -> None:
    async with watched(machine) as watch:
        await watch.tick()
        watch.sampler.post("cpu", reading)
        found = await watch.tick()
        assert "cpu" in watch.sampler.failing
        assert "memory" in found


async def test_a_source_that_cannot_be_made_is_made_later_and_costs_only_its_family() -> None:
    """As when its module, or a library of it, is missing."""
    made: list[str] = []

    class Fine:
        async def collect(self) -> Reading | None:
            return Reading({"": {"total": 1}})

        def close(self) -> None:
            made.append("closed")

    def make() -> Source:
        made.append("tried")
        if len(made) < 3:
            raise ImportError("no such module")
        return Fine()

    sampler = Sampler({}, Gpus(0.1, lambda: None, lambda: False), default_plans(), AgentState())
    task = asyncio.ensure_future(read_slowly("process", 0.02, make, sampler))
    await eventually(lambda: "process" in sampler.failing)
    await eventually(lambda: "process" not in sampler.failing and len(made) == 3)
    await ended(task)
    assert made == ["tried", "tried", "tried", "closed"]


async def test_a_driver_that_cannot_even_be_looked_for_costs_only_its_family(machine: Whole) -> None:
    def present() -> bool:
        raise PermissionError("driver")

    async with watched(machine) as watch:
        watch.sampler._gpus = Gpus(0.1, lambda: None, present)
        await watch.tick()
        found = await watch.tick()
        assert {"cpu", "memory", "disk"} <= set(found)
        assert "gpu" in watch.sampler.failing


PORTABLE_CALLS = (
    "cpu_times",
    "cpu_stats",
    "cpu_freq",
    "getloadavg",
    "virtual_memory",
    "swap_memory",
    "disk_io_counters",
    "disk_partitions",
    "net_io_counters",
    "net_if_stats",
    "sensors_temperatures",
    "sensors_fans",
    "sensors_battery",
)
CALL_OWNERS = {"cpu": {"cpu", "core"}, "getl": {"cpu"}, "virt": {"memory"}, "swap": {"memory"}, "disk_i": {"disk"}} | {
    "disk_p": {"filesystem"},
    "net": {"network"},
    "sens": {"sensors"},
}
"""Beginning of a call's name -> the families that it may cost."""


@pytest.mark.parametrize("fault", [psutil.AccessDenied(), OSError("no"), NotImplementedError("here"), KeyError("x")])
async def test_elsewhere_than_on_linux_a_failing_call_costs_only_its_family_which_recovers(
    machine: Whole, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ""

    def breaking(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            if name == broken:
                raise fault
            return call(*args, **named)

        return wrapped

    for name in PORTABLE_CALLS:
        monkeypatch.setattr(psutil, name, breaking(name, getattr(psutil, name)))
    monkeypatch.setattr("sys.platform", "darwin")
    async with watched(machine) as watch:
        for _ in range(3):
            whole = set(await watch.tick())
        assert {"cpu", "core", "memory", "network", "agent"} <= whole
        for name in PORTABLE_CALLS:
            broken = name
            found = set(await watch.tick())
            may_cost = next(families for beginning, families in CALL_OWNERS.items() if name.startswith(beginning))
            assert whole - found <= may_cost, name
            broken = ""
            for _ in range(3):
                found = set(await watch.tick())
            assert found == whole, name
            assert not watch.sampler.failing
