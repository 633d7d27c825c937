"""Failed units, a reboot that is due, and the clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.collectors.linux.unit import Clock, Units, clock_of, failed_units, kernel_clock, reboot_required

LISTED = """\
apt-daily.service loaded failed failed Daily apt download activities
data.mount        loaded failed failed /data
"""


def test_failed_units_are_named() -> None:
    assert failed_units(lambda: LISTED) == ["apt-daily.service", "data.mount"]
    assert failed_units(lambda: "") == []


@pytest.mark.parametrize("fault", [FileNotFoundError("systemctl"), subprocess.TimeoutExpired("systemctl", 10)])
def test_a_systemd_that_cannot_be_asked_is_unknown(fault: Exception) -> None:
    def fail() -> str:
        raise fault

    assert failed_units(fail) is None


def test_a_reboot_is_due_when_a_package_asked_for_it(tmp_path: Path) -> None:
    assert reboot_required(str(tmp_path)) is None
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "debian_version").write_text("12\n")
    assert reboot_required(str(tmp_path)) == 0
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "reboot-required").touch()
    assert reboot_required(str(tmp_path)) == 1


def test_the_kernels_clock_is_read() -> None:
    assert clock_of(0, 0x2001, -1_500_000) == Clock(True, 1.5)
    assert clock_of(0, 0x0001, 1_500) == Clock(True, -1.5)
    assert clock_of(0, 0x2000, 0) == Clock(True, None), "steered by a time service that keeps its offset to itself"
    assert clock_of(5, 0x0040, 0) == Clock(False, None)
    assert clock_of(-1, 0, 0) == Clock(None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux")
def test_this_machine_tells_whether_its_clock_is_kept() -> None:
    assert kernel_clock().synchronised in {True, False, None}


def test_another_systems_systemd_is_not_asked(tmp_path: Path) -> None:
    told: list[tuple[float | None, list[str]]] = []
    units = Units(str(tmp_path), lambda offset, failed: told.append((offset, failed)), lambda: LISTED)
    values = units.read().instances[""]
    assert values["failed"] is None
    assert told[0][1] == []


def test_the_offset_and_the_names_are_told_on() -> None:
    told: list[tuple[float | None, list[str]]] = []
    units = Units("/", lambda offset, failed: told.append((offset, failed)), lambda: LISTED, lambda: Clock(True, 2.5))
    assert units.read().instances[""]["clock_synchronised"] == 1
    assert told[0][0] == 2.5
