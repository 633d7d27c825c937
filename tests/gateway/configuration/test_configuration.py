"""`/configuration` on real tables."""

from __future__ import annotations

import asyncio
import json
import tomllib
from typing import Any

import httpx
import pytest

from infra.storage.database import connection
from schemas.settings import SettingChanged
from tests.gateway.alerting.test_rules import announcements
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.gateway.running import gateway, ready, watching
from tests.people import add_token, bearing

ANY = {"If-Match": "*"}
SECRET = "https://hooks.slack.example/services/T/B/verysecret"  # noqa: S105 -- of no service
RULE = '{name = "Busy", metric = "cpu.total", critical = {raise_at = 90, clear_at = 80}}'


async def export(client: httpx.AsyncClient) -> str:
    answer = await client.get("/configuration")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/toml; charset=utf-8"
    return answer.text


async def put(client: httpx.AsyncClient, text: str, **query: Any) -> httpx.Response:
    return await client.put(
        "/configuration", content=text.encode(), params=query, headers={"content-type": "application/toml"}
    )


async def changed(client: httpx.AsyncClient, text: str, **query: Any) -> list[tuple[str, str, str]]:
    answer = await put(client, text, **query)
    assert answer.status_code == 200, answer.text
    return [(each["kind"], each["name"], each["what"]) for each in answer.json()["differences"]]


async def some(client: httpx.AsyncClient, database_url: str) -> None:
    """Something of everything."""
    await execute(database_url, "INSERT INTO hosts (name, tags) VALUES ('web-1', '{prod}')")
    for key, value in (("raw_days", 3), ("heartbeat_url", SECRET)):
        assert (await client.put(f"/settings/{key}", json={"value": value}, headers=ANY)).status_code == 200
    for path in ("/agents/config", "/hosts/web-1/config"):
        config = {"sample_interval_s": 2, "families": {"disk": {"exclude": ["loop*"]}}}
        assert (await client.put(path, json=config, headers=ANY)).status_code == 200
    await client.patch("/hosts/web-1", json={"label": "Shop", "note": "Two\nlines."})


