"""One file of the spool: frames, only ever appended."""

from __future__ import annotations

import errno
import os
import sys
from array import array
from pathlib import Path
from typing import NamedTuple

from agent.spool.frames import BATCH, HEADER_BYTES, STATE, Frame, pack, scan, unpack
from infra.files import sync_directory

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Windows has the second only: without it, bytes that look like line ends would change."""


class Found(NamedTuple):
    """What an earlier process left in one file."""

    state: bytes | None
    """The last state in it."""
    damaged_bytes: int
    """Bytes that belong to no intact frame."""


class Segment:
    """A file and where the batches lie in it. Their numbers are consecutive; one that is damaged keeps its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        """Length of what counts."""
        self.first = 0
        """Number of the first batch; 0 while there is none."""
        self._offsets = array("I")
        self._lengths = array("I")
        self._times = array("q")
        self._fd = -1
        self._unsynced = False

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def last(self) -> int:
        """Number of the last batch; 0 while there is none."""
        return self.first + len(self) - 1 if self.first else 0

    def fits(self, number: int) -> bool:
        """Whether a batch of that number may follow."""
        return not self.first or number == self.last + 1

    def create(self) -> None:
        """Make the file, and its name durable. Raises OSError."""
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        sync_directory(self.path.parent)

    def resume(self) -> None:
        """Go on with a loaded file, its damaged end cut off. Raises OSError."""
        self._fd = os.open(self.path, os.O_RDWR | _FLAGS)
        os.ftruncate(self._fd, self.bytes)

    def append(self, frames: list[Frame], sync: bool) -> None:
        """Write the frames, with `sync` wait until they are on the disk. Raises OSError; then none of them counts."""
        data = b"".join(pack(frame) for frame in frames)
        try:
            written = _pwrite(self._fd, data, self.bytes)
            if written != len(data):
                raise OSError(errno.ENOSPC, f"wrote {written} of {len(data)} bytes", str(self.path))
            self._unsynced = True
            if sync:
                self.sync()
        except OSError:
            os.ftruncate(self._fd, self.bytes)
            raise
        for frame in frames:
            self._note(frame, self.bytes)

    def sync(self) -> None:
        """Wait until everything written is on the disk. Raises OSError."""
        if self._unsynced:
            _sync(self._fd)
            self._unsynced = False

    def _note(self, frame: Frame, at: int) -> None:
        length = HEADER_BYTES + len(frame.payload)
        if frame.kind == BATCH:
            self.first = self.first or frame.number
            for _ in range(self.last + 1, frame.number):  # damaged: nothing to read in their places
                self._place(0, 0, frame.time_ms)
            self._place(at, length, frame.time_ms)
        self.bytes = at + length

    def _place(self, offset: int, length: int, time_ms: int) -> None:
        self._offsets.append(offset)
        self._lengths.append(length)
        self._times.append(time_ms)

    def load(self, after: int) -> Found:
        """Learn what an earlier process wrote, damaged stretches passed over. Raises OSError.

        Batches up to number `after` are known from an earlier file and passed over, too.
        """
        data = self.path.read_bytes()
        state = None
        intact = lost = 0
        for at, frame in scan(data):
            if frame.kind == BATCH:
                missing = frame.number - self.last - 1 if self.first else 0
                if (lost + max(0, missing)) * HEADER_BYTES > at - intact:
                    continue  # more are missing than the damaged stretches could ever have held
                lost += max(0, missing)
                if frame.number <= max(after, self.last):
                    frame = frame._replace(kind=STATE)  # takes up room, no more
            elif frame.kind == STATE:
                state = frame.payload
            self._note(frame, at)
            intact += HEADER_BYTES + len(frame.payload)
        return Found(state, len(data) - intact)

    def read(self, number: int) -> Frame | None:
        """The batch; None when the file no longer holds what was written."""
        index = number - self.first
        try:
            fd = self._fd if self._fd >= 0 else os.open(self.path, os.O_RDONLY | _FLAGS)
            try:
                data = _pread(fd, self._lengths[index], self._offsets[index])
            finally:
                if fd != self._fd:
                    os.close(fd)
        except OSError:
            return None
        frame = unpack(data)
        return frame if frame is not None and frame.number == number else None

    def time_ms(self, number: int) -> int:
        """Last sample time of one batch."""
        return self._times[number - self.first]

    def batch_bytes(self, first: int, last: int) -> int:
        """Size on disk of the batches `first` to `last`."""
        return sum(self._lengths[first - self.first : last + 1 - self.first])

    def close(self) -> None:
        """Append no more. What was not synced may be lost."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def delete(self) -> None:
        """Remove the file. Raises OSError."""
        self.close()
        self.path.unlink(missing_ok=True)


def _sync(fd: int) -> None:
    """Wait until the file's data and size are on the disk."""
    if sys.platform == "linux":
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def _pread(fd: int, size: int, offset: int) -> bytes:
    """Read at a position, also where the system cannot in one step; one thread uses a file."""
    if hasattr(os, "pread"):
        return os.pread(fd, size, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, size)


def _pwrite(fd: int, data: bytes | memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, data, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.write(fd, data)
