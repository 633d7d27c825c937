"""Rows about incidents as the API shows them. What cannot be read is shown as far as it can, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec

from schemas.alerting import Incident, Notification, ToldChannel
from schemas.incidents import Acknowledged, Facts, Step
from schemas.rules import Rule

_NOTHING = Facts("", "", "", "warning", "warning", None, 0.0, 0.0, 0.0)


def read_facts(row: Mapping[str, Any]) -> tuple[Facts, str]:
    """What is known of an incident, and why nothing is; the reason is empty where it can be read."""
    try:
        return msgspec.json.decode(row["body"], type=Facts), ""
    except msgspec.MsgspecError as fault:
        return msgspec.structs.replace(_NOTHING, rule_name=row["rule_id"], changed=row["noticed_s"]), str(fault)[:300]


def incident(row: Mapping[str, Any]) -> Incident:
    facts, invalid = read_facts(row)
    return Incident(
        id=row["id"],
        rule=row["rule_id"],
        rule_name=facts.rule_name,
        host=row["host"],
        label=row["label"],
        instance=row["instance"],
        metric=facts.metric,
        unit=facts.unit,
        state="open" if row["closed_s"] is None else "closed",
        severity=facts.severity,
        worst=facts.worst,
        value=facts.value,
        threshold=facts.threshold,
        since=facts.since,
        opened=row["opened_s"],
        closed=row["closed_s"],
        changed=facts.changed,
        peak=facts.peak,
        peak_time=facts.peak_time,
        ending=facts.ending,
        tags=list(row["tags"]),
        past=row["past"],
        flapping=facts.flapping,
        acknowledged=acknowledged(row["acknowledged"]),
        told=list(row["told"]),
        version=row["version"],
        invalid=invalid,
    )


def acknowledged(body: str | None) -> Acknowledged | None:
    """An acknowledgement; None for none, and for one that this version cannot read: it has no effect either."""
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=Acknowledged)
    except msgspec.MsgspecError:
        return None


def rule_then(row: Mapping[str, Any]) -> Rule | None:
    """The rule as it was when the incident began; None where that was not kept."""
    return read_facts(row)[0].rule


def step(row: Mapping[str, Any]) -> Step:
    try:
        return msgspec.json.decode(row["body"], type=Step)
    except msgspec.MsgspecError as fault:
        kind = row["kind"] if row["kind"] in _KINDS else "noted"
        return Step(row["at_s"], cast("Any", kind), f"what is stored of this cannot be read: {str(fault)[:200]}")


_KINDS = get_args(next(field.type for field in msgspec.structs.fields(Step) if field.name == "kind"))


def told_channel(row: Mapping[str, Any]) -> ToldChannel:
    return ToldChannel(row["channel"], row["level"], row["at_s"], row["since_s"], row["times"])


def notification(row: Mapping[str, Any]) -> Notification:
    return Notification(
        row["id"],
        row["channel"],
        row["route"],
        row["form"],
        row["status"],
        row["attempts"],
        row["answer"],
        row["made_s"],
        row["done_s"],
        row["delay_s"],
        row["incidents"],
    )
