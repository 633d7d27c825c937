"""Every change is in the audit log, and no secret is; the log is read a page at a time."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pyotp

from infra.generate.declared import declared
from infra.storage.database import connection
from services.gateway.people.second import STEP_S
from tests.gateway.asking import asking
from tests.gateway.incidents import open_incident
from tests.gateway.rows import execute, put
from tests.gateway.running import TRUST, gateway, ready, watching
from tests.people import PASSWORD, add_link, add_session, add_user, in_browser
from tests.waiting import eventually

AT_MS = 1_795_219_200_000
ANY = {"If-Match": "*"}
IDENTITY = """
INSERT INTO identities (public_key, host_id, host, expires)
SELECT 'U' || repeat('A', 55), id, name, now() + interval '1 day' FROM hosts WHERE name = 'web-1'
"""
RULE = {"id": "busy", "name": "Busy", "metric": "cpu.total", "critical": {"raise_at": 90, "clear_at": 80}, "for_s": 60}
NEW = "a longer password"


class Driver:
    """Makes each change once: one method for each operation, in an order in which all succeed."""

    def __init__(self, client: httpx.AsyncClient, database_url: str) -> None:
        self.client = client
        self.database_url = database_url
        self.secrets: list[str] = [PASSWORD, NEW]
        self.done: set[str] = set()

    async def ask(self, name: str, path: str, **more: Any) -> httpx.Response:
        """Perform the operation `name` at `path`; its answer, which is no refusal."""
        answer = await self.client.request(name.split()[0], path, **more)
        assert answer.status_code < 400, f"{name}: {answer.text}"
        self.done.add(name)
        return answer

    async def hosts(self) -> None:
        made = await self.ask("POST /hosts", "/hosts", json={"name": "made-1"})
        self.secrets.append(made.json()["secret"])
        await self.ask("PATCH /hosts/{host}", "/hosts/web-1", json={"tags": ["a"]})
        bulk = {"change": "tag", "hosts": ["web-1"], "add_tags": ["b"]}
        await self.ask("POST /hosts/bulk", "/hosts/bulk", json=bulk)
        rotated = await self.ask("POST /hosts/{host}/rotate", "/hosts/web-1/rotate")
        self.secrets.append(rotated.json()["secret"])
        await execute(self.database_url, IDENTITY)
        await self.ask("POST /hosts/{host}/revoke", "/hosts/web-1/revoke")
        for path in ("/agents/config", "/hosts/{host}/config"):
            await self.ask(f"PUT {path}", path.format(host="web-1"), json={"sample_interval_s": 2}, headers=ANY)
            await self.ask(f"DELETE {path}", path.format(host="web-1"))
        order = "POST /hosts/{host}/commands/{verb}"
        await self.client.post("/hosts/web-1/commands/ping")  # noted before the agent, which is away, is asked
        self.done.add(order)
        await self.ask("DELETE /hosts/{host}", "/hosts/made-1")
        token = (await self.ask("POST /enrolment-tokens", "/enrolment-tokens", json={})).json()
        self.secrets.append(token["secret"])
        one = "DELETE /enrolment-tokens/{enrolment_token}"
        await self.ask(one, f"/enrolment-tokens/{token['token']['id']}")

    async def settings(self) -> None:
        await self.ask("POST /rules", "/rules", json=RULE)
        await self.ask("PUT /rules/{rule}", "/rules/busy", json={**RULE, "for_s": 61}, headers=ANY)
        await self.ask("DELETE /rules/{rule}", "/rules/busy")
        await self.telling()
        hook = "https://hooks.example/secret-path"
        self.secrets.append("secret-path")
        await self.ask("PUT /settings/{setting}", "/settings/heartbeat_url", json={"value": hook}, headers=ANY)
        await self.ask("DELETE /settings/{setting}", "/settings/heartbeat_url", headers=ANY)
        document = b"version = 1\n[settings]\nraw_days = 9\n"
        headers = {"Content-Type": "application/toml"}
        await self.ask("PUT /configuration", "/configuration", content=document, headers=headers)

    async def telling(self) -> None:
        hook = {"id": "ops", "name": "Ops", "target": {"kind": "slack", "url": "https://hooks.example/secret-path"}}
        made = await self.ask("POST /channels", "/channels", json=hook)
        await self.ask("PUT /channels/{channel}", "/channels/ops", json=made.json()["channel"], headers=ANY)
        await self.ask("POST /channels/{channel}/release", "/channels/ops/release")
        route = {"id": "web", "name": "Web", "channels": ["ops"]}
        await self.ask("POST /routes", "/routes", json=route)
        await self.ask("PUT /routes/{route}", "/routes/web", json={**route, "name": "All"}, headers=ANY)
        await self.ask("POST /routes", "/routes", json={**route, "id": "db"})
        await self.ask("POST /routes/order", "/routes/order", json={"routes": ["web", "db"]})
        await self.ask("DELETE /routes/{route}", "/routes/web")
        await self.ask("DELETE /channels/{channel}", "/channels/ops?force=true")
        silence = {"match": {"hosts": ["web-1"]}, "for_s": 3600}
        path = f"/silences/{(await self.ask('POST /silences', '/silences', json=silence)).json()['id']}"
        await self.ask("PUT /silences/{silence}", path, json={**silence, "reason": "x"}, headers=ANY)
        await self.ask("POST /silences/{silence}/expire", f"{path}/expire")
        await self.ask("DELETE /silences/{silence}", path)
        async with connection(self.database_url, "tests") as database:
            number = await open_incident(database)
        path = f"/incidents/{number}"
        await self.ask("POST /incidents/{incident}/acknowledge", f"{path}/acknowledge")
        await self.ask("DELETE /incidents/{incident}/acknowledge", f"{path}/acknowledge")
        await self.ask("POST /incidents/{incident}/notes", f"{path}/notes", json={"text": "x"})
        await self.ask("POST /incidents/bulk", "/incidents/bulk", json={"change": "acknowledge", "incidents": [number]})

    async def viewers(self) -> None:
        async with watching(self.client) as stream:
            await stream.until("snapshot")
            (one,) = (await self.client.get("/viewers")).json()["viewers"]
            await self.ask("DELETE /viewers/{viewer}", f"/viewers/{one['id']}")

    async def people(self) -> None:
        bob = (await self.ask("POST /users", "/users", json={"name": "bob"})).json()["id"]
        await self.ask("PATCH /users/{user}", f"/users/{bob}", json={"role": "operator"})
        self.secrets.append((await self.ask("POST /users/{user}/link", f"/users/{bob}/link")).json()["secret"])
        await self.ask("DELETE /users/{user}", f"/users/{bob}")
        token = (await self.ask("POST /tokens", "/tokens", json={"note": "grafana"})).json()
        self.secrets.append(token["secret"])
        await self.ask("DELETE /tokens/{token}", f"/tokens/{token['token']['id']}")
        other = await add_session(self.database_url)
        async with connection(self.database_url, "tests") as database:
            number = await database.fetchval("SELECT max(id) FROM sessions")
        self.secrets.append(other)
        await self.ask("DELETE /sessions/{session}", f"/sessions/{number}")

    async def kept(self) -> None:
        first = (await self.ask("POST /views", "/views", json={"name": "Mine", "path": "/?q=web"})).json()["id"]
        await self.ask("PUT /views", "/views", json={"views": [first]})
        await self.ask("PUT /views/{view}", f"/views/{first}", json={"name": "Ours", "path": "/"})
        await self.ask("DELETE /views/{view}", f"/views/{first}")
        await self.ask("PUT /preferences", "/preferences", json={"zone": "utc"})

    async def own(self) -> None:
        factor = "/session/second-factor"
        secret = (await self.ask(f"POST {factor}", factor)).json()["secret"]
        totp, now_s = pyotp.TOTP(secret), int(time.time())
        confirmed = await self.ask(f"PUT {factor}", factor, json={"code": totp.at(now_s - STEP_S)})
        codes = confirmed.json()["codes"]
        again = f"{factor}/recovery-codes"
        new = (await self.ask(f"POST {again}", again, json={"code": codes[0]})).json()["codes"]
        await self.ask(f"DELETE {factor}", factor, json={"code": new[0]})
        self.secrets += [secret, *codes, *new]
        await self.ask("PUT /session/password", "/session/password", json={"old": PASSWORD, "new": NEW})
        link = await add_link(self.database_url, "cleo")
        self.secrets.append(link)
        await self.ask("POST /session/link", "/session/link", json={"secret": link, "password": NEW})
        await self.ask("POST /session", "/session", json={"name": "ada", "password": NEW})
        await self.ask("DELETE /session", "/session")


async def audited(database_url: str) -> list[dict[str, Any]]:
    async with connection(database_url, "tests") as database:
        return [dict(row) for row in await database.fetch("SELECT * FROM audit ORDER BY id")]


@asynccontextmanager
async def driven(database_url: str, bus_url: str) -> AsyncIterator[Driver]:
    """Everything was changed once by ada, in a browser."""
    await put(database_url, "cpu", [(AT_MS, "", {"total": 1})])
    session = await add_session(database_url)
    async with gateway(database_url, bus_url) as admin:
        await ready(admin)

        async def known() -> bool:
            return bool((await admin.get("/hosts")).json()["hosts"])

        await eventually(known)
        async with httpx.AsyncClient(base_url=admin.base_url, timeout=60, verify=TRUST) as client:
            driver = Driver(in_browser(client, session), database_url)
            driver.secrets.append(session)
            ways: list[Callable[[], Awaitable[None]]] = [
                driver.hosts,
                driver.settings,
                driver.viewers,
                driver.people,
                driver.kept,
                driver.own,
            ]
            for way in ways:
                await way()
            yield driver


async def test_every_change_is_in_the_audit_log_and_no_secret_is(database_url: str, bus_url: str) -> None:
    async with driven(database_url, bus_url) as driver:
        rows = await audited(database_url)
    every = await asyncio.to_thread(declared)
    changes = {operation.name for operation in every if operation.changes and operation.audited}
    assert driver.done == changes, "a new operation that changes something is to be driven here, too"
    assert {row["action"] for row in rows} == changes
    for row in rows:
        assert row["who"] in ("ada", "cleo")
        assert row["address"] == "127.0.0.1"
        assert row["by"] in ("session", "nobody")
    text = str(rows)
    assert [secret for secret in driver.secrets if secret in text] == []


def test_the_page_has_words_for_every_change_and_for_nothing_else() -> None:
    source = (Path(__file__).parents[3] / "web/src/audit/words.ts").read_text()
    worded = set(re.findall(r'^  "((?:POST|PUT|PATCH|DELETE) /[^"]*)":', source, re.MULTILINE))
    assert worded == {operation.name for operation in declared() if operation.changes and operation.audited}


async def test_the_log_is_read_the_newest_first_a_page_at_a_time(database_url: str) -> None:
    async with asking(database_url) as client:
        for number in range(5):
            await client.post("/users", json={"name": f"user-{number}"})
        first = (await client.get("/audit", params={"limit": 3})).json()
        rest = (await client.get("/audit", params={"limit": 3, "cursor": first["next"]})).json()
    assert [entry["target"] for entry in first["entries"]] == ["user-4", "user-3", "user-2"]
    assert [entry["target"] for entry in rest["entries"]] == ["user-1", "user-0"]
    assert rest["next"] is None


async def test_the_log_is_searched_by_who_what_whom_and_when(database_url: str) -> None:
    await add_user(database_url, "keeper")
    async with asking(database_url) as client:
        await client.post("/users", json={"name": "bob"})
        await client.post("/users", json={"name": "cleo"})

        async def found(**wanted: Any) -> list[str]:
            entries = (await client.get("/audit", params=wanted)).json()["entries"]
            return [entry["target"] for entry in entries]

        newest = (await client.get("/audit", params={"limit": 1})).json()["entries"][0]["time"]
        assert await found(target="bob") == ["bob"]
        assert await found(who="admin", action="POST /users") == ["cleo", "bob"]
        assert await found(who="keeper") == []
        assert await found(to=newest - 60_000) == []
        assert await found(**{"from": newest - 60_000}) == ["cleo", "bob"]


async def last_of(client: httpx.AsyncClient, action: str) -> Any:
    """What the newest entry of that action says of afterwards."""
    return (await client.get("/audit", params={"action": action, "limit": 1})).json()["entries"][0]["after"]


async def test_what_a_link_did_is_in_the_log(database_url: str) -> None:
    await add_session(database_url)
    await execute(database_url, "UPDATE users SET totp_secret = 'A' WHERE name = 'ada'")
    link = await add_link(database_url)
    async with asking(database_url) as client:
        await client.post("/session/link", json={"secret": link, "password": NEW})
        client.cookies.clear()
        after = await last_of(client, "POST /session/link")
    assert after.pop("session") > 0
    assert after == {"password": "set", "second_factor_removed": True, "sessions_ended": 1}


async def test_a_recovery_code_that_was_used_is_in_the_log(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        factor = "/session/second-factor"
        totp = pyotp.TOTP((await client.post(factor)).json()["secret"])
        codes = (await client.put(factor, json={"code": totp.at(int(time.time()) - STEP_S)})).json()["codes"]
        answer = await client.post("/session", json={"name": "ada", "password": PASSWORD, "code": codes[0]})
        assert answer.status_code == 200
        entries = (await client.get("/audit", params={"action": "POST /session"})).json()["entries"]
    assert {"recovery_code": "used", "recovery_codes": len(codes) - 1} in [entry["after"] for entry in entries]
