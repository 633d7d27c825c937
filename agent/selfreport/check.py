"""`sonde agent check` and `--once`: every collector read once, for people and scripts to see what would be sent."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

from msgspec import Struct

from agent.collectors.directory import directory
from agent.collectors.readings import Counts, Reading, scales, to_counts
from agent.identity.state import host_of
from agent.sampling import sources
from agent.sampling.plan import Plan, make_plan, use_plan
from agent.sampling.sources import Collect
from agent.spool.backlog import Backlog
from agent.system.state import AgentState
from infra.settings import AgentSettings
from schemas.catalogue import CATALOGUE, family_named
from schemas.metric import Family

Read = Callable[[], Awaitable[Reading | None]]

BETWEEN_S = 1.0
"""Rates are over this time."""
WALK_WITHIN_S = 10.0
SLOW_WITHIN_S = 15.0

ORIGINS = {
    "cpu": "/proc/stat, /proc/loadavg, cpufreq",
    "memory": "/proc/meminfo, /proc/vmstat",
    "filesystem": "statvfs of each mount",
    "disk": "/proc/diskstats",
    "network": "/proc/net/dev, /sys/class/net",
    "gpu": "NVML",
    "directory": "own walk",
    "agent": "this process",
    "core": "/proc/stat",
    "pressure": "/proc/pressure",
    "sockets": "/proc/net/sockstat, /proc/net/snmp",
    "sensors": "/sys/class/hwmon",
    "container": "Docker socket, cgroups",
    "process": "/proc",
    "unit": "systemd",
    "custom": "*.prom files",
}
"""Where each family comes from on Linux; elsewhere it is psutil."""


class Checked(Struct):
    """One family, read once."""

    family: str
    source: str
    ms: float = 0
    state: str = "ok"
    """`ok`, `absent` (this machine has nothing of the kind), `off` (by settings), or `failed`."""
    error: str = ""
    values: dict[str, dict[str, float | None]] = {}
    """Instance -> metric -> value in the metric's unit, as it would be sent."""
    labels: dict[str, dict[str, str]] = {}


async def check_once(settings: AgentSettings) -> list[Checked]:
    """Read every family, in catalogue order; takes about a second, more where a source is slow."""
    plan = make_plan(settings)
    roots = sources.roots_of(settings)
    choices = sources.new_choices(roots.sys)
    use_plan(choices, plan.families)
    fast = sources.fast_collectors(roots, choices)
    status = AgentState()
    fast["agent"] = sources.own_collector(status, Backlog)
    makers = sources.slow_sources(roots, choices, status)
    slow = {family: make() for family, make in makers.items() if plan.families[family].enabled}
    gpus = sources.gpus(roots, choices, SLOW_WITHIN_S)
    readers: dict[str, Read] = {
        **{family: _fast_reader(collect) for family, collect in fast.items()},
        **{family: source.collect for family, source in slow.items()},
    }
    try:
        for family, read in readers.items():  # what rates are differences from
            await _outcome(family, read)
        await asyncio.sleep(BETWEEN_S)
        readers["gpu"] = lambda: gpus.finish(gpus.start())
        readers["directory"] = lambda: _read_directories(plan, roots.host)
        found = {
            family: await _outcome(family, read) for family, read in readers.items() if plan.families[family].enabled
        }
    finally:
        gpus.close()
        for source in slow.values():
            source.close()
    return [found.get(family.name) or _unread(family, plan) for family in CATALOGUE]


def _unread(family: Family, plan: Plan) -> Checked:
    state = "absent" if plan.families[family.name].enabled else "off"
    return Checked(family.name, ORIGINS.get(family.name, ""), state=state)


def _fast_reader(collect: Collect) -> Read:
    async def read() -> Reading:
        return Reading(collect(time.monotonic()))

    return read


async def _outcome(family: str, read: Read) -> Checked:
    """Read one family; whatever goes wrong is told and costs no other."""
    checked = Checked(family, ORIGINS.get(family, ""))
    began = time.perf_counter()
    try:
        async with asyncio.timeout(SLOW_WITHIN_S):
            reading = await read()
    except Exception as error:  # told in the table
        checked.state, checked.error = "failed", f"{type(error).__name__}: {error}"
        return checked
    finally:
        checked.ms = (time.perf_counter() - began) * 1000
    if reading is None or not reading.instances:
        checked.state = "absent"
        return checked
    of_family = family_named(family)
    checked.values = _in_units(of_family, to_counts(reading.instances, scales([of_family])[family]))
    checked.labels = dict(reading.labels)
    return checked


def _in_units(family: Family, counts: Counts) -> dict[str, dict[str, float | None]]:
    resolution = {metric.name: metric.resolution for metric in family.metrics}
    return {
        instance: {
            name: None if count is None else count if resolution[name] == 1 else round(count * resolution[name], 6)
            for name, count in values.items()
        }
        for instance, values in counts.items()
    }


async def _read_directories(plan: Plan, root: str) -> Reading | None:
    """Walks that are done within their time; one that is not says so by failing."""
    stop = threading.Event()
    instances = {}
    try:
        async with asyncio.timeout(WALK_WITHIN_S):
            for path in plan.directories:
                scan = await asyncio.to_thread(directory.scan, directory.below(root, path), stop)
                if scan is not None:
                    instances[path] = directory.values(scan, time.monotonic())
    except TimeoutError:
        stop.set()
        raise TimeoutError(f"not done within {WALK_WITHIN_S:g} s; the agent takes the time it needs") from None
    return Reading(instances)


def as_json(settings: AgentSettings, found: Iterable[Checked], time_s: float) -> str:
    """One object for scripts: host, time and families, with values in their units."""
    families = {
        checked.family: {
            "state": checked.state,
            "source": checked.source,
            "ms": round(checked.ms, 3),
            **({"error": checked.error} if checked.error else {}),
            "instances": checked.values,
            **({"labels": checked.labels} if checked.labels else {}),
        }
        for checked in found
    }
    return json.dumps({"host": host_of(settings), "time": round(time_s, 3), "families": families}, ensure_ascii=False)


def as_table(found: Iterable[Checked]) -> Iterator[str]:
    """Lines for people: a line per family with its source and the time reading it took, then its values."""
    for checked in found:
        took = f"{checked.ms:9.3f} ms" if checked.state in {"ok", "failed"} else " " * 12
        remark = checked.error or ("" if checked.state == "ok" else checked.state)
        yield f"{checked.family:<14}{took}  {checked.source}{'  ' if remark else ''}{remark}".rstrip()
        units = {metric.name: metric.unit for metric in family_named(checked.family).metrics}
        for instance, values in checked.values.items():
            if instance:
                named = ", ".join(f"{key}={text}" for key, text in checked.labels.get(instance, {}).items())
                yield f"  {instance}{'  ' if named else ''}{named}"
            for name, value in values.items():
                text = "unknown" if value is None else f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
                yield f"    {name:<24}{text:>24} {units[name] if value is not None else ''}".rstrip()
