"""Rows about hosts as marks, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from schemas.incidents import Facts
from schemas.marks import HostEventKind, Mark, MarkLevel
from schemas.matching import Matcher, Subject, matches
from schemas.routes import Silence

ALL_HOSTS = "all hosts"
"""What the audit log calls them."""
SETTINGS = ("PUT /hosts/{host}/config", "DELETE /hosts/{host}/config", "PUT /agents/config", "DELETE /agents/config")
IMPORTED = "agent "
"""In front of the host, or of `ALL_HOSTS`, whose agent settings an import has changed."""
MOST_PARTS = 5
"""Changed settings that are named."""

_EVENTS: Mapping[HostEventKind, str] = {
    "reboot": "Rebooted",
    "update": "Agent updated",
    "settings": "New settings in force",
    "refused": "Settings refused",
    "away": "Agent disconnected",
}


def incident_mark(row: Mapping[str, Any]) -> Mark:
    """An alert from when it fired until it was over."""
    try:
        facts = msgspec.json.decode(row["body"], type=Facts)
    except msgspec.MsgspecError:
        facts = Facts(row["rule_id"], "", "", "warning", "warning", None, 0, 0, 0)
    detail = ", ".join(filter(None, [row["instance"], "found in late samples" if row["past"] else ""]))
    number = str(row["id"])
    return Mark(row["host"], row["time_ms"], row["end_ms"], "alert", facts.worst, facts.rule_name, detail, number)


def event_mark(row: Mapping[str, Any]) -> Mark:
    kind = cast("HostEventKind", row["kind"])
    level: MarkLevel = "warning" if kind in ("refused", "away") else "info"
    detail = _event_detail(kind, msgspec.json.decode(row["body"]))
    return Mark(row["host"], row["time_ms"], row["end_ms"], kind, level, _EVENTS.get(kind, kind), detail, "")


def _event_detail(kind: HostEventKind, body: Mapping[str, Any]) -> str:
    match kind:
        case "reboot" if "kernel" in body:
            return f"kernel {' to '.join(body['kernel'])}"
        case "update":
            return f"{body.get('from', '')} to {body.get('to', '')}"
        case "settings":
            return f"revision {body.get('revision', '')}"
        case "refused":
            return str(body.get("error", ""))
    return ""


def change_mark(row: Mapping[str, Any], host: str) -> Mark | None:
    """What somebody did about `host`, empty for all of them; None for what is shown otherwise, or not at all."""
    before, after = _json(row["before"]), _json(row["after"])
    time_ms = row["time_ms"]
    if row["action"] in SETTINGS or row["target"].startswith(IMPORTED):
        detail = "; ".join(differences(before, after))
        return Mark(host, time_ms, time_ms, "change", "info", "Settings changed", detail, "")
    if "command" in after:
        arguments = after.get("arguments") or {}
        detail = ", ".join(f"{name} {value}" for name, value in arguments.items())[:300]
        return Mark(host, time_ms, time_ms, "order", "info", f"Order: {after['command']}", detail, "")
    return None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Which settings are others than before, some of them with both values."""
    parts = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        plain = not isinstance(old, dict | list) and not isinstance(new, dict | list)
        parts.append(f"{name} {_shown(old)} to {_shown(new)}" if plain else name)
    return parts[:MOST_PARTS] + ([f"{len(parts) - MOST_PARTS} more"] if len(parts) > MOST_PARTS else [])


def _shown(value: Any) -> str:
    return "default" if value is None else str(value)[:60]


def mute_marks(host: str, rows: Sequence[Mapping[str, Any]], from_ms: int) -> list[Mark]:
    """The stretches that `host` was muted for, but those over by `from_ms`; `rows`: its changes, the earliest first."""
    marks: list[Mark] = []
    for row in rows:
        before, after = _json(row["before"]), _json(row["after"])
        if "muted_until" not in after or after["muted_until"] == before.get("muted_until"):
            continue
        if marks and (marks[-1].end is None or marks[-1].end > row["time_ms"]):
            marks[-1].end = row["time_ms"]  # that one was put in place of it, or ends it
        until = after["muted_until"]
        if until is not None:
            end = int(until) if isinstance(until, int | float) else None
            marks.append(Mark(host, row["time_ms"], end, "mute", "info", "Muted", "", ""))
    return [mark for mark in marks if mark.end is None or mark.end >= from_ms]


def silence_marks(row: Mapping[str, Any], hosts: Iterable[Mapping[str, Any]]) -> list[Mark]:
    """A silence, on each of `hosts` of which it fits any alerts."""
    try:
        silence = msgspec.json.decode(row["body"], type=Silence)
    except msgspec.MsgspecError:  # what cannot be read silences nothing
        return []
    about = msgspec.structs.replace(silence.match, rules=[], instances=[], severity="any")
    detail = ", ".join(filter(None, [_part(silence.match), silence.reason]))
    return [
        Mark(host["name"], row["time_ms"], row["end_ms"], "silence", "info", "Silenced", detail, str(row["id"]))
        for host in hosts
        if matches(about, Subject(host["name"], frozenset(host["tags"]), "", "", "warning"))
    ]


def _part(matcher: Matcher) -> str:
    """Which alerts of a host a silence is about; empty for all."""
    severity = "" if matcher.severity == "any" else f"{matcher.severity} only"
    return ", ".join(filter(None, [" ".join(matcher.rules[:3]), " ".join(matcher.instances[:3]), severity]))


def _json(text: str | None) -> Mapping[str, Any]:
    read = None if text is None else msgspec.json.decode(text)
    return read if isinstance(read, dict) else {}
