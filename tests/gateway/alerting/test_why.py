"""Why people were told of an incident, or were not."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from infra.storage.database import Connection, connection
from schemas.channels import Channel, Slack
from schemas.matching import Matcher
from schemas.routes import Route
from schemas.rules import default_rules
from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import slack_server
from tests.gateway.asking import asking, get
from tests.gateway.incidents import (
    AT_S,
    end_incident,
    hold_channel,
    message,
    open_incident,
    step,
    store_channel,
    store_route,
    told,
)
from tests.gateway.running import gateway, ready
from tests.waiting import eventually


async def prepared(database: Connection) -> int:
    """An incident of the rule `cpu` on web-1, which a route takes to the channel ops."""
    await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
    await store_route(database, Route("db", "Databases", ["ops"], position=1, match=Matcher(tags=["db"])))
    await store_route(database, Route("all", "All", ["ops"], position=2))
    number = await open_incident(database)
    judged = next(each for each in default_rules() if each.id == "cpu")
    await database.execute(
        "UPDATE incidents SET body = body || jsonb_build_object('rule', $1::jsonb)",
        msgspec.json.encode(judged).decode(),
    )
    await step(database, number, "fired", "critical: cpu.total was 97.5 %, threshold 90 %, since 300 s")
    return number


async def asked(client: httpx.AsyncClient, number: int) -> dict[str, Any]:
    found: dict[str, Any] = await get(client, f"/incidents/{number}/why")
    return found


def texts(why: dict[str, Any], about: str) -> list[str]:
    return [reason["text"] for reason in why["reasons"] if reason["about"] == about]


async def test_the_reasons_come_in_the_order_in_which_it_is_decided(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await step(database, number, "routed", "route all fits; tells ops", AT_S + 1)
        await message(database, "ops", incident=number)
        await told(database, number, "ops")
        await step(database, number, "sent", "fire to ops (alert, 1 in it): 200 ok", AT_S + 2, channel="ops")
        await client.post(f"/incidents/{number}/notes", json={"text": "looking"})
        why = await asked(client, number)
    order = [reason["about"] for reason in why["reasons"]]
    assert list(dict.fromkeys(order)) == ["rule", "selectors", "silence", "route", "delivery", "people"]
    assert texts(why, "rule") == ["critical: cpu.total was 97.5 %, threshold 90 %, since 300 s"]
    assert texts(why, "selectors") == ["host web-1 fits *"]
    assert "route db does not fit: its host has no tag db" in texts(why, "route")
    assert "route all fits: tells ops" in texts(why, "route")
    assert "channel ops was told of it as it is now" in texts(why, "delivery")
    assert (why["told"], why["conclusion"].startswith("ops was told of it")) == (["ops"], True)
    assert not [reason for reason in why["reasons"] if reason["stops"]]


async def test_a_silence_is_named_as_what_keeps_people_from_being_told(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        body = {"match": {"rules": ["cpu"]}, "for_s": 3600, "reason": "new disks"}
        silence = (await client.post("/silences", json=body)).json()["id"]
        await client.post("/silences", json={"match": {"rules": ["disk"]}, "for_s": 3600})
        why = await asked(client, number)
    [text] = texts(why, "silence")
    assert text.startswith(f"silence {silence} holds until")
    assert text.endswith("new disks")
    assert text in why["conclusion"]


async def test_a_muted_host_is_named(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await database.execute("UPDATE hosts SET muted_until = 'infinity'")
        why = await asked(client, number)
    assert texts(why, "silence") == ["host web-1 is muted for good"]


async def test_a_held_channel_is_named_with_the_reason(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await hold_channel(database, "ops")
        why = await asked(client, number)
    assert "channel ops is held: 404 no_service" in why["conclusion"]


async def test_what_the_alert_service_holds_back_is_repeated(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await step(database, number, "held", "held: host web-1 is down", AT_S + 1)
        why = await asked(client, number)
    assert "held: host web-1 is down" in why["conclusion"]


async def test_routes_that_tell_nobody_are_named(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await database.execute("""UPDATE routes SET body = body || '{"channels": []}'""")
        why = await asked(client, number)
    assert "the routes that fit tell nobody" in why["conclusion"]


async def test_an_end_that_a_route_spares_people_is_not_said_to_be_told(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await told(database, number, "ops", 0)
        await end_incident(database, number)
        await step(database, number, "dropped", "ops is not told that it is over", AT_S + 600, channel="ops")
        why = await asked(client, number)
    assert why["told"] == []
    assert "ops is not told that it is over" in texts(why, "delivery")


async def test_a_rule_that_is_gone_or_changed_is_named(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await prepared(database)
        await database.execute("""UPDATE rules SET body = body || '{"for_s": 7}' WHERE id = 'cpu'""")
        changed = await asked(client, number)
        await database.execute("DELETE FROM rules WHERE id = 'cpu'")
        gone = await asked(client, number)
    assert texts(changed, "rule")[-1] == "rule cpu was changed since"
    assert texts(gone, "rule")[-1] == "rule cpu is not there any more"


async def test_an_alert_about_sonde_itself_has_reasons_too(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database, "", "blind", rule_name="Monitoring is blind")
        why = await asked(client, number)
    assert texts(why, "selectors") == ["it is about Sonde itself: rules select no hosts for it"]


async def test_an_alert_that_was_judged_and_told_says_so_and_one_that_is_silenced_says_that(
    database_url: str, bus_url: str
) -> None:
    async with (
        slack_server() as slack,
        fleet(bus_url, database_url, [rule(for_s=0, recover_for_s=0)]) as hosts,
        serving(hosts.settings),
        gateway(database_url, bus_url) as client,
    ):
        await ready(client)
        await hosts.slack(slack.url)
        await hosts.processed(await hosts.cpu([10], at_s=0))
        await hosts.processed(await hosts.cpu([10], at_s=0, host="web-2"))
        silence = await client.post(
            "/silences", json={"match": {"hosts": ["web-2"]}, "for_s": 3600, "reason": "new disks"}
        )
        await hosts.cpu([80], at_s=1)
        await hosts.cpu([80], at_s=1, host="web-2")

        async def reasons(host: str, said: str) -> dict[str, Any] | None:
            found = (await get(client, "/incidents", host=host))["incidents"]
            why = await asked(client, found[0]["id"]) if found else {"conclusion": ""}
            return why if said in why["conclusion"] else None

        told_of = await eventually(lambda: reasons("web-1", "was told of it"))
        held = await eventually(lambda: reasons("web-2", f"silence {silence.json()['id']}"))
    assert told_of is not None
    assert held is not None
    assert told_of["told"] == ["slack"]
    assert any("fire to slack" in text for text in texts(told_of, "delivery"))
    assert held["told"] == []
    assert any(reason["stops"] and "new disks" in reason["text"] for reason in held["reasons"])
    assert len(slack.posts) == 1
