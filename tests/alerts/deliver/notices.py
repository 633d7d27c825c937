"""Builders of notices for the tests of delivery."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.incidents import Facts
from services.alerts.notice import Extent, Notice, Said
from tests.alerts.builders import BUSY, NOON_MS

NOON_S = NOON_MS / 1000

FACTS = Facts(
    rule_name="CPU busy",
    metric="cpu.total",
    unit="%",
    severity="critical",
    worst="critical",
    value=97.2,
    threshold=90,
    since=NOON_S - 300,
    changed=NOON_S,
    peak=99.1,
    peak_time=NOON_S - 60,
    rule=replace(BUSY, runbook_url="https://wiki.example/cpu?a=1&b=2"),
)

OWN = frozenset(Facts.__struct_fields__) - {"rule", "tags"}


def facts(**changes: Any) -> Facts:
    """A CPU that has been busy for five minutes, with changes."""
    return replace(FACTS, **changes)


def said(incident: int = 1, kind: str = "fire", host: str = "web-1", **changes: Any) -> Said:
    """It fires on web-1, with changes; those of its facts by their own names, but `judged_by` for their rule."""
    own = {name: changes.pop(name) for name in list(changes) if name in OWN}
    if "judged_by" in changes:
        own["rule"] = changes.pop("judged_by")
    fields = {
        "label": host,
        "rule": "busy",
        "instance": "",
        "opened": NOON_S,
        "closed": None,
        "facts": facts(**own),
        "tags": ["prod", "eu"],
    }
    return Said(incident, kind, host, **{**fields, **changes})  # type: ignore[arg-type]


def notice(*items: Said, **changes: Any) -> Notice:
    """Number 41, made five seconds after noon, about `items`, else about one that fires."""
    made = Notice(
        41,
        "alert",
        NOON_S + 5,
        list(items) or [said()],
        {"busy": Extent(3, 120)},
        NOON_S + 4 * 3600,
        "https://sonde.example",
    )
    return replace(made, **changes)
