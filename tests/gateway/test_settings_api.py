"""`/settings`."""

from __future__ import annotations

import asyncio

from schemas.settings import SettingChanged, setting_keys
from tests.gateway.running import gateway, ready, watching
from tests.gateway.test_rules_api import announcements

SECRET = "https://hooks.slack.example/services/T/B/verysecret"  # noqa: S105 -- of no service


async def test_every_setting_is_listed_with_its_default(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        settings = (await client.get("/settings")).json()["settings"]
    assert [setting["key"] for setting in settings] == setting_keys()
    days = next(setting for setting in settings if setting["key"] == "raw_days")
    assert days.pop("description")
    assert days == {"key": "raw_days", "value": 7, "default": 7, "version": 0, "secret": False, "set": False}


async def test_a_setting_is_changed_and_read_back(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        put = await client.put("/settings/raw_days", json={"value": 3})
        read = await client.get("/settings/raw_days")
    assert put.status_code == 200
    assert put.json() == read.json()
    assert (read.json()["value"], read.json()["version"], read.json()["set"]) == (3, 1, True)
    assert read.headers["etag"] == '"1"'


async def test_a_setting_changed_meanwhile_is_not_overwritten(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        stale = [await client.put("/settings/raw_days", json={"value": 3}, headers={"If-Match": "5"})]
        first = await client.put("/settings/raw_days", json={"value": 3}, headers={"If-Match": "0"})
        stale.append(await client.put("/settings/raw_days", json={"value": 4}, headers={"If-Match": "0"}))
        second = await client.put("/settings/raw_days", json={"value": 5}, headers={"If-Match": '"1"'})
        stale.append(await client.put("/settings/raw_days", json={"value": 6}, headers={"If-Match": '"1"'}))
    assert (first.json()["version"], second.json()["version"]) == (1, 2)
    assert [answer.status_code for answer in stale] == [412, 412, 412]
    assert [answer.headers["etag"] for answer in stale] == ['"0"', '"1"', '"2"']


async def test_a_secret_goes_in_and_never_comes_out(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        before = await client.get("/settings/slack_webhook_url")
        put = await client.put("/settings/slack_webhook_url", json={"value": SECRET})
        one = await client.get("/settings/slack_webhook_url")
        every = await client.get("/settings")
        wrong = await client.put("/settings/slack_webhook_url", json={"value": f"ftp{SECRET}"})
        emptied = await client.put("/settings/slack_webhook_url", json={"value": ""})
    assert "verysecret" not in put.text + one.text + every.text + wrong.text
    assert (before.json()["set"], one.json()["set"], emptied.json()["set"]) == (False, True, False)
    assert (one.json()["value"], one.json()["secret"]) == (None, True)
    assert wrong.status_code == 400


async def test_a_change_is_announced_to_services_and_viewers(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, announcements(bus_url) as heard:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("snapshot")
            await client.put("/settings/raw_days", json={"value": 3})
            event = await stream.until("settings")
            async with asyncio.timeout(5):
                assert await heard.get() == SettingChanged("raw_days", 1)
    assert event.data == {"key": "raw_days", "version": 1}


async def test_a_setting_takes_effect_at_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await client.put("/settings/dashboard_url", json={"value": "https://sonde.example:8443/x"})
        async with asyncio.timeout(5):
            while (await client.get("/hosts", headers={"Host": "sonde.example"})).status_code != 200:
                await asyncio.sleep(0.02)
        other = await client.get("/hosts", headers={"Host": "evil.example"})
    assert (other.status_code, other.headers["content-type"]) == (421, "application/problem+json")
