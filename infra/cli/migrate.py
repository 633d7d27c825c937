"""`sonde migrate`: create or update the tables of the database and the streams of the bus."""

from __future__ import annotations

from infra.bus.streams import ensure_streams
from infra.cli import reach
from infra.settings import ServerSettings
from infra.storage.engine import detect
from infra.storage.migrate import migrate


async def migrate_all(settings: ServerSettings, quiet: bool = False) -> int:
    """Migrate the database, then ensure the streams; several processes may do so at once. Raises Unreachable."""
    async with reach.database(settings.database_url, "migrate") as database:
        engine = await detect(database)
        await migrate(database, engine)
    async with reach.bus(settings, "migrate") as bus:
        await ensure_streams(bus)
    if not quiet:
        print(f"migrated: database ({engine.name} engine) and streams are up to date")
    return 0
