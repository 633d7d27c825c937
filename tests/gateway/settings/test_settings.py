"""`/settings`."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from infra.storage import database
from infra.storage.database import Connection
from schemas.settings import SettingChanged, setting_keys
from tests.gateway.alerting.test_rules import announcements
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.gateway.running import ANY, gateway, ready, watching
from tests.waiting import eventually

SECRET = "https://hooks.slack.example/services/T/B/verysecret"  # noqa: S105 -- of no service


async def test_every_setting_is_listed_with_its_default(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        settings = (await client.get("/settings")).json()["settings"]
    assert [setting["key"] for setting in settings] == setting_keys()
    days = next(setting for setting in settings if setting["key"] == "raw_days")
    assert days.pop("description")
    assert days == {
        "key": "raw_days",
        "value": 7,
        "default": 7,
        "version": 0,
        "secret": False,
        "set": False,
        "invalid": "",
    }


async def test_a_setting_is_changed_and_read_back(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        put = await client.put("/settings/raw_days", json={"value": 3}, headers=ANY)
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


async def test_a_blind_change_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        answers = [
            await client.put("/settings/raw_days", json={"value": 3}),
            await client.delete("/settings/raw_days"),
            await client.put("/rules/cpu-busy", json={}),
            await client.put("/agents/config", json={}),
        ]
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [
        (428, "/problems/version-required")
    ] * 4


async def test_a_setting_that_was_reset_is_at_its_default_and_its_versions_go_on(database_url: str) -> None:
    async with asking(database_url) as client:
        await client.put("/settings/raw_days", json={"value": 3}, headers=ANY)
        stale = await client.delete("/settings/raw_days", headers={"If-Match": '"7"'})
        reset = await client.delete("/settings/raw_days", headers={"If-Match": '"1"'})
        read = await client.get("/settings/raw_days")
        before = await client.put("/settings/raw_days", json={"value": 4}, headers={"If-Match": '"1"'})
        after = await client.put("/settings/raw_days", json={"value": 4}, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
    assert reset.json() == read.json()
    assert (read.json()["value"], read.json()["set"], read.headers["etag"]) == (7, False, '"2"')
    assert (before.status_code, after.status_code) == (412, 200)


async def test_a_reset_that_goes_not_with_the_others_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        await client.put("/settings/raw_days", json={"value": 2}, headers=ANY)
        await client.put("/settings/minute_days", json={"value": 3}, headers=ANY)
        answer = await client.delete("/settings/raw_days", headers=ANY)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "raw_days"


async def test_a_secret_goes_in_and_never_comes_out(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        before = await client.get("/settings/heartbeat_url")
        put = await client.put("/settings/heartbeat_url", json={"value": SECRET}, headers=ANY)
        one = await client.get("/settings/heartbeat_url")
        every = await client.get("/settings")
        wrong = await client.put("/settings/heartbeat_url", json={"value": f"ftp{SECRET}"}, headers=ANY)
        emptied = await client.put("/settings/heartbeat_url", json={"value": ""}, headers=ANY)
    assert "verysecret" not in put.text + one.text + every.text + wrong.text
    assert (before.json()["set"], one.json()["set"], emptied.json()["set"]) == (False, True, False)
    assert (one.json()["value"], one.json()["secret"]) == (None, True)
    assert wrong.status_code == 400


async def test_a_change_is_announced_to_services_and_viewers(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, announcements(bus_url) as heard:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("snapshot")
            await client.put("/settings/raw_days", json={"value": 3}, headers=ANY)
            event = await stream.until("settings")
            async with asyncio.timeout(40):
                assert await heard.get() == SettingChanged("raw_days", 1)
    assert event.data == {"key": "raw_days", "version": 1}


async def second_viewer(client: httpx.AsyncClient) -> int:
    """What somebody is answered who wants to watch beside one who does."""
    async with watching(client) as stream:
        await stream.until("snapshot")
        async with client.stream("GET", "/live") as response:
            return response.status_code


async def test_a_setting_takes_effect_at_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        assert await second_viewer(client) == 200
        await client.put("/settings/max_viewers", json={"value": 1}, headers={"If-Match": "0"})

        async def refused() -> bool:
            return await second_viewer(client) == 503

        await eventually(refused)


async def refused(client: httpx.AsyncClient, key: str, days: int) -> str:
    answer = await client.put(f"/settings/{key}", json={"value": days}, headers=ANY)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "/problems/invalid"
    detail: str = answer.json()["detail"]
    return detail


async def test_what_replaces_something_may_not_go_before_it(database_url: str) -> None:
    async with asking(database_url) as client:
        long = await refused(client, "raw_days", 31)
        short = await refused(client, "minute_days", 6)
        past = await refused(client, "minute_days", 731)
        read = [(await client.get(f"/settings/{key}")).json()["version"] for key in ("raw_days", "minute_days")]
    assert long.startswith("raw_days: 31: must not exceed minute_days, which is 30; raise minute_days to at least 31")
    assert short.startswith("raw_days: 7: must not exceed minute_days, which is 6")
    assert past.startswith("minute_days: 731: must not exceed hour_days, which is 730")
    assert read == [0, 0]


async def waiting(connection: Connection) -> bool:
    """Whether somebody waits for a lock of the table."""
    return bool(
        await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'settings'::regclass")
    )


async def test_a_change_waits_for_one_under_way_and_sees_it(database_url: str) -> None:
    async with asking(database_url) as client, database.connection(database_url, "test") as other:
        changing = other.transaction()
        await changing.start()
        await other.execute("INSERT INTO settings (key, value) VALUES ('raw_days', '20')")
        async with asyncio.TaskGroup() as group:
            put = group.create_task(client.put("/settings/minute_days", json={"value": 10}, headers=ANY))
            await eventually(lambda: waiting(other))
            await changing.commit()
    assert put.result().status_code == 400
    assert put.result().json()["detail"].startswith("raw_days: 20: must not exceed minute_days, which is 10")


async def test_settings_that_were_at_odds_before_are_mended_in_steps(database_url: str) -> None:
    await execute(database_url, "INSERT INTO settings (key, value) VALUES ('raw_days', '900')")
    async with asking(database_url) as client:
        other = await client.put("/settings/max_viewers", json={"value": 7}, headers=ANY)
        worse = await refused(client, "raw_days", 901)
        early = await refused(client, "minute_days", 900)
        steps = [
            await client.put(f"/settings/{key}", json={"value": 900}, headers=ANY)
            for key in ("hour_days", "minute_days")
        ]
    assert "901" in worse
    assert early.startswith("minute_days: 900: must not exceed hour_days, which is 730")
    assert [answer.status_code for answer in (other, *steps)] == [200, 200, 200]


async def test_a_stored_value_that_is_none_any_more_can_be_replaced(database_url: str) -> None:
    await execute(database_url, """INSERT INTO settings (key, value) VALUES ('raw_days', '"many"')""")
    async with asking(database_url) as client:
        other = await client.put("/settings/max_viewers", json={"value": 7}, headers=ANY)
        mended = await client.put("/settings/raw_days", json={"value": 9}, headers=ANY)
    assert (other.status_code, mended.status_code) == (200, 200)


@pytest.mark.parametrize("text", ["0", '{"days": 7}', "1" * 5000], ids=["bounds", "type", "digits without end"])
async def test_a_stored_value_that_cannot_be_used_is_shown_with_what_is_in_force_and_why(
    database_url: str, text: str
) -> None:
    await execute(database_url, f"INSERT INTO settings (key, value) VALUES ('raw_days', '{text}')")  # noqa: S608
    async with asking(database_url) as client:
        shown = (await client.get("/settings/raw_days")).json()
    assert shown["invalid"] == f"{text[:100]}: must be a whole number from 1 to 3650"
    assert (shown["value"], shown["set"], shown["version"]) == (7, True, 1)


async def test_an_invalid_stored_value_leaves_the_others_in_force_and_live(database_url: str, bus_url: str) -> None:
    await execute(database_url, "INSERT INTO settings (key, value) VALUES ('raw_days', '0'), ('not_known', '[]')")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await client.put("/settings/max_viewers", json={"value": 1}, headers={"If-Match": "0"})

        async def refused() -> bool:
            return await second_viewer(client) == 503

        await eventually(refused)


async def test_an_invalid_stored_secret_is_not_shown(database_url: str) -> None:
    await execute(database_url, """INSERT INTO settings (key, value) VALUES ('heartbeat_url', '"verysecret"')""")
    async with asking(database_url) as client:
        shown = await client.get("/settings/heartbeat_url")
    assert shown.json()["invalid"].startswith("the stored value: must be empty, or an address")
    assert "verysecret" not in shown.text


AUDITED = "SELECT target, before, after FROM audit ORDER BY id"


async def test_changes_are_in_the_audit_log_secrets_left_out(database_url: str) -> None:
    async with asking(database_url) as client:
        await client.put("/settings/raw_days", json={"value": 3}, headers=ANY)
        await client.delete("/settings/raw_days", headers=ANY)
        await client.put("/settings/heartbeat_url", json={"value": SECRET}, headers=ANY)
    async with database.connection(database_url, "test") as connection:
        rows = [tuple(row) for row in await connection.fetch(AUDITED)]
    assert rows == [
        ("raw_days", '{"value": 7}', '{"value": 3}'),
        ("raw_days", '{"value": 3}', '{"value": 7}'),
        ("heartbeat_url", '{"set": false}', '{"set": true}'),
    ]
