"""Measuring a directory tree in small steps."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from agent.system.state import Usage

ENTRIES_PER_STEP = 64
MOST_LINKED = 200_000
"""Hard-linked files remembered; of further ones each name counts its share of the blocks."""


def walk(root: str, usage: Usage) -> Iterator[None]:
    """Add up the tree below `root` into `usage`, on its own file system; yields after every few names.

    What vanishes meanwhile is passed over. Raises OSError when `root` itself cannot be looked at.
    """
    root = os.path.realpath(root)  # data directories are often links to a larger disk
    top = os.lstat(root)
    usage.bytes += top.st_blocks * 512
    if not stat.S_ISDIR(top.st_mode):
        usage.files += 1
        return
    links_left: dict[int, int] = {}
    directories = [root]
    steps = 0
    while directories:
        directory = directories.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    steps += 1
                    if steps % ENTRIES_PER_STEP == 0:
                        yield
                    if _add(entry, top.st_dev, usage, links_left):
                        directories.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            if directory == root:
                raise  # a size of nothing would be a lie
            usage.unreadable += 1
        yield


def _add(entry: os.DirEntry[str], device: int, usage: Usage, links_left: dict[int, int]) -> bool:
    """Add one name; True when it is a directory to go into."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError:
        usage.unreadable += 1
        return False
    if status.st_dev != device:
        return False
    is_directory = stat.S_ISDIR(status.st_mode)
    if not is_directory:
        usage.files += 1
        if status.st_nlink > 1:
            usage.bytes += _linked_bytes(status, links_left)
            return False
    usage.bytes += status.st_blocks * 512
    return is_directory


def _linked_bytes(status: os.stat_result, links_left: dict[int, int]) -> int:
    """The blocks of a hard-linked file at its first name, 0 at the others.

    An inode is forgotten once all its names have been seen, so the memory needed stays small where links are close.
    """
    left = links_left.get(status.st_ino)
    if left is None:
        if len(links_left) >= MOST_LINKED:
            return status.st_blocks * 512 // status.st_nlink
        links_left[status.st_ino] = status.st_nlink - 1
        return status.st_blocks * 512
    if left <= 1:
        del links_left[status.st_ino]
    else:
        links_left[status.st_ino] = left - 1
    return 0
