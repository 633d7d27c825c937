"""Space and inodes of each real file system.

statvfs of a dead network mount never returns, so it is called in a worker thread with a deadline. A mount that misses
it is reported as stuck and not asked again until its call has come back; the mounts behind it move to a fresh worker.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from agent.collectors.rates import share_percent
from agent.collectors.readings import Labels, Reading, Values
from agent.system.procfs import ProcFile
from agent.system.worker import Worker

logger = logging.getLogger(__name__)

DEADLINE_S = 2.0
MOST_STUCK = 16
"""Threads given up to hanging calls; past it, mounts that may hang are left alone."""

_LOCAL = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "nilfs2", "ocfs2"}
_FOREIGN = {"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "hfsplus", "ufs", "apfs", "hfs", "NTFS", "FAT32", "exFAT"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "lustre", "beegfs", "gpfs", "glusterfs", "9p", "virtiofs"}
_FUSE = {f"fuse.{name}" for name in ("glusterfs", "ceph", "ceph-fuse", "sshfs", "s3fs", "rclone", "mergerfs")}
_REAL = _LOCAL | _FOREIGN | _REMOTE | _FUSE
_CONTAINER_FILES = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    path: str
    device: str
    fstype: str
    read_only: bool | None = None
    """As the file system itself is; None: as statvfs says. A sandboxed service sees everything mounted read-only."""

    @property
    def may_hang(self) -> bool:
        return self.fstype in _REMOTE or self.fstype.startswith("fuse.")


class _Entry(NamedTuple):
    """One line of mountinfo."""

    mount: Mount
    identity: str
    """Equal for mounts of the same file system."""
    is_root: bool
    """The mount shows the file system from its root, not a directory of it."""


def parse_mountinfo(
    data: bytes, wanted: Callable[[str], bool] = lambda path: True, included: Callable[[str], bool] = lambda path: False
) -> list[Mount]:
    """The real file systems of /proc/self/mountinfo that are `wanted`, each once, local ones first.

    Of several mounts of one file system (bind mounts, subvolumes) the one that shows its root wins, then the shortest
    path. Pseudo file systems, memory, read-only images (squashfs, iso9660) and container layers are left out; only the
    root directory itself may be an overlay. What is `included` by its path is taken whatever it is.
    """
    entries: dict[str, _Entry] = {}
    for line in data.splitlines():
        head, separator, tail = line.partition(b" - ")
        fields, more = head.split(b" "), tail.split(b" ")
        if separator and len(fields) >= 6 and len(more) >= 2:
            path, fstype, source = _text(fields[4]), _text(more[0]), _text(more[1])
            entries.pop(path, None)  # a later mount hides an earlier one at the same path
            if included(path) or (_is_real(path, fstype) and wanted(path)):
                identity = path if included(path) else source if fstype == "btrfs" else _text(fields[2])
                read_only = b"ro" in more[2].split(b",") if len(more) > 2 else None
                entries[path] = _Entry(Mount(path, source, fstype, read_only), identity, fields[3] == b"/")
    best: dict[str, _Entry] = {}
    for entry in entries.values():
        other = best.get(entry.identity)
        if other is None or _preference(entry) < _preference(other):
            best[entry.identity] = entry
    return sorted((entry.mount for entry in best.values()), key=lambda mount: (mount.may_hang, mount.path))


def _text(field: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda octal: bytes([int(octal[1], 8)]), field))


def _is_real(path: str, fstype: str) -> bool:
    if fstype in {"overlay", "rootfs"}:
        return path == "/"
    return fstype in _REAL and path not in _CONTAINER_FILES


def _preference(entry: _Entry) -> tuple[bool, int, str]:
    return not entry.is_root, len(entry.mount.path), entry.mount.path


def linux_reader(
    mountinfo_path: str,
    wanted: Callable[[str], bool] = lambda path: True,
    included: Callable[[str], bool] = lambda path: False,
) -> Callable[[], list[Mount]]:
    """Reads the mount table, and parses it only when it has changed."""
    mountinfo = ProcFile(mountinfo_path)
    text = b""
    mounts: list[Mount] = []

    def read() -> list[Mount]:
        nonlocal text, mounts
        now = mountinfo.read_records()
        if now != text:
            text, mounts = now, parse_mountinfo(now, wanted, included)
        return mounts

    return read


def measure(path: str, root: str = "/") -> Values:
    """What statvfs says about `path` below `root`. As df, `used` leaves out root's reserve. Raises OSError."""
    answer = os.statvfs(path if root == "/" else root.rstrip("/") + path)
    used = (answer.f_blocks - answer.f_bfree) * answer.f_frsize
    available = answer.f_bavail * answer.f_frsize
    inodes_used = answer.f_files - answer.f_ffree
    return {
        "total": answer.f_blocks * answer.f_frsize,
        "used": used,
        "available": available,
        "used_percent": share_percent(used, used + available),
        "inodes_total": answer.f_files or None,
        "inodes_used": inodes_used if answer.f_files else None,
        "inodes_percent": share_percent(inodes_used, answer.f_files),
        "read_only": 1 if answer.f_flag & os.ST_RDONLY else 0,
        "stuck": 0,
    }


