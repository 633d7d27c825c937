"""What becomes of messages before the database sees them."""

import pytest

from infra.bus.ordered import StoredMessage
from schemas.catalogue import CATALOGUE
from schemas.codec import encode_batch
from schemas.families import DISK
from schemas.messages import Batch, Block, Series
from services.ingest.consume import BATCH_VALUES, FLUSH_VALUES, PoisonFlood, Prepared, prepare
from services.ingest.purge import purge_up_to
from tests.batches import START_MS, batch, encoded, sample


def message(data: bytes, seq: int, host: str = "web-1") -> StoredMessage:
    return StoredMessage(f"metrics.{host}", data, {}, seq, seq * 1000)


def prepared(*messages: StoredMessage, marks: dict[tuple[str, str, str], int] | None = None) -> Prepared:
    return prepare("METRICS", "metrics", messages, marks or {}, CATALOGUE)


def test_the_position_is_that_of_the_last_message_whatever_became_of_it() -> None:
    result = prepared(message(encoded(seq=1), 10), message(b"garbage", 11))
    assert (result.flush.position.seq, result.flush.position.time_ns) == (11, 11000)
    assert [(parked.seq, reason[:11]) for parked, reason in result.parked] == [(11, "not a batch")]
    assert result.flush.families[0].rows == 1


def test_a_batch_not_above_its_mark_is_a_repeat() -> None:
    marks = {("web-1", "metrics", "e1"): 4}
    result = prepared(*(message(encoded(seq=seq), seq) for seq in (3, 4, 5, 5, 6)), marks=marks)
    assert result.repeats == 3
    assert result.flush.marks == {("web-1", "metrics", "e1"): 6}
    assert result.flush.families[0].rows == 2


def test_another_epoch_starts_a_new_mark() -> None:
    marks = {("web-1", "metrics", "e1"): 9}
    result = prepared(message(encoded(seq=1, epoch="e2"), 1), marks=marks)
    assert result.repeats == 0
    assert result.flush.marks == {("web-1", "metrics", "e2"): 1}


def test_a_message_in_another_hosts_name_is_parked() -> None:
    result = prepared(message(encoded(host="db-1"), 1, host="web-1"), message(encoded(), 2))
    assert [reason for _, reason in result.parked] == ["host 'db-1' in a message on metrics.web-1"]
    assert [rows.series for rows in result.flush.families] == [[("web-1", "")]]


def test_a_message_of_another_lane_is_parked() -> None:
    result = prepared(message(encoded(lane="live"), 1))
    assert "lane 'live'" in result.parked[0][1]


def test_a_value_out_of_range_costs_its_own_batch_only() -> None:
    bad = batch(seq=2)
    bad.families = [Block("cpu", [1], [Series("", {}, None, [40_000])])]
    result = prepared(message(encoded(seq=1), 1), message(encode_batch(bad), 2), message(encoded(seq=3), 3))
    assert [parked.seq for parked, _ in result.parked] == [2]
    assert "cpu.total" in result.parked[0][1]
    assert result.flush.families[0].rows == 2
    assert result.flush.marks == {("web-1", "metrics", "e1"): 3}


def _large(seq: int, rows: int, disks: int) -> bytes:
    """A small message of many values."""
    series = [Series(f"sd{number}", {}, None, [1]) for number in range(disks)]
    return encode_batch(
        Batch("web-1", "e1", "metrics", seq, [START_MS] + [1] * (rows - 1), [Block("disk", [1], series)])
    )


def test_a_flush_takes_no_more_messages_than_it_may_have_values() -> None:
    rows = FLUSH_VALUES // len(DISK.metrics) // 10
    result = prepared(*(message(_large(seq, rows, disks=4), seq) for seq in (1, 2, 3, 4)))
    assert (result.messages, result.flush.position.seq) == (2, 2)
    assert result.flush.families[0].rows == 8 * rows
    assert result.flush.marks == {("web-1", "metrics", "e1"): 2}


def test_a_single_batch_of_more_values_than_a_flush_may_have_is_a_flush() -> None:
    rows = FLUSH_VALUES // len(DISK.metrics) // 10
    result = prepared(*(message(_large(seq, rows, disks=11), seq) for seq in (1, 2)))
    assert (result.messages, result.flush.families[0].rows) == (1, 11 * rows)


def test_a_batch_of_absurdly_many_values_is_parked() -> None:
    rows = 20_000
    result = prepared(message(_large(1, rows, BATCH_VALUES // len(DISK.metrics) // rows + 1), 1))
    assert "values in one batch" in result.parked[0][1]


@pytest.mark.parametrize("column", [b"", b"\x11", b"\x55\x01\x01", b"\x11\x01\x01\x01"])
def test_a_column_that_does_not_fit_its_rows_costs_its_own_batch_only(column: bytes) -> None:
    bad = batch(sample(START_MS), sample(START_MS + 1000, total=1), seq=2)
    bad.families[0].series[0].columns = [column]
    bad.families[0].codes = [1]
    result = prepared(message(encoded(seq=1), 1), message(encode_batch(bad), 2), message(encoded(seq=3), 3))
    assert [parked.seq for parked, _ in result.parked] == [2]
    assert result.flush.families[0].rows == 2


def test_unreadable_messages_of_one_host_are_parked_however_many() -> None:
    assert len(prepared(*(message(b"x", seq) for seq in range(1, 400))).parked) == 399


def test_unreadable_messages_of_the_whole_fleet_stop_ingest_at_its_position() -> None:
    with pytest.raises(PoisonFlood):
        prepared(*(message(b"x", seq, host=f"web-{seq % 20}") for seq in range(1, 400)))


@pytest.mark.parametrize(
    ("first", "last", "share", "slowest", "below"),
    [(1, 1000, 0.69, 1000, 0), (1, 1000, 0.71, 1000, 500), (1, 1000, 0.9, 300, 300), (501, 1500, 0.8, 0, 0)],
)
def test_only_what_every_consumer_has_processed_is_purged(
    first: int, last: int, share: float, slowest: int, below: int
) -> None:
    assert purge_up_to(first, last, share, slowest) == below
