"""Traffic of disks, and which of them are read."""

from __future__ import annotations

from pathlib import Path

from agent.collectors.linux import disk

DISKSTATS = b"""   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9
 254       0 vda 100 5 2000 300 50 6 4000 500 0 700 800 1 2 3 4 5 6
 254       1 vda1 1 1 1 1 1 1 1 1 0 1 1
"""


def test_only_whole_disks_are_read() -> None:
    assert list(disk.parse_diskstats(DISKSTATS, {"vda": True}.get)) == ["vda"]  # type: ignore[arg-type]


def test_disk_rates_waits_and_busy_time() -> None:
    before = disk.Traffic(100, 1000, 300, 50, 4000, 500, 700, 800)
    now = disk.Traffic(110, 3000, 400, 50, 4000, 500, 950, 1800)
    assert disk.values(before, now, 0.5) == {
        "read": 4000,
        "write": 0,
        "reads": 20,
        "writes": 0,
        "busy": 50,
        "read_wait": 10,
        "write_wait": None,
        "queue": 2,
    }


def test_a_disk_whose_counters_went_back_gives_nulls() -> None:
    before = disk.Traffic(100, 1000, 300, 50, 4000, 500, 700)
    assert set(disk.values(before, before._replace(reads=99), 1).values()) == {None}


def test_a_saturated_disk_is_at_most_all_busy() -> None:
    before = disk.Traffic(0, 0, 0, 0, 0, 0, 0)
    assert disk.values(before, before._replace(busy_ms=1004), 1)["busy"] == 100


def test_partitions_and_layers_are_no_whole_disks(tmp_path: Path) -> None:
    for name in ("sda", "dm-0", "md0", "loop0", "sr0", "zram0"):
        (tmp_path / "block" / name / "device").mkdir(parents=True)
    names = ("sda", "sda1", "dm-0", "md0", "loop0", "sr0", "zram0")
    assert [name for name in names if disk.is_whole_disk(name, str(tmp_path))] == ["sda"]


def test_a_line_that_is_not_as_documented_costs_only_its_disk() -> None:
    data = b"8 0 sda garbage\n8 1 sda1 1 2 3 4\n8 2 sdb x x x x x x x x x x x\n\n" + DISKSTATS
    assert list(disk.parse_diskstats(data, lambda name: True)) == ["loop0", "vda", "vda1"]


def test_layers_can_be_chosen_and_partitions_cannot(tmp_path: Path) -> None:
    (tmp_path / "block" / "loop0").mkdir(parents=True)
    (tmp_path / "block" / "vda").mkdir()
    (tmp_path / "diskstats").write_bytes(DISKSTATS)
    assert list(disk.linux_reader(str(tmp_path), str(tmp_path), lambda name: True)()) == ["loop0", "vda"]


def test_the_counter_of_requests_in_flight_gives_their_mean_number() -> None:
    before = disk.Traffic(0, 0, 0, 0, 0, 0, 0, 1000)
    assert disk.values(before, before._replace(queue_ms=4000), 2)["queue"] == 1.5
    assert disk.values(before._replace(queue_ms=None), before, 2)["queue"] is None
