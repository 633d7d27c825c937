"""Randomness without memory: every value is a function of a key and a time, so that past and present are one curve.

Pure. Times are whole Unix seconds. Numbers come from splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom
number generators, 2014), applied to key and step.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@lru_cache(65536)
def key_of(seed: int, *names: str) -> int:
    """64 bits that differ with every one of its arguments."""
    text = "\0".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def chance(seed: int, *names: str) -> float:
    """One number from 0 to 1 for good, below 1."""
    return (key_of(seed, *names) >> 11) / 2**53


def uniform(key: int, steps: Ints) -> Floats:
    """A number from 0 to 1, below 1, for each step."""
    mixed = (steps.astype(np.uint64) + np.uint64(1)) * _STEP + np.uint64(key)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    mixed ^= mixed >> np.uint64(31)
    found: Floats = (mixed >> np.uint64(11)) * 2.0**-53
    return found


def flutter(key: int, times_s: Ints) -> Floats:
    """From -1 to 1, another one every second, around 0."""
    found: Floats = uniform(key, times_s) + uniform(key ^ 0x55, times_s) - 1
    return found


def held(key: int, times_s: Ints, every_s: int) -> Floats:
    """A number from 0 to 1 that stays for `every_s`."""
    return uniform(key, times_s // every_s)


def wander(key: int, times_s: Ints, every_s: int) -> Floats:
    """From -1 to 1 along a smooth line with another goal every `every_s`."""
    step, into = np.divmod(times_s, every_s)
    share = into / every_s
    share = share * share * (3 - 2 * share)
    before, after = uniform(key, step), uniform(key, step + 1)
    found: Floats = 2 * (before + (after - before) * share) - 1
    return found


def whole(mean: Floats, key: int, times_s: Ints) -> Floats:
    """Counts around `mean` that scatter by its root, as what happens independently does; never negative."""
    found: Floats = np.maximum(0, np.rint(mean + np.sqrt(np.maximum(mean, 0)) * 1.2 * flutter(key, times_s)))
    return found
