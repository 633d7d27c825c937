"""Hosts watched in detail besides a selection, in the one stream of a browser."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from infra.clock import now_ms
from schemas.messages import HostEvent, LiveInterest, ProcessUse, TopProcesses
from schemas.settings import SettingChanged
from schemas.subjects import LIVE_INTEREST, SETTINGS_CHANGED
from services.gateway.live import viewer
from tests.batches import sample
from tests.gateway.live.slow import overflow, receive_until, small_socket, stuck
from tests.gateway.running import Stream, gateway, publish, publishing, ready, watching
from tests.waiting import eventually

CARDS = "metrics=cpu.total&interval=0.25"


def names(stream: Stream) -> list[str]:
    return [event.name for event in stream.seen]


async def begun(stream: Stream, details: int = 1) -> None:
    """Wait until the viewer knows what there is: what is published before that may be in its snapshots already."""
    while names(stream).count("complete") < 1 or names(stream).count("detail-snapshot") < details:
        await stream.next()


async def told_all(agent: Any, stream: Stream) -> None:
    """Wait until what was said before has been sent."""
    await agent.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", 7)))
    await stream.until("settings")


async def test_a_host_in_detail_comes_with_every_metric_and_with_those_selected(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            at = now_ms()
            await publish(agent, sample(at, total=100, user=200))
            while not {"frame", "detail-frame"} <= set(names(stream)):
                await stream.next()
    (main,), (detail,) = ([e.data for e in stream.seen if e.name == name] for name in ("frame", "detail-frame"))
    assert main["samples"] == [{"host": "web-1", "time": at, "families": {"cpu": {"": {"total": 1}}}}]
    assert detail["samples"] == [{"host": "web-1", "time": at, "families": {"cpu": {"": {"total": 1, "user": 2}}}}]


async def test_a_detail_feed_has_no_other_host(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            await publish(agent, sample(now_ms(), total=100), host="web-2")
            await stream.until("frame")
            await publish(agent, sample(now_ms(), total=100), host="web-1")
            await stream.until("detail-frame")
    assert {event.data["id"] for event in stream.seen if event.name == "detail-host"} == {"web-1"}


async def test_a_detail_snapshot_has_the_full_minute_of_its_host(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        at = now_ms() - 2000
        async with watching(client) as stream:
            await begun(stream, details=0)
            await publish(agent, sample(at, total=100, user=200), sample(at + 1000, total=100, user=300))
            await stream.until("frame")
        async with watching(client, CARDS + "&detail=web-1") as stream:
            main = await stream.until("snapshot")
            detail = await stream.until("detail-snapshot")
    assert [host["latest"] for host in main.data["hosts"]] == [{"cpu": {"": {"total": 1}}}]
    assert [host["latest"] for host in detail.data["hosts"]] == [{"cpu": {"": {"total": 1, "user": 3}}}]
    assert detail.data["history"]["web-1"]["cpu.user"] == {"": [2, 3]}


async def test_a_host_in_detail_that_does_not_exist_joins_when_it_appears(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            snapshot = next(event for event in stream.seen if event.name == "detail-snapshot")
            await publish(agent, sample(now_ms(), total=100))
            host = await stream.until("detail-host")
            await stream.until("detail-frame")
    assert (snapshot.data["hosts"], snapshot.data["history"]) == ([], {})
    assert host.data["id"] == "web-1"


async def test_detail_events_carry_no_id(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            await publish(agent, sample(now_ms(), total=100))
            await stream.until("detail-frame")
            await told_all(agent, stream)
    ids = {bool(event.id) for event in stream.seen if event.name.startswith("detail-")}
    assert ids == {False}
    assert all(event.id for event in stream.seen if event.name in ("complete", "frame", "host", "settings"))


async def test_settings_are_told_once(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1,web-2") as stream:
            await begun(stream, details=2)
            await told_all(agent, stream)
            await publish(agent, sample(now_ms(), total=100))
            await stream.until("detail-frame")
    assert [name for name in names(stream) if "settings" in name] == ["settings"]


async def test_a_stream_opened_anew_with_one_more_host_in_detail_goes_on_without_a_snapshot_of_the_fleet(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        at = now_ms() - 5000
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            await publish(agent, sample(at, total=100))
            last = await stream.until("frame")
        await publish(agent, sample(at + 1000, total=200))
        async with watching(client, CARDS + "&detail=web-1,web-2", last_event_id=last.id) as stream:
            frame = await stream.until("frame")
            while names(stream).count("detail-snapshot") < 2:
                await stream.next()
            await told_all(agent, stream)
    assert frame.data["samples"][0]["time"] == at + 1000
    assert "snapshot" not in names(stream)
    assert names(stream).count("detail-snapshot") == 2


async def test_a_stream_that_missed_nothing_is_resumed_and_its_details_begin_anew(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with watching(client, CARDS) as stream:
            complete = await stream.until("complete")
        async with watching(client, CARDS + "&detail=web-1", last_event_id=complete.id) as stream:
            first, second = await stream.next(), await stream.next()
    assert (first.name, second.name) == ("", "detail-snapshot")


async def test_a_slow_viewer_starts_anew_from_the_snapshots_of_all_its_feeds(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "QUEUE_EVENTS", 50)
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client, "?detail=web-1,web-2") as plain:
            await overflow(client, agent)
            seen = await receive_until(
                plain, lambda seen: seen.partition(b"event: resync")[2].count(b"event: detail-snapshot") >= 2
            )
    assert b"event: snapshot" in seen.partition(b"event: resync")[2].partition(b"event: detail-snapshot")[0]


async def test_the_hosts_in_detail_are_announced_by_name(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        heard = await agent.subscribe(LIVE_INTEREST)
        await agent.flush()
        async with watching(client, "detail=web-1"):
            interest = msgspec.json.decode((await heard.next_msg(10)).data, type=LiveInterest)
    assert interest.hosts == ["*", "web-1"]


async def test_a_viewer_with_hosts_in_detail_is_listed_once_and_leaves_all_feeds(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1,web-2") as stream:
            await stream.until("detail-snapshot")
            assert len((await client.get("/viewers")).json()["viewers"]) == 1

        async def left() -> bool:
            return not (await client.get("/viewers")).json()["viewers"]

        await eventually(left)


@pytest.mark.parametrize(
    ("time_s", "name"), [(1e306, "sh"), (1e300, "sh"), (1_800_000_000.25, "s" * 50_000)], ids=["far", "further", "huge"]
)
async def test_processes_that_make_no_sense_are_passed_over_and_counted(
    time_s: float, name: str, database_url: str, bus_url: str
) -> None:
    wild = HostEvent("web-1", time_s, "processes", processes=TopProcesses([ProcessUse(7, name, 1, 1)], []))
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            await agent.publish("events.web-1", msgspec.json.encode(wild))
            await agent.publish("events.web-1", msgspec.json.encode(wild).replace(b'"s', b'"\xff'))
            sane = msgspec.structs.replace(wild, time=now_ms() / 1000, processes=TopProcesses([], []))
            await agent.publish("events.web-1", msgspec.json.encode(sane))
            told = await stream.until("detail-processes")
    assert (told.data["cpu"], names(stream).count("detail-processes")) == ([], 1)


async def test_the_processes_that_use_most_are_told_to_those_who_look_at_the_host(
    database_url: str, bus_url: str
) -> None:
    one = ProcessUse(7, "postgres", 51.5, 2**30)

    def event(host: str) -> bytes:
        told = HostEvent(host, 1_800_000_000.25, "processes", processes=TopProcesses([one], []))
        return msgspec.json.encode(told)

    async with gateway(database_url, bus_url) as client, publishing(bus_url) as agent:
        await ready(client)
        async with watching(client, CARDS + "&detail=web-1") as stream:
            await begun(stream)
            for host in ("web-2", "web-1"):
                await agent.publish(f"events.{host}", event(host))
            told = await stream.until("detail-processes")
            await told_all(agent, stream)
    assert told.data == {
        "host": "web-1",
        "time": 1_800_000_000_250,
        "cpu": [{"pid": 7, "name": "postgres", "cpu": 51.5, "memory": 2**30}],
        "memory": [],
    }
    assert names(stream).count("detail-processes") == 1
