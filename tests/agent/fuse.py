"""A file system that can hang: the least of a FUSE server, in a process of its own so that it can be stopped.

It speaks the kernel's protocol on /dev/fuse (linux/fuse.h): INIT, STATFS, and "not implemented" to all else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_INIT, _STATFS, _FORGET, _DESTROY = 26, 17, 2, 38
_DETACH = 2
BLOCK_BYTES = 4096
BLOCKS = 1000


def serve(path: str) -> None:
    """Mount at `path` as fuse.sshfs and answer until killed; says so on standard output."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"far:/away", path.encode(), b"fuse.sshfs", 0, options):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    print("mounted", flush=True)
    while True:
        request = os.read(fd, 1 << 20)
        _, opcode, unique = struct.unpack_from("<IIQ", request)
        if opcode == _INIT:
            body = struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 12, 9, 1 << 17, 1, 0, 0, 0, *[0] * 7)
        elif opcode == _STATFS:
            body = struct.pack("<5Q4I6I", BLOCKS, 400, 300, 50, 20, BLOCK_BYTES, 255, BLOCK_BYTES, 0, *[0] * 6)
        elif opcode in {_FORGET, _DESTROY}:
            continue
        else:
            os.write(fd, struct.pack("<IiQ", 16, -38, unique))
            continue
        os.write(fd, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)


class DeadMount:
    """A mounted file system whose server can be stopped."""

    def __init__(self, path: Path, server: subprocess.Popen[str]) -> None:
        self.path = path
        self._server = server

    def hang(self) -> None:
        self._server.send_signal(signal.SIGSTOP)
        while " T" not in Path(f"/proc/{self._server.pid}/stat").read_text().rpartition(")")[2][:2]:
            time.sleep(0.001)

    def answer_again(self) -> None:
        self._server.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def dead_mount(path: Path) -> Iterator[DeadMount]:
    """A mount at `path` that answers until told to hang. Skips the test where mounting is not allowed."""
    if not Path("/dev/fuse").exists() or os.geteuid() != 0:
        pytest.skip("a file system that hangs needs /dev/fuse and root")
    path.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.agent.fuse", str(path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        if server.stdout.readline() != "mounted\n":
            pytest.skip(f"a file system that hangs cannot be mounted here: {server.stderr.read().strip()}")
        yield DeadMount(path, server)
    finally:
        server.kill()  # the kernel then fails what hangs on it
        server.wait()
        ctypes.CDLL(None).umount2(str(path).encode(), _DETACH)
        server.stdout.close()
        server.stderr.close()


if __name__ == "__main__":
    serve(sys.argv[1])
