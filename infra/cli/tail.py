"""`sonde tail`: bus traffic in a form people can read. Every message that Sonde publishes is decoded."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg

from infra.authority.roles import READABLE
from infra.cli import reach
from infra.cli.process import CommandError, say
from infra.settings import ServerSettings
from schemas.catalogue import Metric
from schemas.codec import Poison, decode_batch, decoded_series
from schemas.messages import Batch

_BATCH_SUBJECTS = ("metrics.", "backfill.", "live.")
_UNITS = {"B": 1024.0, "B/s": 1024.0}
_PREFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi")


async def tail(settings: ServerSettings, subject: str, as_json: bool, count: int) -> int:
    """Print messages on `subject` as they come, `count` of them when it is not 0. Raises CommandError, OutputClosed."""
    if not is_subject(subject):
        raise CommandError(f"tail: {subject!r} is not a subject; examples: metrics.web-1, 'metrics.*', 'alerts.>'")
    async with reach.bus(settings, "tail") as client:
        heard: asyncio.Queue[Msg] = asyncio.Queue(1000)
        # Nobody may subscribe to everything: inboxes hold the answers to others.
        for readable in READABLE if subject == ">" else (subject,):
            await client.subscribe(readable, cb=heard.put)
        await client.flush()
        if "permissions violation" in str(client.last_error).lower():
            raise CommandError(f"tail: this user may not read {subject!r}; it may read {', '.join(READABLE)}")
        shown = 0
        while shown != count or not count:
            message = await heard.get()
            say(to_json(message) if as_json else to_text(message))
            shown += 1
    return 0


def is_subject(text: str) -> bool:
    """Whether one can subscribe to `text`: words between dots, `*` for any word, `>` at the end for the rest."""
    *others, last = text.split(".")
    words = all(word and word.isprintable() and " " not in word for word in (*others, last))
    wildcards = any(len(word) > 1 and ("*" in word or ">" in word) for word in (*others, last))
    return words and not wildcards and ">" not in others


def decode(message: Msg) -> dict[str, Any]:
    """A message as plain data: a batch with absolute times and real units, JSON as it is, other bytes as their size."""
    shown: dict[str, Any] = {"subject": message.subject}
    if message.headers:
        shown["headers"] = dict(message.headers)
    if message.subject.startswith(_BATCH_SUBJECTS):
        try:
            return {**shown, **_batch(decode_batch(message.data))}
        except Poison as poison:
            return {**shown, "poison": poison.reason, "bytes": len(message.data)}
    try:
        return {**shown, "body": json.loads(message.data)}
    except ValueError:
        return {**shown, "bytes": len(message.data)}


def _batch(batch: Batch) -> dict[str, Any]:
    families: dict[str, list[dict[str, Any]]] = {}
    for reading in decoded_series(batch):
        columns = {
            name: [None if value is None else _real(value, reading.family.metric(name)) for value in values]
            for name, values in reading.columns.items()
        }
        families.setdefault(reading.family.name, []).append(
            {"instance": reading.instance, "times": reading.times, **columns}
        )
    return {
        "host": batch.host,
        "lane": batch.lane,
        "epoch": batch.epoch,
        "seq": batch.seq,
        "samples": len(batch.times),
        "families": families,
    }


def _real(value: int, metric: Metric) -> float:
    return round(value * metric.resolution, 4)


def to_json(message: Msg) -> str:
    """One line of JSON."""
    return json.dumps(decode(message), separators=(",", ":"), ensure_ascii=False)


def to_text(message: Msg) -> str:
    """One line for a message, and for a batch one more per instance with its newest values."""
    shown = decode(message)
    clock = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
    if "families" not in shown:
        rest = shown.get("body", shown.get("poison", f"{shown.get('bytes', 0)} bytes"))
        return f"{clock} {message.subject} {rest if isinstance(rest, str) else json.dumps(rest, ensure_ascii=False)}"
    size = f"{shown['samples']} samples {len(message.data)} bytes"
    lines = [f"{clock} {message.subject} {shown['lane']} #{shown['seq']} {size}"]
    for reading in decoded_series(decode_batch(message.data)):
        values = (
            f"{name}={human(column[-1], reading.family.metric(name))}"
            for name, column in reading.columns.items()
            if column and column[-1] is not None
        )
        label = f"{reading.family.name} {reading.instance}".rstrip()
        lines.append(f"    {label}: {' '.join(values)}")
    return "\n".join(lines)


def human(count: int | None, metric: Metric) -> str:
    """A count in its unit, bytes with binary prefixes."""
    if count is None:
        return "-"
    value = count * metric.resolution
    if metric.unit in _UNITS:
        power = 0
        while abs(value) >= 1024 and power < len(_PREFIXES) - 1:
            value /= 1024
            power += 1
        return f"{value:.4g} {_PREFIXES[power]}{metric.unit}"
    return f"{value:.10g} {metric.unit}".rstrip()
