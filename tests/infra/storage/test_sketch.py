"""Sketches: small, exact where counts are small, within 1 % elsewhere, and the same however they are put together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.storage.sketch import Ints, merge, percentile, sketch

SHARES = (0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)
HOUR = 3600

counts = st.one_of(
    st.integers(-(2**56), 2**56), st.integers(-200, 200), st.sampled_from([0, 1, -1, 98, 99, 100, 2**56 - 1])
)


def exact(values: Ints, share: float) -> int:
    """Nearest rank, as `percentile_disc` of PostgreSQL."""
    return int(np.sort(values)[max(1, math.ceil(share * len(values) - 1e-9)) - 1])


def worst_error(values: Ints) -> float:
    """Greatest relative error of any percentile, from sketches of an hour each."""
    merged = merge([sketch(part) for part in np.split(values, range(HOUR, len(values), HOUR))])
    return max(abs(percentile(merged, s) - exact(values, s)) / max(1, abs(exact(values, s))) for s in SHARES)


def random() -> np.random.Generator:
    return np.random.default_rng(20261121)


def bursty() -> Ints:
    """Traffic in B/s: hardly anything, and now and then a hundred megabytes."""
    quiet = random().poisson(3000, 24 * HOUR)
    bursts = random().random(24 * HOUR) < 0.02
    return np.where(bursts, random().integers(50_000_000, 120_000_000, 24 * HOUR), quiet)


def constant() -> Ints:
    return np.full(24 * HOUR, 17_179_869_184)


def bimodal() -> Ints:
    """A load in hundredths of a percent that is either idle or flat out."""
    idle, busy = random().normal(150, 40, 24 * HOUR), random().normal(9800, 60, 24 * HOUR)
    return np.clip(np.where(random().random(24 * HOUR) < 0.5, idle, busy), 0, 10_000).astype(np.int64)


def heavy_tailed() -> Ints:
    """Latencies in µs whose variance does not exist."""
    return (random().pareto(1.1, 24 * HOUR) * 200).astype(np.int64)


def temperatures() -> Ints:
    """Tenths of °C around freezing point."""
    return random().normal(-5, 120, 24 * HOUR).astype(np.int64)


@pytest.mark.parametrize("trace", [bursty, constant, bimodal, heavy_tailed, temperatures])
def test_percentiles_of_a_day_are_within_one_percent(trace: object) -> None:
    assert callable(trace)
    assert worst_error(trace()) <= 0.01


@given(st.lists(counts, min_size=1, max_size=200))
def test_any_percentile_of_any_counts_is_within_one_percent(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    merged = merge([sketch(array)])
    for share in SHARES:
        told, true = percentile(merged, share), exact(array, share)
        assert abs(told - true) * 100 <= abs(true)


@given(st.lists(st.integers(-98, 98), min_size=1, max_size=200))
def test_counts_below_a_hundred_are_exact(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    merged = merge([sketch(array)])
    assert [percentile(merged, share) for share in SHARES] == [exact(array, share) for share in SHARES]


@given(st.lists(st.lists(counts, min_size=1, max_size=50), min_size=1, max_size=10))
def test_sketches_of_parts_add_up_to_the_sketch_of_the_whole(parts: list[list[int]]) -> None:
    arrays = [np.array(part, dtype=np.int64) for part in parts]
    merged = merge([sketch(array) for array in arrays])
    whole = merge([sketch(np.concatenate(arrays))])
    assert merged.buckets.tolist() == whole.buckets.tolist()
    assert merged.ranks.tolist() == whole.ranks.tolist()


def test_a_constant_hour_takes_a_few_bytes() -> None:
    assert len(sketch(np.full(HOUR, 9_999_999))) <= 6


def test_a_busy_hour_takes_a_few_hundred() -> None:
    assert len(sketch(bimodal()[:HOUR])) < 400


def test_many_values_in_one_bucket_are_counted() -> None:
    values = np.concatenate([np.zeros(3_000_000, dtype=np.int64), np.full(1_000_001, 5)])
    assert merge([sketch(values)] * 3).ranks.tolist() == [9_000_000, 12_000_003]


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\x02\x01\x00\x02", b"\x01\x05\x00\x02", b"\x01\x01\x00\x82"])
def test_bytes_that_are_no_sketch_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="sketch"):
        merge([sketch(np.array([1, 2])), damaged])
