"""The data directory of a demonstration: its own, begun anew at every start, and never somebody else's."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

MARKER = "demonstration"
"""File that says whose directory it is; `sonde up` refuses one that has it."""
TEXT = "Everything here is simulated by `sonde demo`, which deletes and makes it anew at every start.\n"
_BEGIN = b"Everything here is simulated by `sonde demo`"
"""What tells our marker from a file that happens to have its name."""
_FOLLOW_NONE = getattr(os, "O_NOFOLLOW", 0)


class NotOurs(Exception):
    """The directory may not be used; the text says why and what to do."""


@contextlib.contextmanager
def own_directory(path: Path) -> Iterator[Path]:
    """`path`, empty but for the marker, held against other demonstrations while the context lasts.

    Raises NotOurs for what is no directory, holds anything that no demonstration made, or is in use; OSError.
    """
    _refuse_others(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = os.open(path / MARKER, os.O_RDWR | os.O_CREAT | _FOLLOW_NONE, 0o600)
    try:
        if sys.platform != "win32":
            try:
                fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                used = "already used by a running `sonde demo`; stop it, or choose another directory with --data"
                raise NotOurs(f"{path}: {used}") from None
        _refuse_others(path)  # once more: now nobody else makes one of it
        os.ftruncate(marker, 0)
        os.write(marker, TEXT.encode())
        _empty(path)
        yield path
    finally:
        os.close(marker)


def is_demonstration(path: Path) -> bool:
    """Whether the data directory `path` is one of a demonstration: a regular file says so in its own words.

    An empty marker that is alone there is ours as well: its demonstration was killed before it wrote a word.
    """
    try:
        marker = os.open(path / MARKER, os.O_RDONLY | os.O_NONBLOCK | _FOLLOW_NONE)
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(marker).st_mode):
            return False
        text = os.read(marker, len(_BEGIN))
    finally:
        os.close(marker)
    return text == _BEGIN or (not text and [entry.name for entry in path.iterdir()] == [MARKER])


def _refuse_others(path: Path) -> None:
    if path.is_symlink():
        raise NotOurs(f"{path}: a symbolic link; give the directory itself as --data")
    if not path.exists() or is_demonstration(path):
        return
    if not path.is_dir():
        raise NotOurs(f"{path}: not a directory; choose another one with --data")
    if any(path.iterdir()):
        raise NotOurs(f"{path}: holds something else, which is left alone; give an empty or a new directory as --data")


def _empty(path: Path) -> None:
    """Delete what an earlier demonstration left."""
    for entry in path.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
