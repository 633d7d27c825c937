"""Batches on disk from before the first attempt to publish them until every lane is done with them.

Each write holds a batch and the cursor (who has what), and is in the file before anything is published, so there is
nothing else to keep consistent. What a power failure must not undo, that a batch changes lanes or may have been tried,
is on the disk first; the batches themselves are within `sync_s`. A disk that cannot be written to leaves batches in
memory, bounded, until it can. One thread uses a spool.
"""

from __future__ import annotations

import base64
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from agent.spool import cursor as moves
from agent.spool.cursor import Cursor, Pending
from agent.spool.files import SpoolFiles
from agent.spool.frames import BATCH, HEADER_BYTES, STATE, Frame
from agent.spool.segment import Segment

logger = logging.getLogger(__name__)

MEMORY_BYTES = 4 * 2**20
"""Most bytes of batches kept while the disk takes none."""
ALLOW_AHEAD = 32
"""Batches that one write lets the metrics lane try, while it works off a backlog."""

Merge = Callable[[list[bytes], int], bytes]
"""Makes one message with the given seq out of several batches; the same from the same."""


class Limits(Struct, frozen=True):
    spool_bytes: int = 256 * 2**20
    max_age_s: float = 7 * 86400.0
    backfill_after_s: float = 120.0
    message_bytes: int = 200_000
    message_rows: int = 10_000
    sync_s: float = 0.0
    """A power failure costs at most the batches of the last so many seconds; 0: each is on the disk at once."""


class Backlog(NamedTuple):
    """What waits for an acknowledgement."""

    batches: int = 0
    bytes: int = 0
    oldest_ms: int = 0
    dropped: int = 0
    """Batches lost since the spool was made."""


class Message(NamedTuple):
    """What a lane is to publish next. A retry publishes the very same."""

    seq: int
    payload: bytes


