"""One runtime setting as the table has it now."""

from __future__ import annotations

from typing import Any

from infra.storage.database import Connection
from schemas.rules import InvalidField
from schemas.settings import RuntimeSettings, parse_stored
from services.gateway.settings import sql


async def setting_in_force(database: Connection, key: str) -> Any:
    """The value of `key`; the default where there is no row, or one that makes no sense."""
    text = await database.fetchval(sql.SETTING, key)
    try:
        return getattr(RuntimeSettings(), key) if text is None else parse_stored(key, text)
    except InvalidField:
        return getattr(RuntimeSettings(), key)
