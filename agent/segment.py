"""One file of the spool: frames, only ever appended."""

from __future__ import annotations

import errno
import os
import sys
from array import array
from pathlib import Path

from agent.frames import BATCH, HEADER_BYTES, STATE, Frame, pack, scan, unpack


class Segment:
    """A file and where the batches lie in it. Their numbers are consecutive."""

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
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        sync_directory(self.path.parent)

    def resume(self) -> None:
        """Go on with a loaded file, its damaged end cut off. Raises OSError."""
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        os.ftruncate(self._fd, self.bytes)

    def append(self, frames: list[Frame]) -> None:
        """Write the frames and wait until they are on the disk. Raises OSError; then none of them counts."""
        data = b"".join(pack(frame) for frame in frames)
        try:
            written = os.pwrite(self._fd, data, self.bytes)
            if written != len(data):
                raise OSError(errno.ENOSPC, f"wrote {written} of {len(data)} bytes", str(self.path))
            _sync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self.bytes)
            raise
        for frame in frames:
            self._note(frame)

    def _note(self, frame: Frame) -> None:
        length = HEADER_BYTES + len(frame.payload)
        if frame.kind == BATCH:
            self.first = self.first or frame.number
            self._offsets.append(self.bytes)
            self._lengths.append(length)
            self._times.append(frame.time_ms)
        self.bytes += length

    def load(self, after: int) -> tuple[bytes | None, int]:
        """Learn what an earlier process wrote, up to the first damaged frame. Raises OSError.

        Batches up to number `after` are known from an earlier file and passed over. Returns the last state in the file,
        and how many bytes behind the damage do not count.
        """
        data = self.path.read_bytes()
        state = None
        for frame in scan(data):
            if frame.kind == STATE:
                state = frame.payload
            if frame.kind == BATCH and frame.number <= after:
                self.bytes += HEADER_BYTES + len(frame.payload)
                continue
            if frame.kind == BATCH and not self.fits(frame.number):
                break
            self._note(frame)
        return state, len(data) - self.bytes

    def read(self, number: int) -> Frame | None:
        """The batch; None when the file no longer holds what was written."""
        index = number - self.first
        try:
            fd = self._fd if self._fd >= 0 else os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.pread(fd, self._lengths[index], self._offsets[index])
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
        """Append no more."""
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


def sync_directory(directory: Path) -> None:
    """Wait until the names in `directory` are on the disk, where a system lets one ask."""
    if os.name != "posix":
        return
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
