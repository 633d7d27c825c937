"""Encoding, decoding and checking of batches.

`decode_batch` is where bytes from the bus become trusted: whatever it returns has consistent lengths, known families
and codes, and a valid host id. Everything else raises `Poison` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from schemas.catalogue import CATALOGUE, Family, Metric
from schemas.columns import Column, InvalidColumn, check_column, pack_column, unpack_column
from schemas.messages import Batch, Block, HostEvent, Lane, Series
from schemas.subjects import valid_host

MOST_NAME = 512
"""Most characters of an instance's name."""
MAX_ROWS = 20_000
"""Most sample times one batch may carry."""
EARLIEST_MS = 946_684_800_000
"""1 January 2000: an earlier sample time is a broken clock, not a sample."""
LATEST_MS = 4_102_444_800_000
"""1 January 2100."""

LONGEST_PERIOD_MS = 86_400_000
"""A day, the most that settings may ask for. What a batch says beyond that counts as a day: it says how long an
instance that is missing is remembered."""


class Poison(Exception):
    """A message that can never be processed; `reason` says why, for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecodedSeries(Struct):
    """One instance's samples of one family, in catalogue counts, as `readings` yields them."""

    family: Family
    instance: str
    labels: dict[str, str]
    times: list[int]
    """Unix milliseconds."""
    columns: dict[str, list[int | None]]
    """Metric name -> one count or null per time."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_batch(batch: Batch) -> bytes:
    """MessagePack of `batch`."""
    return _encoder.encode(batch)


def times_ms(deltas: Sequence[int]) -> list[int]:
    """Absolute sample times of a batch's `times`."""
    times = []
    now = 0
    for delta in deltas:
        now += delta
        times.append(now)
    return times


def decode_event(data: bytes) -> HostEvent:
    """What is said of a host on `events.<host>`, by its agent among others, which may say anything. Raises Poison."""
    try:
        return msgspec.json.decode(data, type=HostEvent)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: text that is not UTF-8
        raise Poison(f"event not decodable: {error}") from None


def decode_batch(data: bytes, catalogue: tuple[Family, ...] = CATALOGUE, *, contents: bool = True) -> Batch:
    """The batch in `data`, checked; without `contents` for all but what is in its columns, for a bulk reader to check.

    Families and codes that this catalogue does not know (a newer agent's) are left out. Raises Poison.
    """
    try:
        batch = _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: text that is not UTF-8
        raise Poison(f"not a batch: {error}") from None
    check_batch(batch, catalogue, contents=contents)
    return batch


def check_batch(batch: Batch, catalogue: tuple[Family, ...] = CATALOGUE, *, contents: bool = True) -> None:
    """Raise Poison unless `batch` is consistent; drop the families and columns that `catalogue` does not know."""
    if not valid_host(batch.host):
        raise Poison(f"host {batch.host[:60]!r} is not one token of [a-z0-9-]{{1,40}}")
    if batch.seq < 1 or batch.seq >= 2**63:
        raise Poison(f"seq {batch.seq} is out of range")
    if not 1 <= len(batch.epoch) <= 40 or "\0" in batch.epoch:
        raise Poison("epoch must have 1 to 40 characters")
    if not 1 <= len(batch.times) <= MAX_ROWS:
        raise Poison(f"{len(batch.times)} sample times, allowed are 1 to {MAX_ROWS}")
    now = 0
    for delta in batch.times:
        now += delta
        if not EARLIEST_MS <= now <= LATEST_MS:
            raise Poison(f"sample time {now} ms is outside the years 2000 to 2100")
    by_name = {family.name: family for family in catalogue}
    batch.families = [block for block in batch.families if block.family in by_name]
    seen: set[str] = set()
    for block in batch.families:
        if block.family in seen:
            raise Poison(f"family {block.family} appears twice")
        seen.add(block.family)
        _check_block(block, by_name[block.family], len(batch.times), contents)


def _check_block(block: Block, family: Family, times: int, contents: bool) -> None:
    """Raise Poison unless every series of `block` fits `family` and the batch's number of times."""
    width = len(block.codes)
    if not 0 <= block.period_ms < 2**40:
        raise Poison(f"{family.name}: period of {block.period_ms} ms")
    block.period_ms = min(block.period_ms, LONGEST_PERIOD_MS)
    if len(set(block.codes)) != width:
        raise Poison(f"{family.name}: a metric code appears twice")
    names: set[str] = set()
    for series in block.series:
        if bool(series.instance) != bool(family.instance):
            expected = family.instance or "none"
            raise Poison(f"{family.name}: instance {series.instance[:60]!r} where the family has {expected}")
        if series.instance in names:
            raise Poison(f"{family.name}: instance {series.instance[:60]!r} appears twice")
        names.add(series.instance)
        if len(series.instance) > MOST_NAME or "\0" in series.instance:
            raise Poison(f"{family.name}: instance name of {len(series.instance)} characters or with a NUL")
        if any("\0" in key or "\0" in value for key, value in series.labels.items()):
            raise Poison(f"{family.name}: a label contains a NUL")
        _check_columns(series, family, width, times, contents)
    known = {metric.code for metric in family.metrics}
    if not known.issuperset(block.codes):
        keep = [index for index, code in enumerate(block.codes) if code in known]
        block.codes = [block.codes[index] for index in keep]
        for series in block.series:
            series.columns = [series.columns[index] for index in keep]


