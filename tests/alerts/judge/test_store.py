"""What a commit writes."""

from __future__ import annotations

import pytest

from infra.storage import database as storage
from services.alerts import sql
from services.alerts.telling import sql as telling_sql
from tests.gateway.incidents import AT_S, open_incident


@pytest.mark.parametrize("add_steps", [sql.ADD_STEPS, telling_sql.ADD_STEPS], ids=["judging", "telling"])
@pytest.mark.parametrize("disabled", [(), ("nestloop", "mergejoin"), ("nestloop", "hashjoin")], ids=" ".join)
async def test_steps_keep_their_order_however_the_database_joins_them(
    database_url: str, add_steps: str, disabled: tuple[str, ...]
) -> None:
    async with storage.connection(database_url, "test") as database:
        numbers = [await open_incident(database, f"web-{number}") for number in range(30)]
        await database.execute("ANALYZE incidents")
        for method in disabled:
            await database.execute(f"SET enable_{method} = off")
        kinds = ["fired", "escalated", "deescalated", "resolved"]
        rows = [(number, kind) for kind in kinds for number in numbers]
        ids, made = [number for number, _ in rows], [kind for _, kind in rows]
        await database.execute(add_steps, ids, [AT_S] * len(rows), made, ["{}"] * len(rows))
        steps = await database.fetch(
            "SELECT array_agg(kind ORDER BY id) AS kinds FROM incident_steps GROUP BY incident_id"
        )
    assert [row["kinds"] for row in steps] == [kinds] * len(numbers)
