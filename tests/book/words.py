"""Durations, numbers, rules and routes as the timelines of the book write them."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from schemas.matching import Matcher
from schemas.routes import DAYS, Escalation, Hours, Route, Span, check_route
from schemas.rulechecks import check_rule
from schemas.rules import Also, Override, Rule, Threshold, Window, default_rules

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
SIZES = {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
FUNCTIONS: dict[str, Any] = {
    "average": "avg", "minimum": "min", "maximum": "max", "95th percentile": "p95", "rate": "rate",
    "increase": "increase", "time left": "time_left",
}  # fmt: skip


class NotUnderstood(ValueError):
    """A line of the book that means nothing."""


def seconds(text: str) -> float:
    """`1 h 30 min` in seconds."""
    parts = re.findall(r"([0-9.]+) (s|min|h|d)\b", text)
    if not parts or " ".join(f"{number} {unit}" for number, unit in parts) != text.strip():
        raise NotUnderstood(f"no duration: {text!r}")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def value(text: str) -> float:
    """`90`, `10 GiB`, `30 min` as a number."""
    number, _, unit = text.strip().partition(" ")
    return float(number.replace(",", "")) * SIZES.get(unit, UNITS.get(unit, 1.0))


def rule_of(text: str) -> Rule:
    """`busy: cpu.total above 90 critical back at 80, for 5 min`; or the id of a rule of a first start."""
    name, colon, rest = text.partition(":")
    if not colon:
        return next(rule for rule in default_rules() if rule.id == name.strip())
    first, *clauses = rest.strip().split(", ")
    rule = _thresholds(Rule(name, name.replace("-", " ").capitalize(), ""), first)
    for clause in clauses:
        rule = replace(rule, **_rule_clause(rule, clause))
    check_rule(rule)
    return rule


def _thresholds(rule: Rule, text: str) -> Rule:
    found = re.fullmatch(r"(\S+)(?: of (\S+))? (above|below) (.+)", text)
    if found is None:
        raise NotUnderstood(f"no condition: {text!r}")
    metric, instance, comparison, levels = found.groups()
    rule = replace(rule, metric=metric, instance=instance or "*", comparison=comparison)
    for level in levels.split(" and "):
        rule = replace(rule, **_level(level))
    return rule


def _level(text: str) -> dict[str, Threshold]:
    found = re.fullmatch(r"(.+?) (warning|critical)(?: back at (.+))?", text)
    if found is None:
        raise NotUnderstood(f"no level: {text!r}")
    at, level, back = found.groups()
    return {level: Threshold(value(at), value(back or at))}


def _rule_clause(rule: Rule, clause: str) -> dict[str, Any]:
    def tail(words: str) -> str | None:
        return clause[len(words) + 1 :] if clause.startswith(words + " ") else None

    if clause == "off":
        return {"enabled": False}
    if (found := re.fullmatch(r"(.+) (?:of|over) (.+)", clause)) and found[1] in FUNCTIONS:
        return {"window": Window(FUNCTIONS[found[1]], seconds(found[2]))}
    if found := re.fullmatch(r"and (\S+) (above|below) (.+)", clause):
        return {"also": Also(found[1], found[2], value(found[3]))}  # type: ignore[arg-type]
    if found := re.fullmatch(r"no data (fires|ends it) after (.+)", clause):
        return {"no_data": "alert" if found[1] == "fires" else "ok", "no_data_s": seconds(found[2])}
    if found := re.fullmatch(r"but (.+) on hosts (\S+)", clause):
        changes: dict[str, Any] = {"enabled": False} if found[1] == "off" else _level(found[1])
        return {"overrides": [*rule.overrides, Override([found[2]], **changes)]}
    for words, field, made in (
        ("for", "for_s", seconds),
        ("over after", "recover_for_s", seconds),
        ("called", "name", lambda text: text.strip('"')),
        ("on hosts", "host", str),
        ("not on", "not_instances", lambda text: [text]),
        ("with tag", "tags", lambda text: [text]),
        ("without tag", "without_tags", lambda text: [text]),
    ):
        if (rest := tail(words)) is not None:
            return {field: made(rest)}
    raise NotUnderstood(f"no part of a rule: {clause!r}")


def route_of(text: str) -> Route:
    """`night: to slack, quiet 22:00 to 07:00, remind every 4 h`."""
    name, _, rest = text.partition(": ")
    route = Route(name, name, [])
    for clause in rest.split(", "):
        route = replace(route, **_route_clause(route, clause))
    check_route(route)
    return route


def _route_clause(route: Route, clause: str) -> dict[str, Any]:
    plain: dict[str, dict[str, Any]] = {
        "off": {"enabled": False},
        "then the next": {"further": True},
        "never remind": {"repeat_s": 0},
        "without ends": {"send_resolved": False},
        "without the past": {"tell_past": False},
    }
    if clause in plain:
        return plain[clause]
    if clause == "critical passes" and route.hours is not None:
        return {"hours": replace(route.hours, critical_passes=True)}
    if found := re.fullmatch(r"(quiet|working) (\d\d:\d\d) to (\d\d:\d\d)(?: (\w{3})-(\w{3}))?(?: in (\S+))?", clause):
        kind, start, until, first, last, zone = found.groups()
        days = list(DAYS[DAYS.index(first) : DAYS.index(last) + 1]) if first else list(DAYS)
        return {"hours": Hours([Span(days, start, until)], kind, zone or "UTC")}  # type: ignore[arg-type]
    if found := re.fullmatch(r"escalate( what is critical)? to (\S+) after (.+)", clause):
        return {"escalation": Escalation(seconds(found[3]), [found[2]], found[1] is not None)}
    if found := re.fullmatch(r"only (hosts|rules|tag|severity) (.+)", clause):
        kind, what = found.groups()
        if kind == "severity":
            return {"match": replace(route.match, severity=what)}
        return {"match": replace(route.match, **{"tags" if kind == "tag" else kind: what.split(" ")})}
    for words, field, made in (
        ("to ", "channels", lambda rest: rest.split(" and ")),
        ("group by ", "group_by", str),
        ("group wait ", "group_wait_s", seconds),
        ("group interval ", "group_interval_s", seconds),
        ("remind every ", "repeat_s", seconds),
        ("storm above ", "storm_hosts", lambda rest: int(rest.removesuffix(" hosts"))),
        ("position ", "position", int),
    ):
        if clause.startswith(words):
            return {field: made(clause[len(words) :])}
    raise NotUnderstood(f"no part of a route: {clause!r}")


def matcher_of(text: str) -> Matcher:
    """`everything`, `hosts web-*`, `rule cpu`, `tag db`."""
    matcher = Matcher()
    for part in text.split(" and "):
        kind, _, what = part.partition(" ")
        match kind:
            case "everything":
                pass
            case "hosts" | "host":
                matcher = replace(matcher, hosts=what.split(" "))
            case "rules" | "rule":
                matcher = replace(matcher, rules=what.split(" "))
            case "tag":
                matcher = replace(matcher, tags=[what])
            case "severity":
                matcher = replace(matcher, severity=what)
            case _:
                raise NotUnderstood(f"nothing that can be matched: {part!r}")
    return matcher
