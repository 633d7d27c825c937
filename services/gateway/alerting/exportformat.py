"""Incidents and transitions as CSV (RFC 4180) and as NDJSON, with times in RFC 3339. Pure.

Texts that a spreadsheet would take for a formula begin with an apostrophe in CSV: names come from machines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from schemas.alerting import Incident
from schemas.messages import AlertTransition

Format = Literal["csv", "ndjson"]
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}

INCIDENT_COLUMNS = (
    "id", "rule", "rule_name", "host", "label", "instance", "metric", "unit", "state", "severity", "worst", "value",
    "threshold", "opened", "closed", "changed", "peak", "peak_time", "ending", "tags", "past", "flapping",
    "acknowledged_by", "acknowledged_at", "told",
)  # fmt: skip
TRANSITION_COLUMNS = (
    "id", "incident", "time", "kind", "host", "rule", "rule_name", "metric", "instance", "severity", "value", "unit",
    "threshold", "since", "peak", "peak_time", "past", "flapping", "tags",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""What makes a spreadsheet calculate, or ask another program."""


def incident_row(incident: Incident) -> dict[str, Any]:
    seen = incident.acknowledged
    row: dict[str, Any] = {name: getattr(incident, name, None) for name in INCIDENT_COLUMNS}
    row["acknowledged_by"] = seen.by if seen is not None else None
    row["acknowledged_at"] = _moment(seen.at) if seen is not None else None
    for name in ("opened", "closed", "changed", "peak_time"):
        row[name] = _moment(row[name])
    return row


def transition_row(transition: AlertTransition) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(transition, name) for name in TRANSITION_COLUMNS}
    for name in ("time", "since", "peak_time"):
        row[name] = _moment(row[name])
    return row


def head(columns: Sequence[str], format: Format) -> bytes:
    """What stands before the rows."""
    return _csv([columns]) if format == "csv" else b""


def encoded(rows: Sequence[dict[str, Any]], format: Format) -> bytes:
    """Rows with the same columns, in their order."""
    if format == "ndjson":
        return msgspec.json.Encoder().encode_lines(rows)
    return _csv([_cell(value) for value in row.values()] for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(value) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="replace")


def _moment(at_s: float | None) -> str | None:
    """RFC 3339, in milliseconds; None for a time that no calendar has."""
    if at_s is None:
        return None
    try:
        return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None
