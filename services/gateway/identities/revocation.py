"""Taking identities back: written down first, told to the servers of the bus by `pushing.py`."""

from __future__ import annotations

from collections.abc import Sequence

from infra.storage.database import Connection
from services.gateway.identities import sql


async def revoke(database: Connection, public_keys: Sequence[str], reason: str) -> None:
    """No JWT of these keys that was issued until now counts any more, and none is issued again.

    Run it inside the caller's transaction, and set `Runtime.revoked` once that is committed.
    """
    await database.execute(sql.MARK_REVOKED, public_keys, reason)
    await database.execute(sql.REVOKE, public_keys, reason)


async def revoke_host(database: Connection, host_id: int, reason: str) -> list[str]:
    """Revoke the present identity of a host; returns its key, nothing when it has none. As `revoke` otherwise."""
    keys = [row["public_key"] for row in await database.fetch(sql.PRESENT_KEYS, host_id)]
    if keys:
        await revoke(database, keys, reason)
    return keys
