"""Whoever knows docs/bus.md and `GET /api/v1/metrics` reads every batch as we do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agent.sending.batching import merge
from infra.bus import connection as bus
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import LiveInterest
from schemas.subjects import LIVE_INTEREST
from tests.agent.sending.test_publisher import agent, publishing
from tests.agent.test_service import running, settings
from tests.batches import START_MS, encoded, sample
from tests.bus.decoder import Decoder, expected
from tests.waiting import eventually

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)
LABELS = st.dictionaries(NAMES, NAMES, max_size=2)
COUNTS = st.none() | st.integers(-(2**55), 2**55) | st.integers(0, 100)
INSTANCES = st.sampled_from(["/", "eth0", "søn", "x" * 300])
ROWS = {
    family.name: st.dictionaries(
        INSTANCES if family.instance else st.just(""),
        st.dictionaries(st.sampled_from([metric.name for metric in family.metrics]), COUNTS, max_size=4),
        min_size=1,
        max_size=2,
    )
    for family in CATALOGUE
}
"""By family, what one tick reads: counts of every size, nulls, metrics that are not there."""


unhurried = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Whole batches take long to draw on a busy machine, and there is another process to wait for."""


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Ticks of some families, each family at some of the ticks."""
    families = draw(st.lists(st.sampled_from(list(ROWS)), min_size=1, max_size=3, unique=True))
    periods = draw(st.dictionaries(st.sampled_from(families), st.sampled_from([500, 86_400_000])))
    taken, now = [], START_MS
    for step in draw(st.lists(st.integers(-5000, 2**33), min_size=1, max_size=8)):
        now += step
        present = draw(st.lists(st.sampled_from(families), unique=True))
        rows = {family: draw(ROWS[family]) for family in present}
        labels = {family: {name: draw(LABELS) for name in rows[family]} for family in present}
        taken.append(Sample(now, rows, labels, periods))
    return taken


@unhurried
@given(samples())
def test_every_batch_that_the_codec_can_make_reads_the_same(document_decoder: Decoder, taken: list[Sample]) -> None:
    data = encode_batch(build_batch("web-1", "k3J9", "metrics", 2**62, taken))
    assert document_decoder.decode(data) == expected(data)


@unhurried
@given(samples(), samples())
def test_merged_batches_read_the_same(document_decoder: Decoder, first: list[Sample], second: list[Sample]) -> None:
    parts = [encode_batch(build_batch("web-1", "k3J9", "metrics", 1, part)) for part in (first, second)]
    data = merge(parts, 7, "e")
    assert document_decoder.decode(data) == expected(data)


def test_a_batch_of_an_older_agent_reads_the_same(document_decoder: Decoder) -> None:
    data = bytes.fromhex(
        "96a57765622d31a26531a76d6574726963730192cf000001a3185c5000cd03e89193a36370759201029194a080c092c40421d20402ccc8"
    )
    assert document_decoder.decode(data) == expected(data)


def test_families_codes_and_fields_of_a_newer_agent_are_passed_over(document_decoder: Decoder) -> None:
    batch = msgspec.msgpack.decode(encoded(sample(total=1, user=2), sample(START_MS + 1000, total=3, user=2)))
    families = batch[5]
    families[0][1][1] = 9999
    families[0] = [*families[0], "later"]
    families.append(["quantum", [1], [["", {}, None, [5]]], 0])
    data = msgspec.msgpack.encode([*batch, "later"])
    assert document_decoder.decode(data) == expected(data)


async def test_what_an_agent_publishes_reads_the_same(bus_url: str, tmp_path: Path, document_decoder: Decoder) -> None:
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "own.prom").write_text('backup_bytes{job="nightly"} 5e9\n')
    of = settings(
        tmp_path, bus_url, directories=str(tmp_path), custom_directory=str(tmp_path / "custom"), directory_interval_s=1
    )
    wanted = {"cpu", "memory", "filesystem", "network", "directory", "custom", "agent", "process"}
    async with bus.connection(bus_url, "viewer") as viewer:
        subscriptions = [await viewer.subscribe(subject) for subject in ("metrics.*", "live.web-1")]
        await viewer.flush()
        found: dict[str, list[bytes]] = {"metrics.web-1": [], "live.web-1": []}

        async def read(subscription: object) -> None:
            async for message in subscription.messages:  # type: ignore[attr-defined]
                found[message.subject].append(message.data)

        async def enough() -> bool:
            await viewer.publish(LIVE_INTEREST, msgspec.json.encode(LiveInterest(["web-1"])))
            seen = {reading["family"] for data in found["metrics.web-1"] for reading in expected(data)["readings"]}
            return wanted <= seen and len(found["live.web-1"]) >= 5

        async with running(of):
            readers = [asyncio.ensure_future(read(subscription)) for subscription in subscriptions]
            await eventually(enough, 30)
        await viewer.drain()
        await asyncio.gather(*readers)
    for data in (data for own in found.values() for data in own):
        assert document_decoder.decode(data) == expected(data)


async def test_what_an_agent_publishes_after_an_outage_reads_the_same(
    bus_url: str, tmp_path: Path, document_decoder: Decoder
) -> None:
    hour = [sample(START_MS - 3_600_000 + 1000 * i, total=i, user=None if i % 3 else 5) for i in range(600)]
    async with agent(tmp_path) as source, bus.connection(bus_url, "reader") as reader:
        await source.spool(hour)
        async with publishing(bus_url, source):
            await source.delivered()
        stream = reader.jetstream()
        last = (await stream.stream_info("BACKFILL")).state.last_seq
        stored = [await stream.get_msg("BACKFILL", seq) for seq in range(1, last + 1)]
    assert stored
    for message in stored:
        data = message.data or b""
        assert document_decoder.decode(data) == expected(data)
