"""Who is to be told of an incident and what keeps them from it, with the reasons in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from schemas.matching import misfit
from schemas.routes import EVERYTHING, Route
from schemas.virtual import HOST_DOWN, MONITORING_BLIND
from services.alerts.notify.hours import telling
from services.alerts.notify.world import Decision, Destination, Hold, Incident, Told, World

SETTLE_S = 3.0
"""A host that is back is judged first; then one message tells of its return and of what else is wrong with it."""
CRITICAL = 2


class Surroundings(Struct):
    """What of all incidents together decides about each."""

    down: frozenset[str]
    """Hosts that are called down."""
    back_s: dict[str, float]
    """Hosts that were, and when it was noticed that they are back."""
    blind: bool
    """Whether nobody can tell who is silent."""


def surroundings(incidents: Iterable[Incident]) -> Surroundings:
    down: set[str] = set()
    back_s: dict[str, float] = {}
    blind = False
    for incident in incidents:
        metric = incident.facts.metric
        if metric == HOST_DOWN and not incident.past:
            if incident.level:
                down.add(incident.host)
            else:
                back_s[incident.host] = max(incident.noticed_s, back_s.get(incident.host, 0))
        elif metric == MONITORING_BLIND and incident.level:
            blind = True
    return Surroundings(frozenset(down), {host: at_s for host, at_s in back_s.items() if host not in down}, blind)


def decide(world: World, around: Surroundings, incident: Incident, now_s: float) -> Decision:
    """Whom the routes want told of `incident` at `now_s`."""
    decision = Decision()
    decision.hold = _hold(world, around, incident, now_s)
    if decision.hold is not None:
        decision.steps.append(f"held: {decision.hold.text}")
    told = world.told.get(incident.id, {})
    if incident.level or incident.past:
        for route in _routes(world, incident, decision):
            _add_route(world, route, incident, told, decision, now_s)
    else:
        _add_endings(world, incident, told, decision, now_s)
    _fall_back(world, decision)
    return decision


def is_acknowledged(incident: Incident, now_s: float) -> bool:
    """Whether somebody has seen it as it is now."""
    seen = incident.acknowledged
    return seen is not None and incident.level <= seen.level and (seen.until is None or now_s < seen.until)


def _hold(world: World, around: Surroundings, incident: Incident, now_s: float) -> Hold | None:
    """What keeps everybody from being told."""
    if world.catching_up_s is not None:
        return Hold("catching up", "what the bus kept meanwhile is being judged first", world.catching_up_s)
    for number, silence in world.silences.items():
        if silence.starts <= now_s < silence.ends and not misfit(silence.match, incident.subject):
            reason = f" ({silence.reason})" if silence.reason else ""
            return Hold("silence", f"silence {number}{reason}", silence.ends)
    muted_until_s = world.muted_until.get(incident.host, 0) if incident.host else 0
    if muted_until_s > now_s:
        return Hold("muted", f"host {incident.host} is muted", muted_until_s)
    metric = incident.facts.metric
    if incident.past:
        return None
    if metric == HOST_DOWN and around.blind and incident.level:
        return Hold("inhibited", "monitoring is blind: nobody can tell who is silent")
    if metric != HOST_DOWN and incident.host in around.down:
        return Hold("inhibited", f"host {incident.host} is down")
    back_s = around.back_s.get(incident.host)
    if incident.host and back_s is not None and now_s < back_s + SETTLE_S:
        return Hold("settling", f"host {incident.host} is just back and is judged first", back_s + SETTLE_S)
    return None


def _routes(world: World, incident: Incident, decision: Decision) -> list[Route]:
    """The routes that take `incident`: the first that fits, and those after it if it lets it through."""
    taken = []
    for route in world.routes:
        if not route.enabled:
            continue
        why_not = misfit(route.match, incident.subject)
        if why_not:
            decision.steps.append(f"route {route.id} does not fit: {why_not}")
            continue
        decision.steps.append(f"route {route.id} fits")
        taken.append(route)
        if not route.further:
            return taken
    if not any(route.id == EVERYTHING for route in world.routes):
        if not taken:
            decision.steps.append("no route fits: every channel")
            return [everything(world)]
    elif not taken:
        decision.steps.append("no route fits: nobody is told")
    return taken


def everything(world: World) -> Route:
    """The route of what no stored one takes."""
    return Route(EVERYTHING, "Everything else", sorted(world.channels), position=10_000)


def _add_route(
    world: World, route: Route, incident: Incident, told: dict[str, Told], decision: Decision, now_s: float
) -> None:
    if incident.past and not route.tell_past:
        decision.steps.append(f"route {route.id} does not tell of the past")
        return
    hold, open_since_s = _hours(route, incident, now_s)
    if hold is not None:
        decision.steps.append(f"route {route.id} holds: {hold.text}")
    for channel in route.channels:
        if channel in world.channels:
            decision.destinations.setdefault(channel, Destination(route, "route", hold, open_since_s))
        else:
            decision.steps.append(f"route {route.id} names channel {channel}, which is not there")
    escalation = route.escalation
    if escalation is None or incident.past or (escalation.critical_only and incident.level < CRITICAL):
        return
    if is_acknowledged(incident, now_s):
        decision.steps.append("acknowledged: no escalation")
        return
    first_s = min((told[channel].since_s for channel in route.channels if channel in told), default=incident.noticed_s)
    due_s = first_s + escalation.after_s
    waiting = None if now_s >= due_s else Hold("grouping", "nobody has had the time to acknowledge yet", due_s)
    for channel in escalation.channels:
        if channel in world.channels:
            decision.steps.append(f"escalates to {channel}" + (" later" if waiting else ""))
            decision.destinations.setdefault(
                channel, Destination(route, "escalation", hold or waiting, open_since_s if hold or waiting else None)
            )


def _add_endings(world: World, incident: Incident, told: dict[str, Told], decision: Decision, now_s: float) -> None:
    """Whoever was told that it is on is told that it is over, whatever the routes are now."""
    taken: dict[str, Route] = {}
    for route in _routes(world, incident, decision):
        for channel in (*route.channels, *(route.escalation.channels if route.escalation else ())):
            taken.setdefault(channel, route)
    for channel, what in told.items():
        if what.level and channel in world.channels:
            route = taken.get(channel) or everything(world)
            hold, open_since_s = _hours(route, incident, now_s)
            decision.destinations[channel] = Destination(route, "ending", hold, open_since_s)


def _hours(route: Route, incident: Incident, now_s: float) -> tuple[Hold | None, float | None]:
    """What the route's hours say, and since when they let messages through."""
    if route.hours is None or (route.hours.critical_passes and incident.facts.severity == "critical"):
        return None, None
    now = telling(route.hours, now_s)
    if now.open:
        return None, now.since_s
    return Hold("hours", f"{route.hours.kind} hours", now.until_s), None


def _fall_back(world: World, decision: Decision) -> None:
    """Tell the fallback of a channel where nothing can be sent; the channel itself is told once it works again."""
    for name, destination in list(decision.destinations.items()):
        channel = world.channels[name]
        if not channel.held:
            continue
        destination.hold = destination.hold or Hold("channel", f"channel {name} is held: {channel.held}")
        decision.steps.append(f"channel {name} is held: {channel.held}")
        other = world.channels.get(channel.fallback)
        if other is not None and not other.held and other.id not in decision.destinations:
            decision.steps.append(f"{other.id} is told in its place")
            hold = None if destination.hold.reason == "channel" else destination.hold
            decision.destinations[other.id] = Destination(destination.route, "fallback", hold, destination.open_since_s)
