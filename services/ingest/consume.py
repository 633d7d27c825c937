"""Messages to flushes: decoding, dropping repeats and what removed hosts sent, parking poison."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client

from infra.bus.ordered import StoredMessage
from infra.storage.positions import MarkKey
from infra.storage.removed import Removed
from schemas.catalogue import Family
from schemas.codec import Poison, decode_batch
from schemas.messages import MESSAGE_ID, Batch
from schemas.subjects import deadletter, host_of
from services.ingest.columns import FamilyRows, gather, values_of
from services.ingest.flush import Flush
from services.ingest.known import CONSUMER
from services.ingest.unpack import Unfit

logger = logging.getLogger(__name__)

FLUSH_VALUES = 1_500_000
"""Most values of one flush, nulls included, unless a single batch has more: some 40 MB on their way to the database."""
BATCH_VALUES = 16_000_000
"""Most values of one batch: a merged one of 10,000 rows may have 1,600 columns."""
FLOOD_MESSAGES = 100
FLOOD_HOSTS = 10


class PoisonFlood(OSError):
    """Nothing that many hosts sent is readable: more likely our fault than theirs, so hold the position."""


@dataclass(slots=True)
class Prepared:
    """A flush and what did not make it in."""

    flush: Flush
    messages: int
    """How many of the messages this accounts for; at least one."""
    parked: list[tuple[StoredMessage, str]]
    """Poison with its reason."""
    repeats: int
    of_removed: list[str] = field(default_factory=list)
    """The hosts of those that were dropped, as they were removed or archived."""


@dataclass(slots=True)
class _Accepted:
    """Readable messages that are not repeats."""

    messages: list[StoredMessage] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    marks: dict[MarkKey, int] = field(default_factory=dict)


def prepare(
    stream: str,
    lane: str,
    messages: Sequence[StoredMessage],
    marks: Mapping[MarkKey, int],
    catalogue: tuple[Family, ...],
    removed: Removed | None = None,
) -> Prepared:
    """The flush of the first of `messages`, which came in order: of all of them, unless they hold too many values.

    `marks` are those of everything prepared before, `removed` the hosts that are none any more. Raises PoisonFlood.
    """
    accepted = _Accepted()
    parked: list[tuple[StoredMessage, str]] = []
    of_removed: list[str] = []
    widths = {family.name: len(family.metrics) for family in catalogue}
    repeats = values = taken = 0
    for message in messages:
        host = host_of(message.subject)
        if removed is not None and removed.drops(host, message.time_ns):
            of_removed.append(host)
            taken += 1
            continue
        try:
            batch = decode_batch(message.data, catalogue, contents=False)
            own = _check(batch, message.subject, lane, widths)
        except Poison as poison:
            parked.append((message, poison.reason))
            taken += 1
            continue
        key = (batch.host, batch.lane, batch.epoch)
        mark = accepted.marks.get(key)
        if batch.seq <= (marks.get(key, 0) if mark is None else mark):
            repeats += 1
            taken += 1
            continue
        values += own
        if values > FLUSH_VALUES and accepted.batches:
            break
        taken += 1
        accepted.marks[key] = batch.seq
        accepted.messages.append(message)
        accepted.batches.append(batch)
    families = _gather_without_poison(accepted, parked, catalogue)
    _stop_a_flood(messages[:taken], parked)
    flush = Flush(stream, messages[taken - 1].position, families, accepted.marks)
    return Prepared(flush, taken, parked, repeats, of_removed)


def _check(batch: Batch, subject: str, lane: str, widths: dict[str, int]) -> int:
    """How many values a batch becomes. Raises Poison when it does not belong here, or is too large."""
    if batch.host != host_of(subject):
        raise Poison(f"host {batch.host!r} in a message on {subject}")
    if batch.lane != lane:
        raise Poison(f"lane {batch.lane!r} in a message on {subject}")
    values = values_of(batch, widths)
    if values > BATCH_VALUES:
        raise Poison(f"{values:,} values in one batch, allowed are {BATCH_VALUES:,}")
    return values


def _gather_without_poison(
    accepted: _Accepted, parked: list[tuple[StoredMessage, str]], catalogue: tuple[Family, ...]
) -> list[FamilyRows]:
    """Columns of all accepted batches; those with a column that is none are parked, and their marks stay raised."""
    try:
        return gather(accepted.batches, catalogue)
    except Unfit:
        pass
    good: list[Batch] = []
    for message, batch in zip(accepted.messages, accepted.batches, strict=True):
        try:
            decode_batch(message.data, catalogue)
            gather([batch], catalogue)
        except Poison as poison:
            parked.append((message, poison.reason))
        except Unfit as fault:
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
        logger.warning(
            "message moved to dead letters", extra={"subject": message.subject, "seq": message.seq, "reason": reason}
        )
        headers = {
            MESSAGE_ID: f"{CONSUMER}:{stream}:{message.seq}:{message.time_ns}",
            "Sonde-Reason": "".join(c if c.isprintable() else "?" for c in reason)[:500],
            "Sonde-Subject": message.subject,
            "Sonde-Stream": stream,
            "Sonde-Sequence": str(message.seq),
        }
        await jetstream.publish(deadletter(CONSUMER), message.data, headers=headers)
