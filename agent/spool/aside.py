"""Setting a spool aside: what waits in it was sampled as another host, and is not to be sent as this one."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from agent.spool.files import SpoolFiles
from infra.files import sync_directory


class _Owner(Struct, array_like=True):
    """The first field of a batch."""

    host: str


_decoder = msgspec.msgpack.Decoder(_Owner)


def owner_of(payload: bytes) -> str:
    """The host that an encoded batch is of; empty when it is unreadable."""
    try:
        return _decoder.decode(payload).host
    except msgspec.DecodeError:
        return ""


def set_aside(directory: Path, host: str) -> Path | None:
    """Rename the spool of `host` so that the next one is new; None when there is nothing in it. Raises OSError.

    Raises SpoolInUse when an agent uses it.
    """
    if not any(directory.glob("*.spool")):
        return None
    with SpoolFiles(directory, 0).locked():
        taken = {path.name for path in directory.parent.iterdir()}
        names = (f"{directory.name}.{host}" + (f".{number}" if number else "") for number in range(len(taken) + 1))
        target = directory.with_name(next(name for name in names if name not in taken))
        directory.rename(target)
    sync_directory(directory.parent)
    return target
