"""Samples become batches, and batches become one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.sending.batching import Batcher, batches, merge, numbered
from schemas.codec import Sample, build_batch, decode_batch, decoded_series, encode_batch, times_ms
from tests.agent.build import START_MS, cpu_sample, samples

value = st.none() | st.integers(-(2**40), 2**40)
instance = st.dictionaries(st.sampled_from(["read", "write", "busy"]), value, min_size=1)
families = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.fixed_dictionaries({"": st.dictionaries(st.sampled_from(["total", "user"]), value, min_size=1)}),
        "disk": st.dictionaries(st.sampled_from(["sda", "sdb"]), instance, min_size=1),
    },
)


def flat(batch_bytes: bytes) -> dict[tuple[str, str, str, int], int | None]:
    """Every value of a batch that is not null."""
    found = {}
    for reading in decoded_series(decode_batch(batch_bytes)):
        for name, column in reading.columns.items():
            for time, count in zip(reading.times, column, strict=True):
                if count is not None:
                    found[reading.family.name, reading.instance, name, time] = count
    return found


@given(st.lists(st.lists(families, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_merged_message_holds_what_its_batches_held(
    parts: list[list[dict[str, dict[str, dict[str, int | None]]]]],
) -> None:
    encoded = []
    time_ms = START_MS
    for seq, part in enumerate(parts, 1):
        taken = []
        for content in part:
            time_ms += 1000
            taken.append(Sample(time_ms, content))
        encoded.append(encode_batch(build_batch("web-1", "e", "metrics", seq, taken)))
    merged = merge(encoded, 7, "e")
    expected: dict[tuple[str, str, str, int], int | None] = {}
    for part_bytes in encoded:
        expected |= flat(part_bytes)
    assert flat(merged) == expected
    batch = decode_batch(merged)
    assert (batch.host, batch.epoch, batch.lane, batch.seq) == ("web-1", "e", "backfill", 7)
    assert merge(encoded, 7, "e") == merged


def test_merging_keeps_labels() -> None:
    taken = Sample(START_MS, {"filesystem": {"/": {"total": 1}}}, {"filesystem": {"/": {"fstype": "ext4"}}})
    part = encode_batch(build_batch("web-1", "e", "metrics", 1, [taken]))
    (only,) = decoded_series(decode_batch(merge([part], 1, "e")))
    assert only.labels == {"fstype": "ext4"}


def test_a_batch_that_is_too_large_is_split_in_time() -> None:
    taken = samples(100)
    parts = batches("web-1", "e", taken, 200)
    assert len(parts) > 1
    assert all(len(numbered(part)(2**40)) <= 200 for part in parts)
    times = [time for part in parts for time in times_ms(part.times)]
    assert times == [sample.time_ms for sample in taken]


def test_a_batch_gets_its_seq_last() -> None:
    (batch,) = batches("web-1", "e", samples(3), 200_000)
    assert decode_batch(numbered(batch)(42)).seq == 42


def test_batches_end_at_the_hosts_own_phase() -> None:
    batcher = Batcher(10, 0.3, 1000)
    ends = [index for index in range(40) if batcher.add(cpu_sample(START_MS + index * 1000))]
    assert ends == [1, 3, 13, 23, 33]


def test_no_sample_is_left_out_between_batches() -> None:
    batcher = Batcher(10, 0.75, 1000)
    taken = samples(47)
    out = [sample for sample in taken for sample in (batcher.add(sample) or [])]
    assert out + batcher.take() == taken


def test_a_step_of_the_clock_only_ends_a_batch_early() -> None:
    batcher = Batcher(10, 0, 1000)
    for sample in samples(2):
        batcher.add(sample)
    assert batcher.add(cpu_sample(START_MS + 3_600_000)) is not None


def test_a_batch_has_a_largest_number_of_samples() -> None:
    batcher = Batcher(300, 0, 5)
    ends = [index for index, sample in enumerate(samples(22)) if batcher.add(sample)]
    assert ends == [1, 6, 11, 16, 21]
