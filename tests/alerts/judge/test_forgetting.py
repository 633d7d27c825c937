"""States that are forgotten: each is found by its key, however many there are."""

from __future__ import annotations

import json
from typing import Any

from infra.storage import database
from services.alerts import sql

STATES = """
INSERT INTO alert_states (rule_id, host_id, instance, past, state, body)
SELECT 'cpu', h.id, '', past, 'ok', '{}'::jsonb FROM hosts h, unnest('{true,false}'::boolean[]) AS past
UNION ALL SELECT 'blind', NULL, '', false, 'ok', '{}'
"""


def looked_at(plan: dict[str, Any]) -> int:
    """Rows that `plan` read, those too that did not fit."""
    unfit = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    here: int = plan["Actual Loops"] * (plan["Actual Rows"] + sum(plan.get(name, 0) for name in unfit))
    return here + sum(looked_at(below) for below in plan.get("Plans", []))


async def test_forgetting_looks_at_few_more_states_than_there_are(database_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        await connection.execute("INSERT INTO hosts (name) SELECT 'h-' || n FROM generate_series(1, 2000) n")
        await connection.execute(STATES)
        await connection.execute("ANALYZE alert_states")
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM hosts LIMIT 500")]
        gone = ["cpu"] * 500, ids, [""] * 500, False
        (row,) = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.DELETE_STATES}", *gone)
    assert looked_at(json.loads(row[0])[0]["Plan"]) < 20_000


async def test_states_of_hosts_and_those_without_one_are_forgotten_alike(database_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        host = await connection.fetchval("INSERT INTO hosts (name) VALUES ('web-1') RETURNING id")
        await connection.execute(STATES)
        await connection.execute(sql.DELETE_STATES, ["cpu", "blind", "blind"], [host, None, host], ["", "", ""], False)
        left = await connection.fetch("SELECT rule_id, past FROM alert_states")
    assert [tuple(row) for row in left] == [("cpu", True)]
