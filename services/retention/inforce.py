"""The runtime settings that retention goes by, of the others nothing."""

from __future__ import annotations

import json

import msgspec
from msgspec.structs import fields

from infra.storage.database import Connection
from schemas.settings import RuntimeSettings, parse_setting
from services.retention import sql
from services.retention.policy import Kept

OWN = (*(field.name for field in fields(Kept)), "disk_free_percent", "database_gib")
"""Those that a pruning follows."""


class InvalidSetting(Exception):
    """A stored setting of ours makes no sense, so nobody knows what may be dropped; the text says which."""


async def settings_in_force(database: Connection) -> RuntimeSettings:
    """Our settings as they are now, all others as they are by default. Raises InvalidSetting."""
    values = {}
    problems = []
    for row in await database.fetch(sql.SETTINGS, OWN):
        try:
            values[row["key"]] = parse_setting(row["key"], json.loads(row["value"]))
        except msgspec.ValidationError as error:
            problems.append(f"{row['key']} is stored as {row['value'][:100]}: {error}")
    if problems:
        raise InvalidSetting(f"{'; '.join(problems)}; store another value, or none for the default")
    return RuntimeSettings(**values)