async def test_what_is_exported_and_imported_changes_nothing(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        text = await export(client)
        assert await changed(client, text) == []
        assert await changed(client, text, prune=True) == []
        assert await export(client) == text
    document = tomllib.loads(text)
    assert document["settings"] == {"raw_days": 3}
    assert document["hosts"] == {"web-1": {"label": "Shop", "tags": ["prod"], "note": "Two\nlines."}}
    assert document["agents"]["hosts"]["web-1"] == document["agents"]["fleet"]
    assert "host-down" in document["rules"]


async def test_secrets_are_named_and_not_exported(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        text = await export(client)
    assert "# The setting heartbeat_url is set and left out" in text
    assert "verysecret" not in text


async def test_an_empty_installation_becomes_what_another_one_is(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        text = await export(client)
        for table in ("settings", "agent_configs", "rules"):
            await execute(database_url, f"DELETE FROM {table}")  # noqa: S608
        await execute(database_url, "UPDATE hosts SET label = '', tags = '{}', note = ''")
        assert {what for _, _, what in await changed(client, text)} == {"created"}
        assert tomllib.loads(await export(client)) == tomllib.loads(text)


async def test_a_dry_run_says_what_would_change_and_changes_nothing(database_url: str) -> None:
    async with asking(database_url) as client:
        before = await export(client)
        answer = await put(client, f"version = 1\nsettings.raw_days = 3\nrules.busy = {RULE}", dry_run=True)
        assert await export(client) == before
    assert answer.json()["applied"] is False
    assert [(each["name"], each["what"], each["before"], each["after"]) for each in answer.json()["differences"]][
        1
    ] == (
        "raw_days",
        "created",
        None,
        3,
    )


async def test_a_part_of_a_document_changes_that_part(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        assert await changed(client, "version = 1\nsettings.raw_days = 4\nhosts.web-1.label = 'Bar'") == [
            ("host", "web-1", "changed"),
            ("setting", "raw_days", "changed"),
        ]


async def test_what_a_document_lacks_is_deleted_if_that_is_asked_for(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        found = await changed(client, f"version = 1\nrules.busy = {RULE}", prune=True)
        assert ("rule", "busy", "created") in found
        assert ("rule", "host-down", "deleted") in found
        assert ("setting", "raw_days", "deleted") in found
        assert ("agent", "*", "deleted") in found
        assert ("host", "web-1", "deleted") in found
        rest = tomllib.loads(await export(client))
        assert (rest["settings"], list(rest["rules"]), rest["agents"], rest["hosts"]) == (
            {},
            ["busy"],
            {"hosts": {}},
            {},
        )
        assert (await client.get("/settings/heartbeat_url")).json()["set"] is True


async def test_a_document_that_is_wrong_anywhere_changes_nothing(database_url: str) -> None:
    async with asking(database_url) as client:
        before = await export(client)
        answer = await put(client, "version = 1\nsettings.raw_days = 3\nsettings.minute_days = 2\nhosts.web-1.tags = 3")
        together = await put(client, "version = 1\nsettings.raw_days = 3\nsettings.minute_days = 2")
        assert await export(client) == before
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["hosts.web-1.tags"])
    assert (together.status_code, [error["field"] for error in together.json()["errors"]]) == (
        400,
        ["settings.raw_days"],
    )


async def test_every_fault_of_a_rule_that_changes_is_named_by_its_path(database_url: str) -> None:
    async with asking(database_url) as client:
        before = await export(client)
        new = 'rules.new = {name = "a", metric = "no.such"}\nrules.cpu.name = "b"\nrules.cpu.metric = "cpu.total"'
        answer = await put(client, f"version = 1\n{new}\nrules.cpu.critical = {{raise_at = 101, clear_at = 90}}")
        assert await export(client) == before
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (
        400,
        ["rules.cpu.critical.raise_at", "rules.new.metric", "rules.new.critical"],
    )


async def test_a_rule_that_an_earlier_version_took_hinders_no_import(database_url: str) -> None:
    body = '{"id": "old", "name": "Old", "metric": "cpu.total", "critical": {"raise_at": 101, "clear_at": 90}}'
    await execute(database_url, "INSERT INTO rules (id, body) VALUES ('old', $1)", body)
    async with asking(database_url) as client:
        text = await export(client)
        assert await changed(client, text, prune=True) == []
        off = text.replace("enabled = true", "enabled = false")
        assert ("rule", "old", "changed") in await changed(client, off)


async def test_each_change_is_in_the_audit_log(database_url: str) -> None:
    async with asking(database_url) as client:
        await some(client, database_url)
        await execute(database_url, "DELETE FROM audit")
        text = f'version = 1\nsettings.raw_days = 4\nsettings.heartbeat_url = "{SECRET}2"\nhosts.web-1.label = "x"'
        await changed(client, text)
    async with connection(database_url, "test") as database:
        rows = [tuple(row) for row in await database.fetch("SELECT action, target, after FROM audit ORDER BY id")]
    assert [(action, target) for action, target, _ in rows] == [
        ("PUT /configuration", "web-1"),
        ("PUT /configuration", "setting heartbeat_url"),
        ("PUT /configuration", "setting raw_days"),
    ]
    assert json.loads(rows[2][2]) == 4
    assert "verysecret" not in str(rows)


async def test_a_change_is_announced_and_shown_at_once(database_url: str, bus_url: str) -> None:
    await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
    async with gateway(database_url, bus_url) as client, announcements(bus_url) as heard:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("snapshot")
            await changed(
                client, f"version = 1\nsettings.raw_days = 4\nrules.busy = {RULE}\nhosts.web-1.label = 'Shop'"
            )
            await stream.until("host", lambda host: host["label"] == "Shop")
        async with asyncio.timeout(40):
            told = {(await heard.get()).key for _ in range(3)}
    assert told == {"raw_days", "rules", "tended"}
    assert SettingChanged("raw_days", 0).key in told


async def test_stored_things_that_cannot_be_read_are_left_out_and_named(database_url: str) -> None:
    await execute(database_url, "INSERT INTO settings (key, value) VALUES ('raw_days', '0'), ('unknown', '1')")
    await execute(database_url, "INSERT INTO rules (id, body) VALUES ('odd', '{\"a\": 1}')")
    await execute(database_url, 'INSERT INTO agent_configs (body) VALUES (\'{"sample_interval_s": "x"}\')')
    async with asking(database_url) as client:
        text = await export(client)
        assert await changed(client, text, prune=True) == []
    assert "# The setting raw_days is left out: what is stored must be a whole number from 1 to 3650." in text
    assert "# The rule odd is left out" in text
    assert "# The settings of the agents of the fleet are left out" in text


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"version = 1\n#" + b"x" * 524_288, "application/toml", 413),
        (b"version = 1\n#" + b"x" * 500_000, "application/toml; charset=utf-8", 200),
    ],
)
async def test_a_body_is_toml_of_at_most_half_a_megabyte(
    database_url: str, content: bytes, media_type: str, status: int
) -> None:
    async with asking(database_url) as client:
        answer = await client.put("/configuration", content=content, headers={"content-type": media_type})
    assert answer.status_code == status, answer.text


async def test_only_an_admin_may(database_url: str) -> None:
    async with asking(database_url) as client:
        bearing(client, await add_token(database_url, "operator"))
        assert (await client.get("/configuration")).status_code == 403
        assert (await put(client, "version = 1")).status_code == 403
