"""Batches on disk from before the first attempt to publish them until every lane is done with them.

Each write holds a batch and the cursor (who has what), and is in the file before anything is published, so there is
nothing else to keep consistent. What a power failure must not undo, that a batch changes lanes or may have been tried,
is on the disk first; the batches themselves are within `sync_s`. A disk that cannot be written to leaves batches in
memory, bounded, until it can. One thread uses a spool.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from agent.spool import cursor as moves
from agent.spool.backlog import Backlog, count_backlog
from agent.spool.cursor import Cursor, Pending
from agent.spool.files import SpoolFiles
from agent.spool.frames import BATCH, STATE, Frame
from agent.spool.segment import Segment

logger = logging.getLogger(__name__)

MEMORY_BYTES = 4 * 2**20
"""Most bytes of batches kept while the disk takes none."""
ALLOW_AHEAD = 32
"""Batches that one write lets the metrics lane try, while it works off a backlog."""

Merge = Callable[[list[bytes], int, str], bytes]
"""Makes one message with the given seq and epoch out of several batches; the same from the same."""


class Limits(Struct, frozen=True):
    spool_bytes: int = 256 * 2**20
    max_age_s: float = 7 * 86400.0
    backfill_after_s: float = 120.0
    message_bytes: int = 200_000
    message_rows: int = 10_000
    sync_s: float = 0.0
    """A power failure costs at most the batches of the last so many seconds; 0: each is on the disk at once."""


class Message(NamedTuple):
    """What a lane is to publish next. A retry publishes the very same."""

    seq: int
    payload: bytes
    epoch: str
    """Under which `seq` counts."""


class Spool:
    """See the module. `open_spool` makes one."""

    def __init__(self, directory: Path, limits: Limits, wall: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._wall = wall
        self._files = SpoolFiles(directory, max(16 * 2**10, min(2**20, limits.spool_bytes // 64)))
        self._memory: dict[int, Frame] = {}
        self._recent: Frame | None = None
        self._writable = True
        self._cursor = Cursor(moves.new_epoch())
        self._tried = 0
        """Highest number that the metrics lane may have tried."""
        self._next = 1
        self._synced_s = -math.inf
        self._moved = False
        """Batches were handed over, which the disk does not know yet."""
        self.backlog = Backlog()

    @property
    def epoch(self) -> str:
        """Of the batches to come."""
        return self._cursor.epoch

    # Opening and closing

    def open(self, machine: str | None = None) -> None:
        """Take up what an earlier process left. Raises SpoolInUse when another one uses it.

        `machine`: where it runs, in case the spool is a copy of another machine's; None: never mind.
        """
        cursor = None
        damaged = False
        place = ""
        try:
            found = self._files.open()
            damaged = found.damaged_bytes > 0
            place = "" if machine is None else self._files.place(machine)
            if found.state is not None:
                cursor, problem = moves.understood(found.state)
                damaged = damaged or problem != ""
                if problem:
                    logger.error("spool version not supported", extra={"error": problem})
            if cursor is None and any(map(len, self._files.segments)):
                cursor, damaged = self._without_state(), True
        except OSError as error:
            self._cannot_write(error)
        if cursor is None:
            self._cursor.place = place
        else:
            self._take_up(cursor, damaged, place)
        self._note_backlog()

    def _take_up(self, cursor: Cursor, damaged: bool, place: str) -> None:
        self._cursor = cursor
        held = max((segment.last for segment in self._files.segments), default=0)
        # The cursor is written just before its batches: those that are not behind it never got there whole.
        torn = max(0, cursor.newest - max(held, cursor.acked, cursor.missed))
        cursor.dropped += torn if torn <= ALLOW_AHEAD else 1
        cursor.newest = cursor.missed = max(cursor.newest, held)
        if damaged:
            moves.distrust(cursor)
        if place and moves.move_to(cursor, place):
            logger.info("spool began a new epoch, it is not where it was", extra={"epoch": cursor.epoch})
        self._tried = cursor.allowed
        was_clean, cursor.clean = cursor.clean and not damaged, False
        self._next = cursor.newest + 1 if was_clean else moves.go_on_above(cursor, self._wall())
        if not self._save(sync=True) and was_clean:
            self._next = moves.go_on_above(cursor, self._wall())  # the disk still says that it was closed

    def _without_state(self) -> Cursor:
        """A cursor for batches of which nothing else is known: all go out by the metrics lane.

        Epoch and number are in each, so those that were stored before are taken for repeats; so are, alas, those that
        waited for the backfill lane behind newer ones that were stored. Under a new epoch all that was stored would be
        stored twice.
        """
        held = [segment for segment in self._files.segments if len(segment)]
        logger.error("spool state unreadable, all batches sent again", extra={"batches": sum(map(len, held))})
        return Cursor(self._cursor.epoch, held[-1].last, held[0].first - 1)

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
            return Message(number, frame.payload, moves.epoch_of(self._cursor, number))
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
                    epoch = self._cursor.pending_epoch or self._cursor.epoch
                    payload = merge([frame.payload for frame in frames], pending.seq, epoch)
                    return Message(pending.seq, payload, epoch)
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
        seq, epoch = self._cursor.backfill_seq + 1, self._cursor.epoch
        payload = merge([frame.payload for frame in frames], seq, epoch)
        while len(payload) > self._limits.message_bytes and len(frames) > 1:
            frames = frames[: len(frames) // 2]
            payload = merge([frame.payload for frame in frames], seq, epoch)
        self._cursor.pending = Pending(seq, self._cursor.ranges[0][0], frames[-1].number, len(frames))
        self._cursor.backfill_seq, self._cursor.pending_epoch = seq, ""
        if not self._save(sync=True):
            self._cursor.pending = None
            self._cursor.backfill_seq = seq - 1
            raise OSError(f"spool not writable: {self._files.directory}")
        return Message(seq, payload, epoch)

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
        self.backlog = count_backlog(self._cursor, self._files.segments, self._memory.values())

    def oldest(self) -> bytes | None:
        """A batch that waits, the oldest one that can be read; None when nothing does."""
        cursor = self._cursor
        for first, last in (*cursor.ranges, (cursor.acked + 1, cursor.newest)):
            frame = next(self._readable(first, last), None)
            if frame is not None:
                return frame.payload
        return None


def open_spool(
    directory: Path, limits: Limits, wall: Callable[[], float] = time.time, machine: str | None = None
) -> Spool:
    """The spool in `directory`, made there if missing. Raises SpoolInUse when another process has it."""
    spool = Spool(directory, limits, wall)
    spool.open(machine)
    return spool
