"""Runtime settings as a process reads them from the table: what makes no sense there is said once, and ends nothing."""

from __future__ import annotations

import logging

from infra.storage.database import Connection
from schemas.settings import RuntimeSettings, StoredSettings

logger = logging.getLogger(__name__)

_ROWS = "SELECT key, value FROM settings"


async def read_settings(database: Connection, stored: StoredSettings) -> RuntimeSettings:
    """The settings in force as of now. Raises what the database raises, and nothing for what is stored."""
    for fault in stored.take({row["key"]: row["value"] for row in await database.fetch(_ROWS)}):
        logger.error(
            "invalid stored setting ignored",
            extra={"setting": fault.field, "value": repr(fault.value)[:100], "error": f"it {fault.remedy}"},
        )
    return stored.settings
