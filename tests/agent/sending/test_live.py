"""Samples for viewers, only while there are any."""

from __future__ import annotations

import asyncio

import msgspec

from agent.sending.live import LiveFeed, publish_live
from infra.bus import connection as bus
from schemas import subjects
from schemas.codec import Sample, decode_batch
from schemas.messages import Batch, LiveInterest
from tests.agent.build import START_MS, Clock, cpu_sample, ended
from tests.waiting import eventually


def interest(*hosts: str, ttl_s: float = 15) -> bytes:
    return msgspec.json.encode(LiveInterest(list(hosts), ttl_s))


def known(time_ms: int) -> Sample:
    return Sample(time_ms, {"filesystem": {"/": {"total": 10}}}, {"filesystem": {"/": {"fstype": "ext4"}}})


async def sent(feed: LiveFeed) -> Batch | None:
    """The batch that is ready to go out, if there is one."""
    try:
        async with asyncio.timeout(0.01):
            return decode_batch(await feed.next("epoch"))
    except TimeoutError:
        return None


async def test_without_a_viewer_nothing_is_sent() -> None:
    feed = LiveFeed("web-1", START_MS)
    feed.offer(cpu_sample(START_MS), known)
    assert await sent(feed) is None


async def test_interest_in_another_host_is_none_in_this_one() -> None:
    feed = LiveFeed("web-1", START_MS)
    feed.note_interest(interest("web-2", "db"))
    assert not feed.watched


async def test_interest_ends_with_its_ttl_and_is_prolonged_by_another() -> None:
    clock = Clock()
    feed = LiveFeed("web-1", START_MS, clock.monotonic)
    feed.note_interest(interest("*"))
    clock.pass_time(10)
    feed.note_interest(interest("web-1"))
    clock.pass_time(10)
    assert feed.watched
    clock.pass_time(6)
    assert not feed.watched


async def test_who_looks_at_all_hosts_looks_at_none_closely() -> None:
    clock = Clock()
    feed = LiveFeed("web-1", START_MS, clock.monotonic)
    feed.note_interest(interest("*"))
    assert (feed.watched, feed.named) == (True, False)
    feed.note_interest(interest("*", "web-1"))
    assert feed.named
    clock.pass_time(10)
    feed.note_interest(interest("*"))
    clock.pass_time(6)
    assert (feed.watched, feed.named) == (True, False)


async def test_a_close_look_is_waited_for_again_when_the_last_one_is_over() -> None:
    clock = Clock()
    feed = LiveFeed("web-1", START_MS, clock.monotonic)
    feed.note_interest(interest("web-1"))
    await feed.until_named()
    clock.pass_time(16)
    waiting = asyncio.ensure_future(feed.until_named())
    feed.note_interest(interest("*", "web-2"))
    assert not (await asyncio.wait([waiting], timeout=0.01))[0]
    feed.note_interest(interest("web-1"))
    await waiting


async def test_a_new_viewer_sees_everything_at_once_and_then_what_is_new() -> None:
    feed = LiveFeed("web-1", START_MS)
    feed.note_interest(interest("*"))
    feed.offer(cpu_sample(START_MS), known)
    first = await sent(feed)
    feed.offer(cpu_sample(START_MS + 1000), known)
    second = await sent(feed)
    assert first is not None
    assert second is not None
    assert [block.family for block in first.families] == ["cpu", "filesystem"]
    assert first.families[1].series[0].labels == {"fstype": "ext4"}
    assert [block.family for block in second.families] == ["cpu"]
    assert second.seq == first.seq + 1
    assert (first.lane, first.times) == ("live", [START_MS])


async def test_a_bus_that_is_slow_gets_the_newest_sample() -> None:
    feed = LiveFeed("web-1", START_MS)
    feed.note_interest(interest("*"))
    for second in range(5):
        feed.offer(cpu_sample(START_MS + 1000 * second), known)
    batch = await sent(feed)
    assert batch is not None
    assert batch.times == [START_MS + 4000]
    assert await sent(feed) is None


async def test_nonsense_is_no_interest() -> None:
    feed = LiveFeed("web-1", START_MS)
    for data in (b"", b"{}", b'{"hosts": "*"}', b"\xff\xff", b'{"hosts":["*"],"ttl_s":"x"}'):
        feed.note_interest(data)
    assert not feed.watched


async def test_samples_reach_a_viewer_over_the_bus(bus_url: str) -> None:
    async with bus.connection(bus_url, "agent") as client, bus.connection(bus_url, "viewer") as viewer:
        feed = LiveFeed("web-1", START_MS)
        task = asyncio.ensure_future(publish_live(client, feed, "web-1", "epoch"))
        subscription = await viewer.subscribe("live.web-1")
        await viewer.flush()

        async def is_heard() -> bool:
            await viewer.publish(subjects.LIVE_INTEREST, interest("web-1"))
            return feed.watched

        await eventually(is_heard)
        feed.offer(cpu_sample(START_MS), known)
        message = await subscription.next_msg(5)
        assert decode_batch(message.data).times == [START_MS]
        assert message.headers is not None
        assert message.headers["Content-Type"] == "application/vnd.sonde.batch+msgpack"
        await ended(task)
