"""A whole agent process on a machine with a driver, as far as pynvml and the loader can tell."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pynvml
import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from schemas.codec import decoded_series
from tests.agent.build import all_times, stored
from tests.agent.nvml.library import NAME, Machine, compiled
from tests.agent.test_service import process
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the loader's search path is Linux's")


def proc_with_driver(directory: Path) -> Path:
    """This system's /proc, in which a driver shows itself."""
    (directory / "driver/nvidia").mkdir(parents=True)
    (directory / "driver/nvidia/version").touch()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() and entry.name != "driver":
            (directory / entry.name).symlink_to(entry)
    (directory / "1").symlink_to("/proc/self")
    return directory


@contextmanager
def agent(tmp_path: Path, machine: Machine, library: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """An agent whose loader finds `library` first."""
    (tmp_path / "data").mkdir()
    with process(
        tmp_path / "data",
        url,
        LD_LIBRARY_PATH=str(library.parent),
        FAKE_NVML=str(machine.path),
        SONDE_PROC_ROOT=str(proc_with_driver(tmp_path / "proc")),
        SONDE_SAMPLE_INTERVAL_S="0.1",
        SONDE_BATCH_INTERVAL_S="0.5",
        SONDE_HOST="web-1",
    ) as started:
        yield started


async def newest(client: Client) -> dict[str, set[str]]:
    """Instances by family in the last batch."""
    messages = await stored(client, "METRICS")
    found: dict[str, set[str]] = {}
    for reading in decoded_series(messages[-1][1]) if messages else ():
        found.setdefault(reading.family.name, set()).add(reading.instance)
    return found


async def test_boards_come_go_hang_and_come_back_while_all_else_is_sampled(bus_url: str, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    library = tmp_path / "lib" / NAME
    library.touch()  # no library, whatever this machine has
    (tmp_path / "built").mkdir()
    built = compiled(tmp_path / "built")
    machine = Machine(tmp_path / "machine")

    async with bus.connection(bus_url, "test") as client:

        async def gpus() -> set[str] | None:
            now = await newest(client)
            return now.get("gpu", set()) if "cpu" in now else None

        async def until(wanted: set[str]) -> None:
            async def is_so() -> bool:
                return await gpus() == wanted

            await eventually(is_so)

        with agent(tmp_path, machine, library, bus_url) as started:
            await until(set())
            built.replace(library)
            await until({"0", "1"})
            machine.have(f"fail 1 * {pynvml.NVML_ERROR_GPU_IS_LOST}")
            await until({"0"})
            machine.end(f"fail 1 * {pynvml.NVML_ERROR_GPU_IS_LOST}")
            await until({"0", "1"})
            machine.have("hang nvmlDeviceGetMemoryInfo_v2")
            await until(set())
            machine.end("hang nvmlDeviceGetMemoryInfo_v2")
            await until({"0", "1"})
            machine.have("hang *")
            await until(set())
            started.terminate()
            assert started.wait(5) == 0, "a hanging driver does not keep the agent from ending"
        times = all_times(await stored(client, "METRICS"))
    assert times == sorted(set(times))
