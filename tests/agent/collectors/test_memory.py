"""Memory, swap and paging."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.collectors.linux import memory

MEMINFO = b"""MemTotal:        1000 kB
MemFree:          300 kB
MemAvailable:     600 kB
Buffers:           10 kB
Cached:           200 kB
SwapCached:         0 kB
SwapTotal:        500 kB
SwapFree:         400 kB
Dirty:              4 kB
Shmem:             30 kB
Slab:              80 kB
SReclaimable:      50 kB
"""
VMSTAT = b"pgpgin 1\npswpin 10\npswpout 20\npgfault 3\npgmajfault 7\noom_kill 2\n"
PAGE_BYTES = 4096


def paging(vmstat: bytes = VMSTAT) -> memory.Paging:
    return memory.parse_paging(vmstat, PAGE_BYTES)


def use(*readings: memory.Paging) -> memory.MemoryUse:
    """A collector whose memory stays the same and whose paging is read as given."""
    return memory.MemoryUse(lambda: memory.parse(MEMINFO), iter(readings).__next__)


def test_memory_is_what_free_shows() -> None:
    values = memory.values(memory.parse(MEMINFO))
    assert values["used"] == 400 * 1024
    assert values["used_percent"] == pytest.approx(40)
    assert values["cached"] == 250 * 1024
    assert values["swap_used"] == 100 * 1024
    assert values["swap_percent"] == pytest.approx(20)
    assert (values["dirty"], values["slab"], values["shared"]) == (4096, 80 * 1024, 30 * 1024)


def test_without_swap_none_of_it_is_used() -> None:
    values = memory.values(memory.parse(MEMINFO.replace(b"500 kB", b"0 kB").replace(b"400 kB", b"0 kB")))
    assert (values["swap_total"], values["swap_percent"]) == (0, 0)


def test_an_old_kernel_without_an_estimate_of_available_memory_gets_one() -> None:
    info = MEMINFO.replace(b"MemAvailable:     600 kB\n", b"")
    assert memory.parse(info).available == (300 + 10 + 250) * 1024


def test_a_line_that_is_missing_or_garbage_costs_only_its_metric() -> None:
    values = memory.values(
        memory.parse(MEMINFO.replace(b"Dirty:              4", b"Dirty: ???").replace(b"Slab:", b""))
    )
    assert (values["dirty"], values["slab"]) == (None, None)
    assert values["used"] == 400 * 1024


def test_a_meminfo_without_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="MemTotal"):
        memory.parse(b"garbage\n")


def test_swap_traffic_counts_pages() -> None:
    values = memory.paging_values(paging(), paging(VMSTAT.replace(b"pswpin 10", b"pswpin 12")), 2)
    assert (values["swap_in"], values["swap_out"]) == (PAGE_BYTES, 0)


def test_kills_are_a_count_and_faults_a_rate() -> None:
    values = memory.paging_values(paging(), paging(VMSTAT.replace(b"pgmajfault 7", b"pgmajfault 17")), 2)
    assert (values["oom_kills"], values["major_faults"]) == (2, 5)


def test_a_kernel_that_does_not_count_kills_costs_only_that_metric() -> None:
    now = paging(VMSTAT.replace(b"oom_kill 2\n", b""))
    assert (now.oom_kills, now.major_faults) == (None, 7)


def test_a_counter_that_went_back_costs_only_its_own_rate() -> None:
    values = memory.paging_values(paging(), paging(VMSTAT.replace(b"pswpin 10", b"pswpin 1")), 1)
    assert (values["swap_in"], values["swap_out"]) == (None, 0)


def test_paging_is_looked_at_every_few_seconds_and_its_rates_are_of_all_that_time() -> None:
    memories = use(*(paging()._replace(major_faults=count) for count in (0, 10, 110)))
    rates = [memories.collect(float(second))[""]["major_faults"] for second in range(8)]
    assert rates == [None, 10, 10, 10, 10, 10, 20, 20]


def test_paging_that_cannot_be_read_costs_only_itself_and_is_tried_again() -> None:
    answers: list[Callable[[], memory.Paging]] = [paging, _refuse, paging, paging]
    memories = memory.MemoryUse(lambda: memory.parse(MEMINFO), lambda: answers.pop(0)())
    seen = [memories.collect(second)[""] for second in (0.0, 1.0, 6.0, 7.0)]
    assert [values["swap_in"] for values in seen] == [None, None, None, 0]
    assert [values["oom_kills"] for values in seen] == [2, None, 2, 2]
    assert {values["used"] for values in seen} == {400 * 1024}


def _refuse() -> memory.Paging:
    raise PermissionError("vmstat")


def test_a_vmstat_longer_than_one_piece_is_read_to_its_end(tmp_path: Path) -> None:
    filling = b"".join(b"nr_%d 0\n" % number for number in range(20_000))
    (tmp_path / "vmstat").write_bytes(filling + VMSTAT)
    assert memory.linux_paging(str(tmp_path))().oom_kills == 2
