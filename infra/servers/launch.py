"""Becomes a server that cannot outlive its parent: `launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM ARGUMENT...`.

Run by path in a fresh interpreter, because what it does is unsafe between fork and exec of a threaded program. It
imports the standard library only. IDENTITY is one of

* `same`: stay who we are;
* `namespace:UID:GID`: enter a user namespace in which we are that user without having been given anything of it, so
  that a program that refuses root runs, while its files stay root's;
* `UID:GID`: become that user.

Exit status 71: the identity is not available; 127: the program could not be started.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

NO_IDENTITY = 71
NO_PROGRAM = 127
_NEW_USER = 0x10000000
_SET_PARENT_DEATH_SIGNAL = 1


def take_identity(identity: str) -> None:
    """Become `identity`. Raises OSError when the system does not permit it."""
    if identity == "same":
        return
    *namespace, uid, gid = identity.split(":")
    if not namespace:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
        return
    real_uid, real_gid = os.geteuid(), os.getegid()
    if not sys.platform.startswith("linux") or _libc().unshare(_NEW_USER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not permitted")
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid} {real_uid} 1")
    (own / "gid_map").write_text(f"{gid} {real_gid} 1")


def die_with_parent(parent: int, death_signal: int) -> None:
    """Have the kernel send us `death_signal` when `parent` dies. A change of identity would clear that."""
    if sys.platform.startswith("linux"):
        _libc().prctl(_SET_PARENT_DEATH_SIGNAL, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent died before its server started")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Take the identity, tie our life to the parent's, become the program."""
    parent, death_signal, identity, program, *rest = arguments
    try:
        take_identity(identity)
    except OSError as error:
        print(f"cannot run as {identity}: {error}", file=sys.stderr)
        sys.exit(NO_IDENTITY)
    die_with_parent(int(parent), int(death_signal))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(program, [program, *rest])  # noqa: S606  (no shell is what is wanted)
    except OSError as error:
        print(f"cannot start {program}: {error}", file=sys.stderr)
        sys.exit(NO_PROGRAM)


if __name__ == "__main__":
    main(sys.argv[1:])
