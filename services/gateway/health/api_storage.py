"""`/storage`: what the tables take, how fast they grow and what they will come to, as retention measured it."""

from __future__ import annotations

import msgspec

from infra.clock import to_ms
from infra.storage.database import Pool
from schemas.storage import StorageReport, StorageUse
from services.gateway.health import sql
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation


def storage_operations(pool: Pool) -> list[Operation]:
    async def get_storage(_: Call[Nothing, None]) -> StorageReport:
        async with connected(pool) as database:
            row = await database.fetchrow(sql.STORAGE)
        if row is None:
            return StorageReport(None, None)
        try:
            return StorageReport(to_ms(row["at"]), msgspec.json.decode(row["body"], type=StorageUse))
        except msgspec.DecodeError:  # of another version, whose retention service still runs
            return StorageReport(None, None)

    return [
        Operation(
            "GET",
            "/storage",
            get_storage,
            tag="health",
            summary="What the tables take by family, kind and day, how fast they grow, and what they will come to",
            role="viewer",
            answers={200: StorageReport},
        )
    ]
