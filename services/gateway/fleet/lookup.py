"""Hosts as the table has them, looked up by name."""

from __future__ import annotations

from infra.storage.database import Connection
from services.gateway.fleet import sql
from services.gateway.http.problems import unknown


async def host_number(database: Connection, host: str) -> int:
    """The number of a host. Raises ProblemError 404, and what the database raises."""
    number: int | None = await database.fetchval(sql.HOST_ID, host)
    if number is None:
        raise unknown("host", host)
    return number
