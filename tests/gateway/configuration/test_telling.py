"""Routes and channels in the document, and whose things are whose."""

from __future__ import annotations

import tomllib
from typing import Any

import httpx
import msgspec
import pytest

from infra.storage.database import connection
from schemas.channels import Channel
from tests.gateway.asking import asking, get
from tests.gateway.configuration.test_configuration import changed, export, put
from tests.gateway.rows import execute

URL = "https://hooks.example/verysecret"
OPS = {"id": "ops", "name": "Operators", "target": {"kind": "slack", "url": URL}}
WEB = {"id": "web", "name": "Web", "channels": ["ops"], "match": {"tags": ["web"]}, "escalation": None}
RULE = '{name = "Busy", metric = "cpu.total", critical = {raise_at = 90, clear_at = 80}}'
OTHER = '{name = "Busier", metric = "cpu.total", critical = {raise_at = 95, clear_at = 80}}'


async def telling(client: httpx.AsyncClient) -> None:
    """One channel, and one route to it."""
    for path, body in (("/channels", OPS), ("/routes", WEB)):
        answer = await client.post(path, json=body)
        assert answer.status_code == 201, answer.text


async def url_of(database_url: str, name: str) -> Any:
    async with connection(database_url, "test") as database:
        body = await database.fetchval("SELECT body FROM channels WHERE id = $1", name)
    return msgspec.json.decode(body, type=Channel).target.url  # type: ignore[union-attr]


async def test_routes_and_channels_that_are_exported_and_imported_change_nothing(database_url: str) -> None:
    async with asking(database_url) as client:
        await telling(client)
        text = await export(client)
        assert await changed(client, text, prune=True) == []
        assert await export(client) == text
    document = tomllib.loads(text)
    assert document["channels"]["ops"]["target"] == {"kind": "slack"}
    assert document["routes"]["web"]["match"]["tags"] == ["web"]
    assert await url_of(database_url, "ops") == URL


async def test_a_secret_of_a_channel_is_named_and_neither_exported_nor_shown_nor_audited(database_url: str) -> None:
    new = f'version = 1\nchannels.ops = {{name = "Operators", target = {{kind = "slack", url = "{URL}2"}}}}'
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await telling(client)
        text = await export(client)
        answer = await put(client, new)
        rows = await database.fetch("SELECT before::text, after::text FROM audit")
    assert "# The url of the channel ops: set and left out, as secrets are." in text
    [difference] = answer.json()["differences"]
    assert (difference["before"]["secrets"], difference["after"]["secrets"]) == (
        {"url": "set"},
        {"url": "set to another"},
    )
    assert await url_of(database_url, "ops") == f"{URL}2"
    assert "verysecret" not in text + answer.text + str([tuple(row) for row in rows])


async def test_another_secret_is_a_change_and_the_same_one_is_none(database_url: str) -> None:
    async with asking(database_url) as client:
        await telling(client)
        same = f'version = 1\nchannels.ops = {{name = "Operators", target = {{kind = "slack", url = "{URL}"}}}}'
        assert await changed(client, same) == []
        assert await changed(client, same.replace(URL, f"{URL}2")) == [("channel", "ops", "changed")]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('channels.new = {name = "New", target = {kind = "slack"}}', ["channels.new.target.url"]),
        ('channels.new = {name = "New", target = {kind = "slack", url = {env = "X"}}}', ["channels.new.target.url"]),
        ('channels.new = {name = "New", target = {kind = "pigeon"}}', ["channels.new.target.kind"]),
        ('channels.ops = {id = "ops"}', ["channels.ops.id"]),
        ('routes.new = {name = "New", channels = ["nobody"]}', ["routes.new.channels[0]"]),
        ('routes.new = {name = "New", channels = [], repeat_s = 5}', ["routes.new.repeat_s"]),
        ('channels.ops = {name = "O", fallback = "no", target = {kind = "slack"}}', ["channels.ops.fallback"]),
        ("routes = 1", ["routes"]),
    ],
)
async def test_what_is_wrong_is_named_by_its_path_and_nothing_is_changed(
    text: str, paths: list[str], database_url: str
) -> None:
    async with asking(database_url) as client:
        await telling(client)
        before = await export(client)
        answer = await put(client, f"version = 1\nsettings.raw_days = 3\n{text}")
        assert await export(client) == before
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, paths)


async def test_a_route_and_its_channel_come_in_one_document(database_url: str) -> None:
    text = f"""
        version = 1
        routes.web = {{name = "Web", channels = ["ops"]}}
        channels.ops = {{name = "Operators", target = {{kind = "slack", url = "{URL}"}}}}
    """
    async with asking(database_url) as client:
        assert await changed(client, text) == [("channel", "ops", "created"), ("route", "web", "created")]
        assert await changed(client, text) == []


