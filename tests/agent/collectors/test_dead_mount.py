"""A network file system whose server went silent, for real: statvfs of it does not return."""

from __future__ import annotations

import threading
from pathlib import Path

from agent.collectors.choice import Choice
from agent.collectors.linux.filesystem import Filesystems, linux_reader, measure
from infra.bus import connection as bus
from tests.agent.build import stored
from tests.agent.fuse import BLOCK_BYTES, BLOCKS, dead_mount
from tests.agent.test_service import running, settings
from tests.waiting import eventually

DEADLINE_S = 0.3


def filesystems(choice: Choice) -> Filesystems:
    return Filesystems(linux_reader("/proc/self/mountinfo", choice, choice.included), measure, DEADLINE_S)


async def test_the_others_are_measured_while_one_hangs_and_it_is_again_when_it_answers(tmp_path: Path) -> None:
    with dead_mount(tmp_path / "far") as mount:
        of = filesystems(Choice())
        name = str(mount.path)
        values = (await of.collect()).instances
        assert values[name]["total"] == BLOCKS * BLOCK_BYTES
        mount.hang()
        values = (await of.collect()).instances
        assert values[name] == {"stuck": 1, "read_only": 0} or values[name] == {"stuck": 1}
        assert (values["/"]["total"] or 0) > 0
        mount.answer_again()

        async def answers() -> bool:
            return (await of.collect()).instances[name].get("stuck") == 0

        await eventually(answers)
        of.close()


async def test_a_mount_that_hangs_for_long_holds_one_thread(tmp_path: Path) -> None:
    with dead_mount(tmp_path / "far") as mount:
        of = filesystems(Choice())
        await of.collect()
        mount.hang()
        await of.collect()
        threads = threading.active_count()
        for _ in range(5):
            values = (await of.collect()).instances
            assert values[str(mount.path)]["stuck"] == 1
        assert threading.active_count() <= threads + 1
        of.close()


async def test_an_agent_with_a_dead_mount_goes_on_and_stops_in_time(bus_url: str, tmp_path: Path) -> None:
    with dead_mount(tmp_path / "far") as mount:
        mount.hang()
        async with bus.connection(bus_url, "test") as client:
            async with running(settings(tmp_path / "data", bus_url)):

                async def told() -> bool:
                    found = [
                        series.columns[block.codes.index(9)]
                        for _, batch in await stored(client, "METRICS")
                        for block in batch.families
                        if block.family == "filesystem"
                        for series in block.series
                        if series.instance == str(mount.path) and 9 in block.codes
                    ]
                    return 1 in found

                await eventually(told)
            families = {block.family for _, batch in await stored(client, "METRICS") for block in batch.families}
    assert families >= {"cpu", "memory", "network", "filesystem", "agent"}
