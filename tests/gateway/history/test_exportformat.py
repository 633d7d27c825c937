"""Rows as CSV and NDJSON."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.families import CPU, DISK
from services.gateway.history.exportformat import Row, csv_head, encoder, in_units, paths, rfc3339

AT_MS = 1_795_219_200_123
COLUMNS = ["cpu.total", "disk.read", "disk.busy"]


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert rfc3339([AT_MS, 946_684_800_000]) == ["2026-11-21T00:00:00.123Z", "2000-01-01T00:00:00.000Z"]


def test_csv_leaves_the_cells_of_other_families_and_of_nulls_empty() -> None:
    encode = encoder("csv", "web-1", COLUMNS, COLUMNS[1:])
    assert csv_head(COLUMNS) == b"time,host,instance,cpu.total,disk.read,disk.busy\r\n"
    assert encode([(AT_MS, "sda", 12, None)]) == b"2026-11-21T00:00:00.123Z,web-1,sda,,12,\r\n"


def test_ndjson_has_its_family_only_and_nulls() -> None:
    encode = encoder("ndjson", "web-1", COLUMNS, COLUMNS[:1])
    lines = encode([(AT_MS, "", 12.34), (AT_MS, "", None)]).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"time": "2026-11-21T00:00:00.123Z", "host": "web-1", "instance": "", "cpu.total": value}
        for value in (12.34, None)
    ]


@pytest.mark.parametrize("resolution", ["minute", "hour"])
def test_roll_ups_have_four_columns_per_metric(resolution: str) -> None:
    names = paths(CPU, CPU.metrics[:1], resolution)  # type: ignore[arg-type]
    assert names == ["cpu.total.avg", "cpu.total.min", "cpu.total.max", "cpu.total.count"]


def test_counts_become_values_in_units() -> None:
    metrics = [CPU.metric("total"), DISK.metric("read")]
    assert in_units(metrics, [(1234, None), (None, 7)]) == [[12.34, None], [None, 7]]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_any_name_of_an_instance_comes_back(name: str) -> None:
    row: Row = (AT_MS, name, 1.5, None)
    text = encoder("csv", "web-1", COLUMNS, COLUMNS[1:])([row]).decode()
    assert next(csv.reader(io.StringIO(text, newline="")))[2] == name
    line = encoder("ndjson", "web-1", COLUMNS, COLUMNS[1:])([row])
    assert line.count(b"\n") == 1
    assert json.loads(line)["instance"] == name
