"""Connections of a pool."""

from __future__ import annotations

from infra.storage.database import pool


async def test_a_pool_plans_a_statement_for_what_is_asked_however_often_it_ran(database_url: str) -> None:
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
    statement = "SELECT count(*) FROM hosts WHERE name = $1"
    async with pool(database_url, "test", 1) as connections, connections.acquire() as connection:
        for _ in range(20):
            await connection.fetchval(statement, "web-1")
        row = await connection.fetchrow(plans, statement)
    assert tuple(row or ()) == (0, 20)
