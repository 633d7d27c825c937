"""How many processes share the tests out among themselves, and where each keeps its servers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

PER_CORE = 2
"""While one waits for a server or a clock, another computes; a third adds nothing."""
MOST = 16
"""Each worker has a nats-server and a PostgreSQL."""


def worker_count(arguments: Sequence[str], keyword: str, cores: int) -> int:
    """Workers for what pytest was asked for; 0, this process alone, for one file, one test or a `-k`."""
    one_file = len(arguments) == 1 and arguments[0].partition("::")[0].endswith(".py")
    return 0 if one_file or keyword else min(MOST, PER_CORE * cores)


SHARED_MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 2**30
"""Less is left alone: containers have 64 MiB."""


@contextmanager
def files_in_memory(otherwise: Path) -> Iterator[Path]:
    """A directory for servers, in memory where there is room for it; else `otherwise`.

    Every test makes a database, thus hundreds of files, and drops it: file systems of disks take that badly.
    """
    if not SHARED_MEMORY.is_dir() or shutil.disk_usage(SHARED_MEMORY).free < ROOM_BYTES:
        yield otherwise
        return
    for left in SHARED_MEMORY.glob("sonde-tests-*"):  # by a run that was killed
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    directory = tempfile.mkdtemp(prefix=f"sonde-tests-{os.getpid()}-", dir=SHARED_MEMORY)
    try:
        yield Path(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