def _check_columns(series: Series, family: Family, width: int, times: int, contents: bool) -> None:
    """Raise Poison unless `series` has `width` columns that fit its rows, and its rows fit `times`."""
    rows = times
    if series.rows is not None:
        rows = len(series.rows)
        previous = -1
        for row in series.rows:
            if not previous < row < times:
                raise Poison(f"{family.name}: row index {row} is not ascending within {times} times")
            previous = row
    if len(series.columns) != width:
        raise Poison(f"{family.name}: {len(series.columns)} columns for {width} codes")
    if not contents:
        return
    try:
        for column in series.columns:
            check_column(column, rows)
    except InvalidColumn as fault:
        raise Poison(f"{family.name}: {fault}") from None


def decoded_series(batch: Batch, catalogue: tuple[Family, ...] = CATALOGUE) -> Iterator[DecodedSeries]:
    """Every instance's samples of a checked batch, for readers that want values rather than columns for COPY."""
    times = times_ms(batch.times)
    by_name = {family.name: family for family in catalogue}
    for block in batch.families:
        family = by_name.get(block.family)
        if family is None:
            continue
        names = {metric.code: metric.name for metric in family.metrics}
        for series in block.series:
            at = times if series.rows is None else [times[row] for row in series.rows]
            columns = {
                names[code]: unpack_column(column, len(at))
                for code, column in zip(block.codes, series.columns, strict=True)
                if code in names
            }
            yield DecodedSeries(family, series.instance, series.labels, at, columns)


class Sample(Struct):
    """What one tick read: a time and, per family and instance, catalogue counts by metric name."""

    time_ms: int
    families: dict[str, dict[str, dict[str, int | None]]]
    """family -> instance -> metric name -> count; a metric that is absent or None is null."""
    labels: dict[str, dict[str, dict[str, str]]] = {}
    """family -> instance -> labels, for the instances that have any."""
    periods_ms: dict[str, int] = {}
    """family -> milliseconds between its samples, for those that settings made another than the catalogue's."""


def build_batch(
    host: str, epoch: str, lane: Lane, seq: int, samples: Sequence[Sample], catalogue: tuple[Family, ...] = CATALOGUE
) -> Batch:
    """A columnar batch of `samples`, which are in the order they were taken."""
    blocks = []
    for family in catalogue:
        taken = [(row, s.families[family.name]) for row, s in enumerate(samples) if family.name in s.families]
        if not taken:
            continue
        present = {name for _, instances in taken for values in instances.values() for name in values}
        metrics = [metric for metric in family.metrics if metric.name in present]
        labels: dict[str, dict[str, str]] = {}
        for sample in samples:
            labels.update(sample.labels.get(family.name, {}))
        series = [
            _series(instance, labels.get(instance, {}), taken, metrics, len(samples))
            for instance in dict.fromkeys(name for _, instances in taken for name in instances)
        ]
        period_ms = samples[taken[-1][0]].periods_ms.get(family.name, 0)
        blocks.append(Block(family.name, [metric.code for metric in metrics], series, period_ms))
    times = [sample.time_ms for sample in samples]
    deltas = [now - before for before, now in zip([0, *times], times, strict=False)]
    return Batch(host, epoch, lane, seq, deltas, blocks)


def _series(
    instance: str,
    labels: dict[str, str],
    taken: Iterable[tuple[int, dict[str, dict[str, int | None]]]],
    metrics: Sequence[Metric],
    times: int,
) -> Series:
    """One instance's rows and columns out of what the ticks took."""
    rows = []
    values = []
    for row, instances in taken:
        if instance in instances:
            rows.append(row)
            values.append(instances[instance])
    if len(values) == 1:  # as live samples are, every second: such a column is the count itself
        [value] = values
        columns: list[Column] = [value.get(metric.name) for metric in metrics]
    else:
        columns = [pack_column([value.get(metric.name) for value in values]) for metric in metrics]
    return Series(instance, labels, None if len(rows) == times else rows, columns)
