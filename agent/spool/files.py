"""The spool's files: an ordered row of segments, the last of which is written to. Knows nothing of lanes."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agent.spool.frames import HEADER_BYTES, Frame
from agent.spool.segment import Found, Segment

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

UNREADABLE = ".unreadable"
"""Suffix of files set aside: another version may read them."""
SET_ASIDE_BYTES = 64 * 2**20
"""Most bytes of them; past it the oldest are deleted."""


class SpoolInUse(Exception):
    """Another process uses this spool; two would overwrite each other."""


class SpoolFiles:
    """Segments in `directory`, each of about `segment_bytes`."""

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        self.directory = directory
        self.segments: list[Segment] = []
        self._segment_bytes = segment_bytes
        self._current: Segment | None = None
        self._file_number = 0
        self._lock = -1

    def open(self) -> Found:
        """Take up what an earlier process left. Raises OSError, SpoolInUse.

        A directory that can only be read is read.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        state = None
        after = damaged_bytes = 0
        self._file_number = max((_number(path) for path in self.directory.iterdir()), default=0)
        for path in sorted(self.directory.glob("*.spool")):
            segment = Segment(path)
            try:
                found = segment.load(after)
            except OSError as error:
                logger.error("spool file not readable", extra={"path": str(path), "error": str(error)})
                damaged_bytes += 1
                continue
            if found.damaged_bytes:
                extra = {"path": str(path), "bytes": found.damaged_bytes}
                logger.warning("spool file damaged, remainder used", extra=extra)
            damaged_bytes += found.damaged_bytes
            if found.damaged_bytes and not segment.bytes:
                self._set_aside(segment)
                continue
            state = found.state or state
            after = max(after, segment.last)
            self.segments.append(segment)
        if self.segments:
            try:
                self.segments[-1].resume()
            except OSError as error:
                logger.error("spool file not writable", extra={"path": str(path), "error": str(error)})
            else:
                self._current = self.segments[-1]
        return Found(state, damaged_bytes)

    def _set_aside(self, segment: Segment) -> None:
        """Keep a file in which nothing is readable, under another name. Raises OSError."""
        logger.error("spool file set aside, nothing in it is readable", extra={"path": str(segment.path)})
        segment.path.replace(segment.path.with_suffix(UNREADABLE))
        kept = sorted(self.directory.glob(f"*{UNREADABLE}"), reverse=True)
        total = 0
        for path in kept:
            total += path.stat().st_size
            if total > SET_ASIDE_BYTES and path is not kept[0]:
                path.unlink()

    def place(self, machine: str) -> str:
        """What differs once the directory is a copy, or another machine's; empty while there is none."""
        try:
            return f"{machine}:{self.directory.stat().st_ino}"
        except OSError:
            return ""

    def _take_lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # nobody can write there, so nobody can do harm
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = -1
            raise SpoolInUse(f"{self.directory}: another agent uses this spool; give each its own SONDE_DATA") from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While within, no agent uses these files. Raises SpoolInUse."""
        self._take_lock()
        try:
            yield
        finally:
            self.close()

    def _try_lock_again(self) -> None:
        """Make and lock the directory that could not be at the start. Raises OSError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._take_lock()
        except SpoolInUse as error:
            raise OSError(errno.EBUSY, str(error)) from None

    def close(self) -> None:
        for segment in self.segments:
            segment.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def write(self, frames: list[Frame], first: int | None, sync: bool) -> None:
        """Append `frames` in one write; `first` is the number of the first batch in it, if any.

        With `sync` they, and everything written before, are on the disk afterwards. Raises OSError; then none of them
        counts.
        """
        current = self._current
        if current is None or current.bytes >= self._segment_bytes or not (first is None or current.fits(first)):
            current = self._start()
        try:
            current.append(frames, sync)
        except OSError:
            if not current.bytes:
                self.delete(current)
            raise

    def sync(self) -> None:
        """Wait until everything written is on the disk. Raises OSError."""
        if self._current is not None:
            self._current.sync()

    def _start(self) -> Segment:
        self.sync()  # before anything that builds on it
        if self._lock < 0:
            self._try_lock_again()
        segment = Segment(self.directory / f"{self._file_number + 1:010d}.spool")
        segment.create()
        self._file_number += 1
        if self._current is not None:
            self._current.close()
        self.segments.append(segment)
        self._current = segment
        return segment

    def make_room(self, frames: list[Frame], most_bytes: int, oldest_ms: float) -> list[Segment]:
        """Delete the oldest files until `frames` are within `most_bytes`, and those older than `oldest_ms`.

        Returns the deleted ones. The file being written to stays. Raises OSError.
        """
        total = sum(HEADER_BYTES + len(frame.payload) for frame in frames)
        total += sum(segment.bytes for segment in self.segments)
        deleted = []
        for segment in self.sealed():
            if total <= most_bytes and not (len(segment) and segment.time_ms(segment.last) < oldest_ms):
                break
            self.delete(segment)
            total -= segment.bytes
            deleted.append(segment)
        return deleted

    def sealed(self) -> list[Segment]:
        """The files that are not written to any more, oldest first."""
        return [segment for segment in self.segments if segment is not self._current]

    def delete(self, segment: Segment) -> None:
        """Remove one file. Raises OSError; then it still counts."""
        segment.delete()
        self.segments.remove(segment)
        if segment is self._current:
            self._current = None

    def numbers(self, first: int, last: int) -> Iterator[int]:
        """Numbers of the batches held from `first` to `last`, ascending."""
        for segment in self.segments:
            if len(segment):
                yield from range(max(first, segment.first), min(last, segment.last) + 1)

    def segment_of(self, number: int) -> Segment | None:
        """The file that holds the batch."""
        return next((s for s in self.segments if len(s) and s.first <= number <= s.last), None)

    def next_after(self, number: int) -> int | None:
        """The lowest number above `number` that is held."""
        return next((max(s.first, number + 1) for s in self.segments if s.last > number), None)

    def read(self, number: int) -> Frame | None:
        """The batch; None when it is not held or damaged."""
        segment = self.segment_of(number)
        return None if segment is None else segment.read(number)


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdecimal() else 0
