"""Who is to be told of an incident and what keeps them from it, with the reasons in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct, field

from schemas.incidents import is_seen
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

    def of(self, host: str) -> tuple[bool, float | None, bool]:
        """What of it concerns `host`."""
        return host in self.down, self.back_s.get(host), self.blind


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


class Moment(Struct):
    """A world at one time, and what is the same for all its incidents."""

    world: World
    now_s: float
    around: Surroundings
    everything: Route
    hours: dict[str, tuple[bool, float, float]] = field(default_factory=dict)
    """By route, as far as it was asked: whether people are told, since when and until when."""

    @property
    def unix_s(self) -> float:
        return self.now_s - self.world.ahead_s

    def steady_s(self, unix_s: float) -> float:
        """The same moment on the world's clock."""
        return unix_s + self.world.ahead_s


def moment(world: World, now_s: float) -> Moment:
    everything = Route(EVERYTHING, "Everything else", sorted(world.channels), position=10_000)
    return Moment(world, now_s, surroundings(world.incidents.values()), everything)


def decide(now: Moment, incident: Incident) -> Decision:
    """Whom the routes want told of `incident`."""
    decision = Decision()
    decision.hold = _hold(now, incident, decision)
    if decision.hold is not None:
        decision.steps.append(f"held: {decision.hold.text}")
    told = now.world.told.get(incident.id, {})
    if incident.level or incident.past:
        for route in _routes(now, incident, decision):
            _add_route(now, route, incident, told, decision)
    else:
        _add_endings(now, incident, told, decision)
    _fall_back(now.world, decision)
    for hold in (decision.hold, *(destination.hold for destination in decision.destinations.values())):
        if hold is not None:
            _until(now, decision, hold.until_s)
    seen = incident.acknowledged
    if seen is not None and seen.until is not None:
        _until(now, decision, now.steady_s(seen.until))
    return decision


def is_acknowledged(incident: Incident, unix_s: float) -> bool:
    """Whether somebody has seen it as it is now."""
    return is_seen(incident.acknowledged, incident.level, unix_s)


def _until(now: Moment, decision: Decision, at_s: float | None) -> None:
    if at_s is not None and now.now_s < at_s < decision.until_s:
        decision.until_s = at_s


def _hold(now: Moment, incident: Incident, decision: Decision) -> Hold | None:
    """What keeps everybody from being told."""
    world = now.world
    if world.catching_up_s is not None:
        return Hold("catching up", "what the bus kept meanwhile is being judged first", world.catching_up_s)
    for number, silence in world.silences.items():
        if now.unix_s < silence.ends and not misfit(silence.match, incident.subject):
            if silence.starts <= now.unix_s:
                reason = f" ({silence.reason})" if silence.reason else ""
                return Hold("silence", f"silence {number}{reason}", now.steady_s(silence.ends))
            _until(now, decision, now.steady_s(silence.starts))
    muted_until_s = world.muted_until.get(incident.host, 0) if incident.host else 0
    if muted_until_s > now.unix_s:
        return Hold("muted", f"host {incident.host} is muted", now.steady_s(muted_until_s))
    if incident.past:
        return None
    metric = incident.facts.metric
    down, back_s, blind = now.around.of(incident.host)
    if metric == HOST_DOWN and blind and incident.level:
        return Hold("inhibited", "monitoring is blind: nobody can tell who is silent")
    if metric != HOST_DOWN and down:
        return Hold("inhibited", f"host {incident.host} is down")
    if incident.host and back_s is not None and now.now_s < back_s + SETTLE_S:
        return Hold("settling", f"host {incident.host} is just back and is judged first", back_s + SETTLE_S)
    return None


def _routes(now: Moment, incident: Incident, decision: Decision) -> list[Route]:
    """The routes that take `incident`: the first that fits, and those after it if it lets it through."""
    taken = []
    subject = incident.subject
    for route in now.world.routes:
        if not route.enabled:
            continue
        why_not = misfit(route.match, subject)
        if why_not:
            decision.steps.append(f"route {route.id} does not fit: {why_not}")
            continue
        decision.steps.append(f"route {route.id} fits")
        taken.append(route)
        if not route.further:
            return taken
    if not any(route.id == EVERYTHING for route in now.world.routes):
        if not taken:
            decision.steps.append("no route fits: every channel")
            return [now.everything]
    elif not taken:
        decision.steps.append("no route fits: nobody is told")
    return taken


