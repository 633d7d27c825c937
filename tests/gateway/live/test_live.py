"""The live stream on a real server: snapshot, frames, events, resume, limits."""

from __future__ import annotations

from typing import Any

import msgspec
import nats.errors
import pytest

from agent.sending.live import LiveFeed
from infra.clock import now_ms
from schemas.messages import HostEvent, HostFacts, LiveInterest, TopProcesses
from schemas.subjects import LIVE_INTEREST
from services.gateway.live import interest, sending
from tests.agent.build import Clock
from tests.batches import instances, sample
from tests.gateway.rows import put
from tests.gateway.running import Stream, gateway, publish, publishing, ready, watching
from tests.waiting import eventually


def frames(stream: Stream) -> list[Any]:
    return [event.data for event in stream.seen if event.name == "frame"]


async def test_a_sample_reaches_the_viewer_as_a_frame(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client) as stream:
            snapshot = await stream.next()
            await stream.until("complete")
            at = now_ms()
            await publish(agent, sample(at, total=1234))
            host = await stream.until("host")
            frame = await stream.until("frame")
        headers = stream.response.headers
    assert (snapshot.name, snapshot.data["hosts"]) == ("snapshot", [])
    assert (host.data["id"], host.data["state"], host.data["last_sample"]) == ("web-1", "up", at)
    assert frame.data["samples"] == [{"host": "web-1", "time": at, "families": {"cpu": {"": {"total": 12.34}}}}]
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"


async def test_a_sample_that_comes_again_in_its_batch_is_sent_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, "interval=0.25") as stream:
            await stream.until("complete")
            start = now_ms() - 10_000
            ticks = [sample(start + 1000 * k, total=k) for k in range(10)]
            for tick in ticks[6:]:
                await publish(agent, tick)
            await publish(agent, *ticks, lane="metrics")
            await publish(agent, sample(start + 11_000, total=99))
            await stream.until("frame", lambda data: data["samples"][-1]["time"] == start + 11_000)
    times = [one["time"] for frame in frames(stream) for one in frame["samples"]]
    assert sorted(times) == [*(tick.time_ms for tick in ticks), start + 11_000]


async def test_a_viewer_gets_the_hosts_and_metrics_it_asked_for(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, "hosts=web-2&metrics=cpu.user,disk") as stream:
            await stream.until("complete")
            at = now_ms()
            await publish(agent, sample(at, total=1, user=2))
            both = sample(at, total=1, user=2)
            both.families.update(instances(at, "disk", {"sda": {"read": 7}}).families)
            await publish(agent, both, host="web-2")
            frame = await stream.until("frame")
            async with watching(client, "hosts=web-2&metrics=cpu.user") as other:
                snapshot = (await other.next()).data
    wanted = {"cpu": {"": {"user": 0.02}}, "disk": {"sda": {"read": 7}}}
    assert frame.data["samples"] == [{"host": "web-2", "time": at, "families": wanted}]
    assert [(host["id"], host["latest"]) for host in snapshot["hosts"]] == [("web-2", {"cpu": {"": {"user": 0.02}}})]
    assert snapshot["history"] == {"web-2": {"times": [at], "cpu.user": {"": [0.02]}}}


async def test_the_first_snapshot_knows_the_past_from_the_database(database_url: str, bus_url: str) -> None:
    start = now_ms() // 1000 * 1000 - 30_000
    await put(database_url, "cpu", [(start + 1000 * k, "", {"total": k, "user": 1}) for k in range(30)])
    await put(database_url, "filesystem", [(start, "/", {"used_percent": 5000})])
    await put(database_url, "directory", [(start - 100_000, "/d", {"size": 5})])
    await put(database_url, "cpu", [(start - 500_000, "", {"total": 77})], host="lost-1")
    async with gateway(database_url, bus_url) as client:

        async def restored() -> bool:
            hosts = (await client.get("/hosts")).json()["hosts"]
            return [bool(host["latest"]) for host in hosts] == [True, True]

        await eventually(restored)
        async with watching(client) as stream, watching(client, "hosts=web-1") as one:
            data = (await stream.next()).data
            detailed = (await one.next()).data["history"]["web-1"]
    lost, web = data["hosts"]
    assert (lost["id"], lost["state"], lost["latest"]) == ("lost-1", "offline", {"cpu": {"": {"total": 0.77}}})
    assert (web["state"], web["last_sample"]) == ("up", start + 29_000)
    assert web["latest"] == {
        "cpu": {"": {"total": 0.29, "user": 0.01}},
        "filesystem": {"/": {"used_percent": 50.0}},
        "directory": {"/d": {"size": 5}},
    }
    assert web["labels"] == {"filesystem": {"/": {"colour": "red"}}, "directory": {"/d": {"colour": "red"}}}
    history = data["history"]["web-1"]
    assert history["times"] == [start + 1000 * k for k in range(30)]
    assert history["cpu.total"] == {"": [k / 100 for k in range(30)]}
    assert history["filesystem.used_percent"] == {"/": [50.0, *[None] * 29]}
    assert "cpu.user" not in history
    assert detailed["cpu.user"] == {"": [0.01] * 30}


