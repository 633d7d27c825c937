"""Builders of samples and batches for tests."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import Batch, Lane

START_MS = 1_800_000_000_000


def sample(time_ms: int = START_MS, **cpu: int | None) -> Sample:
    """A sample of the cpu family; `total=1234` is 12.34 %."""
    return Sample(time_ms, {"cpu": {"": dict(cpu or {"total": 1234, "user": 200})}})


def instances(time_ms: int, family: str, values: Mapping[str, Mapping[str, int | None]], period_ms: int = 0) -> Sample:
    """A sample of a family with instances; `period_ms` when it is sampled at another pace than usual."""
    rows = {family: {name: dict(row) for name, row in values.items()}}
    return Sample(time_ms, rows, periods_ms={family: period_ms} if period_ms else {})


def batch(*samples: Sample, host: str = "web-1", epoch: str = "e1", lane: Lane = "metrics", seq: int = 1) -> Batch:
    return build_batch(host, epoch, lane, seq, samples or (sample(),))


def encoded(*samples: Sample, host: str = "web-1", epoch: str = "e1", lane: Lane = "metrics", seq: int = 1) -> bytes:
    return encode_batch(batch(*samples, host=host, epoch=epoch, lane=lane, seq=seq))
