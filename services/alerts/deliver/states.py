"""How an incident stands, as people see it at a glance: a word, a mark, a colour. Pure."""

from __future__ import annotations

from typing import Literal

from services.alerts.notice import Said

State = Literal["critical", "warning", "resolved", "no longer monitored", "past"]

GRAVEST_FIRST: tuple[State, ...] = ("critical", "warning", "resolved", "no longer monitored", "past")
MARKS: dict[State, str] = {
    "critical": "🔴",
    "warning": "🟠",
    "resolved": "🟢",
    "no longer monitored": "⚪",
    "past": "🕘",
}
COLORS: dict[State, str] = {
    "critical": "#d62828",
    "warning": "#f08c00",
    "resolved": "#2f9e44",
    "no longer monitored": "#868e96",
    "past": "#868e96",
}


def state(said: Said) -> State:
    """Its severity while it goes on, else how it ended; `past`: what it was has nothing to do with now."""
    match said.kind:
        case "past":
            return "past"
        case "resolve":
            return "resolved"
        case "gone":
            return "no longer monitored"
        case _:
            return said.facts.severity


def is_over(said: Said) -> bool:
    return state(said) not in ("critical", "warning")
