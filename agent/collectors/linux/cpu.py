"""Processor time, load, tasks, context switches, interrupts and clock of the whole host; and each core's busy time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from agent.collectors.rates import per_second, share_percent
from agent.collectors.readings import Instances, Values
from agent.system.procfs import ProcFile, SharedFile, number_after

FREQUENCY_EVERY_S = 10.0
"""The clock is read this often and held in between: asking every core costs more than all other collectors together."""


Load = tuple[float | None, float | None, float | None]
"""Of the last one, five and fifteen minutes."""


class Times(NamedTuple):
    """Counters since boot. Times are in any one unit; None where the system does not count it."""

    user: float
    nice: float | None
    system: float
    idle: float
    iowait: float | None
    irq: float | None
    softirq: float | None
    steal: float | None
    context_switches: int | None
    interrupts: int | None
    forks: int | None = None
    procs_running: int | None = None
    """Now, not since boot; as the next."""
    procs_blocked: int | None = None


def shares(before: Times, now: Times, elapsed_s: float) -> Values:
    """What the time between two readings was spent on, in percent of all cores; all null after a counter reset.

    iowait alone may go backwards (the kernel says so itself), which makes only iowait null.
    """
    spent: dict[str, float | None] = {}
    for name in ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"):
        first, second = getattr(before, name), getattr(now, name)
        spent[name] = None if first is None or second is None else second - first
    iowait = spent["iowait"]
    if iowait is not None and iowait < 0:
        spent["iowait"] = None
    reset = any(value is not None and value < 0 for value in spent.values())
    whole = 0.0 if reset else sum(value for value in spent.values() if value is not None)
    waiting = (spent["idle"] or 0) + (spent["iowait"] or 0)
    values: Values = {"total": share_percent(whole - waiting, whole)}
    for name in ("user", "system", "iowait", "steal", "nice", "irq", "softirq"):
        part = spent[name]
        values[name] = None if part is None else share_percent(part, whole)
    values["context_switches"] = _rate(before.context_switches, now.context_switches, elapsed_s)
    values["interrupts"] = _rate(before.interrupts, now.interrupts, elapsed_s)
    values["forks"] = _rate(before.forks, now.forks, elapsed_s)
    return values


def _rate(before: int | None, now: int | None, elapsed_s: float) -> float | None:
    return None if before is None or now is None else per_second(before, now, elapsed_s)


_COUNTED = (b"ctxt", b"intr", b"processes", b"procs_running", b"procs_blocked")


def parse_stat(data: bytes) -> Times:
    """Counters of /proc/stat. guest and guest_nice are part of user and nice already."""
    fields = [int(word) for word in data[: data.index(b"\n")].split()[1:9]]
    fields += [0] * (8 - len(fields))
    user, nice, system, idle, iowait, irq, softirq, steal = fields
    more = (number_after(data, b"\n" + key + b" ") for key in _COUNTED)
    return Times(user, nice, system, idle, iowait, irq, softirq, steal, *more)


def parse_cores(data: bytes) -> dict[str, tuple[int, int]]:
    """Core number -> busy and all time of /proc/stat, in its ticks. A core that is offline has no line."""
    cores = {}
    for line in data.split(b"\ncpu")[1:]:
        number, *words = line.split(b"\n", 1)[0].split()[:9]
        times = [int(word) for word in words]
        cores[number.decode()] = (sum(times) - sum(times[3:5]), sum(times))
    return cores


def linux_reader(stat: SharedFile) -> Callable[[], Times]:
    """Reads /proc/stat, and leaves it to the reader of the cores."""
    return lambda: parse_stat(stat.read())


def linux_load(proc: str) -> Callable[[], Load]:
    loadavg = ProcFile(f"{proc}/loadavg")

    def read() -> tuple[float, float, float]:
        one, five, fifteen = loadavg.read().split(None, 3)[:3]
        return float(one), float(five), float(fifteen)

    return read


def linux_frequency(proc: str, sys: str = "/sys") -> Callable[[], float | None]:
    """Mean clock of all cores in MHz: from cpufreq, else from cpuinfo; None where neither tells."""
    clocks_of = Path(sys, "devices/system/cpu/cpufreq").glob("policy*/scaling_cur_freq")
    policies = [ProcFile(str(path)) for path in clocks_of]

    def read() -> float | None:
        if policies:
            clocks = [int(policy.read()) / 1000 for policy in policies]
        else:
            cpuinfo = ProcFile(f"{proc}/cpuinfo")
            try:
                lines = cpuinfo.read_records().split(b"\n")
            finally:
                cpuinfo.close()
            clocks = [float(line.split(b":")[1]) for line in lines if line.startswith(b"cpu MHz")]
        return sum(clocks) / len(clocks) if clocks else None

    return read


class Cpu:
    """Holds the previous counters and the last clock."""

    def __init__(
        self,
        read: Callable[[], Times],
        read_load: Callable[[], Load],
        read_frequency: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._read = read
        self._read_load = read_load
        self._read_frequency = read_frequency
        self._before: tuple[float, Times] | None = None
        self._frequency: float | None = None
        self._frequency_due_s = float("-inf")

    def collect(self, now_s: float) -> Instances:
        times = self._read()
        before, self._before = self._before, (now_s, times)
        values: Values = shares(before[1], times, now_s - before[0]) if before else {}
        values["procs_running"], values["procs_blocked"] = times.procs_running, times.procs_blocked
        try:
            values["load1"], values["load5"], values["load15"] = self._read_load()
        except (OSError, ValueError):  # it must not cost the shares
            values["load1"] = values["load5"] = values["load15"] = None
        values["frequency"] = self._clock(now_s)
        return {"": values}

    def _clock(self, now_s: float) -> float | None:
        if now_s >= self._frequency_due_s:
            self._frequency_due_s = now_s + FREQUENCY_EVERY_S
            try:
                self._frequency = self._read_frequency()
            except (OSError, ValueError):  # a core going offline takes its file along
                self._frequency = None
        return self._frequency


def linux_core_reader(stat: SharedFile) -> Callable[[], dict[str, tuple[int, int]]]:
    """Reads what was read of /proc/stat for the whole host, or the file itself where that is not sampled."""
    return lambda: parse_cores(stat.take())


class Cores:
    """Holds the previous counters of every core."""

    def __init__(
        self, read: Callable[[], Mapping[str, tuple[float, float]]], wanted: Callable[[str], bool] = lambda name: True
    ) -> None:
        """`read`: core -> busy and all time so far, in any one unit."""
        self._read = read
        self._wanted = wanted
        self._before: Mapping[str, tuple[float, float]] = {}

    def collect(self, _now_s: float) -> Instances:
        """Cores seen for the first time have no share yet and are left out."""
        cores = self._read()
        before, self._before = self._before, cores
        return {
            name: {"total": _busy_share(before[name], times)}
            for name, times in cores.items()
            if name in before and self._wanted(name)
        }


def _busy_share(before: tuple[float, float], now: tuple[float, float]) -> float | None:
    share = share_percent(now[0] - before[0], now[1] - before[1])
    # iowait may go back, which makes the whole smaller than its parts.
    return None if share is None else min(100.0, share)
