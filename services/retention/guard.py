"""The disk guard: when space is short, how many raw days must go early so that the disk does not fill up.

What is read is the file system of `data_directory`; tablespaces and a log directory elsewhere are not looked at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import asyncpg
from msgspec import Struct

from infra.storage.database import Connection
from infra.storage.engine import Part
from schemas.settings import RuntimeSettings

GIB = 2**30
WORTH = 0.1
"""What dropping must free of what is missing to be worth it; otherwise something else fills the disk."""


class Space(Struct, frozen=True):
    """What the database takes and what is left to it."""

    database_bytes: int
    free_bytes: int | None = None
    """Of the disk, for an ordinary user; None where the disk is another machine's."""
    disk_bytes: int | None = None
    """Used and free together."""


class Shortage(Struct, frozen=True):
    """How much is missing, and by which setting."""

    bytes: int
    setting: str
    text: str


ReadSpace = Callable[[Connection], Awaitable[Space]]


def shortage(space: Space, settings: RuntimeSettings) -> Shortage | None:
    """What must be freed to be within both limits; None when nothing."""
    found = []
    if space.free_bytes is not None and space.disk_bytes:
        wanted = int(space.disk_bytes * settings.disk_free_percent / 100)
        share = 100 * space.free_bytes / space.disk_bytes
        text = f"{share:.1f} % of the disk is free, disk_free_percent is {settings.disk_free_percent:g}"
        found.append(Shortage(wanted - space.free_bytes, "disk_free_percent", text))
    if settings.database_gib:
        allowed = int(settings.database_gib * GIB)
        text = f"the database takes {space.database_bytes / GIB:.2f} GiB, database_gib is {settings.database_gib:g}"
        found.append(Shortage(space.database_bytes - allowed, "database_gib", text))
    worst = max(found, key=lambda each: each.bytes, default=None)
    return worst if worst is not None and worst.bytes > 0 else None


def early_horizons(parts: Sequence[Part], horizon: datetime, limit: datetime, missing_bytes: int) -> list[datetime]:
    """To where the raw horizon moves, step by step, until what lies below it is at least `missing_bytes`.

    `parts` are the raw ones. Nothing beyond `limit` goes. Empty when all that may go is not worth it, or nothing may.
    """
    days: dict[datetime, int] = {}
    for part in parts:
        if horizon < part.last <= limit:
            days[part.last] = days.get(part.last, 0) + part.bytes
    if sum(days.values()) < WORTH * missing_bytes:
        return []
    steps = []
    freed = 0
    for end in sorted(days):
        if freed >= missing_bytes:
            break
        steps.append(end)
        freed += days[end]
    return steps


async def read_space(database: Connection) -> Space:
    """What the server says of the database, and the disk of a server on this machine."""
    [row] = await database.fetch(
        """
        SELECT pg_database_size(current_database()) AS bytes, host(inet_server_addr()) AS server,
               host(inet_client_addr()) AS client, extract(epoch FROM pg_postmaster_start_time())::float8 AS started
        """
    )
    if row["server"] not in (None, "::1", row["client"]) and not row["server"].startswith("127."):
        return Space(row["bytes"])
    try:
        directory = Path(await database.fetchval("SHOW data_directory"))
    except asyncpg.InsufficientPrivilegeError:
        return Space(row["bytes"])
    if not _runs_in(directory, row["started"]):
        return Space(row["bytes"])
    usage = shutil.disk_usage(directory)
    return Space(row["bytes"], usage.free, usage.used + usage.free)


def _runs_in(directory: Path, started: float) -> bool:
    """Whether the server that started then runs in our `directory`, and not in one of that name behind a tunnel.

    The third line of `postmaster.pid` is when it started, in Unix seconds. Who may not read it believes the name.
    """
    if not os.access(directory, os.F_OK):
        return False
    if not os.access(directory, os.R_OK | os.X_OK):
        return True
    try:
        lines = (directory / "postmaster.pid").read_text().splitlines()
        return abs(int(lines[2]) - started) < 5
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
