"""Hosts are removed, with their history or without it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from infra.authority.keys import make_key
from infra.bus import connection as bus
from infra.bus.ordered import timestamp_ns
from infra.clock import now_ms
from infra.storage.database import Connection, connection
from schemas.commands import VERBS
from schemas.incidents import Facts
from schemas.messages import AlertTransition, HostEvent, HostFacts
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.agents import configs
from services.gateway.live import refresh
from tests.authority import enrol, guarded_bus, guarded_settings, made_token, user, written
from tests.batches import sample
from tests.gateway.asking import asking, get
from tests.gateway.incidents import open_incident
from tests.gateway.rows import put
from tests.gateway.running import ANY, gateway, publish, publishing, ready, watching
from tests.waiting import eventually


async def stored(database_url: str, host: str = "web-1") -> int:
    """Store samples of `host`; when the newest was taken."""
    at = now_ms() - 5000
    await put(database_url, "cpu", [(at, "", {"total": 1234})], host=host)
    return at


async def states(database: Connection) -> dict[str, str]:
    return {row["name"]: row["state"] for row in await database.fetch("SELECT name, state FROM hosts")}


async def known_as(client: httpx.AsyncClient) -> dict[str, str]:
    return {host["id"]: host["state"] for host in (await client.get("/hosts")).json()["hosts"]}


async def test_a_removed_host_is_no_more_and_its_name_is_free_at_once(database_url: str) -> None:
    await stored(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        answer = await client.delete("/hosts/web-1")
        assert answer.status_code == 202
        [removal] = answer.json()["removals"]
        assert (removal["name"], removal["rows"]) == ("web-1", 0)
        assert (await get(client, "/removals"))["removals"] == [removal]
        number = await database.fetchval("SELECT host_id FROM removals")
        assert await states(database) == {f"~{number}": "removing"}
        await database.execute("INSERT INTO hosts (name) VALUES ('web-1')")


async def test_its_tombstone_is_dated_by_the_bus(database_url: str, bus_url: str) -> None:
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        ack = await agent.jetstream().publish("metrics.web-9", b"")
        await client.delete("/hosts/web-1")
        ack = await agent.jetstream().publish("metrics.web-9", b"")
        async with connection(database_url, "test") as database:
            [row] = await database.fetch("SELECT * FROM removed_hosts")
        times = [await stored_ns(agent, seq) for seq in (ack.seq - 1, ack.seq)]
    assert row["name"] == "web-1"
    assert times[0] < row["time_ns"] < times[1]


async def stored_ns(client: Client, seq: int) -> int:
    """When the bus stored a message."""
    return timestamp_ns(await client.jetstream().get_msg("METRICS", seq, direct=True))


async def test_without_a_bus_the_gateway_s_clock_dates_it(database_url: str) -> None:
    await stored(database_url)
    before = now_ms()
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await client.delete("/hosts/web-1")
        time_ns = await database.fetchval("SELECT time_ns FROM removed_hosts")
    assert before <= time_ns / 1e6 <= now_ms()


async def test_an_archived_host_is_listed_with_its_last_sample_and_keeps_its_history(database_url: str) -> None:
    at = await stored(database_url)
    async with asking(database_url) as client:
        answer = await client.delete("/hosts/web-1?history=keep")
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["last_sample"]) == ("archived", at)
        series = await get(client, "/hosts/web-1/series", metrics="cpu.total", from_="-1h")
        assert 12.34 in series["series"][0]["avg"]
    async with connection(database_url, "test") as database:
        assert await states(database) == {"web-1": "archived"}
        assert await database.fetchval("SELECT count(*) FROM removed_hosts") == 0
    async with asking(database_url) as client:
        assert (await client.delete("/hosts/web-1?history=keep")).json()["state"] == "archived"


async def test_another_gateway_shows_it_as_archived(database_url: str, bus_url: str) -> None:
    at = await stored(database_url)
    async with gateway(database_url, bus_url) as client, asking(database_url) as other:
        await ready(client)
        await eventually(lambda: known_as(client))
        await other.delete("/hosts/web-1?history=keep")
        await announce(bus_url)
        await eventually(lambda: is_known_as(client, {"web-1": "archived"}))
        host = await get(client, "/hosts/web-1")
        assert host["last_sample"] == at


async def is_known_as(client: httpx.AsyncClient, wanted: dict[str, str]) -> bool:
    return await known_as(client) == wanted


async def announce(bus_url: str) -> None:
    """What a gateway of another machine says after a removal."""
    async with bus.connection(bus_url, "other gateway") as client:
        await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("hosts", 1)))


async def test_another_gateway_forgets_a_removed_host(database_url: str, bus_url: str) -> None:
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, asking(database_url) as other:
        await eventually(lambda: known_as(client))
        async with watching(client) as stream:
            await stream.next()
            await other.delete("/hosts/web-1")
            await announce(bus_url)
            assert (await stream.until("gone")).data == {"host": "web-1"}
        assert await known_as(client) == {}


async def test_viewers_hear_at_once_that_a_host_is_gone(database_url: str, bus_url: str) -> None:
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        await eventually(lambda: known_as(client))
        async with watching(client, "detail=web-1") as stream:
            await stream.until("detail-snapshot")
            await client.delete("/hosts/web-1")
            told = [await stream.until("gone"), await stream.until("detail-gone")]
            assert [event.data for event in told] == [{"host": "web-1"}] * 2
            await publish(agent, sample(now_ms(), total=1))
            await publish(agent, sample(now_ms(), total=1), host="web-2")
            frame = await stream.until("frame")
            assert {one["host"] for one in frame.data["samples"]} == {"web-2"}
        assert set(await known_as(client)) == {"web-2"}
        answer = await client.get("/hosts/web-1")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/removed-host")


async def test_what_an_archived_host_sends_is_not_shown(database_url: str, bus_url: str) -> None:
    at = await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        await eventually(lambda: known_as(client))
        await client.delete("/hosts/web-1?history=keep")
        await publish(agent, sample(now_ms(), total=1))
        await publish(agent, sample(now_ms(), total=1), host="web-2")
        await eventually(lambda: is_known_as(client, {"web-1": "archived", "web-2": "up"}))
        assert (await get(client, "/hosts/web-1"))["last_sample"] == at
        order = await client.post(f"/hosts/web-1/commands/{next(iter(VERBS))}")
        assert (order.status_code, order.json()["type"]) == (409, "/problems/archived-host")


async def test_facts_left_on_the_bus_make_nobody_anew(database_url: str, bus_url: str) -> None:
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        await client.delete("/hosts/web-1")
        for host in ("web-1", "web-2"):
            event = HostEvent(host, 1.0, "facts", facts=HostFacts(cores=4))
            await agent.jetstream().publish(f"events.{host}", msgspec.json.encode(event))
        async with connection(database_url, "test") as database:

            async def came() -> bool:
                return "web-2" in await states(database)

            await eventually(came)
            assert "web-1" not in await states(database)


async def test_one_that_enrols_again_is_shown_again(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "EVERY_S", 0.1)
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        await client.delete("/hosts/web-1")
        async with connection(database_url, "test") as database:
            await database.execute("INSERT INTO hosts (name) VALUES ('web-1')")
        await eventually(lambda: is_known_as(client, {"web-1": "offline"}))
        await publish(agent, sample(now_ms(), total=1))
        await eventually(lambda: is_known_as(client, {"web-1": "up"}))


@pytest.mark.parametrize("history", ["keep", "remove"])
async def test_a_firing_alert_ends_with_its_host(history: str, database_url: str) -> None:
    await stored(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database, rule="busy")
        for rule, state in (("busy", "firing"), ("slow", "pending")):
            await database.execute("INSERT INTO alert_states SELECT $1, id, '', $2, '{}' FROM hosts", rule, state)
        await client.delete(f"/hosts/web-1?history={history}")
        assert await database.fetchval("SELECT count(*) FROM alert_states") == 0
        [row] = await database.fetch("SELECT * FROM alert_transitions WHERE kind = 'gone'")
        incident = await database.fetchrow("SELECT * FROM incidents WHERE id = $1", number)
    ended = msgspec.json.decode(row["body"], type=AlertTransition)
    assert (ended.id, ended.kind, ended.host, ended.rule) == (row["id"], "gone", "web-1", "busy")
    assert (ended.severity, ended.peak, ended.incident) == ("critical", 99, number)
    assert not row["published"]
    assert incident is not None
    assert (incident["level"], incident["settled"], incident["closed"]) == (0, False, row["time"])
    assert msgspec.json.decode(incident["body"], type=Facts).ending == "gone"


async def test_an_alert_of_a_machine_whose_clock_is_ahead_ends_no_earlier_than_it_began(database_url: str) -> None:
    await stored(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        ahead_s = now_ms() / 1000 + 3600
        number = await open_incident(database, opened_s=ahead_s)
        await client.delete("/hosts/web-1")
        lasted = await database.fetchval("SELECT closed - opened FROM incidents WHERE id = $1", number)
    assert lasted.total_seconds() >= 0


@pytest.mark.parametrize("history", ["keep", "remove"])
async def test_an_incident_that_cannot_be_read_holds_up_neither_the_removal_nor_the_other_alerts(
    history: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await open_incident(database, rule="busy")
        odd = await open_incident(database, rule="odd")
        await database.execute("""UPDATE incidents SET body = '{"rule_name": 7}' WHERE id = $1""", odd)
        answer = await client.delete(f"/hosts/web-1?history={history}")
        assert answer.status_code == (200 if history == "keep" else 202)
        told = await database.fetch("SELECT rule_id FROM alert_transitions WHERE kind = 'gone'")
        assert await database.fetchval("SELECT count(*) FROM incidents WHERE closed IS NULL") == 0
    assert [row["rule_id"] for row in told] == ["busy"]
    [said] = [record for record in caplog.records if record.message == "stored incident invalid, ended untold"]
    assert (said.levelname, vars(said)["host"], vars(said)["rule"]) == ("ERROR", "web-1", "odd")
    assert "rule_name" in vars(said)["error"]


async def test_its_settings_leave_the_bucket(database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "LOOK_EVERY_S", 0.1)
    for host in ("web-1", "web-2", "web-3"):
        await stored(database_url, host)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        await client.put("/agents/config", json={"batch_interval_s": 5}, headers=ANY)

        async def held() -> set[str]:
            return {h for h in ("web-1", "web-2", "web-3") if await configs.held(agent, h) is not None}

        async def all_held() -> bool:
            return await held() == {"web-1", "web-2", "web-3"}

        async def one_held() -> bool:
            return await held() == {"web-3"}

        await eventually(all_held)
        await client.delete("/hosts/web-1")
        await client.delete("/hosts/web-2?history=keep")
        await eventually(one_held)


async def test_its_messages_leave_the_streams(database_url: str, bus_url: str) -> None:
    await stored(database_url)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        jetstream = agent.jetstream()
        for stream in ("metrics", "backfill", "events"):
            for host in ("web-1", "web-2"):
                await jetstream.publish(f"{stream}.{host}", b"")
        await client.delete("/hosts/web-1")
        for stream in ("METRICS", "BACKFILL", "EVENTS"):
            state = (await jetstream.stream_info(stream, subjects_filter=">")).state
            assert state.subjects == {f"{stream.lower()}.web-2": 1}


async def test_two_removals_at_once_are_one(database_url: str) -> None:
    await stored(database_url)
    async with asking(database_url) as client:
        answers = await asyncio.gather(*(client.delete("/hosts/web-1") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 404, 404, 404]


async def test_what_cannot_be_removed_is_said(database_url: str) -> None:
    async with asking(database_url) as client:
        unknown = await client.delete("/hosts/nobody")
        invalid = await client.delete("/hosts/nobody?history=some")
        unlisted = await client.delete("/hosts/~1")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-host")
    assert (invalid.status_code, invalid.json()["errors"][0]["field"]) == (400, "history")
    assert unlisted.status_code == 404


async def test_a_host_whose_rows_go_is_in_no_answer(database_url: str) -> None:
    await stored(database_url)
    await stored(database_url, "web-2")
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await client.delete("/hosts/web-1")
        number = await database.fetchval("SELECT host_id FROM removals")
        fleet = await get(client, "/series", metric="cpu.total", from_="-1h")
        assert {line["host"] for line in fleet["series"]} == {"web-2"}
        for path in ("config", "series?metrics=cpu.total", "identity"):
            assert (await client.get(f"/hosts/~{number}/{path}")).status_code == 404
        assert {row["host"] for row in await database.fetch("SELECT host FROM metrics_cpu")} == {"web-2"}


async def test_a_removed_host_cannot_come_back_with_its_identity(database_url: str, tmp_path: Path) -> None:
    key = make_key("user")
    async with (
        guarded_bus(tmp_path) as (server, authority),
        gateway(database_url, server.url, **guarded_settings(authority)) as client,
        bus.connection(server.url, "tools", access=user(authority, "tools")) as tools,
        connection(database_url, "test") as database,
    ):
        await ready(client)
        token = await made_token(client, uses=2)
        joined = (await enrol(client, token, key, "web-1")).json()
        access = written(tmp_path / "web-1.creds", joined["jwt"], key)
        async with bus.connection(server.url, "web-1", access=access) as agent:
            for stream in ("metrics", "backfill", "events"):
                await agent.jetstream().publish(f"{stream}.web-1", b"")
                await agent.jetstream().publish(f"{stream}.web-1", b"")
        rejoin = (await client.post("/hosts/web-1/rotate")).json()["secret"]
        assert (await client.delete("/hosts/web-1")).status_code == 202
        revoked = await database.fetchrow("SELECT public_key, reason FROM revocations")
        assert tuple(revoked) == (key.public, "removed")
        assert (await enrol(client, token, key, "web-1")).status_code == 403
        assert (await enrol(client, rejoin, make_key("user"))).status_code == 403
        again = await enrol(client, token, make_key("user"), "web-1")
        assert (again.status_code, again.json()["host"]) == (201, "web-1")
        info: Any = await tools.jetstream().stream_info("METRICS")
        assert info.state.messages == 1  # the newest stays, so that consumers find the stream's end
