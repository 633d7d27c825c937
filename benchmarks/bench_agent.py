"""What one agent costs its host: processor time and memory at 1 Hz, beside bare psutil reads of the same values.

Both run at the same time for the same time, each in a process of its own; the agent publishes to a real nats-server.
Afterwards an hour of accelerated time in a third process says whether memory stays flat.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server

FIGURES = (
    "agent.cpu_percent",
    "agent.pss_mib",
    "agent.hour_growth_mib",
)
"""Names of what it prints."""
ROOT = Path(__file__).parents[1]
CPU_TARGET_PERCENT = 0.20
PSS_TARGET_MIB = 30.0
GROWTH_TARGET_MIB = 1.0
"""In fifty minutes. Nothing may be kept for ever; allocators settle a little on either side."""
WARM_UP_S = 12.0
"""Start, first batches and first look at the file systems are over by then."""

BARE = """
import os, time, psutil
own = psutil.Process()
tick = 0
start = time.monotonic()
while True:
    psutil.cpu_times(); psutil.cpu_stats(); os.getloadavg()
    psutil.virtual_memory(); psutil.swap_memory()
    psutil.disk_io_counters(perdisk=True, nowrap=False); psutil.net_io_counters(pernic=True, nowrap=False)
    if tick % 10 == 0:
        psutil.cpu_freq(); own.cpu_times(); own.memory_info()
        for part in psutil.disk_partitions(all=False):
            os.statvfs(part.mountpoint)
    tick += 1
    time.sleep(max(0, start + tick - time.monotonic()))
"""


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--seconds", type=float, default=60)
    options = arguments.parse_args(argv)
    show(asyncio.run(measure(options.seconds)), options.json, FIGURES)
    return 0


async def measure(seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        async with nats_server(Path(directory, "nats")) as server:
            async with connection(server.url, "bench") as client:
                await ensure_streams(client)
            environment = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
            environment |= {"SONDE_NATS_URL": server.url, "SONDE_DATA": directory, "PYTHONPATH": str(ROOT)}
            start = asyncio.create_subprocess_exec
            agent = await start(sys.executable, "-m", "agent", env=environment, stdout=sys.stderr)
            bare = await start(sys.executable, "-c", BARE)
            try:
                await asyncio.sleep(WARM_UP_S)
                before, began = (cpu_seconds(agent.pid), cpu_seconds(bare.pid)), time.monotonic()
                await asyncio.sleep(seconds)
                after, elapsed = (cpu_seconds(agent.pid), cpu_seconds(bare.pid)), time.monotonic() - began
                pss = pss_mib(agent.pid), pss_mib(bare.pid)
            finally:
                bare.kill()
                agent.terminate()
                await asyncio.gather(bare.wait(), agent.wait())
            hour = await start(
                sys.executable,
                *("-m", "benchmarks.agent_hour", server.url, str(Path(directory, "hour"))),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
            )
            growth = float((await hour.communicate())[0])
    cpu = [100 * (end - begin) / elapsed for begin, end in zip(before, after, strict=True)]
    return [
        figure("agent.cpu_percent", cpu[0], "% of one core", CPU_TARGET_PERCENT, cpu[1]),
        figure("agent.pss_mib", pss[0], "MiB", PSS_TARGET_MIB, pss[1]),
        figure("agent.hour_growth_mib", growth, "MiB", GROWTH_TARGET_MIB),
    ]


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads, fields 14 and 15 of /proc/<pid>/stat, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mib(pid: int) -> float:
    """Memory of the process, pages shared with others counted in proportion."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss in smaps_rollup")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
