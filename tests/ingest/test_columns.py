"""Whole columns decoded at once say what each batch says by itself."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, decode_batch, decoded_series, encode_batch
from schemas.families import CPU, DISK
from schemas.messages import Batch, Block, Series
from services.ingest.columns import FamilyRows, gather
from services.ingest.unpack import Unfit
from tests.batches import START_MS, batch, instances, sample

Row = tuple[str, str, str, int, dict[str, int | None]]

small = st.one_of(st.none(), st.integers(-1000, 1000))


def rows_of(gathered: list[FamilyRows]) -> list[Row]:
    """Every row as plain Python."""
    rows: list[Row] = []
    for family in gathered:
        for row in range(family.rows):
            host, instance = family.series[family.series_of_row[row]]
            values = {
                metric.name: None if nulls is not None and nulls[row] else int(column[row])
                for metric, column, nulls in zip(family.family.metrics, family.values, family.nulls, strict=True)
            }
            rows.append((host, family.family.name, instance, int(family.times_ms[row]), values))
    return sorted(rows, key=str)


def rows_one_by_one(batches: list[Batch]) -> list[Row]:
    """The same by the reader that takes each column by itself."""
    rows: list[Row] = []
    for each in batches:
        for reading in decoded_series(each):
            names = [metric.name for metric in reading.family.metrics]
            for row, time in enumerate(reading.times):
                values = {name: reading.columns[name][row] if name in reading.columns else None for name in names}
                rows.append((each.host, reading.family.name, reading.instance, time, values))
    return sorted(rows, key=str)


def _sample(index: int, cpu: dict[str, int | None], disks: dict[str, dict[str, int | None]]) -> Sample:
    families: dict[str, dict[str, dict[str, int | None]]] = {}
    if cpu:
        families["cpu"] = {"": cpu}
    if disks:
        families["disk"] = disks
    return Sample(START_MS + index * 1000, families)


cpu = st.dictionaries(st.sampled_from(["total", "user", "load1"]), small, max_size=3)
disks = st.dictionaries(
    st.sampled_from(["sda", "sdb"]),
    st.dictionaries(st.sampled_from(["read", "busy", "read_wait"]), small, min_size=1),
    max_size=2,
)


@given(st.lists(st.lists(st.tuples(cpu, disks), min_size=1, max_size=6), min_size=1, max_size=5))
def test_gathering_many_batches_equals_reading_each(content: list[list[tuple[dict, dict]]]) -> None:  # type: ignore[type-arg]
    batches = [
        decode_batch(encode_batch(batch(*(_sample(i, *row) for i, row in enumerate(rows)), host=f"h-{n}", seq=n + 1)))
        for n, rows in enumerate(content)
    ]
    assert rows_of(gather(batches, CATALOGUE)) == rows_one_by_one(batches)


def test_a_column_without_nulls_has_no_mask() -> None:
    [family] = gather([batch(sample(), sample(START_MS + 1000, total=9, user=9))], CATALOGUE)
    by_name = dict(zip((metric.name for metric in CPU.metrics), family.nulls, strict=True))
    assert by_name["total"] is None
    assert by_name["iowait"] is not None
    assert by_name["iowait"].all()


@pytest.mark.parametrize("value", [2**15, -(2**15) - 1, 2**62, 2**63, -(2**63) - 1])
def test_a_value_too_large_for_its_column_is_out_of_range(value: int) -> None:
    bad = batch()
    bad.families = [Block("cpu", [1], [Series("", {}, None, [value])])]
    with pytest.raises(Unfit):
        gather([batch(host="good"), bad], CATALOGUE)


def test_sums_that_would_wrap_around_64_bits_are_out_of_range() -> None:
    rows = 128
    bad = batch(*(instances(START_MS + i, "disk", {"sda": {"read": i}}) for i in range(rows)))
    bad.families[0].series[0].columns = [struct.pack(f"<B{rows}q", 0x44, *[2**58] * rows)]
    with pytest.raises(Unfit):
        gather([bad], CATALOGUE)


def test_rows_can_be_left_out_by_a_mask() -> None:
    taken = [instances(START_MS + i, "disk", {"sda": {"read": i}, "sdb": {"read": None}}) for i in range(4)]
    [family] = gather([batch(*taken)], CATALOGUE)
    kept = family.keep(np.array(family.times_ms) >= START_MS + 2)
    assert kept.family is DISK
    assert [(row[2], row[3] - START_MS, row[4]["read"]) for row in rows_of([kept])] == [
        ("sda", 2, 2),
        ("sda", 3, 3),
        ("sdb", 2, None),
        ("sdb", 3, None),
    ]