async def test_a_channel_that_a_route_names_is_not_pruned(database_url: str) -> None:
    async with asking(database_url) as client:
        await telling(client)
        await client.put("/routes/web", json={**WEB, "owner": "platform"}, headers={"If-Match": "*"})
        answer = await put(client, "version = 1", prune=True)
        there = await get(client, "/channels")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (
        400,
        ["routes.web.channels[0]"],
    )
    assert len(there["channels"]) == 1


async def test_an_owner_s_import_makes_things_theirs_and_is_idempotent(database_url: str) -> None:
    text = f"version = 1\nrules.busy = {RULE}"
    async with asking(database_url) as client:
        assert await changed(client, text, owner="platform") == [("rule", "busy", "created")]
        assert await changed(client, text, owner="platform", prune=True) == []
        rule = (await get(client, "/rules/busy"))["rule"]
    assert rule["owner"] == "platform"


async def test_what_belongs_to_people_is_left_alone_unless_it_is_adopted(database_url: str) -> None:
    text = f"version = 1\nrules.cpu = {OTHER}"
    async with asking(database_url) as client:
        answer = await put(client, text, owner="platform")
        kept = (await get(client, "/rules/cpu"))["rule"]["name"]
        adopted = await changed(client, text, owner="platform", adopt=True)
        rule = (await get(client, "/rules/cpu"))["rule"]
    [difference] = answer.json()["differences"]
    assert (difference["what"], "it belongs to people" in difference["reason"]) == ("skipped", True)
    assert kept == "CPU busy"
    assert adopted == [("rule", "cpu", "changed")]
    assert (rule["name"], rule["owner"]) == ("Busier", "platform")


async def test_what_belongs_to_another_owner_is_left_alone(database_url: str) -> None:
    async with asking(database_url) as client:
        await changed(client, f"version = 1\nrules.busy = {RULE}", owner="platform")
        for query in ({"owner": "shop"}, {}):
            answer = await put(client, f"version = 1\nrules.busy = {OTHER}", **query)
            [difference] = answer.json()["differences"]
            assert (difference["what"], "belongs to platform" in difference["reason"]) == ("skipped", True)


async def test_an_owner_prunes_only_what_is_theirs(database_url: str) -> None:
    async with asking(database_url) as client:
        await telling(client)
        await execute(database_url, "INSERT INTO settings (key, value) VALUES ('raw_days', '3')")
        await changed(client, f"version = 1\nrules.mine = {RULE}\nrules.also = {RULE}", owner="platform")
        await changed(client, f"version = 1\nrules.theirs = {RULE}", owner="shop")
        before = tomllib.loads(await export(client))
        pruned = await changed(client, f"version = 1\nrules.also = {RULE}", owner="platform", prune=True)
        after = tomllib.loads(await export(client))
    assert pruned == [("rule", "mine", "deleted")]
    del before["rules"]["mine"]
    assert after == before


async def test_people_prune_nothing_that_an_owner_keeps(database_url: str) -> None:
    async with asking(database_url) as client:
        await changed(client, f"version = 1\nrules.theirs = {RULE}", owner="shop")
        await changed(client, "version = 1", prune=True)
        rules = [each["rule"]["id"] for each in (await get(client, "/rules"))["rules"]]
    assert rules == ["theirs"]


async def test_a_document_of_another_owner_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        text = f"version = 1\nrules.busy = {RULE[:-1]}, owner = 'shop'}}"
        answer = await put(client, text, owner="platform")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["rules.busy.owner"])


async def test_stored_routes_and_channels_that_cannot_be_read_are_left_out_and_stay(database_url: str) -> None:
    for table in ("routes", "channels"):
        await execute(database_url, f"INSERT INTO {table} (id, body) VALUES ('odd', '{{\"a\": 1}}')")  # noqa: S608
    async with asking(database_url) as client:
        text = await export(client)
        assert await changed(client, text, prune=True) == []
        assert len((await get(client, "/routes"))["unreadable"]) == 1
    assert "# The route odd is left out" in text
    assert "# The channel odd is left out" in text


async def test_a_rule_about_one_host_is_skipped_until_that_host_is_there(database_url: str) -> None:
    text = f'version = 1\nrules.busy = {RULE[:-1]}, host = "web-1"}}'
    async with asking(database_url) as client:
        assert await changed(client, text) == [("rule", "busy", "skipped")]
        await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
        assert await changed(client, text) == [("rule", "busy", "created")]
        await execute(database_url, "DELETE FROM hosts")
        assert await changed(client, text) == []
