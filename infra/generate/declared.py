"""What the gateway declares, for whatever is generated from it: its operations, on a bus and a database away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from infra.settings import ServerSettings
from infra.storage.database import pool
from schemas.catalogue import CATALOGUE
from services.gateway.fleet.memory import Fleet
from services.gateway.held import Held
from services.gateway.http.bus import Bus
from services.gateway.http.openapi import with_document
from services.gateway.http.operations import Operation
from services.gateway.live.hub import Hub
from services.gateway.resources import operations, root_operations
from services.gateway.settings.runtime import Runtime

NOWHERE = "postgresql://127.0.0.1:1/none"


def declared() -> list[Operation]:
    """Those below /api/v1."""
    return asyncio.run(_of(lambda held: with_document(operations(held))))


def declared_at_root() -> list[Operation]:
    return asyncio.run(_of(root_operations))


async def _of(operations_of: Callable[[Held], list[Operation]]) -> list[Operation]:
    async with pool(NOWHERE, "generate", 1, least=0) as connections:
        hub = Hub(Fleet(CATALOGUE))
        return operations_of(Held(ServerSettings(), connections, Bus(), hub, Runtime(), lambda scope: None))
