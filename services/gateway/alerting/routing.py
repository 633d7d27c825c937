"""Which routes take an alert, and which channels they tell, as the alerts service decides it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from schemas.alerting import RouteCheck, RouteStep
from schemas.matching import Subject, misfit
from schemas.routes import EVERYTHING, Route


def ordered(routes: Iterable[Route]) -> list[Route]:
    """In the order in which they are tried."""
    return sorted(routes, key=lambda route: (route.position, route.id))


def route_check(routes: Iterable[Route], channels: Collection[str], subject: Subject) -> RouteCheck:
    """What `routes` do with an alert like `subject`; `channels` are those that are on."""
    there = ordered(routes)
    check = RouteCheck([], [], [])
    for route in there:
        why_not = misfit(route.match, subject) if route.enabled else "it is off"
        if why_not:
            check.steps.append(RouteStep(route.id, False, why_not))
            continue
        check.taken.append(route.id)
        check.channels += [name for name in route.channels if name in channels and name not in check.channels]
        check.steps.append(RouteStep(route.id, True, _told_by(route, channels)))
        if not route.further:
            return check
    if not check.taken and not any(route.id == EVERYTHING for route in there):
        check.taken.append(EVERYTHING)
        check.channels = sorted(channels)
        check.steps.append(RouteStep(EVERYTHING, True, "no route fits: every channel is told"))
    return check


def _told_by(route: Route, channels: Collection[str]) -> str:
    told = [name for name in route.channels if name in channels]
    missing = [name for name in route.channels if name not in channels]
    text = f"tells {', '.join(told)}" if told else "tells nobody"
    if missing:
        text += f"; {', '.join(missing)} is off or not there"
    if route.escalation is not None:
        text += f"; escalates to {', '.join(route.escalation.channels)} after {route.escalation.after_s:g} s"
    if route.hours is not None:
        text += f"; within its {route.hours.kind} hours" if route.hours.kind == "working" else "; outside quiet hours"
    return text + ("; later routes are tried, too" if route.further else "")
