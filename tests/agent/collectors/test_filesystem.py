"""Which file systems are measured, and what one that hangs may cost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.collectors.choice import Choice
from agent.collectors.linux import filesystem
from agent.collectors.linux.filesystem import Filesystems, Mount, parse_mountinfo
from agent.collectors.readings import Values
from agent.sampling import sources
from tests.waiting import eventually

MOUNTINFO = rb"""22 27 0:20 / /sys rw,nosuid - sysfs sysfs rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda1 rw
28 27 0:23 / /dev/shm rw - tmpfs tmpfs rw
30 27 254:0 /srv/data /mnt/bind rw - ext4 /dev/vda1 rw
31 27 254:16 / /mnt/with\040space rw - xfs /dev/vdb rw
32 27 0:40 / /mnt/nfs rw - nfs4 server:/export rw
33 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
34 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
35 27 0:60 /@home /home rw - btrfs /dev/vdc rw
36 27 0:61 /@ /data rw - btrfs /dev/vdc rw
37 27 254:0 / /mnt/again rw - ext4 /dev/vda1 rw
38 27 254:32 / /mnt/hidden rw - ext4 /dev/vdd rw
39 38 0:70 / /mnt/hidden rw - tmpfs tmpfs rw
"""


def test_each_real_file_system_is_there_once_and_remote_ones_come_last() -> None:
    assert parse_mountinfo(MOUNTINFO) == [
        Mount("/", "/dev/vda1", "ext4", False),
        Mount("/data", "/dev/vdc", "btrfs", False),
        Mount("/mnt/with space", "/dev/vdb", "xfs", False),
        Mount("/mnt/nfs", "server:/export", "nfs4", False),
    ]


def test_patterns_leave_out_and_take_in_mounts() -> None:
    choice = Choice()
    choice.use(("/dev/shm", "/mnt/*"), ("/mnt/nfs",))
    paths = [mount.path for mount in parse_mountinfo(MOUNTINFO, choice, choice.included)]
    assert paths == ["/dev/shm", "/mnt/again", "/mnt/bind", "/mnt/hidden", "/mnt/with space"]
    choice.use((), ("/data", "/home"))
    paths = [mount.path for mount in parse_mountinfo(MOUNTINFO, choice, choice.included)]
    assert paths == ["/", "/mnt/with space", "/mnt/nfs"]


async def test_read_only_is_the_file_system_and_not_the_view_of_a_sandbox(tmp_path: Path) -> None:
    """A service under ProtectSystem=strict sees read-only mounts of file systems that are none."""
    line = "27 1 254:0 / {path} ro,relatime - ext4 /dev/vda1 {super}\n"
    table = tmp_path / "mountinfo"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    table.write_text(
        line.format(path=tmp_path / "a", super="rw")
        + line.replace("254:0", "254:1").format(path=tmp_path / "b", super="ro")
    )
    filesystems = Filesystems(filesystem.linux_reader(str(table)))
    values = (await filesystems.collect()).instances
    filesystems.close()
    assert [row["read_only"] for row in values.values()] == [0, 1]


async def test_mounts_of_a_host_are_measured_below_its_root(tmp_path: Path) -> None:
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "host" / "only-there").mkdir(parents=True)
    (tmp_path / "proc" / "1" / "mountinfo").write_text("27 1 254:0 / /only-there rw - ext4 /dev/vda1 rw\n")
    roots = sources.Roots(proc=str(tmp_path / "proc"), host=str(tmp_path / "host"))
    filesystems = sources.filesystems(roots, Choice())
    values = (await filesystems.collect()).instances
    filesystems.close()
    assert list(values) == ["/only-there"]
    assert (values["/only-there"]["total"] or 0) > 0


def test_in_a_container_the_root_overlay_counts_and_bound_files_do_not() -> None:
    data = rb"""100 1 0:90 / / rw - overlay overlay rw
