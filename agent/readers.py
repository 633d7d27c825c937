"""Keeps running what reads off the tick, as the plan in force wants it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping

from agent.choice import Choice, use_plan
from agent.collectors import directory
from agent.plan import Plan, Plans
from agent.readings import Instances, Reading
from agent.sampler import Sampler
from agent.slow import Source

Key = tuple[object, ...]
"""All that a reader depends on: one whose key stays goes on undisturbed when the plan changes."""
Reader = Callable[[], Coroutine[None, None, None]]


def wanted(plan: Plan, sources: Mapping[str, Callable[[], Source]], sampler: Sampler) -> dict[Key, Reader]:
    """The readers that `plan` calls for."""
    readers: dict[Key, Reader] = {}
    for family, make in sources.items():
        of_family = plan.families[family]
        if of_family.enabled:
            key = (family, of_family.period_s, of_family.include, of_family.exclude)
            readers[key] = _slow_reader(family, of_family.period_s, make, sampler)
    directories = plan.families["directory"]
    if directories.enabled:
        for path in plan.directories:
            readers["directory", path, directories.period_s] = _directory_reader(path, directories.period_s, sampler)
    return readers


async def read_slowly(family: str, period_s: float, make: Callable[[], Source], sampler: Sampler) -> None:
    """Read `family` once per period, until cancelled; each reading goes into the next sample."""
    source = make()
    try:
        while True:
            began = time.monotonic()
            try:
                reading = await source.collect()
            except Exception as error:  # a failing collector must not cost the others
                sampler.fail(family, error)
            else:
                sampler.works(family)
                if reading is None:
                    sampler.forget(family)
                else:
                    sampler.post(family, reading)
            await asyncio.sleep(max(period_s / 2, began + period_s - time.monotonic()))
    finally:
        source.close()
        sampler.forget(family)


def _slow_reader(family: str, period_s: float, make: Callable[[], Source], sampler: Sampler) -> Reader:
    return lambda: read_slowly(family, period_s, make, sampler)


def _directory_reader(path: str, period_s: float, sampler: Sampler) -> Reader:
    def post(instances: Instances) -> None:
        sampler.post("directory", Reading(instances), partial=True)

    async def read() -> None:
        try:
            await directory.watch(path, period_s, post)
        finally:
            sampler.forget("directory", path)

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
