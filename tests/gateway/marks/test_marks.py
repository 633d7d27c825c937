"""What happened to hosts, as their charts show it."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest

from infra.generate.declared import declared
from infra.storage.database import connection, ensure_hosts
from schemas.messages import HostEvent, HostFacts
from services.gateway.marks.read import IMPORT, MUTES, ORDERS
from services.gateway.marks.words import SETTINGS
from tests.gateway.asking import asking, get
from tests.gateway.incidents import AT_S, at, end_incident, open_incident
from tests.gateway.rows import execute
from tests.gateway.running import gateway, publishing, ready
from tests.people import add_token
from tests.waiting import eventually

AT_MS = round(AT_S * 1000)
HOUR = {"from_": AT_MS, "to": AT_MS + 3_600_000}


async def event(
    database_url: str, kind: str, after_s: float, ended_s: float | None = None, host: str = "web-1", **body: Any
) -> None:
    async with connection(database_url, "tests") as database:
        host_id = (await ensure_hosts(database, [host]))[host]
        ended = None if ended_s is None else at(AT_S + ended_s)
        await database.execute(
            "INSERT INTO host_events (host_id, time, ended, kind, body) VALUES ($1, $2, $3, $4, $5)",
            *(host_id, at(AT_S + after_s), ended, kind, json.dumps(body)),
        )


async def done(
    database_url: str, action: str, after_s: float, before: Any = None, after: Any = None, target: str = "web-1"
) -> None:
    """Somebody did something."""
    await execute(
        database_url,
        "INSERT INTO audit (time, who, by, action, target, before, after) "
        "VALUES ($1, 'ada', 'session', $2, $3, $4, $5)",
        *(at(AT_S + after_s), action, target, json.dumps(before), json.dumps(after)),
    )


async def known(database_url: str, *hosts: str, first_s: float = AT_S - 10 * 86_400) -> None:
    async with connection(database_url, "tests") as database:
        await ensure_hosts(database, hosts or ["web-1"])
        await database.execute("UPDATE hosts SET first_seen = $1", at(first_s))


async def marks(database_url: str, path: str = "/hosts/web-1/marks", **query: Any) -> list[tuple[Any, ...]]:
    """Kind, begin and end in seconds after AT_S, title and detail."""
    async with asking(database_url) as client:
        found = await get(client, path, **{**HOUR, **query})
    return [
        (
            mark["kind"],
            mark["time"] / 1000 - AT_S,
            None if mark["end"] is None else mark["end"] / 1000 - AT_S,
            mark["title"],
            mark["detail"],
        )
        for mark in found["marks"]
    ]


async def test_an_alert_lasts_from_when_it_fired_until_it_was_over(database_url: str) -> None:
    async with connection(database_url, "tests") as database:
        over = await open_incident(database, opened_s=AT_S - 60, instance="sda")
        await end_incident(database, over, AT_S + 30)
        going_on = await open_incident(database, opened_s=AT_S + 90, rule="memory", severity="warning", worst="warning")
        before = await open_incident(database, opened_s=AT_S - 900, rule="disk")
        await end_incident(database, before, AT_S - 600)
    async with asking(database_url) as client:
        found = (await get(client, "/hosts/web-1/marks", **HOUR))["marks"]
    assert [(one["ref"], one["level"], one["detail"]) for one in found] == [
        (str(over), "critical", "sda"),
        (str(going_on), "warning", ""),
    ]
    assert [(one["time"] - AT_MS, one["end"] and one["end"] - AT_MS) for one in found] == [
        (-60_000, 30_000),
        (90_000, None),
    ]


async def test_events_of_the_host_are_marks_in_words(database_url: str) -> None:
    await known(database_url)
    await event(database_url, "reboot", 10, kernel=["6.1", "6.8"])
    await event(database_url, "update", 20, **{"from": "1.0", "to": "1.1"})
    await event(database_url, "refused", 30, error="no such family")
    await event(database_url, "away", -50, 40)
    assert await marks(database_url) == [
        ("away", -50, 40, "Agent disconnected", ""),
        ("reboot", 10, 10, "Rebooted", "kernel 6.1 to 6.8"),
        ("update", 20, 20, "Agent updated", "1.0 to 1.1"),
        ("refused", 30, 30, "Settings refused", "no such family"),
    ]


async def test_who_sent_samples_since_is_not_away_any_more(database_url: str) -> None:
    await event(database_url, "away", 10)
    assert [(one[1], one[2]) for one in await marks(database_url)] == [(10, None)]
    await execute(database_url, "UPDATE hosts SET last_sample = $1", at(AT_S + 600))
    assert [(one[1], one[2]) for one in await marks(database_url)] == [(10, 10)]


async def test_who_was_away_before_the_range_is_not_in_it_though_nobody_said_when_it_was_back(
    database_url: str,
) -> None:
    await known(database_url)
    await event(database_url, "away", -7200)
    await event(database_url, "away", -3600, -3500)
    assert await marks(database_url) == []
    await event(database_url, "away", -1800)
    assert [(one[1], one[2]) for one in await marks(database_url)] == [(-1800, None)]


async def test_of_a_kind_that_is_rare_none_is_missed(database_url: str) -> None:
    await known(database_url)
    await event(database_url, "reboot", 10)
    await done(database_url, "POST /hosts/{host}/commands/{verb}", 11, None, {"command": "flush"})
    for second in (20, 30, 40):
        await event(database_url, "update", second, **{"from": "1.0", "to": "1.1"})
        await done(database_url, "PUT /hosts/{host}/config", second, {"interval": 1}, {"interval": 2})
    assert [one[:2] for one in await marks(database_url, kinds="reboot,order", limit=2)] == [
        ("reboot", 10),
        ("order", 11),
    ]


async def test_what_an_agent_says_of_its_machine_becomes_marks(database_url: str, bus_url: str) -> None:
    now_s = time.time()
    before = HostFacts(boot_id="a", boot_time=now_s - 900, agent_version="1.0")
    after = HostFacts(boot_id="b", boot_time=now_s - 60, agent_version="1.1")
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        for at_s, facts in ((now_s - 800, before), (now_s - 50, after)):
            event = HostEvent("web-1", at_s, "facts", facts)
            await agent.jetstream().publish("events.web-1", msgspec.json.encode(event))

        async def told() -> bool:
            answer = await client.get("/hosts/web-1/marks")
            kinds = [mark["kind"] for mark in answer.json().get("marks", ())]
            return kinds == ["reboot", "update"]

        await eventually(told)


async def test_changed_settings_say_what_was_changed(database_url: str) -> None:
    await known(database_url)
    own, fleet = "PUT /hosts/{host}/config", "PUT /agents/config"
    await done(
        database_url, own, 1, {"sample_interval_s": 1, "families": {}}, {"sample_interval_s": 5, "families": {"a": 1}}
    )
    await done(database_url, fleet, 2, None, {"sample_interval_s": 10}, target="all hosts")
    await done(database_url, own, 3, None, {"sample_interval_s": 9}, target="web-2")
    assert await marks(database_url) == [
        ("change", 1, 1, "Settings changed", "families; sample_interval_s 1 to 5"),
        ("change", 2, 2, "Settings changed", "sample_interval_s default to 10"),
    ]


async def test_what_somebody_does_about_a_host_is_among_its_marks(database_url: str) -> None:
    await known(database_url)
    async with asking(database_url) as client:
        config = await client.put("/hosts/web-1/config", json={"sample_interval_s": 5}, headers={"If-Match": "*"})
        muted = await client.patch("/hosts/web-1", json={"muted_until": "forever"})
        silence = await client.post("/silences", json={"match": {"hosts": ["web-1"]}, "for_s": 3600})
        assert [config.status_code, muted.status_code, silence.status_code] == [200, 200, 201]
        found = (await get(client, "/hosts/web-1/marks"))["marks"]
    assert sorted((mark["kind"], mark["end"] == mark["time"]) for mark in found) == [
        ("change", True),
        ("mute", False),
        ("silence", False),
    ]


async def test_orders_are_named_whether_given_to_one_or_to_many(database_url: str) -> None:
    await known(database_url)
    await done(database_url, "POST /hosts/{host}/commands/{verb}", 1, None, {"command": "ping", "arguments": {}})
    await done(database_url, "POST /hosts/bulk", 2, None, {"command": "collect", "arguments": {"for_s": 5}})
    assert [(one[0], one[3], one[4]) for one in await marks(database_url)] == [
        ("order", "Order: ping", ""),
        ("order", "Order: collect", "for_s 5"),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(-100, None, "forever")], [(-100, None)]),
        ([(-100, None, 50)], [(-100, 50)]),
        ([(-100, None, -50)], []),
        ([(-100, None, "forever"), (-90, "forever", None)], []),
        ([(10, None, "forever"), (20, "forever", None)], [(10, 20)]),
        ([(10, None, 100), (20, 100, 900)], [(10, 20), (20, 900)]),
        ([(10, None, None)], []),
    ],
)
async def test_a_mute_lasts_until_it_ends_or_is_ended(
    changes: list[tuple[int, Any, Any]], expected: list[tuple[int, int | None]], database_url: str
) -> None:
    def state(until: Any) -> dict[str, Any]:
        return {"label": "", "muted_until": AT_MS + until * 1000 if isinstance(until, int) else until}

    await known(database_url)
    for after_s, before, after in changes:
        await done(database_url, "PATCH /hosts/{host}", after_s, state(before), state(after))
    assert [(one[1], one[2]) for one in await marks(database_url)] == expected


async def test_a_silence_is_a_mark_of_the_hosts_that_it_fits(database_url: str) -> None:
    await known(database_url, "web-1", "db-1")
    await execute(database_url, "UPDATE hosts SET tags = '{prod}' WHERE name = 'web-1'")
    for match in ({"tags": ["prod"]}, {"hosts": ["db-*"]}, {"about": "sonde"}):
        body = {"match": match, "starts": AT_S, "ends": AT_S + 60, "reason": "works"}
        await execute(
            database_url,
            "INSERT INTO silences (starts, ends, body, by) VALUES ($1, $2, $3, 'ada')",
            *(at(AT_S), at(AT_S + 60), json.dumps(body)),
        )
    assert await marks(database_url) == [("silence", 0, 60, "Silenced", "works")]
    async with asking(database_url) as client:
        both = (await get(client, "/marks", hosts="web-1,db-1", **HOUR))["marks"]
    assert sorted(mark["host"] for mark in both) == ["db-1", "web-1"]


async def test_nothing_of_a_former_host_of_that_name_is_told(database_url: str) -> None:
    await known(database_url, first_s=AT_S + 100)
    order = {"command": "ping", "arguments": {}}
    for after_s in (50, 150):
        await done(database_url, "POST /hosts/{host}/commands/{verb}", after_s, None, order)
    await execute(
        database_url,
        "INSERT INTO incidents (rule_id, host, opened, level, body) VALUES ('cpu', 'web-1', $1, 1, '{}')",
        at(AT_S + 10),
    )
    assert [(one[0], one[1]) for one in await marks(database_url)] == [("order", 150)]


async def test_a_removed_host_takes_its_events_along_and_an_archived_one_keeps_them(database_url: str) -> None:
    await known(database_url, "web-1", "db-1")
    for host in ("web-1", "db-1"):
        await event(database_url, "reboot", 1, host=host)
    async with asking(database_url) as client:
        assert (await client.delete("/hosts/db-1?history=keep")).status_code == 200
        assert (await client.delete("/hosts/web-1")).status_code == 202
        await execute(database_url, "INSERT INTO hosts (name) VALUES ('web-1')")
        assert (await get(client, "/hosts/web-1/marks", **HOUR))["marks"] == []
        assert [mark["kind"] for mark in (await get(client, "/hosts/db-1/marks", **HOUR))["marks"]] == ["reboot"]
    async with connection(database_url, "tests") as database:
        await database.execute("DELETE FROM hosts WHERE state = 'removing'")  # as retention does at last
        assert await database.fetchval("SELECT count(*) FROM host_events") == 1


async def test_of_more_marks_than_asked_for_the_latest_come(database_url: str) -> None:
    await known(database_url)
    for number in range(5):
        await event(database_url, "update", number, **{"from": "", "to": str(number)})
    await done(database_url, "POST /hosts/{host}/commands/{verb}", 9, None, {"command": "ping"})
    async with asking(database_url) as client:
        found = await get(client, "/hosts/web-1/marks", limit=2, **HOUR)
        whole = await get(client, "/hosts/web-1/marks", limit=6, **HOUR)
    assert ([mark["time"] - AT_MS for mark in found["marks"]], found["more"]) == ([4000, 9000], True)
    assert (len(whole["marks"]), whole["more"]) == (6, False)


async def test_marks_are_chosen_by_kind(database_url: str) -> None:
    await known(database_url)
    await event(database_url, "reboot", 1)
    await event(database_url, "update", 2)
    assert [one[0] for one in await marks(database_url, kinds="update,alert")] == ["update"]
    async with asking(database_url) as client:
        assert (await client.get("/hosts/web-1/marks", params={"kinds": "weather"})).status_code == 400


def test_what_is_looked_for_in_the_audit_log_is_what_operations_are_called() -> None:
    assert {*SETTINGS, *ORDERS, *MUTES, IMPORT} <= {operation.name for operation in declared()}


async def test_a_host_that_is_not_there_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await client.get("/hosts/nope/marks")).status_code == 404
        answer = await client.get("/marks", params={"hosts": "nope"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "hosts")


async def test_a_token_needs_the_scopes_of_what_marks_tell(database_url: str) -> None:
    await known(database_url)
    narrow = await add_token(database_url, scopes=["history"])
    async with asking(database_url, token=narrow) as client:
        assert (await client.get("/hosts/web-1/marks")).json()["type"] == "/problems/scope"
