"""Users for whom somebody else vouches: made when they first come, and given the role that their groups have now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from infra.storage.database import Connection
from schemas.people import Role
from services.gateway.http.audit import note
from services.gateway.people import sql
from services.gateway.people.shown import user_of


class Disabled(Exception):
    """An administrator has disabled that user."""


async def ensure_user(
    database: Connection,
    source: Literal["oidc", "proxy"],
    subject: str,
    names: Sequence[str],
    role: Role,
    address: str,
    action: str,
) -> Mapping[str, Any]:
    """The row of the user whom `source` calls `subject`, with `role` from now on; a new one gets the first free name.

    Inside a transaction. Raises Disabled.
    """
    await database.execute(sql.LOCK)
    row: Mapping[str, Any] | None = await database.fetchrow(sql.USER_OF, source, subject)
    if row is None:
        for name in names:
            row = await database.fetchrow(sql.ADD_USER, name, role, source, subject)
            if row is not None:
                break
        if row is None:
            raise LookupError(f"no name is free for a user of {source}")
        await note(database, row["name"], "nobody", address, action, row["name"], None, user_of(row))
        return row
    if row["disabled"]:
        raise Disabled
    if row["role"] == role:
        return row
    await database.execute(sql.CHANGE_USER, row["id"], role, None)
    changed = {**row, "role": role}
    await note(database, row["name"], "nobody", address, action, row["name"], user_of(row), user_of(changed))
    return changed
