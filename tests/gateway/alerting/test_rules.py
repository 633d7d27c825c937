"""`/rules`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from nats.aio.msg import Msg

from schemas.rules import Rule, Threshold, default_rules
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.gateway.running import ANY, gateway, publishing, ready

RULE = Rule("hot", "Too hot", "gpu.temperature", critical=Threshold(90, 85))
JSON: Any = msgspec.to_builtins(RULE)


@asynccontextmanager
async def announcements(bus_url: str) -> AsyncIterator[asyncio.Queue[SettingChanged]]:
    """What is announced on `settings.changed`."""
    heard: asyncio.Queue[SettingChanged] = asyncio.Queue()

    async def hear(message: Msg) -> None:
        heard.put_nowait(msgspec.json.decode(message.data, type=SettingChanged))

    async with publishing(bus_url) as client:
        await client.subscribe(SETTINGS_CHANGED, cb=hear)
        await client.flush()
        yield heard


async def test_a_fresh_database_has_the_default_rules(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        rules = (await client.get("/rules")).json()["rules"]
    assert [(item["rule"], item["version"]) for item in rules] == [
        (msgspec.to_builtins(rule), 1) for rule in sorted(default_rules(), key=lambda rule: rule.id)
    ]


async def test_a_rule_lives_through_its_whole_life(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        added = await client.post("/rules", json=JSON)
        read = await client.get("/rules/hot")
        changed = await client.put("/rules/hot", json={**JSON, "name": "Much too hot"}, headers=ANY)
        deleted = await client.delete("/rules/hot")
        gone = await client.get("/rules/hot")
    assert (added.status_code, added.json()) == (201, {"rule": JSON, "version": 1})
    assert (read.json(), read.headers["etag"]) == ({"rule": JSON, "version": 1}, '"1"')
    assert changed.json() == {"rule": {**JSON, "name": "Much too hot"}, "version": 2}
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert gone.status_code == 404


async def test_a_stored_rule_that_cannot_be_read_is_named_with_its_remedy(database_url: str) -> None:
    body = '{"of": "a later version"}'
    await execute(database_url, "INSERT INTO rules (id, body, version) VALUES ('later', $1, 4)", body)
    async with asking(database_url) as client:
        unreadable = await client.get("/rules/later")
        replaced = await client.put("/rules/later", json={**JSON, "id": "later"}, headers={"If-Match": '"4"'})
        read = await client.get("/rules/later")
    assert (unreadable.status_code, unreadable.json()["type"]) == (409, "/problems/unreadable-rule")
    assert unreadable.headers["etag"] == '"4"'
    assert "PUT /api/v1/rules/later replaces it, DELETE removes it" in unreadable.json()["detail"]
    assert (replaced.status_code, read.status_code) == (200, 200)


async def test_a_stored_rule_that_cannot_be_read_breaks_no_list_and_is_shown_with_the_reason(database_url: str) -> None:
    body = '{"id": "later", "name": "Later", "metric": 7}'
    await execute(database_url, "INSERT INTO rules (id, body, version) VALUES ('later', $1, 4)", body)
    async with asking(database_url) as client:
        listed = (await client.get("/rules")).json()
    assert len(listed["rules"]) == len(default_rules())
    assert listed["unreadable"] == [{"id": "later", "version": 4, "reason": "metric must be a string"}]


async def test_a_check_names_every_field_that_makes_no_sense_and_changes_nothing(database_url: str) -> None:
    wrong = {**JSON, "metric": "cpu.total", "instance": "gpu0", "critical": {"raise_at": 101, "clear_at": 90}}
    async with asking(database_url) as client:
        refused = (await client.post("/rules/check", json=wrong)).json()
        fine = (await client.post("/rules/check", json=JSON)).json()
        there = await client.get("/rules/hot")
    assert not refused["ok"]
    assert [error["field"] for error in refused["errors"]] == ["instance", "critical.raise_at"]
    assert all(error["reason"] for error in refused["errors"])
    assert (fine, there.status_code) == ({"ok": True, "errors": []}, 404)


async def test_a_rule_keeps_its_window_second_condition_and_overrides(database_url: str) -> None:
    rule = {
        **JSON,
        "metric": "filesystem.used_percent",
        "window": {"function": "avg", "seconds": 300, "limit": None},
        "also": {"metric": "filesystem.available", "comparison": "below", "value": 1e10},
        "no_data": "alert",
        "tags": ["web"],
        "overrides": [{"hosts": ["db-*"], "critical": {"raise_at": 95, "clear_at": 90}}],
    }
    async with asking(database_url) as client:
        made = await client.post("/rules", json=rule)
        read = (await client.get("/rules/hot")).json()["rule"]
    assert made.status_code == 201, made.text
    assert {name: read[name] for name in ("window", "also", "no_data", "tags")} == {
        name: rule[name] for name in ("window", "also", "no_data", "tags")
    }
    assert read["overrides"][0]["critical"] == {"raise_at": 95, "clear_at": 90}


async def test_a_rule_that_an_earlier_version_took_can_be_switched_off_and_not_be_kept_as_another(
    database_url: str,
) -> None:
    old = {**JSON, "id": "old", "metric": "cpu.total", "critical": {"raise_at": 101, "clear_at": 90}}
    await execute(database_url, "INSERT INTO rules (id, body) VALUES ('old', $1)", msgspec.json.encode(old).decode())
    async with asking(database_url) as client:
        off = await client.put("/rules/old", json={**old, "enabled": False}, headers=ANY)
        renamed = await client.put("/rules/old", json={**old, "enabled": False, "name": "New"}, headers=ANY)
        on = await client.put("/rules/old", json=old, headers=ANY)
        left = (await client.get("/rules/old")).json()
    assert (off.status_code, renamed.status_code, on.status_code) == (200, 400, 400)
    assert [error["field"] for error in on.json()["errors"]] == ["critical.raise_at"]
    assert (left["rule"]["enabled"], left["version"]) == (False, 2)


async def test_a_rule_that_an_earlier_version_took_can_be_switched_off_and_on_while_it_can_fire(
    database_url: str,
) -> None:
    half = {**JSON, "id": "old", "metric": "cpu.total", "warning": {"raise_at": 90, "clear_at": 80}}
    half["critical"] = {"raise_at": 101, "clear_at": 90}
    await execute(database_url, "INSERT INTO rules (id, body) VALUES ('old', $1)", msgspec.json.encode(half).decode())
    async with asking(database_url) as client:
        for enabled in (False, True):
            answer = await client.put("/rules/old", json={**half, "enabled": enabled}, headers=ANY)
            assert answer.status_code == 200, answer.text


async def test_a_rule_changed_meanwhile_is_not_overwritten(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await client.post("/rules", json=JSON)
        mine = await client.put("/rules/hot", json={**JSON, "for_s": 5}, headers={"If-Match": '"1"'})
        theirs = await client.put("/rules/hot", json={**JSON, "for_s": 9}, headers={"If-Match": "1"})
        kept = await client.delete("/rules/hot", headers={"If-Match": '"1"'})
        rule = (await client.get("/rules/hot")).json()
        forced = await client.put("/rules/hot", json=JSON, headers={"If-Match": "*"})
    assert (mine.status_code, theirs.status_code, kept.status_code) == (200, 412, 412)
    assert theirs.headers["etag"] == '"2"'
    assert theirs.json()["type"] == "/problems/version-conflict"
    assert (rule["rule"]["for_s"], rule["version"]) == (5, 2)
    assert forced.json()["version"] == 3


async def test_an_id_that_is_taken_is_a_conflict(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await client.post("/rules", json=JSON)
        again = await client.post("/rules", json=JSON)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/exists")


async def test_every_change_is_announced(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, announcements(bus_url) as heard:
        await ready(client)
        await client.post("/rules", json=JSON)
        await client.put("/rules/hot", json=JSON, headers=ANY)
        await client.delete("/rules/hot")
        async with asyncio.timeout(40):
            changes = [await heard.get() for _ in range(3)]
    assert changes == [SettingChanged("rules", 1), SettingChanged("rules", 2), SettingChanged("rules", 2)]


async def test_a_stored_rule_that_is_on_and_cannot_be_judged_is_named_with_the_reason(database_url: str) -> None:
    for name, metric, enabled in (
        ("gone", "gpu.colour", True),
        ("off", "gpu.colour", False),
        ("well", "cpu.total", True),
    ):
        body = msgspec.json.encode(msgspec.structs.replace(RULE, id=name, metric=metric, enabled=enabled)).decode()
        await execute(database_url, "INSERT INTO rules (id, body) VALUES ($1, $2)", name, body)
    async with asking(database_url) as client:
        listed = (await client.get("/rules")).json()
    [rule] = listed["not_judged"]
    assert (rule["id"], rule["version"]) == ("gone", 1)
    assert "unknown metric" in rule["reason"]
    assert {"gone", "off", "well"} <= {stored["rule"]["id"] for stored in listed["rules"]}


async def test_a_rule_about_a_host_that_is_not_there_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        added = await client.post("/rules", json={**JSON, "host": "web-1"})
        checked = (await client.post("/rules/check", json={**JSON, "host": "web-1"})).json()
        to_come = await client.post("/rules", json={**JSON, "host": "web-*"})
        narrowed = await client.put("/rules/hot", json={**JSON, "host": "web-1"}, headers=ANY)
    for answer in (added, narrowed):
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["field"], error["value"]) == (400, "host", "web-1")
        assert "there is no such host" in error["reason"]
    assert (checked["ok"], [error["field"] for error in checked["errors"]]) == (False, ["host"])
    assert to_come.status_code == 201


async def test_a_rule_whose_host_was_removed_can_still_be_changed(database_url: str) -> None:
    await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
    async with asking(database_url) as client:
        added = await client.post("/rules", json={**JSON, "host": "web-1"})
        await execute(database_url, "DELETE FROM hosts")
        changed = await client.put("/rules/hot", json={**JSON, "host": "web-1", "name": "Hotter"}, headers=ANY)
    assert (added.status_code, changed.status_code) == (201, 200)


async def test_a_rule_about_a_channel_that_is_not_there_is_refused(database_url: str) -> None:
    held = {**JSON, "metric": "channel.held", "instance": "ops"}
    async with asking(database_url) as client:
        answer = await client.post("/rules", json=held)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["instance"])
