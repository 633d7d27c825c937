"""Keeps running what reads off the tick, as the plan in force wants it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping

from agent.collectors.choice import Choice
from agent.collectors.directory import directory
from agent.collectors.readings import Instances, Reading
from agent.collectors.source import Source
from agent.sampling.plan import Plan, Plans, use_plan
from agent.sampling.sampler import Sampler
from agent.system.state import AgentState, WalkProgress

Key = tuple[object, ...]
"""All that a reader depends on: one whose key stays goes on undisturbed when the plan changes."""
Reader = Callable[[], Coroutine[None, None, None]]


def wanted(
    plan: Plan, sources: Mapping[str, Callable[[], Source]], sampler: Sampler, status: AgentState, root: str = "/"
) -> dict[Key, Reader]:
    """The readers that `plan` calls for; directories are those below `root`."""
    readers: dict[Key, Reader] = {}
    for family, make in sources.items():
        of_family = plan.families[family]
        if of_family.enabled:
            key = (family, of_family.period_s, of_family.include, of_family.exclude)
            readers[key] = _slow_reader(family, of_family.period_s, make, sampler)
    directories = plan.families["directory"]
    if directories.enabled:
        for path in plan.directories:
            reader = _directory_reader(path, directories.period_s, sampler, status, root)
            readers["directory", path, directories.period_s] = reader
    return readers


async def read_slowly(family: str, period_s: float, make: Callable[[], Source], sampler: Sampler) -> None:
    """Read `family` once per period, until cancelled; each reading goes into the next sample."""
    source: Source | None = None
    try:
        while True:
            began = time.monotonic()
            try:
                source = source or make()
                await read_once(family, source, sampler)
            except Exception as error:  # a failing collector must not cost the others
                sampler.fail(family, error)
            await asyncio.sleep(max(period_s / 2, began + period_s - time.monotonic()))
    finally:
        if source is not None:
            source.close()
        sampler.forget(family)


async def read_once(family: str, source: Source, sampler: Sampler) -> None:
    """One reading into the next sample. Raises what the source does."""
    reading = await source.collect()
    sampler.works(family)
    if reading is None:
        sampler.forget(family)
    else:
        sampler.post(family, reading)


def _slow_reader(family: str, period_s: float, make: Callable[[], Source], sampler: Sampler) -> Reader:
    return lambda: read_slowly(family, period_s, make, sampler)


def _directory_reader(path: str, period_s: float, sampler: Sampler, status: AgentState, root: str) -> Reader:
    def post(instances: Instances) -> None:
        sampler.post("directory", Reading(instances), partial=True)

    async def read() -> None:
        while True:
            try:
                progress = status.walks.setdefault(path, WalkProgress())
                await directory.watch(path, period_s, post, progress, root=root)
            except Exception as error:  # not even what `watch` does not expect may cost the other families
                sampler.fail("directory", error)
            finally:
                status.walks.pop(path, None)
                sampler.forget("directory", path)
            await asyncio.sleep(period_s)

    return read


async def keep_reading(
    plans: Plans, choices: Mapping[str, Choice], of_plan: Callable[[Plan], dict[Key, Reader]]
) -> None:
    """Run the readers of the plan in force, until cancelled."""
    running: dict[Key, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            plan = plans.current
            use_plan(choices, plan.families)
            readers = of_plan(plan)
            ending = [running.pop(key) for key in running.keys() - readers.keys()]
            for task in ending:
                task.cancel()
            if ending:
                await asyncio.wait(ending)  # what ends forgets its family: before another reader of it begins
            for key in readers.keys() - running.keys():
                running[key] = group.create_task(readers[key]())
            await plans.other_than(plan)
