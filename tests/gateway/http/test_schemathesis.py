"""The gateway against its own OpenAPI document, asked by people of every role."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import httpx
import pytest

from infra.generate.declared import declared
from infra.storage.database import connection
from schemas.channels import Channel, Slack
from schemas.people import RANKS
from schemas.routes import Route
from tests.gateway.http.fuzzing import Asker, Fuzzing
from tests.gateway.incidents import message, open_incident, store_channel, store_route
from tests.gateway.rows import put
from tests.gateway.running import gateway, ready
from tests.people import add_token
from tests.waiting import eventually

AT_MS = 1_795_219_200_000
EXISTING = {
    "host": "web-1",
    "rule": "cpu-busy",
    "setting": "raw_days",
    "user": 1,
    "session": 1,
    "token": 1,
    "incident": 1,
    "silence": 1,
    "route": "web",
    "channel": "ops",
}
MANY = {"PUT /configuration", "POST /hosts/bulk", "POST /incidents/bulk", "POST /routes/order"}
"""What may succeed without changing anything: a document that says nothing new, a filter that nothing fits."""
MOST_REQUESTS = 5
"""Well-formed ones, and as many others, to each operation by each role."""
FAR = 1_000_000
"""Numbers of those who ask, beyond any that a request is likely to name: nobody deletes them."""


async def prepare(database_url: str) -> list[Asker]:
    """People of each role, from nobody to administrators, with a host that has samples."""
    await put(database_url, "cpu", [(AT_MS, "", {"total": 1})])
    async with connection(database_url, "test") as database:
        for table in ("users", "api_tokens"):
            await database.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {FAR}")
        await store_channel(database, Channel("ops", "Operators", Slack("http://127.0.0.1:1/none")))
        await store_route(database, Route("web", "Web", ["ops"]))
        await message(database, "ops", incident=await open_incident(database))
    tokens = {role: await add_token(database_url, role) for role in RANKS}
    async with connection(database_url, "test") as database:
        for table in ("users", "api_tokens"):
            await database.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1")
    return [Asker(None, {}), *(Asker(role, {"Authorization": f"Bearer {secret}"}) for role, secret in tokens.items())]


async def be_known(client: httpx.AsyncClient, askers: list[Asker]) -> None:
    """Let the gateway read who asks. A database that is slow to answer that makes even a refusal a 503."""
    for asker in askers:

        async def answered(headers: Mapping[str, str] = asker.headers) -> bool:
            return (await client.get("/rules", headers=dict(headers))).status_code in (200, 401)

        await eventually(answered)


@pytest.mark.timeout(300)
async def test_every_answer_is_declared_and_nobody_may_more_than_their_role(database_url: str, bus_url: str) -> None:
    askers = await prepare(database_url)
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await be_known(client, askers)
        document = (await client.get("/openapi.json")).json()
        fuzzing = Fuzzing(document, str(client.base_url.copy_with(path="")), askers, EXISTING)
        await asyncio.to_thread(fuzzing.run, MOST_REQUESTS)
        administrator = await client.get("/users", headers=dict(askers[-1].headers))
    async with connection(database_url, "test") as database:
        audited = {row["action"] for row in await database.fetch("SELECT DISTINCT action FROM audit")}
    operations = await asyncio.to_thread(declared)
    changes = {one.name for one in operations if one.changes and one.audited and one.role} - MANY
    by_role = {role: sum(n for (asked, _), n in fuzzing.counts.items() if asked == role) for role in (None, *RANKS)}
    sys.stdout.write(f"{sum(by_role.values())} requests: {by_role}; {sorted(fuzzing.counts.items(), key=str)}\n")
    assert administrator.status_code == 200
    assert {name for name in changes if fuzzing.done[name]} - audited == set()
    assert min(by_role.values()) > 500
    assert all(fuzzing.counts[role, 200] > 20 for role in RANKS)