def _add_route(now: Moment, route: Route, incident: Incident, told: dict[str, Told], decision: Decision) -> None:
    if incident.past and not route.tell_past:
        decision.steps.append(f"route {route.id} does not tell of the past")
        return
    hold, open_since_s = _hours(now, route, incident, decision)
    if hold is not None:
        decision.steps.append(f"route {route.id} holds: {hold.text}")
    for channel in route.channels:
        if channel in now.world.channels:
            decision.destinations.setdefault(channel, Destination(route, "route", hold, open_since_s))
        else:
            decision.steps.append(f"route {route.id} names channel {channel}, which is not there")
    if not incident.past:
        _add_escalation(now, route, incident, told, decision)


def _add_escalation(now: Moment, route: Route, incident: Incident, told: dict[str, Told], decision: Decision) -> None:
    escalation = route.escalation
    if escalation is None or (escalation.critical_only and incident.level < CRITICAL):
        return
    if is_acknowledged(incident, now.unix_s):
        decision.steps.append("acknowledged: no escalation")
        return
    hold, open_since_s = _hours(now, route, incident, decision)
    since_s = _told_since_s(now.world, route, incident, told)
    due_s = math.inf if since_s is None else since_s + escalation.after_s
    if now.now_s < due_s:
        text = "nobody has had the time to acknowledge yet" if since_s is not None else "nobody was told yet"
        waiting = Hold("waiting", text, None if since_s is None else due_s)
    else:
        waiting = None
    for channel in escalation.channels:
        if channel in now.world.channels and channel not in decision.destinations:
            decision.steps.append(f"escalates to {channel}" + (" later" if waiting else ""))
            held_s = open_since_s if open_since_s is not None and due_s <= open_since_s else None
            decision.destinations[channel] = Destination(route, "escalation", hold or waiting, held_s)
            if waiting is not None:
                _until(now, decision, waiting.until_s)


def _told_since_s(world: World, route: Route, incident: Incident, told: dict[str, Told]) -> float | None:
    """Since when somebody could have acknowledged `incident` as grave as the escalation asks; None: not yet."""
    first_s = min((what.since_s for what in told.values() if what.level and not what.unsure), default=None)
    if first_s is not None:
        escalation = route.escalation
        return max(first_s, incident.noticed_s) if escalation is not None and escalation.critical_only else first_s
    channels = [world.channels[name] for name in route.channels if name in world.channels]
    # Where nobody can be told at all, the others need not wait for that.
    return None if any(not it.held and not it.failures for it in channels) else incident.noticed_s


def _add_endings(now: Moment, incident: Incident, told: dict[str, Told], decision: Decision) -> None:
    """Whoever was told that it is on is told that it is over, whatever the routes are now."""
    taken: dict[str, Route] = {}
    for route in _routes(now, incident, decision):
        for channel in (*route.channels, *(route.escalation.channels if route.escalation else ())):
            taken.setdefault(channel, route)
    for channel, what in told.items():
        if what.level and channel in now.world.channels:
            route = taken.get(channel) or now.everything
            hold, open_since_s = _hours(now, route, incident, decision)
            decision.destinations[channel] = Destination(route, "ending", hold, open_since_s)


def _hours(now: Moment, route: Route, incident: Incident, decision: Decision) -> tuple[Hold | None, float | None]:
    """What the route's hours say, and since when they let messages through."""
    if route.hours is None or (route.hours.critical_passes and incident.facts.severity == "critical"):
        return None, None
    found = now.hours.get(route.id)
    if found is None:
        said = telling(route.hours, now.unix_s)
        found = now.hours[route.id] = said.open, now.steady_s(said.since_s), now.steady_s(said.until_s)
    is_open, since_s, until_s = found
    _until(now, decision, until_s)
    if is_open:
        return None, since_s
    return Hold("hours", f"{route.hours.kind} hours", until_s), None


def _fall_back(world: World, decision: Decision) -> None:
    """Tell another channel in place of one that is held, which is told once it works again."""
    for name, destination in list(decision.destinations.items()):
        channel = world.channels[name]
        if not channel.held:
            continue
        hold = destination.hold
        destination.hold = hold or Hold("channel", f"channel {name} is held: {channel.held}")
        decision.steps.append(f"channel {name} is held: {channel.held}")
        other = _working(world, name)
        if other is not None and other not in decision.destinations:
            decision.steps.append(f"{other} is told in its place")
            decision.destinations[other] = Destination(destination.route, "fallback", hold, destination.open_since_s)


def _working(world: World, name: str) -> str | None:
    """The first channel that works of those that are told in place of `name`, and of one another."""
    tried = {name}
    while (channel := world.channels.get(name)) is not None and channel.held:
        name = channel.fallback
        if name in tried:
            return None
        tried.add(name)
    return name if channel is not None else None
