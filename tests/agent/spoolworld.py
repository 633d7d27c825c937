"""Spools of known batches, and a world in which they meet a bus, crashes and power failures."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.spool.spool import Limits, Message, Spool, open_spool
from tests.workers import SHARED_MEMORY

START_S = 1_800_000_000.0


def add(spool: Spool, text: str, time_s: float = START_S, rows: int = 10) -> None:
    spool.append(lambda seq: f"{seq}:{text}".encode(), rows, int(time_s * 1000))


def drain(spool: Spool) -> list[str]:
    """Publish everything the metrics lane has, as a bus that takes it all would see it."""
    found = []
    message = spool.next_present()
    while message is not None:
        found.append(message.payload.decode())
        message = spool.advance_present(message.seq, stored=True)
    return found


def opened(directory: Path, now_s: float = START_S, **limits: float) -> Spool:
    return open_spool(directory, Limits(**limits), lambda: now_s)  # type: ignore[arg-type]


def after_a_crash(directory: Path, to: Path) -> Path:
    """What a process killed now leaves on the disk."""
    return Path(shutil.copytree(directory, to))


def let_go(directory: Path) -> None:
    """Close what this process has open there, as the kernel does for one that was killed."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # of the listing itself
            if str(entry.readlink()).startswith(f"{directory}/"):
                os.close(int(entry.name))


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for one example, in memory where there is some; nothing stays open in it."""
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None) as base:
        yield Path(base)
        let_go(Path(base))


def join(payloads: list[bytes], seq: int, epoch: str) -> bytes:
    return b"|".join(payloads)


class Platter:
    """What of a directory survives a power failure: each file as it was when it was last waited for."""

    def __init__(self) -> None:
        self.files: dict[Path, bytes] = {}

    def waited_for(self, fd: int) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        if path.is_dir():
            for kept in [kept for kept in self.files if kept.parent == path and not kept.exists()]:
                del self.files[kept]
            for file in path.iterdir():
                self.files.setdefault(file, b"")
        else:
            self.files[path] = path.read_bytes()

    def copy(self, directory: Path, to: Path) -> Path:
        """The directory as it is found when the power is back. Files deleted since the last wait are there again."""
        to.mkdir()
        for path, content in self.files.items():
            if path.parent == directory:
                (to / path.name).write_bytes(content)
        return to


@contextmanager
def platter() -> Iterator[Platter]:
    """Notes what this process waits for until it is on the disk."""
    noted = Platter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", noted.waited_for)
        patch.setattr(os, "fsync", noted.waited_for)
        yield noted


class World:
    """A spool and a bus as ingest sees it: per epoch and lane, a seq not above the highest is a repeat of the same."""

    def __init__(self, base: Path, sync_s: float = 0, noted: Platter | None = None) -> None:
        self.places = (base / str(number) for number in itertools.count())
        self.place = next(self.places)
        self.now_s = START_S
        self.sync_s = sync_s
        self.noted = noted or Platter()
        self.added: list[str] = []
        self.accepted: list[str] = []
        self.seen: dict[tuple[str, str, int], bytes] = {}
        self.highest: dict[tuple[str, str], int] = {}
        self.open()

    def open(self) -> None:
        self.spool = open_spool(self.place, Limits(message_bytes=300, sync_s=self.sync_s), lambda: self.now_s)

    def bus(self, lane: str, message: Message) -> None:
        epoch = message.epoch
        if message.seq > self.highest.get((epoch, lane), 0):
            self.highest[epoch, lane] = message.seq
            self.seen[epoch, lane, message.seq] = message.payload
            self.accepted += [text.split(":")[1] for text in message.payload.decode().split("|")]
        else:
            assert self.seen[epoch, lane, message.seq] == message.payload

    def add(self) -> None:
        self.added.append(f"{len(self.added)}")
        add(self.spool, self.added[-1], self.now_s)

    def sync(self) -> None:
        self.spool.sync()

    def grow_old(self) -> None:
        self.now_s += 500

    def send_without_ack(self) -> Message | None:
        message = self.spool.next_present()
        if message is not None:
            self.bus("metrics", message)
        return message

    def send(self) -> bool:
        message = self.send_without_ack()
        if message is not None:
            self.spool.settle_present(message.seq, stored=True)
        return message is not None

    def backfill_without_ack(self) -> Message | None:
        message = self.spool.next_backfill(join)
        if message is not None:
            self.bus("backfill", message)
        return message

    def backfill(self) -> bool:
        message = self.backfill_without_ack()
        if message is not None:
            self.spool.settle_backfill(stored=True)
        return message is not None

    def crash(self) -> None:
        before, self.place = self.place, after_a_crash(self.place, next(self.places))
        for path, content in list(self.noted.files.items()):
            if path.parent == before and path.exists():
                self.noted.files[self.place / path.name] = content
        let_go(before)
        self.open()

    def restart(self) -> None:
        self.spool.close()
        self.open()

    def lose_power(self) -> None:
        before, self.place = self.place, self.noted.copy(self.place, next(self.places))
        let_go(before)
        self.noted.files = {file: file.read_bytes() for file in self.place.iterdir()}
        self.open()
