"""Users for whom somebody else vouches: made when they first come, and given the role that their groups have now."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from infra.storage.database import Connection
from schemas.people import Role
from services.gateway.http.audit import note
from services.gateway.people import sql
from services.gateway.people.shown import user_of

logger = logging.getLogger(__name__)


class LastAdministrator:
    """Of whom the log has told that they keep the role. There is one at a time, so one is remembered."""

    def __init__(self) -> None:
        self._told: tuple[int, Role] | None = None

    def keeps(self, row: Mapping[str, Any], role: Role) -> None:
        """They should have `role` by now: say so once, however often they come with it."""
        if self._told != (row["id"], role):
            self._told = row["id"], role
            logger.warning("last administrator keeps the role", extra={"user": row["name"], "role": role})

    def is_as_told(self, number: int) -> None:
        """That user has the role that they should have: if it is another one again, that is news."""
        if self._told is not None and self._told[0] == number:
            self._told = None


class Disabled(Exception):
    """An administrator has disabled that user, or deleted it."""


async def ensure_user(
    database: Connection,
    last: LastAdministrator,
    source: Literal["oidc", "proxy"],
    subject: str,
    names: Sequence[str],
    role: Role,
    address: str,
    action: str,
) -> Mapping[str, Any]:
    """The row of the user whom `source` calls `subject`, with `role` from now on; a new one gets the first free name.

    The last administrator stays one. The table is locked only for a change: a proxy names its people again every few
    seconds. Inside a transaction. Raises Disabled.
    """
    found: Mapping[str, Any] | None = await database.fetchrow(sql.USER_OF, source, subject)
    if found is not None and await _is_settled(database, last, found, role):
        return found
    await database.execute(sql.LOCK)
    row: Mapping[str, Any] | None = await database.fetchrow(sql.USER_OF, source, subject)
    if row is None:
        return await _add(database, source, subject, names, role, address, action)
    if await _is_settled(database, last, row, role):
        return row
    await database.execute(sql.CHANGE_USER, row["id"], role, None)
    last.is_as_told(row["id"])
    changed = {**row, "role": role}
    await note(database, row["name"], "nobody", address, action, row["name"], user_of(row), user_of(changed))
    return changed


async def _is_settled(database: Connection, last: LastAdministrator, row: Mapping[str, Any], role: Role) -> bool:
    """Whether nothing of that user is to be changed for them to have `role`. Raises Disabled."""
    if row["disabled"]:
        raise Disabled
    if row["role"] == role:
        last.is_as_told(row["id"])
        return True
    if row["role"] != "admin" or await database.fetchval(sql.ADMINS) > 1:
        return False
    last.keeps(row, role)
    return True


async def _add(
    database: Connection, source: str, subject: str, names: Sequence[str], role: Role, address: str, action: str
) -> Mapping[str, Any]:
    for name in names:
        row: Mapping[str, Any] | None = await database.fetchrow(sql.ADD_USER, name, role, source, subject)
        if row is not None:
            await note(database, row["name"], "nobody", address, action, row["name"], None, user_of(row))
            return row
    raise LookupError(f"no name is free for a user of {source}")