101 100 254:0 /docker/x/hosts /etc/hosts rw - ext4 /dev/vda1 rw
102 100 254:0 /volumes/v /data rw - ext4 /dev/vda1 rw
"""
    assert [mount.path for mount in parse_mountinfo(data)] == ["/", "/data"]


def test_the_mount_table_is_read_again_after_a_change(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(MOUNTINFO)
    read = filesystem.linux_reader(str(table))
    assert len(read()) == 4
    table.write_bytes(MOUNTINFO.splitlines()[1])
    assert [mount.path for mount in read()] == ["/"]


def mounts(*paths: str) -> list[Mount]:
    return [Mount(path, f"dev{path}", "nfs4") for path in paths]


class Hanging:
    """Measures file systems, of which some hang until they are let go."""

    def __init__(self, *stuck: str) -> None:
        self.stuck = set(stuck)
        self.go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, path: str) -> Values:
        self.asked.append(path)
        if path in self.stuck:
            self.go.wait(10)
        return {"total": 1, "stuck": 0}


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    measure = Hanging("/b", "/d")
    yield measure
    measure.go.set()


async def test_a_mount_that_hangs_is_stuck_and_the_others_are_measured(hanging: Hanging) -> None:
    filesystems = Filesystems(lambda: mounts("/a", "/b", "/c", "/d", "/e"), hanging, deadline_s=0.05)
    reading = await filesystems.collect()
    assert {name: values["stuck"] for name, values in reading.instances.items()} == {
        "/a": 0, "/b": 1, "/c": 0, "/d": 1, "/e": 0,
    }  # fmt: skip
    assert "total" not in reading.instances["/b"]
    assert reading.labels["/b"] == {"device": "dev/b", "fstype": "nfs4"}


async def test_a_mount_that_hangs_is_not_asked_again_while_it_does(hanging: Hanging) -> None:
    filesystems = Filesystems(lambda: mounts("/a", "/b"), hanging, deadline_s=0.05)
    for _ in range(5):
        await filesystems.collect()
    assert hanging.asked.count("/b") == 1
    assert hanging.asked.count("/a") == 5


async def test_a_mount_that_answers_again_is_measured_again(hanging: Hanging) -> None:
    filesystems = Filesystems(lambda: mounts("/b"), hanging, deadline_s=0.05)
    await filesystems.collect()
    hanging.stuck.clear()
    hanging.go.set()

    async def answers() -> bool:
        return not (await filesystems.collect()).instances["/b"]["stuck"]

    await eventually(answers)


async def test_hanging_mounts_take_a_bounded_number_of_threads() -> None:
    measure = Hanging(*(f"/{index}" for index in range(40)))
    filesystems = Filesystems(
        lambda: [Mount("/", "sda", "ext4"), *mounts(*(f"/{index}" for index in range(40)))], measure, deadline_s=0.01
    )
    before = threading.active_count()
    for _ in range(3):
        reading = await filesystems.collect()
    assert threading.active_count() - before <= filesystem.MOST_STUCK + 1
    assert reading.instances["/"] == {"total": 1, "stuck": 0}
    measure.go.set()


async def test_the_loop_runs_on_while_a_mount_hangs(hanging: Hanging) -> None:
    filesystems = Filesystems(lambda: mounts("/b"), hanging, deadline_s=60)
    measuring = asyncio.ensure_future(filesystems.collect())
    await eventually(lambda: hanging.asked)
    assert not measuring.done()
    hanging.go.set()
    assert (await measuring).instances["/b"]["stuck"] == 0


async def test_a_mount_that_vanished_costs_only_itself(tmp_path: Path) -> None:
    filesystems = Filesystems(lambda: [Mount("/nowhere/at/all", "x", "ext4"), Mount(str(tmp_path), "y", "ext4")])
    reading = await filesystems.collect()
    assert list(reading.instances) == [str(tmp_path)]


def test_without_an_inode_limit_inodes_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    real = filesystem.os.statvfs("/")
    fields = list(real)
    fields[5] = fields[6] = 0
    answer = type(real)([*fields, real.f_fsid])
    monkeypatch.setattr(filesystem.os, "statvfs", lambda _: answer)
    values = filesystem.measure("/")
    assert (values["inodes_total"], values["inodes_used"], values["inodes_percent"]) == (None, None, None)


async def test_many_slow_file_systems_in_a_row_are_no_dead_one() -> None:
    def slow(path: str) -> Values:
        time.sleep(0.05)
        return {"total": 1, "stuck": 0}

    paths = [f"/m{number}" for number in range(8)]
    filesystems = Filesystems(lambda: mounts(*paths), slow, deadline_s=0.2)
    values = (await filesystems.collect()).instances
    filesystems.close()
    assert [row.get("stuck") for row in values.values()] == [0] * 8
