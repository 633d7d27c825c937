"""Whatever file fails, the other families' samples are complete, and the failing one recovers."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.collectors.linux import sensors
from schemas.catalogue import CATALOGUE
from tests.agent.everything import Known, Whole, complete, recovers, watched

OWNERS = {
    "proc/stat": {"cpu", "core"},
    "proc/loadavg": {"cpu"},
    "proc/cpuinfo": {"cpu"},
    "sys/devices/system/cpu": {"cpu"},
    "proc/meminfo": {"memory"},
    "proc/vmstat": {"memory"},
    "proc/diskstats": {"disk"},
    "proc/1/net/dev": {"network"},
    "sys/class/net": {"network"},
    "proc/1/net": {"sockets"},
    "proc/sys/net/netfilter": {"sockets"},
    "proc/pressure": {"pressure"},
    "proc/1/mountinfo": {"filesystem"},
    "proc/4": {"process"},
    "sys/class/hwmon": {"sensors"},
    "custom": {"custom"},
    "host": {"unit"},
}
"""Beginning of a file's path -> the families that it may cost; the first that fits."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whole:
    monkeypatch.setattr(sensors, "LOOK_EVERY_S", 0)
    return Whole(tmp_path)


def owners(path: str) -> set[str]:
    return next((families for beginning, families in OWNERS.items() if path.startswith(beginning)), set())


def spared(found: Known, path: str) -> Known:
    """What a failure of `path` must leave alone."""
    return {family: instances for family, instances in found.items() if family not in owners(path)}


async def test_the_machine_has_something_of_every_family(machine: Whole) -> None:
    found = await complete(machine)
    absent = {"gpu", "directory", "container"}
    assert set(found) == {family.name for family in CATALOGUE} - absent
    assert all(instances and all(instances.values()) for instances in found.values()), found


async def test_every_file_belongs_to_a_family(machine: Whole) -> None:
    assert [path for path in machine.paths() if not owners(path) and not path.startswith("host")] == []


Harm = Callable[[Path], object]


def truncate(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


IN_PLACE: dict[str, Harm] = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": truncate,
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 3),
    "words": lambda path: path.write_text("cpu a b c: d e = f\n" * 20),
    "numbers": lambda path: path.write_text("-1 99999999999999999999999 1e400 nan\n" * 20),
    "huge": lambda path: path.write_bytes(b"9" * 200_000),
}


def replaced_by(make: Harm) -> Harm:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


REPLACED: dict[str, Harm] = {
    "missing": replaced_by(lambda path: None),
    "a directory": replaced_by(lambda path: path.mkdir()),
    "a loop": replaced_by(lambda path: path.symlink_to(path)),
    "failing with EIO": replaced_by(lambda path: path.symlink_to("/proc/self/mem")),
    "denied": lambda path: path.chmod(0),
}


def heal(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        path.rmdir()
    elif path.exists():
        path.chmod(0o644)


@pytest.mark.parametrize("harm", IN_PLACE)
async def test_a_file_that_turns_bad_costs_only_its_family_which_recovers(machine: Whole, harm: str) -> None:
    whole = await complete(machine)
    for path in machine.paths():
        async with watched(machine) as watch:
            await watch.tick()
            await watch.tick()
            machine.pass_time()
            IN_PLACE[harm](machine.root / path)
            found = await watch.tick(pass_time=False)
            assert spared(found, path) == spared(whole, path), path
            await recovers(watch, whole)


@pytest.mark.parametrize("harm", REPLACED)
async def test_a_file_that_goes_away_costs_only_its_family(machine: Whole, harm: str) -> None:
    """Those that are held open may go on being read, as a file of the kernel's would not."""
    whole = await complete(machine)
    for path in machine.paths():
        async with watched(machine) as watch:
            await watch.tick()
            await watch.tick()
            machine.pass_time()
            REPLACED[harm](machine.root / path)
            found = await watch.tick(pass_time=False)
            assert spared(found, path) == spared(whole, path), path
        heal(machine.root / path)
        machine.pass_time()


@pytest.mark.parametrize("harm", [*IN_PLACE, *REPLACED])
async def test_a_file_that_was_never_good_costs_only_its_family_which_recovers(machine: Whole, harm: str) -> None:
    whole = await complete(machine)
    for path in machine.paths():
        machine.pass_time()
        {**IN_PLACE, **REPLACED}[harm](machine.root / path)
        async with watched(machine) as watch:
            for _ in range(3):
                found = await watch.tick(pass_time=False)
            others = {family: set(instances) for family, instances in spared(found, path).items()}
            assert others == {family: set(instances) for family, instances in spared(whole, path).items()}, path
            heal(machine.root / path)
            await recovers(watch, whole)


async def test_an_error_of_the_device_while_reading_costs_only_its_family_which_recovers(
    machine: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of files that are held open."""
    whole = await complete(machine)
    pread = os.pread
    broken = ""

    def failing(fd: int, size: int, offset: int) -> bytes:
        if broken and str(Path(f"/proc/self/fd/{fd}").readlink()) == broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", failing)
    async with watched(machine) as watch:
        await recovers(watch, whole)
        for path in machine.paths():
            broken = str(machine.root / path)
            found = await watch.tick()
            assert spared(found, path) == spared(whole, path), path
            broken = ""
            await recovers(watch, whole)


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("proc/loadavg", {"cpu": {"load1", "load5", "load15"}}),
        ("proc/vmstat", {"memory": {"swap_in", "swap_out", "major_faults", "oom_kills"}}),
        ("proc/pressure/io", {"pressure": {"io_some", "io_full"}}),
        ("proc/1/net/sockstat", {"sockets": {"tcp_time_wait"}}),
        ("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", {"cpu": {"frequency"}}),
    ],
)
async def test_a_file_costs_only_the_metrics_that_are_in_it(
    machine: Whole, path: str, lost: dict[str, set[str]]
) -> None:
    whole = await complete(machine)
    machine.broken[path.removeprefix("proc/") if path.startswith("proc/") else f"../{path}"] = ""
    machine.pass_time()
    async with watched(machine) as watch:
        for _ in range(3):
            found = await watch.tick()
    for family, metrics in lost.items():
        assert whole[family][""] - found[family][""] == metrics
