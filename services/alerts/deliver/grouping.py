"""Many incidents in a few lines: one for each rule and state, with the names of some hosts. Pure."""

from __future__ import annotations

from services.alerts.deliver.formats import counted
from services.alerts.deliver.message import Line, Timed
from services.alerts.deliver.reading import one_line
from services.alerts.deliver.states import GRAVEST_FIRST, MARKS, State, state
from services.alerts.notice import Notice, Said

NAMED = 10


def grouped(notice: Notice, most: int) -> tuple[list[Line], str]:
    """At most `most` lines, the gravest and largest first, and how many incidents have none; empty: all have."""
    groups: dict[tuple[State, str], list[Said]] = {}
    for said in notice.items:
        groups.setdefault((state(said), said.rule), []).append(said)
    order = sorted(groups, key=lambda key: (GRAVEST_FIRST.index(key[0]), -len(groups[key]), key[1]))
    lines = [_line(name, groups[name, rule]) for name, rule in order[:most]]
    left = sum(len(groups[key]) for key in order[most:])
    return lines, f"and {counted(left, 'more alert')} of {counted(len(order) - most, 'rule')}" if left else ""


def _line(name: State, items: list[Said]) -> Line:
    rule = one_line(items[0].facts.rule_name)
    hosts = {said.host: said for said in items if said.host}
    word = "in the past" if name == "past" else name
    if not hosts:
        return Line(MARKS[name], rule, Timed(f"{word}: {_some([said.instance for said in items])}"))
    times = f", {len(items):,} alerts" if len(items) > len(hosts) else ""
    names = _some([said.label or said.host for said in hosts.values()])
    return Line(MARKS[name], rule, Timed(f"{word} on {counted(len(hosts), 'host')}{times}: {names}"))


def _some(names: list[str]) -> str:
    left = len(names) - NAMED
    return ", ".join(map(one_line, names[:NAMED])) + (f" and {left:,} more" if left > 0 else "")
