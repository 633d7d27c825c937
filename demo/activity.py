"""How busy a simulated host is: what everything else it measures follows. Pure."""

from __future__ import annotations

import numpy as np

from demo.machines import DAY_S, Machine, Role
from demo.noise import Floats, Ints, flutter, held, uniform, wander
from demo.stories import HOUR_S, backing_up, deploying, spiking

_LEVEL: dict[Role, float] = {"web": 0.24, "db": 0.3, "worker": 0.34, "cache": 0.11, "edge": 0.1, "gpu": 0.2}
_NOON_S = {"fra": 13 * HOUR_S, "iad": 19 * HOUR_S, "sin": 6 * HOUR_S}
"""Time of day (UTC) of the most work, by region."""
_BURST_S = 1800
BUSIEST = 0.985


def trend(machine: Machine, times_s: Ints) -> Floats:
    """Share of the host that works, 0 to 1, without what changes from second to second."""
    key = machine.key("activity")
    level = _LEVEL[machine.role] * (0.6 + 0.8 * machine.chance("level"))
    day = np.cos(2 * np.pi * (times_s - _NOON_S[machine.region]) / DAY_S)
    weekend = (times_s // DAY_S + 3) % 7 >= 5
    wave = (1 + (0.5 if machine.role in ("web", "edge", "cache") else 0.25) * day) * np.where(weekend, 0.75, 1)
    busy = level * wave * (1 + 0.22 * wander(key, times_s, 1500) + 0.12 * wander(key + 1, times_s, 200))
    busy = (
        busy + _bursts(machine, key, times_s) + 0.5 * deploying(machine, times_s) + 0.3 * backing_up(machine, times_s)
    )
    if machine.role == "worker":
        into = times_s % HOUR_S - 300
        busy = busy + 0.3 * ((into >= 0) & (into < 700)) * (0.8 + 0.2 * wander(key + 2, times_s, 60))
    busy = busy + (0.97 - busy) * spiking(machine, times_s)
    found: Floats = np.clip(busy, 0.004, 0.97)
    return found


def activity(machine: Machine, times_s: Ints) -> Floats:
    """Share of the host that works at each second, 0 to 1."""
    key = machine.key("second")
    busy = trend(machine, times_s)
    busy = busy * (1 + 0.16 * wander(key, times_s, 12) + 0.14 * flutter(key + 1, times_s))
    found: Floats = np.clip(busy, 0.002, BUSIEST)
    return found


def _bursts(machine: Machine, key: int, times_s: Ints) -> Floats:
    """Work that comes now and then and takes minutes."""
    slot, into = np.divmod(times_s, _BURST_S)
    begin = uniform(key + 3, slot) * _BURST_S * 0.6
    length = 60 + uniform(key + 4, slot) * _BURST_S * 0.3
    height = np.where(uniform(key + 5, slot) < 0.2, 0.05 + 0.25 * uniform(key + 6, slot), 0)
    ramp = np.clip(np.minimum(into - begin, begin + length - into) / 20, 0, 1)
    found: Floats = height * ramp
    return found


def training(machine: Machine, board: int, times_s: Ints) -> Floats:
    """How busy one GPU is, 0 to 1: jobs of hours with short pauses between their steps."""
    key = machine.key("gpu", str(board))
    job_s = 6 * HOUR_S
    shifted = times_s + 1700 * (machine.number % 9) + 600 * (board // 4)
    runs = (held(machine.key("job", str(board // 4)), shifted, job_s) < 0.75) | (machine.story == "hot")
    into = shifted % job_s
    step = np.where(into % 420 < 18, 0.15, 0.93)
    busy = np.where(runs & (into > 120), step * (1 + 0.05 * flutter(key, times_s)), 0.01)
    found: Floats = np.clip(busy, 0, 1)
    return found
