"""The spool in a process that is killed, and on a disk that fills up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.spool.spool import Limits, open_spool

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from pathlib import Path
from agent.spool.spool import Limits, open_spool

spool = open_spool(Path(sys.argv[1]), Limits())
while True:
    given = []
    spool.append(lambda seq: given.append(seq) or f"{seq}:".encode() + bytes([seq % 251]) * 5000, 10, 1_800_000_000_000)
    print(given[0], flush=True)
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
from agent.spool.spool import Limits, open_spool

def add(text):
    spool.append(lambda seq: f"{seq}:{text}".encode() + b"x" * 3000, 10, 1_800_000_000_000)

spool = open_spool(Path(sys.argv[1]), Limits(spool_bytes=1 << 16))
add("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))  # writes past it fail, as on a full disk
for index in range(5):
    add(f"full{index}")
held = spool.backlog.batches
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
add("after")
print(held, spool.backlog.batches, spool.backlog.dropped)
"""


def start(script: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(directory)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def everything(directory: Path) -> dict[int, bytes]:
    spool = open_spool(directory, Limits(), lambda: 1_800_000_000.0)
    found = {}
    message = spool.next_present()
    while message is not None:
        found[message.seq] = message.payload
        message = spool.advance_present(message.seq, stored=True)
    spool.close()
    return found


@pytest.mark.parametrize("lines", [1, 20, 57, 200])
def test_after_kill_9_mid_write_every_batch_that_was_taken_is_there(tmp_path: Path, lines: int) -> None:
    writer = start(WRITER, tmp_path)
    assert writer.stdout is not None
    taken = [int(writer.stdout.readline()) for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    taken += [int(line) for line in writer.stdout.read().splitlines()]  # `communicate` would miss what is buffered here
    writer.communicate()
    found = everything(tmp_path)
    assert set(taken) <= set(found)
    assert len(found) <= len(taken) + 1
    for seq, payload in found.items():
        assert payload == f"{seq}:".encode() + bytes([seq % 251]) * 5000


def test_a_full_disk_costs_nothing_once_it_has_room_again(tmp_path: Path) -> None:
    done = start(FULL_DISK, tmp_path)
    out, errors = done.communicate(timeout=20)
    assert out.split() == ["6", "7", "0"], errors
    assert errors.count("spool not writable") == 1
    texts = [payload.decode().split(":")[1].rstrip("x") for payload in everything(tmp_path).values()]
    assert texts == ["before", "full0", "full1", "full2", "full3", "full4", "after"]
