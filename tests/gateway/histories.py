"""Half a day of rows that arrive in parts, in any order, with the roll-up job at work in between; and what they say."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.gateway.rolled import compress, roll_up
from tests.gateway.rows import Row, put

START_MS = 1_795_219_200_000
"""A midnight."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
HOURS = 12
METRICS = "cpu.total,cpu.load1,disk.read,disk.busy"
RESOLUTION = {"cpu.total": 0.01, "cpu.load1": 0.01, "disk.read": 1, "disk.busy": 0.01}
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class History(NamedTuple):
    """How the rows come to be stored: cut into parts that arrive in some order, with a job after each."""

    seed: int
    kind: str
    cuts: list[int]
    """Where the rows are cut, in per cent of them."""
    order: int
    jobs: list[int]
    """In minutes from the start, for when the roll-up job believes to run."""
    compressed: int
    """After so many parts what is stored becomes columnar, where the engine can; the others come late to that."""

    def rows(self) -> dict[str, list[Row]]:
        """By family, in order of time and instance: about a minute apart, with holes and nulls."""
        rng = random.Random(self.seed)
        rows: dict[str, list[Row]] = {"cpu": [], "disk": []}
        minute = 0.0
        while minute < HOURS * 60:
            # At least a second: of two rows of one time nobody can say which comes first.
            minute += 1 / 60 + 150 * rng.random() if rng.random() < 0.02 else rng.choice([0.5, 1, 1, 2])
            time_ms = START_MS + round(minute * MINUTE_MS) // 1000 * 1000 + 500
            rows["cpu"].append((time_ms, "", _cpu(rng, self.kind)))
            disks = ["sda"] * (rng.random() < 0.5) + ["sdb"] * (minute > 4 * 60 and rng.random() < 0.3)
            rows["disk"] += [(time_ms, disk, _disk(rng)) for disk in disks]
        return rows

    async def store(self, database_url: str, host: str) -> dict[str, list[Row]]:
        """Store them all; returns them."""
        rows = self.rows()
        ends = [START_MS + HOURS * HOUR_MS * cut // 100 for cut in (0, *sorted(self.cuts), 1000)]
        parts = list(itertools.pairwise(ends))
        random.Random(self.order).shuffle(parts)
        for number, ((first, last), job_at) in enumerate(zip(parts, self.jobs, strict=False)):
            if number == self.compressed:
                await compress(database_url, *rows)
            for family, own in rows.items():
                part = [row for row in own if first <= row[0] < last]
                if part:
                    await put(database_url, family, part, host=host)
            await roll_up(database_url, START_MS + job_at * MINUTE_MS)
        return rows


HISTORIES = st.builds(
    History,
    st.integers(0, 2**16),
    st.sampled_from(["busy", "constant", "spikes", "small"]),
    st.lists(st.integers(1, 99), max_size=5),
    st.integers(0, 1000),
    st.lists(st.integers(0, 15 * 60), min_size=6, max_size=6),
    st.integers(0, 6),
)
RANGES = st.tuples(st.integers(-30 * MINUTE_MS, 11 * 60 * MINUTE_MS), st.integers(1, 13 * 60 * MINUTE_MS))
"""Offset from the start and length."""


def _cpu(rng: random.Random, kind: str) -> dict[str, int | None]:
    busy = {"busy": rng.randrange(10_001), "constant": 4200, "spikes": 7, "small": rng.randrange(3)}[kind]
    total = rng.randrange(9000, 10_001) if kind == "spikes" and rng.random() < 0.03 else busy
    return {"total": None if rng.random() < 0.05 else total, "load1": rng.randrange(-50, 400_000)}


def _disk(rng: random.Random) -> dict[str, int | None]:
    return {"read": round(10 ** (15 * rng.random())), "busy": None if rng.random() < 0.5 else rng.randrange(10_001)}


def known(rows: Sequence[Row], column: Any, first: int, last: int) -> list[tuple[int, int]]:
    """Times and counts of one metric of one instance; `column` is of an answer."""
    name = column["metric"].partition(".")[2]
    return [
        (time, count)
        for time, instance, values in rows
        if first <= time < last and instance == column["instance"]
        for count in [values[name]]
        if count is not None
    ]


def check_column(rows: dict[str, list[Row]], column: Any, series: Any) -> None:
    """One column of a series against the rows."""
    unit = RESOLUTION[column["metric"]]
    family = column["metric"].partition(".")[0]
    steps: dict[int, list[int]] = {}
    for time, count in known(rows[family], column, series["from"], series["to"]):
        steps.setdefault(time // series["step_ms"] * series["step_ms"], []).append(count)
    for time, average, least, greatest in zip(
        series["times"], column["avg"], column["min"], column["max"], strict=True
    ):
        counts = steps.pop(time, None)
        if counts is None:
            assert (average, least, greatest) == (None, None, None)
        else:
            assert same_mean(average, counts, unit)
            assert math.isclose(least, min(counts) * unit)
            assert math.isclose(greatest, max(counts) * unit)
    assert not steps


def same_mean(average: float, counts: Sequence[int], unit: float) -> bool:
    """Whether it is the mean, as far as it is not rounded away."""
    return math.isclose(average, statistics.fmean(counts) * unit, rel_tol=1e-12, abs_tol=0.006 * unit)


def check_stat(rows: dict[str, list[Row]], stat: Any, stats: Any, whole: bool = True) -> None:
    """Statistics of one metric against the rows; `whole`: none of the raw rows is gone."""
    unit = RESOLUTION[stat["metric"]]
    times = known(rows[stat["metric"].partition(".")[0]], stat, stats["from"], stats["to"])
    if not times:
        assert (stat["count"], stat["max"], stat["p95"], stat["last"]) == (0, None, None, None)
        return
    counts = [count for _, count in times]
    assert stat["count"] == len(counts)
    assert math.isclose(stat["min"], min(counts) * unit)
    assert math.isclose(stat["max"], max(counts) * unit)
    assert same_mean(stat["avg"], counts, unit)
    if whole:
        assert (stat["max_time"], stat["max_time_resolution"]) == (times[counts.index(max(counts))][0], "raw")
        assert math.isclose(stat["last"], counts[-1] * unit)
    for name, share in PERCENTILES.items():
        exact = sorted(counts)[math.ceil(share * len(counts)) - 1] * unit
        if stat["exact"]:
            assert math.isclose(stat[name], exact)
        else:
            assert abs(stat[name] - exact) <= 0.01 * abs(exact) + 1e-9
            assert stat["min"] <= stat[name] <= stat["max"]
