"""Pressure stall totals become shares of the time between two readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.collectors.linux.pressure import Pressure, linux_readers, parse

CPU = b"some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
IO = b"some avg10=1.00 avg60=0.02 avg300=0.06 total=500000\nfull avg10=0.00 avg60=0.02 avg300=0.05 total=200000\n"


def pressure(proc: Path, **files: bytes) -> Pressure:
    (proc / "pressure").mkdir(exist_ok=True)
    for name, content in files.items():
        (proc / "pressure" / name).write_bytes(content)
    return Pressure(linux_readers(str(proc)))


def test_each_kind_has_its_own_total() -> None:
    assert (parse(IO, "some"), parse(IO, "full"), parse(b"", "some")) == (500_000, 200_000, None)


def test_shares_are_of_the_time_between_two_readings(tmp_path: Path) -> None:
    reader = pressure(tmp_path, cpu=CPU, io=IO)
    assert reader.collect(10) == {}
    pressure(tmp_path, cpu=CPU.replace(b"1000000", b"1500000"), io=IO.replace(b"200000", b"300000"))
    assert reader.collect(12)[""] == {
        "cpu_some": pytest.approx(25),
        "io_some": 0,
        "io_full": pytest.approx(5),
    }


def test_a_kernel_without_pressure_has_no_such_family(tmp_path: Path) -> None:
    reader = Pressure(linux_readers(str(tmp_path)))
    assert reader.collect(1) == {}
    assert reader.collect(2) == {}


def test_totals_that_went_back_are_null(tmp_path: Path) -> None:
    reader = pressure(tmp_path, io=IO)
    reader.collect(1)
    pressure(tmp_path, io=IO.replace(b"500000", b"100000"))
    assert reader.collect(2)[""] == {"io_some": None, "io_full": 0}


def test_more_than_all_time_is_all_time(tmp_path: Path) -> None:
    reader = pressure(tmp_path, io=IO)
    reader.collect(1)
    pressure(tmp_path, io=IO.replace(b"500000", b"1501000"))
    assert reader.collect(2)[""]["io_some"] == 100
