"""`sonde migrate`: the database's tables and the bus's streams, as this version wants them."""

from __future__ import annotations

from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.settings import ServerSettings
from infra.storage.database import connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate


async def migrate_all(settings: ServerSettings, quiet: bool = False) -> int:
    """Migrate the database, then ensure the streams. Safe to run by several processes at once."""
    async with connection(settings.database_url, "migrate") as database:
        engine = await detect(database)
        await migrate(database, engine)
    async with bus_connection(settings.nats_url, "migrate") as bus:
        await ensure_streams(bus)
    if not quiet:
        print(f"migrated: {engine.name} engine, streams ready")
    return 0
