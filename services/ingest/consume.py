"""Messages to flushes: decoding, dropping repeats, parking poison."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client

from infra.ordered import StoredMessage
from infra.positions import Lane
from schemas.catalogue import Family
from schemas.codec import Poison, decode_batch
from schemas.messages import MESSAGE_ID, Batch
from schemas.subjects import deadletter, host_of
from services.ingest.columns import FamilyRows, OutOfRange, gather
from services.ingest.flush import CONSUMER, Flush

logger = logging.getLogger(__name__)

FLOOD_MESSAGES = 100
FLOOD_HOSTS = 10


class PoisonFlood(OSError):
    """Nothing that many hosts sent is readable: more likely our fault than theirs, so hold the position."""


@dataclass(slots=True)
class Prepared:
    """A flush and what did not make it in."""

    flush: Flush
    parked: list[tuple[StoredMessage, str]]
    """Poison with its reason."""
    repeats: int


@dataclass(slots=True)
class _Accepted:
    """Readable messages that are not repeats."""

    messages: list[StoredMessage] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    marks: dict[Lane, int] = field(default_factory=dict)


def prepare(
    stream: str, lane: str, messages: Sequence[StoredMessage], marks: dict[Lane, int], catalogue: tuple[Family, ...]
) -> Prepared:
    """The flush of `messages`, which came in order; `marks` are those of the last commit. Raises PoisonFlood."""
    accepted = _Accepted()
    parked: list[tuple[StoredMessage, str]] = []
    repeats = 0
    for message in messages:
        try:
            batch = decode_batch(message.data, catalogue)
            _check_sender(batch, message.subject, lane)
        except Poison as poison:
            parked.append((message, poison.reason))
            continue
        key = (batch.host, batch.lane, batch.epoch)
        mark = accepted.marks.get(key)
        if batch.seq <= (marks.get(key, 0) if mark is None else mark):
            repeats += 1
            continue
        accepted.marks[key] = batch.seq
        accepted.messages.append(message)
        accepted.batches.append(batch)
    families = _gather_without_poison(accepted, parked, catalogue)
    _stop_a_flood(messages, parked)
    newest = {batch.host: 0 for batch in accepted.batches}
    for batch in accepted.batches:
        newest[batch.host] = max(newest[batch.host], sum(batch.times))
    flush = Flush(stream, messages[-1].position, families, accepted.marks, newest)
    return Prepared(flush, parked, repeats)


def _check_sender(batch: Batch, subject: str, lane: str) -> None:
    if batch.host != host_of(subject):
        raise Poison(f"host {batch.host!r} in a message on {subject}")
    if batch.lane != lane:
        raise Poison(f"lane {batch.lane!r} in a message on {subject}")


def _gather_without_poison(
    accepted: _Accepted, parked: list[tuple[StoredMessage, str]], catalogue: tuple[Family, ...]
) -> list[FamilyRows]:
    """Columns of all accepted batches; those with a value out of range are parked, and their marks stay raised."""
    try:
        return gather(accepted.batches, catalogue)
    except OutOfRange:
        pass
    good: list[Batch] = []
    for message, batch in zip(accepted.messages, accepted.batches, strict=True):
        try:
            gather([batch], catalogue)
        except OutOfRange as fault:
            parked.append((message, str(fault)))
        else:
            good.append(batch)
    return gather(good, catalogue)


def _stop_a_flood(messages: Sequence[StoredMessage], parked: list[tuple[StoredMessage, str]]) -> None:
    if len(parked) == len(messages) >= FLOOD_MESSAGES:
        hosts = {message.subject for message, _ in parked}
        if len(hosts) >= FLOOD_HOSTS:
            raise PoisonFlood(f"{len(parked)} messages of {len(hosts)} hosts in a row are unreadable: {parked[0][1]}")


async def park(client: Client, stream: str, parked: Sequence[tuple[StoredMessage, str]]) -> None:
    """Put poison on `deadletter.ingest`, bytes untouched, reason in the headers. A repeat is dropped by its id."""
    jetstream = client.jetstream(timeout=5)
    for message, reason in parked:
        logger.warning("parked", extra={"subject": message.subject, "seq": message.seq, "reason": reason})
        headers = {
            MESSAGE_ID: f"{CONSUMER}:{stream}:{message.seq}:{message.time_ns}",
            "Sonde-Reason": "".join(c if c.isprintable() else "?" for c in reason)[:500],
            "Sonde-Subject": message.subject,
            "Sonde-Stream": stream,
            "Sonde-Sequence": str(message.seq),
        }
        await jetstream.publish(deadletter(CONSUMER), message.data, headers=headers)