class Spool:
    """See the module. `open_spool` makes one."""

    def __init__(self, directory: Path, limits: Limits, wall: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._wall = wall
        self._files = SpoolFiles(directory, max(16 * 2**10, min(2**20, limits.spool_bytes // 64)))
        self._memory: dict[int, Frame] = {}
        self._recent: Frame | None = None
        self._writable = True
        self._cursor = Cursor(base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower())
        self._tried = 0
        """Highest number that the metrics lane may have tried."""
        self._next = 1
        self._synced_s = -math.inf
        self._moved = False
        """Batches were handed over, which the disk does not know yet."""
        self.backlog = Backlog()

    @property
    def epoch(self) -> str:
        return self._cursor.epoch

    # Opening and closing

    def open(self) -> None:
        """Take up what an earlier process left. Raises SpoolInUse when another one uses it."""
        cursor = None
        damaged = False
        try:
            found = self._files.open()
            damaged = found.damaged_bytes > 0
            cursor = _readable_state(found.state)
            if cursor is None:
                self._discard()
        except OSError as error:
            self._cannot_write(error)
        if cursor is not None:
            self._take_up(cursor, damaged)
        self._note_backlog()

    def _take_up(self, cursor: Cursor, damaged: bool) -> None:
        self._cursor = cursor
        held = max((segment.last for segment in self._files.segments), default=0)
        # The cursor is written just before its batches: those that are not behind it never got there whole.
        torn = max(0, cursor.newest - max(held, cursor.acked, cursor.missed))
        cursor.dropped += torn if torn <= ALLOW_AHEAD else 1
        cursor.newest = cursor.missed = max(cursor.newest, held)
        if damaged:
            moves.distrust(cursor)
        self._tried = cursor.allowed
        was_clean, cursor.clean = cursor.clean and not damaged, False
        self._next = moves.first_number(cursor, self._wall(), trusted=self._save(sync=True) and was_clean)

    def _discard(self) -> None:
        """Delete files of which no state can be read: whose numbers they hold is not known."""
        for segment in list(self._files.segments):
            self._cursor.dropped += len(segment)
            self._files.delete(segment)
        if self._cursor.dropped:
            logger.error("spool state unreadable, spool restarted", extra={"batches": self._cursor.dropped})

    def close(self) -> None:
        """Write what the next process needs to go on without repeating anything."""
        self._flush()
        # Numbers left out since a crash, and no batch to show where they go on: the next process leaves some out, too.
        self._cursor.clean = not self._memory and self._next == self._cursor.newest + 1
        self._save(sync=True)
        self._files.close()

    def sync(self) -> None:
        """Put on the disk what is not there yet, however long ago it was written."""
        try:
            self._files.sync()
        except OSError as error:
            self._cannot_write(error)
        self._synced_s = time.monotonic()

    # Batches in

    def append(self, encode: Callable[[int], bytes], rows: int, time_ms: int) -> None:
        """Keep the batch that `encode` makes for its number: on the disk, or in memory if that fails."""
        number, self._next = self._next, self._next + 1
        self._cursor.newest = number
        self._recent = self._memory[number] = Frame(BATCH, number, rows, time_ms, encode(number))
        self._flush()
        self._note_backlog()

    def _flush(self) -> None:
        """Move what is in memory to the disk, as far as it can be written to."""
        while self._memory:
            first = next(iter(self._memory))
            run: list[Frame] = []
            while len(run) < ALLOW_AHEAD and (frame := self._memory.get(first + len(run))) is not None:
                run.append(frame)
            if self._next_after(self._cursor.acked) == first:
                self._cursor.allowed = max(self._cursor.allowed, first)
            if not self._save(run):
                break
            for frame in run:
                del self._memory[frame.number]
        while sum(len(frame.payload) for frame in self._memory.values()) > MEMORY_BYTES:
            del self._memory[next(iter(self._memory))]
            self._cursor.dropped += 1

    def _save(self, batches: list[Frame] | None = None, sync: bool = False) -> bool:
        """Write the cursor and `batches` in one go; False, and said once, when the disk does not take them.

        With `sync` they are on the disk afterwards, otherwise once `sync_s` has passed.
        """
        batches = batches or []
        self._cursor.allowed = max(self._cursor.allowed, self._tried)
        sync = sync or time.monotonic() - self._synced_s >= self._limits.sync_s
        try:
            for segment in self._files.make_room(batches, self._limits.spool_bytes, self._oldest_ms()):
                self._drop(segment)
            state = Frame(STATE, 0, 0, 0, moves.encode(self._cursor))
            self._files.write([state, *batches], batches[0].number if batches else None, sync)
        except OSError as error:
            self._cannot_write(error)
            return False
        if sync:
            self._synced_s = time.monotonic()
            self._moved = False
        if not self._writable:
            self._writable = True
            logger.info("spool writable again", extra={"directory": str(self._files.directory)})
        return True

    def _oldest_ms(self) -> float:
        return (self._wall() - self._limits.max_age_s) * 1000

    def _drop(self, segment: Segment) -> None:
        """Count what was lost with a file that had to go."""
        if not len(segment):
            return
        lost = sum(not moves.is_settled(self._cursor, n) for n in range(segment.first, segment.last + 1))
        self._cursor.dropped += lost
        self._cursor.acked = max(self._cursor.acked, segment.last)
        moves.settle_ranges(self._cursor, segment.last)
        if lost:
            logger.warning("spool full, oldest batches dropped", extra={"batches": lost})

    def _cannot_write(self, error: Exception) -> None:
        if self._writable:
            self._writable = False
            logger.error(
                "spool not writable, batches kept in memory",
                extra={"directory": str(self._files.directory), "error": str(error), "memory_bytes": MEMORY_BYTES},
            )

    # The metrics lane

    def next_present(self) -> Message | None:
        """The batch that the metrics lane is to publish next; None when it has nothing to do.

        Batches that nobody tried and that are older than the limit are handed to the backfill lane on the way.
        """
        while (number := self._next_after(self._cursor.acked)) is not None:
            old = self._last_old(number) if number > self._tried and self._writable else None
            if old is not None:
                moves.hand_over(self._cursor, number, old)
                self._moved = True
                continue
            frame = self._read(number)
            if frame is None:
                logger.error("damaged batch dropped", extra={"number": number})
                self.settle_present(number, stored=False)
                continue
            if number > self._cursor.allowed and number not in self._memory:
                # Should the disk fail here, publishing goes on all the same: the risk is a batch that arrives in both
                # lanes if, besides, the process is killed before the acknowledgement and starts on a healthy disk.
                self._cursor.allowed = min(self._cursor.newest, number + ALLOW_AHEAD - 1)
                self._save(sync=True)
            elif self._moved:  # forgotten, they would follow a later number in this lane, and be taken for repeats
                self._save(sync=True)
            self._tried = max(self._tried, number)
            return Message(number, frame.payload)
        return None

    def advance_present(self, seq: int, stored: bool) -> Message | None:
        """`settle_present`, then `next_present`."""
        self.settle_present(seq, stored)
        return self.next_present()

    def settle_present(self, seq: int, stored: bool) -> None:
        """The bus has acknowledged the batch, or will never take it."""
        if not stored:
            self._cursor.dropped += 1
        self._cursor.acked = max(self._cursor.acked, seq)
        self._memory.pop(seq, None)
        self._prune()

    def _last_old(self, first: int) -> int | None:
        """The last of the batches on disk from `first` on that are too old for the metrics lane; None without any."""
        limit_ms = (self._wall() - self._limits.backfill_after_s) * 1000
        last = None
        for segment in self._files.segments:
            for number in range(max(first, segment.first), segment.last + 1):
                if segment.time_ms(number) >= limit_ms:
                    return last
                last = number
        return last

    # The backfill lane

    @property
    def has_backfill(self) -> bool:
        return bool(self._cursor.ranges or self._cursor.pending)

    def next_backfill(self, merge: Merge) -> Message | None:
        """The merged message that the backfill lane is to publish next; None when it has nothing to do.

        Its seq and content are on the disk first. Raises OSError when the disk cannot be written to: try again later.
        """
        while True:
            pending = self._cursor.pending
            if pending is not None:
                frames = list(self._readable(pending.first, pending.last))
                if len(frames) == pending.batches:
                    return Message(pending.seq, merge([frame.payload for frame in frames], pending.seq))
                logger.warning("incomplete backfill message skipped", extra={"seq": pending.seq})
                self.settle_backfill(stored=False)
            elif not self._cursor.ranges:
                return None
            elif frames := self._choose():
                return self._assign(frames, merge)

    def _choose(self) -> list[Frame]:
        """The next batches that go into one message. Those that cannot be read are left out, and lost."""
        first, last = self._cursor.ranges[0]
        frames: list[Frame] = []
        size = rows = 0
        for frame in self._readable(first, last):
            size, rows = size + len(frame.payload), rows + frame.rows
            if frames and (size > self._limits.message_bytes or rows > self._limits.message_rows):
                break
            frames.append(frame)
        if not frames:
            self._cursor.dropped += sum(1 for _ in self._files.numbers(first, last))
            moves.settle_ranges(self._cursor, last)
        return frames

    def _assign(self, frames: list[Frame], merge: Merge) -> Message:
        """Settle seq and content of the next message, on the disk. Raises OSError."""
        seq = self._cursor.backfill_seq + 1
        payload = merge([frame.payload for frame in frames], seq)
        while len(payload) > self._limits.message_bytes and len(frames) > 1:
            frames = frames[: len(frames) // 2]
            payload = merge([frame.payload for frame in frames], seq)
        self._cursor.pending = Pending(seq, self._cursor.ranges[0][0], frames[-1].number, len(frames))
        self._cursor.backfill_seq = seq
        if not self._save(sync=True):
            self._cursor.pending = None
            self._cursor.backfill_seq = seq - 1
            raise OSError(f"spool not writable: {self._files.directory}")
        return Message(seq, payload)

    def settle_backfill(self, stored: bool) -> None:
        """The bus has acknowledged the pending message, or it will never take it."""
        pending = self._cursor.pending
        if pending is None:
            return
        held = sum(1 for _ in self._files.numbers(pending.first, pending.last))
        self._cursor.dropped += max(0, held - pending.batches) if stored else held
        moves.settle_ranges(self._cursor, pending.last)
        self._cursor.pending = None
        self._prune()

    # Looking things up

    def _next_after(self, number: int) -> int | None:
        """The lowest number above `number` that is held. Memory holds only what is newer than every file."""
        held = self._files.next_after(number)
        return held if held is not None else next((n for n in self._memory if n > number), None)

    def _read(self, number: int) -> Frame | None:
        if self._recent is not None and self._recent.number == number:
            return self._recent
        return self._memory.get(number) or self._files.read(number)

    def _readable(self, first: int, last: int) -> Iterator[Frame]:
        for number in self._files.numbers(first, last):
            frame = self._files.read(number)
            if frame is not None:
                yield frame

    def _prune(self) -> None:
        """Delete the files that no lane needs, once the disk knows that none does."""
        settled = [
            segment for segment in self._files.sealed() if moves.is_done(self._cursor, segment.first, segment.last)
        ]
        try:
            if settled and self._save(sync=True):
                for segment in settled:
                    self._files.delete(segment)
        except OSError as error:
            self._cannot_write(error)
        self._note_backlog()

    def _note_backlog(self) -> None:
        """Count what waits, for whoever asks from another thread."""
        cursor = self._cursor
        batches = size = oldest_ms = 0
        for segment in self._files.segments:
            for first, last in (*cursor.ranges, (cursor.acked + 1, cursor.newest)):
                low, high = max(first, segment.first), min(last, segment.last)
                if len(segment) and low <= high:
                    batches += high - low + 1
                    size += segment.batch_bytes(low, high)
                    oldest_ms = oldest_ms or segment.time_ms(low)
        for frame in self._memory.values():
            batches += 1
            size += HEADER_BYTES + len(frame.payload)
            oldest_ms = oldest_ms or frame.time_ms
        self.backlog = Backlog(batches, size, oldest_ms, cursor.dropped)


def _readable_state(state: bytes | None) -> Cursor | None:
    try:
        return None if state is None else moves.decode(state)
    except msgspec.DecodeError as error:
        logger.error("spool version not supported", extra={"error": str(error)})
        return None


def open_spool(directory: Path, limits: Limits, wall: Callable[[], float] = time.time) -> Spool:
    """The spool in `directory`, made there if missing. Raises SpoolInUse when another process has it."""
    spool = Spool(directory, limits, wall)
    spool.open()
    return spool
