"""Sketches of integer counts, from which percentiles over any range can be told: histograms with geometric buckets.

Every bucket has a value that each count in it differs from by at most 1 %; counts below 100 have buckets of their own.
So a percentile from a sketch is within 1 % of the exact one, whatever the counts are like, and sketches of parts add up
to that of the whole. (The idea is that of DDSketch, Masson, Rim and Lee 2019; the buckets here are made for integers.)

Bytes: a version, then varints (7 bits each, least first, the high bit where more follow): the number of buckets, the
first one's number (zigzag), then for each its count times 2, plus 1 if it does not follow the one before it directly,
then for each that does not how many buckets lie between. A constant column takes five bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_VERSION = b"\x01"


def _buckets() -> tuple[Ints, Ints]:
    """For magnitudes from 1: the greatest one of each bucket, and the bucket's value."""
    tops: list[int] = []
    values: list[int] = []
    top = 0
    while top < 2**63 - 1:
        value = (top + 1) * 101 // 100
        top = min(value * 100 // 99, 2**63 - 1)
        values.append(min(value, 2**63 - 1))
        tops.append(top)
    return np.array(tops, dtype=np.int64), np.array(values, dtype=np.int64)


_TOPS, _VALUES = _buckets()


class Merged(Struct, frozen=True):
    """What several sketches hold together."""

    buckets: Ints
    """Numbers of the buckets that hold something, ascending; 0 is for 0, -1 and 1 for the magnitude 1."""
    ranks: Ints
    """How many values there are up to each bucket, itself included."""


def bucket_of(values: Ints) -> Ints:
    """The number of each value's bucket."""
    numbers = np.searchsorted(_TOPS, np.abs(values)) + 1
    numbers[values == 0] = 0
    return np.where(values < 0, -numbers, numbers)


def sketch(values: Ints) -> bytes:
    """The sketch of at least one count; all are between -2**62 and 2**62."""
    least, greatest = int(values.min()), int(values.max())
    if least == greatest:
        return _encode(bucket_of(values[:1]), np.array([len(values)]))
    numbers = bucket_of(values)
    first = int(numbers.min())
    counts = np.bincount(numbers - first)
    held = np.flatnonzero(counts)
    return _encode(held + first, counts[held])


def merge(parts: Sequence[bytes]) -> Merged:
    """What at least one sketch holds, together. Raises ValueError for bytes that are none."""
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    data = np.frombuffer(b"".join(parts), dtype=np.uint8)
    ends = np.cumsum(lengths)
    if (lengths < 4).any() or (data[ends - lengths] != _VERSION[0]).any() or (data[ends - 1] & 0x80).any():
        raise ValueError("not a sketch, or one of a newer version")
    body = np.ones(len(data), dtype=np.bool_)
    body[ends - lengths] = False
    numbers = _varints(data[body])
    last = np.flatnonzero(data[body] < 0x80)  # where each number ends
    firsts = np.searchsorted(last, ends - lengths - np.arange(len(parts)))
    sizes = numbers[firsts]
    if int(sizes.sum()) + 2 * len(parts) > len(numbers):
        raise ValueError("a sketch is not whole")
    buckets, counts = _buckets_of(numbers, firsts, sizes)
    low = int(buckets.min())
    total = np.bincount(buckets - low, weights=counts).astype(np.int64)
    held = np.flatnonzero(total)
    return Merged(held + low, np.cumsum(total[held]))


def percentile(merged: Merged, share: float) -> int:
    """Nearest rank: about the least value that at least `share` (0 to 1) of all values do not exceed."""
    rank = max(1, int(np.ceil(share * int(merged.ranks[-1]) - 1e-9)))
    bucket = int(merged.buckets[np.searchsorted(merged.ranks, rank)])
    if bucket == 0:
        return 0
    value = int(_VALUES[abs(bucket) - 1])
    return value if bucket > 0 else -value


def _encode(buckets: Ints, counts: Ints) -> bytes:
    gaps = np.diff(buckets) - 1
    jumps = gaps > 0
    tokens = np.empty(2 + len(buckets) + int(jumps.sum()), dtype=np.int64)
    first = int(buckets[0])
    tokens[0] = len(buckets)
    tokens[1] = 2 * first if first >= 0 else -2 * first - 1
    tokens[2 : 2 + len(buckets)] = 2 * counts
    tokens[3 : 2 + len(buckets)] += jumps
    tokens[2 + len(buckets) :] = gaps[jumps]
    return _VERSION + _to_varints(tokens)


def _buckets_of(numbers: Ints, firsts: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Bucket numbers and counts of all sketches, whose numbers begin at `firsts` and which have `sizes` buckets."""
    begins = np.cumsum(sizes) - sizes
    within = np.arange(int(sizes.sum())) - np.repeat(begins, sizes)
    tokens = numbers[np.repeat(firsts + 2, sizes) + within]
    jumps = tokens & 1 == 1
    rest = np.ones(len(numbers), dtype=np.bool_)
    rest[firsts] = rest[firsts + 1] = False
    rest[np.repeat(firsts + 2, sizes) + within] = False
    gaps = numbers[rest]
    if len(gaps) != int(jumps.sum()):
        raise ValueError("a sketch is not whole")
    steps = np.ones(len(tokens), dtype=np.int64)
    steps[jumps] += gaps
    zigzag = numbers[firsts + 1]
    start = (zigzag >> 1) ^ -(zigzag & 1)
    sums = np.cumsum(steps)
    return sums - np.repeat(sums[begins] - start, sizes), tokens >> 1


def _to_varints(numbers: Ints) -> bytes:
    if int(numbers.max()) < 0x80:
        return numbers.astype(np.uint8).tobytes()
    digits = [numbers]
    while (digits[-1] >= 0x80).any():
        digits.append(digits[-1] >> 7)
    table = np.stack(digits, axis=1)
    there = table > 0
    there[:, 0] = True
    more = np.zeros_like(table)
    more[:, :-1] = there[:, 1:] * 0x80
    return (table & 0x7F | more)[there].astype(np.uint8).tobytes()


def _varints(data: Bytes) -> Ints:
    """The numbers of bytes that end with the end of one."""
    ends = data < 0x80
    if ends.all():
        return data.astype(np.int64)
    begins = np.flatnonzero(np.concatenate(([True], ends[:-1])))
    number: Ints = np.cumsum(ends) - ends  # which number each byte is of
    place = np.arange(len(data)) - begins[number]
    if int(place.max()) > 8:
        raise ValueError("not a sketch: a number of more than 63 bits")
    numbers: Ints = np.add.reduceat((data & 0x7F).astype(np.int64) << 7 * place, begins)
    return numbers
