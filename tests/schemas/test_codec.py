"""Batches survive the wire unchanged; what is not a batch is named and refused."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import (
    LONGEST_PERIOD_MS,
    Poison,
    Sample,
    build_batch,
    decode_batch,
    decoded_series,
    encode_batch,
)
from schemas.messages import Block, Series
from tests.batches import START_MS, batch, encoded, instances, sample

counts = st.one_of(st.none(), st.integers(-(2**55), 2**55))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["/", "/home", "/data"]),
            st.dictionaries(st.sampled_from(["total", "used", "inodes_used"]), counts, min_size=1),
            max_size=3,
        ),
        min_size=1,
        max_size=12,
    )
)
def test_samples_round_trip_through_a_batch(rows: list[dict[str, dict[str, int | None]]]) -> None:
    samples = [instances(START_MS + 1000 * i, "filesystem", row) for i, row in enumerate(rows)]
    decoded = decode_batch(encode_batch(build_batch("web-1", "e", "metrics", 7, samples)))
    seen = {
        (time, reading.instance, name): value
        for reading in decoded_series(decoded)
        for name, column in reading.columns.items()
        for time, value in zip(reading.times, column, strict=True)
        if value is not None
    }
    sent = {
        (taken.time_ms, instance, name): value
        for taken in samples
        for instance, values in taken.families["filesystem"].items()
        for name, value in values.items()
        if value is not None
    }
    assert seen == sent


def test_the_bytes_of_version_1_still_decode() -> None:
    golden = bytes.fromhex(
        "96a57765622d31a26531a76d6574726963730192cf000001a3185c5000cd03e89193a36370759201029194a080c092c40421d20402ccc8"
    )
    decoded = decode_batch(golden)
    assert [r.columns for r in decoded_series(decoded)] == [{"total": [1234, 1236], "user": [200, 200]}]
    assert decoded.families[0].period_ms == 0


def test_the_bytes_of_version_1_with_a_period_still_decode() -> None:
    golden = bytes.fromhex(
        "96a57765622d31a26531a76d6574726963730192cf000001a3185c5000cd03e8"
        "9194a36370759201029194a080c092c40421d20402ccc8cd7530"
    )
    decoded = decode_batch(golden)
    assert [r.columns for r in decoded_series(decoded)] == [{"total": [1234, 1236], "user": [200, 200]}]
    assert decoded.families[0].period_ms == 30_000
    assert encode_batch(decoded) == golden


def _with(**changes: object) -> bytes:
    return encode_batch(msgspec.structs.replace(batch(), **changes))


def _block(
    columns: list[int | bytes | None],
    codes: list[int],
    family: str = "cpu",
    instance: str = "",
    rows: list[int] | None = None,
) -> bytes:
    return _with(families=[Block(family, codes, [Series(instance, {}, rows, columns)])])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a batch"),
        (b"\xc1garbage", "not a batch"),
        (encoded()[:-3], "not a batch"),
        (encoded() + b"x", "not a batch"),
        (b"\x91" * 5000, "not a batch"),
        (msgspec.msgpack.encode({"host": "web-1"}), "not a batch"),
        (msgspec.msgpack.encode(["web-1", "e", "metrics", "1", [1], []]), "not a batch"),
        (msgspec.msgpack.encode(["web-1", "e", "sideways", 1, [1], []]), "not a batch"),
        (_with(host="*"), "host"),
        (_with(host="web.1"), "host"),
        (_with(host="x" * 41), "host"),
        (_with(seq=0), "seq"),
        (_with(seq=2**63), "seq"),
        (_with(epoch=""), "epoch"),
        (_with(times=[]), "sample times"),
        (_with(times=[START_MS] + [0] * 30_000), "sample times"),
        (_with(times=[5]), "outside the years"),
        (_with(times=[2**62]), "outside the years"),
        (_block([1, 2], [1]), "columns for"),
        (_block([bytes([0x11, 1, 2, 3])], [1]), "packed column"),
        (_block([1, 2], [1, 1]), "twice"),
        (_block([1], [1], instance="eth0"), "instance"),
        (_block([1], [1], family="disk"), "instance"),
        (_block([1], [1], family="disk", instance="a\0b"), "NUL"),
        (_block([1], [1], family="disk", instance="d" * 600), "instance name"),
        (_block([bytes([0x11, 1, 2])], [1], rows=[0, 0]), "row index"),
        (_block([1], [1], rows=[4]), "row index"),
        (_block([1], [1], rows=[-1]), "row index"),
        (_with(families=[Block("cpu", [], []), Block("cpu", [], [])]), "twice"),
    ],
)
def test_what_is_not_a_batch_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Poison, match=reason):
        decode_batch(data)


def test_what_a_newer_agent_sends_is_left_out_and_the_rest_kept() -> None:
    known = batch().families[0]
    newer = Block("cpu", [*known.codes, 999], [Series("", {}, None, [*known.series[0].columns, 5])])
    decoded = decode_batch(_with(families=[newer, Block("weather", [1], [Series("", {}, None, [3])])]))
    assert decoded.families == [known]


@given(st.binary(max_size=200))
def test_random_bytes_never_crash_the_decoder(data: bytes) -> None:
    with contextlib.suppress(Poison):
        decode_batch(data)


@given(st.data())
def test_a_damaged_batch_decodes_or_is_refused(data: st.DataObject) -> None:
    good = bytearray(encoded(sample(), sample(START_MS + 1000, total=5)))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Poison):
        for reading in decoded_series(decode_batch(bytes(good))):
            assert all(len(column) == len(reading.times) for column in reading.columns.values())


def test_a_sample_without_a_family_leaves_no_row_for_it() -> None:
    taken = [sample(START_MS), Sample(START_MS + 1000, {})]
    [reading] = decoded_series(decode_batch(encode_batch(build_batch("web-1", "e", "metrics", 1, taken))))
    assert reading.times == [START_MS]


def test_a_period_that_no_setting_could_ask_for_counts_as_a_day() -> None:
    ages = encoded(instances(START_MS, "disk", {"sda": {"read": 1}}, period_ms=2**40 - 1))
    assert decode_batch(ages).families[0].period_ms == LONGEST_PERIOD_MS == 86_400_000