class _Round:
    """Mounts that one worker measures in turn, and how far it got."""

    def __init__(self, mounts: list[Mount], measure: Callable[[str], Values]) -> None:
        self._mounts = mounts
        self._measure = measure
        self.answers: dict[Mount, Values] = {}
        self.failed: set[Mount] = set()
        self.abandoned = False

    def work(self) -> None:
        for mount in self._mounts:
            if self.abandoned:
                return
            try:
                self.answers[mount] = self._measure(mount.path)
            except OSError:  # unmounted meanwhile, or not ours to see: this mount alone goes without values
                self.failed.add(mount)

    def left(self) -> list[Mount]:
        return [mount for mount in self._mounts if mount not in self.answers and mount not in self.failed]


class Filesystems:
    """Holds the worker, and the workers given up to hanging mounts."""

    def __init__(
        self,
        read_mounts: Callable[[], list[Mount]],
        measure: Callable[[str], Values] = measure,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._read_mounts = read_mounts
        self._measure = measure
        self._deadline_s = deadline_s
        self._worker = Worker("filesystem")
        self._stuck: dict[Mount, Worker] = {}

    async def collect(self) -> Reading:
        """Measure every mount. Takes at most the deadline per mount that newly hangs."""
        for mount in [mount for mount, worker in self._stuck.items() if not worker.busy]:
            logger.info("file system responds again", extra={"mount": mount.path})
            self._stuck.pop(mount).close()
        mounts = self._read_mounts()
        full = len(self._stuck) >= MOST_STUCK
        left = [mount for mount in mounts if mount not in self._stuck and not (full and mount.may_hang)]
        answers: dict[Mount, Values] = {}
        while left:
            left = await self._measure_some(left, answers)
        return _reading(mounts, answers, self._stuck)

    def close(self) -> None:
        """Let the worker end."""
        for worker in (self._worker, *self._stuck.values()):
            worker.close()

    async def _measure_some(self, mounts: list[Mount], answers: dict[Mount, Values]) -> list[Mount]:
        """Measure `mounts` into `answers` up to the first that hangs; returns those behind it."""
        turn = _Round(mounts, self._measure)
        working = self._worker.submit(turn.work)
        measured = -1
        # The deadline is each mount's own: many slow ones in a row are no dead one.
        while measured < (measured := len(turn.answers) + len(turn.failed)) and not working.done():
            await asyncio.wait([working], timeout=self._deadline_s)
        if working.done():
            working.result()
        else:
            turn.abandoned = True
            left = turn.left()
            if left:
                logger.warning("file system does not respond", extra={"mount": left[0].path, "device": left[0].device})
                self._stuck[left[0]] = self._worker
                self._worker = Worker("filesystem")
            answers.update(turn.answers)
            return [mount for mount in left[1:] if len(self._stuck) < MOST_STUCK or not mount.may_hang]
        answers.update(turn.answers)
        return []


def _reading(mounts: list[Mount], answers: dict[Mount, Values], stuck: Iterable[Mount]) -> Reading:
    names = {mount: mount.path.encode("utf-8", "replace").decode() for mount in mounts}
    instances: dict[str, Values] = {}
    labels: Labels = {}
    for mount in mounts:
        if mount in answers:
            instances[names[mount]] = answers[mount]
            if mount.read_only is not None:
                instances[names[mount]]["read_only"] = int(mount.read_only)
        elif mount in stuck:
            instances[names[mount]] = {"stuck": 1}
        else:
            continue
        device = mount.device.encode("utf-8", "replace").decode()
        labels[names[mount]] = {"device": device, "fstype": mount.fstype}
    return Reading(instances, labels)