async def test_a_viewer_that_lost_its_connection_goes_on_where_it_was(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        start = now_ms() - 20_000
        async with watching(client, "interval=0.25") as stream:
            await stream.until("complete")
            await publish(agent, sample(start, total=0))
            last = await stream.until("frame")
        for k in range(1, 4):
            await publish(agent, sample(start + 1000 * k, total=k))
        async with watching(client, "interval=0.25", last_event_id=last.id) as stream:
            await stream.until("frame", lambda data: data["samples"][-1]["time"] == start + 3000)
            names = {event.name for event in stream.seen}
        async with watching(client, "interval=0.25", last_event_id="another-1") as other:
            first = await other.next()
        async with watching(client, "interval=0.5", last_event_id=last.id) as other:
            other_filter = await other.next()
    assert [one["time"] for frame in frames(stream) for one in frame["samples"]] == [
        start + 1000 * k for k in range(1, 4)
    ]
    assert "snapshot" not in names
    assert (first.name, other_filter.name) == ("snapshot", "snapshot")


async def test_interest_is_announced_while_somebody_watches(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        heard = await agent.subscribe(LIVE_INTEREST)
        await agent.flush()
        async with watching(client, "hosts=web-1,web-2"):
            first = msgspec.json.decode((await heard.next_msg(40)).data, type=LiveInterest)
            async with watching(client):
                second = first
                while second == first:  # which is said again and again
                    second = msgspec.json.decode((await heard.next_msg(40)).data, type=LiveInterest)
    assert (first, second) == (LiveInterest(["web-1", "web-2"], 15), LiveInterest(["*", "web-1", "web-2"], 15))


async def test_agents_stop_within_20_s_of_the_last_viewer_leaving(database_url: str, bus_url: str) -> None:
    clock = Clock()
    feed = LiveFeed("web-1", now_ms(), clock.monotonic)
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        heard = await agent.subscribe(LIVE_INTEREST)
        await agent.flush()
        async with watching(client, "hosts=web-1"):
            feed.note_interest((await heard.next_msg(40)).data)
            assert (feed.watched, feed.named) == (True, True)

        async def left() -> bool:
            return not (await client.get("/viewers")).json()["viewers"]

        async def silent() -> bool:
            """Whether nothing was said for longer than it takes to say it again."""
            try:
                feed.note_interest((await heard.next_msg(interest.EVERY_S + 0.5)).data)
            except nats.errors.TimeoutError:
                return True
            return False

        await eventually(left)
        await eventually(silent)
        clock.pass_time(20)
    assert (feed.watched, feed.named) == (False, False)


async def test_facts_are_stored_and_shown(database_url: str, bus_url: str) -> None:
    facts = HostFacts("web-1.example", "Linux", cores=8)
    event = HostEvent("web-1", now_ms() / 1000, "facts", facts)
    foreign = HostEvent("web-2", now_ms() / 1000, "facts", facts)
    processes = HostEvent("web-1", now_ms() / 1000, "processes", processes=TopProcesses([], []))
    async with publishing(bus_url) as agent:
        stream = agent.jetstream()
        async with gateway(database_url, bus_url) as client, watching(client) as viewer:
            await viewer.until("complete")
            await stream.publish("events.web-1", b"no event")
            await stream.publish("events.web-9", msgspec.json.encode(foreign))
            await stream.publish("events.web-1", msgspec.json.encode(event))
            await stream.publish("events.web-1", msgspec.json.encode(processes))
            shown = await viewer.until("host")
    async with gateway(database_url, bus_url) as client:
        await eventually(lambda: has_facts(client, "web-1.example"))
        names = [host["id"] for host in (await client.get("/hosts")).json()["hosts"]]
    assert shown.data["facts"]["cores"] == 8
    assert (shown.data["state"], shown.data["last_sample"]) == ("offline", None)
    assert names == ["web-1"]


async def has_facts(client: Any, hostname: str) -> bool:
    hosts = (await client.get("/hosts")).json()["hosts"]
    return [host["facts"]["hostname"] for host in hosts] == [hostname]


async def test_messages_that_make_no_sense_are_counted_and_disturb_nothing(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("complete")
            at = now_ms()
            for subject in ("metrics.web-1", "live.web-1", "alerts.web-1.cpu", "settings.changed"):
                await agent.publish(subject, b"\xc1 no sense")
            await publish(agent, sample(at, total=1), host="web-1", lane="metrics")
            await agent.publish("live.web-2", b"")
            await publish(agent, sample(at + 10**9, total=1))
            await publish(agent, sample(at + 1000, total=2**40))
            await publish(agent, sample(at + 500, total=2), host="web-1")
            await stream.until("frame", lambda data: data["samples"][-1]["time"] == at + 500)
        checks = {check["name"]: check["detail"] for check in (await client.get("/health/ready")).json()["checks"]}
    assert "7 of them invalid" in checks["bus"]
    assert [one["time"] for frame in frames(stream) for one in frame["samples"]] == [at, at + 500]


async def test_a_silent_stream_carries_heartbeats(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HEARTBEAT_S", 0.1)
    async with gateway(database_url, bus_url) as client, watching(client) as stream:
        await stream.until("complete")
        comments = [await stream.next(), await stream.next()]
    assert [(event.name, event.data) for event in comments] == [("", None), ("", None)]
