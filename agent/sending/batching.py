"""From samples to batches, and from many batches to one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from schemas.codec import Sample, build_batch, encode_batch, times_ms
from schemas.columns import pack_column, unpack_column
from schemas.messages import Batch, Block, Series

_decoder = msgspec.msgpack.Decoder(Batch)


def batches(host: str, epoch: str, samples: Sequence[Sample], most_bytes: int) -> list[Batch]:
    """`samples` as metrics-lane batches of at most `most_bytes` each, still without their seq.

    One sample that is larger alone is left as it is.
    """
    batch = build_batch(host, epoch, "metrics", 2**40, samples)
    if len(samples) < 2 or len(encode_batch(batch)) <= most_bytes:
        return [batch]
    half = len(samples) // 2
    return batches(host, epoch, samples[:half], most_bytes) + batches(host, epoch, samples[half:], most_bytes)


def numbered(batch: Batch) -> Callable[[int], bytes]:
    """What encodes `batch` once its seq is known."""

    def encode(seq: int) -> bytes:
        batch.seq = seq
        return encode_batch(batch)

    return encode


def merge(payloads: Sequence[bytes], seq: int, epoch: str) -> bytes:
    """One backfill message out of encoded batches of one host, in their order. Raises msgspec.DecodeError."""
    parts = [_decoder.decode(payload) for payload in payloads]
    times: list[int] = []
    starts: list[int] = []
    for part in parts:
        starts.append(len(times))
        times += times_ms(part.times)
    deltas = [now - before for before, now in zip([0, *times], times, strict=False)]
    names = dict.fromkeys(block.family for part in parts for block in part.families)
    blocks = [_merge_family(name, parts, starts, len(times)) for name in names]
    return encode_batch(Batch(parts[0].host, epoch, "backfill", seq, deltas, blocks))


class _Piece:
    """One series of one batch, placed in the merged message."""

    def __init__(self, codes: list[int], series: Series, start: int, times: int) -> None:
        self.rows = range(start, start + times) if series.rows is None else [start + row for row in series.rows]
        self.labels = series.labels
        self._columns = dict(zip(codes, series.columns, strict=True))

    def column(self, code: int) -> list[int | None]:
        return unpack_column(self._columns.get(code), len(self.rows))


def _merge_family(family: str, parts: Sequence[Batch], starts: Sequence[int], times: int) -> Block:
    pieces: dict[str, list[_Piece]] = {}
    codes: dict[int, None] = {}
    period_ms = 0
    for part, start in zip(parts, starts, strict=True):
        for block in part.families:
            if block.family == family:
                codes.update(dict.fromkeys(block.codes))
                period_ms = block.period_ms
                for series in block.series:
                    piece = _Piece(block.codes, series, start, len(part.times))
                    pieces.setdefault(series.instance, []).append(piece)
    merged = [_merge_series(name, own, list(codes), times) for name, own in pieces.items()]
    return Block(family, list(codes), merged, period_ms)


def _merge_series(instance: str, pieces: Sequence[_Piece], codes: Sequence[int], times: int) -> Series:
    rows = [row for piece in pieces for row in piece.rows]
    labels = {name: text for piece in pieces for name, text in piece.labels.items()}
    columns = [pack_column([value for piece in pieces for value in piece.column(code)]) for code in codes]
    return Series(instance, labels, None if len(rows) == times else rows, columns)


class Batcher:
    """Gathers samples until a batch is due.

    Batches end at fixed instants, `phase` of the way into every interval, which differ from host to host: a fleet must
    not publish in one breath. The first batch ends after two samples, so that a new host shows up at once.
    """

    def __init__(self, interval_s: float, phase: float, most_samples: int) -> None:
        """`phase`: share of the interval after whose begin batches end."""
        self._phase = phase
        self._most_samples = most_samples
        self._period: int | None = None
        self._samples: list[Sample] = []
        self.use_interval(interval_s)

    def use_interval(self, interval_s: float) -> None:
        """From now on a batch spans `interval_s`."""
        self._interval_ms = round(interval_s * 1000)
        self._phase_ms = round(self._phase * self._interval_ms)

    @property
    def empty(self) -> bool:
        """Whether no sample is in hand."""
        return not self._samples

    def add(self, sample: Sample) -> list[Sample] | None:
        """Take one sample; returns the samples of the batch that ends with it, if one does.

        After a large step back of the wall clock the batch ends before it, so that times ascend within every batch.
        """
        if self._samples and sample.time_ms <= self._samples[-1].time_ms:
            ended, self._samples, self._period = self._samples, [sample], None
            return ended
        self._samples.append(sample)
        period = (sample.time_ms - self._phase_ms) // self._interval_ms
        if self._period is None and len(self._samples) < 2:
            return None
        if period == self._period and len(self._samples) < self._most_samples:
            return None
        self._period = period
        return self.take()

    def take(self) -> list[Sample]:
        """The samples in hand, which it then has no more."""
        samples, self._samples = self._samples, []
        return samples
