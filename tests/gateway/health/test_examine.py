"""What is said of health while a part cannot be asked at all."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from infra.storage.database import pool
from schemas.catalogue import CATALOGUE
from services.gateway.health.examine import Examination, examine
from services.gateway.health.vitals import Vitals
from services.gateway.http.bus import Bus
from tests.waiting import eventually


async def test_a_pool_that_is_closing_is_told_and_not_raised(database_url: str) -> None:
    async with pool(database_url, "test gateway", 2, least=0) as connections:
        it = Examination(
            connections, Bus(), Vitals(), CATALOGUE, states=dict, viewers=lambda: 1, counts=lambda: (0, 0, 0)
        )
        async with connections.acquire():
            closing = asyncio.ensure_future(connections.close())
            await eventually(connections.is_closing)
            with pytest.raises(asyncpg.InterfaceError, match="closing"):
                await connections.acquire()
            found = {part.name: part for part in (await examine(it)).components}
        await closing
    assert (found["database"].status, found["notifications"].status) == ("degraded", "unknown")
    assert "InterfaceError: pool is closing" in found["database"].detail
