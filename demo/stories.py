"""What happens in the fleet: who is up when, deploys, a leak, a disk that fills, a spike. Pure functions of time."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from demo.machines import DAY_S, Machine
from demo.noise import Floats, Ints, held, key_of

Bools = npt.NDArray[np.bool_]
Times = TypeVar("Times", int, Ints)

HOUR_S = 3600
LEAK_S = 20 * HOUR_S
"""From a fresh start of the leaking program until the kernel kills it."""
FULL_S = 60 * HOUR_S
"""From cleaned up to cleaned up again."""
FLAP_S = 540
FLAP_AWAY_S = 120
SILENT_DAYS = 1.3
"""How long before the demonstration the silent host was heard last."""
REBOOT_S = 150
REBOOTED_BEFORE_S = 3 * HOUR_S
SPIKE_BEFORE_S = 21 * HOUR_S
SPIKE_S = 25 * 60
DEPLOYS_S = (10 * HOUR_S + 1800, 15 * HOUR_S)
"""Times of day (UTC) at which web servers get a new version, one after the other."""
DEPLOY_S = 150
BACKUP_S = 2 * HOUR_S
"""Time of day of the databases' backup, which takes most of an hour."""
UPTIME_DAYS = 90
AWAY = frozenset({"silent", "flapping", "rebooted"})
"""Stories of hosts that are not always up."""


def is_up(machine: Machine, times_s: Ints) -> Bools:
    """Whether the host samples at those times."""
    up = np.ones(len(times_s), dtype=np.bool_)
    if machine.story == "silent":
        up &= times_s < machine.began_s - SILENT_DAYS * DAY_S
    if machine.story == "flapping":
        up &= _into_flap(machine, times_s) >= FLAP_AWAY_S
    if machine.story == "rebooted":
        into = times_s - reboot_s(machine)
        up &= (into < -REBOOT_S) | (into >= 0)
    return up


def _into_flap(machine: Machine, times_s: Ints) -> Ints:
    """Seconds since the link broke last."""
    into: Ints = (times_s - machine.began_s + FLAP_S - FLAP_AWAY_S) % FLAP_S
    return into


def reboot_s(machine: Machine) -> int:
    """When it booted last, Unix seconds."""
    if machine.story == "rebooted":
        return machine.began_s - REBOOTED_BEFORE_S
    back_s = DAY_S * (4 + UPTIME_DAYS * machine.chance("uptime"))
    return int(machine.began_s - back_s)


def leaked(machine: Machine, times_s: Ints) -> Floats:
    """Share of the memory that a leaking program holds too much; it is near its end when the demonstration begins."""
    if machine.story != "leak":
        return np.zeros(len(times_s))
    into = _since_leak(machine, times_s) % LEAK_S
    share: Floats = 0.52 * into / LEAK_S
    return share


def oom_kills(machine: Machine, times_s: Ints) -> Floats:
    """How often the leaking program was killed since boot."""
    if machine.story != "leak":
        return np.zeros(len(times_s))
    cycle = _since_leak(machine, times_s) // LEAK_S
    since: Floats = np.maximum(0, cycle - _since_leak(machine, reboot_s(machine)) // LEAK_S) * 1.0
    return since


def _since_leak(machine: Machine, times_s: Times) -> Times:
    """Seconds since one of the fresh starts of the leaking program."""
    return times_s - machine.began_s + round(0.86 * LEAK_S)


def filled(machine: Machine, times_s: Ints) -> Floats:
    """How full the disk is that fills: from 0.42 to 0.985 and cleaned up then; not far from that at the beginning."""
    into = (times_s - machine.began_s + round(0.84 * FULL_S)) % FULL_S
    share: Floats = 0.42 + 0.565 * into / FULL_S
    return share


def deploying(machine: Machine, times_s: Ints) -> Floats:
    """From 0 to 1: how much a deploy takes at those times. Web servers are taken in turn, on working days."""
    if machine.role != "web":
        return np.zeros(len(times_s))
    days, of_day_s = np.divmod(times_s, DAY_S)
    workday = (days + 3) % 7 < 5  # 1 January 1970 was a Thursday
    load = np.zeros(len(times_s))
    for begin_s in DEPLOYS_S:
        into = of_day_s - begin_s - 40 * (machine.number % 12)
        load += ((into >= 0) & (into < DEPLOY_S)) * np.clip(1.2 - into / DEPLOY_S, 0, 1)
    return load * workday


def backing_up(machine: Machine, times_s: Ints) -> Floats:
    """From 0 to 1: how much a backup takes at those times."""
    if machine.role != "db":
        return np.zeros(len(times_s))
    into = times_s % DAY_S - BACKUP_S - 300 * (machine.number % 6)
    share = 0.75 + 0.25 * held(key_of(machine.seed, "backup"), times_s, 60)
    return np.where((into >= 0) & (into < 2400), share, 0.0)


def spiking(machine: Machine, times_s: Ints) -> Floats:
    """From 0 to 1: what broke yesterday, on one host."""
    if machine.story != "spike":
        return np.zeros(len(times_s))
    into = times_s - (machine.began_s - SPIKE_BEFORE_S)
    return np.where((into >= 0) & (into < SPIKE_S), np.clip(np.minimum(into, SPIKE_S - into) / 120, 0, 1), 0.0)


def is_up_at(machine: Machine, second: int) -> bool:
    """The same of one moment."""
    if machine.story not in AWAY:
        return True
    return bool(is_up(machine, np.array([second], dtype=np.int64))[0])
